//! A C Tor process of the test's own on the network: another client, or an onion service before a room.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use onionroom::lab::{Control, Network};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::kit::within;

/// The options of the network's own client that describe the network.
const SHARED: [&str; 5] = ["TestingTorNetwork ", "Address ", "AssumeReachable ", "DirAuthority ", "__Owning"];

/// The process, ended when dropped.
pub(crate) struct Daemon {
    /// Where its control port is.
    pub(crate) control: SocketAddr,
    _process: Child,
    home: TempDir,
}

impl Daemon {
    /// Starts it with these options beside those of the network, in a home of its own, which is `HOME` in them.
    pub(crate) async fn start(network: &Network, options: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), network, options).await
    }

    /// The same where something is in its home already.
    pub(crate) async fn start_in(home: TempDir, network: &Network, options: &str) -> Self {
        let path = |name: &str| home.path().join(name);
        let (torrc, defaults) = (path("torrc"), path("torrc-defaults"));
        fs::write(&defaults, "").unwrap();
        fs::write(&torrc, configuration(network.directory(), home.path(), options)).unwrap();
        let process = Command::new("tor")
            .arg("--defaults-torrc")
            .args([&defaults])
            .arg("-f")
            .args([&torrc])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let control = within("a control port", async {
            loop {
                let written = fs::read_to_string(path("control_port")).unwrap_or_default();
                if let Some(Ok(address)) = written.trim().strip_prefix("PORT=").map(str::parse)
                    && Control::connect(address, &path("cookie")).await.is_ok()
                {
                    break address;
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
        let control = control.await;
        Self { control, _process: process, home }
    }

    /// Its home.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The file that authenticates to its control port.
    pub(crate) fn cookie(&self) -> PathBuf {
        self.home.path().join("cookie")
    }

    /// A connection to its control port.
    pub(crate) async fn controlled(&self) -> Control {
        Control::connect(self.control, &self.cookie()).await.unwrap()
    }

    /// Waits until it can build circuits.
    pub(crate) async fn connected(&self) {
        let mut control = self.controlled().await;
        within("circuits", async {
            while control.get_info("status/circuit-established").await.unwrap() != ["1"] {
                sleep(Duration::from_millis(100)).await;
            }
        })
        .await;
    }

    /// The address of the onion service whose directory has this name in its home.
    pub(crate) async fn onion(&self, service: &str) -> String {
        let file = self.home.path().join(service).join("hostname");
        within("the address of an onion service", async {
            loop {
                match fs::read_to_string(&file) {
                    Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                    _ => sleep(Duration::from_millis(20)).await,
                }
            }
        })
        .await
    }
}

fn configuration(network: &Path, home: &Path, options: &str) -> String {
    let client = fs::read_to_string(network.join("client/torrc")).unwrap();
    let shared = client.lines().filter(|line| SHARED.iter().any(|option| line.starts_with(option)));
    let home = home.display();
    format!(
        "{}\nShutdownWaitLength 0\nDataDirectory \"{home}/data\"\nControlPort auto\n\
         ControlPortWriteToFile \"{home}/control_port\"\nCookieAuthentication 1\nCookieAuthFile \"{home}/cookie\"\n{}\n",
        shared.collect::<Vec<_>>().join("\n"),
        options.replace("HOME", &home.to_string())
    )
}
