//! Connections break at any byte: closed, reset, or silent in one direction or both.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use onionroom::config::Settings;
use onionroom::listen::Io;
use tokio::net::TcpStream;

use super::crowd::{Crowd, kept};
use super::steadfast::{Manners, Way};
use crate::kit::dice::{Dice, rounds};
use crate::kit::elsewhere::{NAME, Pair, TlsClient, with_tls};
use crate::kit::proxy::Proxy;
use crate::kit::{DEADLINE, TestRoom};

const GUESTS: usize = 20;

/// How many times a connection is cut, for each guest.
const ROUNDS: usize = 15;

const MANNERS: Manners = Manners {
    under_way: 3,
    welcome: Duration::from_secs(1),
    silence: Duration::from_millis(400),
    pause: Duration::from_millis(20),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_at_any_byte() {
    let mut dice = Dice::thrown("cut");
    let data = tempfile::tempdir().unwrap();
    let room = TestRoom::open_with(|settings| keep_everything(settings, data.path())).await;
    let proxy = Proxy::before(room.address(), dice.fork()).await;
    let (there, host) = (proxy.address(), room.host());
    let way: Way = Arc::new(move |_| {
        let host = host.clone();
        async move {
            let io: Box<dyn Io> = Box::new(TcpStream::connect(there).await?);
            Ok((io, host))
        }
        .boxed()
    });
    talk_while_it_cuts(room, &proxy, &way, dice, MANNERS, ROUNDS).await;
}

/// The same under TLS, where a cut falls into a handshake or a record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_over_tls_that_are_cut_at_any_byte() {
    let mut dice = Dice::thrown("cut over TLS");
    let data = tempfile::tempdir().unwrap();
    let pair = Pair::new();
    pair.write(data.path());
    let room = TestRoom::open_with(|settings| {
        keep_everything(settings, data.path());
        // All of them are one address.
        settings.listen.requests_per_second = 0;
        with_tls(settings, data.path());
    })
    .await;
    let proxy = Proxy::before(room.tls(), dice.fork()).await;
    let (there, client) = (proxy.address(), TlsClient::trusting(&pair.certificate));
    let way: Way = Arc::new(move |_| {
        let client = client.clone();
        async move {
            let io: Box<dyn Io> = Box::new(client.over(TcpStream::connect(there).await?).await?);
            Ok((io, NAME.to_owned()))
        }
        .boxed()
    });
    // A handshake on a busy machine takes its time.
    let manners = Manners { welcome: Duration::from_secs(3), ..MANNERS };
    talk_while_it_cuts(room, &proxy, &way, dice, manners, ROUNDS / 3).await;
}

fn keep_everything(settings: &mut Settings, directory: &Path) {
    settings.data_dir = Some(directory.join("room"));
    settings.history.messages = 1_000_000;
    settings.listen.idle_ping = Duration::from_secs(1);
}

async fn talk_while_it_cuts(
    room: TestRoom,
    proxy: &Proxy,
    way: &Way,
    mut dice: Dice,
    manners: Manners,
    times: usize,
) {
    let since = Instant::now();
    let mut crowd = Crowd::start(GUESTS, manners, way, &mut dice, DEADLINE);
    for round in 1..=rounds(times) {
        crowd.until("cuts", |_| proxy.cuts() >= round * GUESTS).await;
    }
    proxy.calm();
    crowd.fall_silent().await;
    let kept = kept(room.stranger().await).await;
    let (cuts, seconds) = (proxy.cuts(), since.elapsed().as_secs_f32());
    println!("cut: {cuts} cuts, {} messages, {seconds:.1} s", kept.len());
    crowd.agrees_with(&kept, 1).await;
}
