//! Connections break at any byte: closed, reset, or silent in one direction or both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use onionroom::listen::Io;
use tokio::net::TcpStream;

use super::crowd::{Crowd, kept};
use super::steadfast::{Manners, Way};
use crate::kit::dice::{Dice, rounds};
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
    let room = TestRoom::open_with(|settings| {
        settings.data_dir = Some(data.path().join("room"));
        settings.history.messages = 1_000_000;
        settings.listen.idle_ping = Duration::from_secs(1);
    })
    .await;
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
    let since = Instant::now();
    let mut crowd = Crowd::start(GUESTS, MANNERS, &way, &mut dice, DEADLINE);
    for round in 1..=rounds(ROUNDS) {
        crowd.until("cuts", |_| proxy.cuts() >= round * GUESTS).await;
    }
    proxy.calm();
    crowd.fall_silent().await;
    let kept = kept(room.stranger().await).await;
    let (cuts, seconds) = (proxy.cuts(), since.elapsed().as_secs_f32());
    println!("cut: {cuts} cuts, {} messages, {seconds:.1} s", kept.len());
    crowd.agrees_with(&kept).await;
}
