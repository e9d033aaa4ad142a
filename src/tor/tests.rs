//! The service without a network: what must hold before the first relay is reached.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::net::TcpListener;
use std::time::Duration;

use data_encoding::BASE64_NOPAD;
use futures_util::FutureExt;
use tempfile::TempDir;
use tokio::time::Instant;

use super::instance::SHUTDOWN_TIMEOUT;
use super::*;
use crate::storage::StorageError;

/// A private network whose only authority refuses connections, and a directory for data directories.
struct Offline {
    directory: TempDir,
    settings: OnionSettings,
}

impl Offline {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let network_file = directory.path().join("network.toml");
        let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let authority = Authority {
            nickname: "offline".into(),
            v3_identity: "0123456789abcdef0123456789abcdef01234567".into(),
            rsa_identity: "89abcdef0123456789abcdef0123456789abcdef".into(),
            ed25519_identity: BASE64_NOPAD.encode(&[7; 32]),
            or_address: closed,
        };
        PrivateNetwork { authorities: vec![authority] }.write(&network_file).unwrap();
        let settings = OnionSettings { network_file: Some(network_file), ..OnionSettings::default() };
        Self { directory, settings }
    }

    fn persistent(&self) -> Result<Arc<DataDirectory>, StorageError> {
        DataDirectory::open(&self.directory.path().join("room")).map(Arc::new)
    }

    async fn launch(&self, directory: Arc<DataDirectory>) -> OnionService {
        OnionService::launch(&self.settings, directory, open()).await.unwrap()
    }
}

/// Who may find a room that is open to all.
fn open() -> watch::Receiver<Access> {
    watch::Sender::new(Access::default()).subscribe()
}

fn ephemeral() -> Arc<DataDirectory> {
    Arc::new(DataDirectory::ephemeral(false).unwrap())
}

#[tokio::test]
async fn the_address_is_known_without_waiting_and_the_same_after_a_restart() {
    let offline = Offline::new();
    let directory = offline.persistent().unwrap();
    let launched = OnionService::launch(&offline.settings, directory, open()).now_or_never();
    let service = launched.expect("launching waits for nothing").unwrap();
    assert_eq!(service.status().borrow().stage, Stage::Connecting);
    let address = service.address().clone();
    service.shutdown().await;

    let again = offline.launch(offline.persistent().unwrap()).await;
    assert_eq!(again.address(), &address);
    again.shutdown().await;
}

/// The clock is paused: it moves only when every task waits, so a task that cannot be aborted lets the time of
/// [`SHUTDOWN_TIMEOUT`] pass.
#[tokio::test(start_paused = true)]
async fn shutting_down_sees_every_task_end() {
    let offline = Offline::new();
    let service = offline.launch(offline.persistent().unwrap()).await;
    let mut status = service.status();
    status.wait_for(|status| status.problem.is_some()).await.unwrap();
    let began = Instant::now();
    service.shutdown().await;
    assert!(began.elapsed() < SHUTDOWN_TIMEOUT, "{:?}", began.elapsed());
    offline.persistent().expect("the data directory is released");
}

/// With threads of their own for its circuits, too, nothing of one run is left when the next begins.
#[tokio::test]
async fn a_room_with_more_threads_starts_and_ends_the_same_way() {
    let mut offline = Offline::new();
    offline.settings.threads = 3;
    let service = offline.launch(offline.persistent().unwrap()).await;
    let address = service.address().clone();
    service.shutdown().await;
    let again = offline.launch(offline.persistent().expect("the data directory is released")).await;
    assert_eq!(again.address(), &address);
    again.shutdown().await;
    let ephemeral = ephemeral();
    let path = ephemeral.path().to_owned();
    offline.launch(ephemeral).await.shutdown().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn dropping_gives_the_data_directory_back() {
    let offline = Offline::new();
    drop(offline.launch(offline.persistent().unwrap()).await);
    let given_back = async {
        loop {
            match offline.persistent() {
                Ok(directory) => return directory,
                Err(error) => assert!(matches!(error, StorageError::InUse { .. }), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let directory = tokio::time::timeout(Duration::from_secs(30), given_back).await.unwrap();
    offline.launch(directory).await.shutdown().await;
}

#[tokio::test]
async fn an_ephemeral_room_has_a_new_address_each_time_and_leaves_nothing() {
    let offline = Offline::new();
    let directory = ephemeral();
    let path = directory.path().to_owned();
    let first = offline.launch(directory).await;
    let second = offline.launch(ephemeral()).await;
    assert_ne!(first.address(), second.address());
    assert!(path.exists());
    first.shutdown().await;
    assert!(!path.exists());
    second.shutdown().await;
}

#[tokio::test]
async fn an_instance_that_replaces_another_has_its_address() {
    let offline = Offline::new();
    let persistent = (offline.persistent().unwrap(), None);
    for (directory, keypair) in [persistent, (ephemeral(), Some(ServiceKeypair::generate()))] {
        let network = PrivateNetwork::read(offline.settings.network_file.as_deref().unwrap()).ok();
        let storage = Storage::within(directory, network.as_ref()).unwrap();
        let options = ArtiOptions::new(&offline.settings);
        let config = LaunchConfig {
            storage,
            network,
            keypair,
            options,
            threads: 1,
            access: open(),
            own_key: ClientKey::generate(),
            introductions: mpsc::channel(1).0,
        };
        let first = ArtiInstance::start(&config).unwrap();
        let address = first.address.clone();
        first.shutdown().await;
        let second = ArtiInstance::start(&config).unwrap();
        assert_eq!(second.address, address);
        second.shutdown().await;
    }
}

#[tokio::test]
async fn a_missing_description_of_the_network_is_named() {
    let settings = OnionSettings { network_file: Some("/nowhere/network.toml".into()), ..Default::default() };
    let refused = OnionService::launch(&settings, ephemeral(), open()).await.unwrap_err().to_string();
    assert!(refused.contains("/nowhere/network.toml"), "{refused}");
}

#[tokio::test]
async fn the_introductions_are_handed_out_once() {
    let offline = Offline::new();
    let mut service = offline.launch(ephemeral()).await;
    assert!(service.introductions().is_some());
    assert!(service.introductions().is_none());
    service.shutdown().await;
}
