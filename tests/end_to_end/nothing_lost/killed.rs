//! The server is killed at any moment, without a last word.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use onionroom::listen::Io;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;

use super::crowd::{Crowd, fulfils, kept};
use super::steadfast::{Manners, Way};
use crate::kit::dice::{Dice, rounds};
use crate::kit::program::Program;
use crate::kit::{DEADLINE, Guest};

const GUESTS: usize = 20;

/// How many times the server is killed.
const ROUNDS: usize = 30;

/// How long the program takes about to start; it is killed at some time within, too.
const STARTING: Duration = Duration::from_millis(60);

const MANNERS: Manners = Manners {
    under_way: 4,
    welcome: Duration::from_secs(10),
    silence: Duration::from_secs(10),
    pause: Duration::from_millis(20),
};

/// The program on the data directory, as far as being asked to start.
fn start(data: &Path) -> Program {
    let data = data.to_str().unwrap();
    let words = ["serve", "--no-onion", "--local", "open", "--data-dir", data, "--listen", "127.0.0.1:0"];
    Program::start(&[&words[..], &["--keep-messages", "1000000"]].concat())
}

/// Waits until it answers.
async fn address(program: &mut Program) -> SocketAddr {
    let url = program.told("local").await;
    url.strip_prefix("http://").and_then(|rest| rest.strip_suffix('/')).unwrap().parse().unwrap()
}

/// A connection to wherever the server is by then.
fn way(address: watch::Receiver<Option<SocketAddr>>) -> Way {
    Arc::new(move |_| {
        let mut address = address.clone();
        async move {
            let there = address.wait_for(Option::is_some).await.map(|address| *address);
            let there = there.ok().flatten().ok_or(std::io::ErrorKind::NotConnected)?;
            let io: Box<dyn Io> = Box::new(TcpStream::connect(there).await?);
            Ok((io, there.to_string()))
        }
        .boxed()
    })
}

async fn visit(address: SocketAddr) -> Guest {
    Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_again_and_again() {
    let mut dice = Dice::thrown("killed");
    let data = tempfile::tempdir().unwrap();
    let room = data.path().join("room");
    let (where_it_is, address_now) = watch::channel(None);
    let mut crowd = Crowd::start(GUESTS, MANNERS, &way(address_now), &mut dice, DEADLINE);
    let mut program = start(&room);
    let since = Instant::now();
    for _ in 0..rounds(ROUNDS) {
        if dice.once_in(8) {
            sleep(dice.shorter_than(STARTING)).await; // a random moment of the start, before anyone is let in
        } else {
            let there = address(&mut program).await;
            // After every restart all that was promised is there, and nothing twice.
            let promises = crowd.promises();
            fulfils(&kept(visit(there).await).await, &promises);
            let before = crowd.progress();
            where_it_is.send_replace(Some(there));
            if dice.once_in(4) {
                let comers = dice.below(GUESTS as u64) as usize;
                crowd.until("guests", |now| now.welcomes >= before.welcomes + comers).await;
            } else {
                let said = dice.spread(500) as usize;
                crowd.until("messages", |now| now.acknowledged >= before.acknowledged + said).await;
            }
        }
        where_it_is.send_replace(None);
        program.kill().await;
        program = start(&room);
    }
    let there = address(&mut program).await;
    where_it_is.send_replace(Some(there));
    crowd.fall_silent().await;
    let kept = kept(visit(there).await).await;
    println!("killed: {} messages, {:.1} s", kept.len(), since.elapsed().as_secs_f32());
    crowd.agrees_with(&kept, 1).await;
}
