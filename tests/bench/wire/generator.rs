//! The generator: guests of a hub, all in one thread, which does as it is told on its standard input.
//!
//! It must cost far less for each delivery than any hub, or it would be what is measured: one read for whatever
//! has come, frames that are only looked at where the mark is, nothing allocated, counts instead of lists.

mod crowd;
mod doors;
mod framing;
mod guest;
mod histogram;
mod intake;
mod load;
mod progress;
mod trouble;
mod watch;

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{self, TryRecvError};

use self::crowd::Crowd;
use super::orders::{Answer, Joined, Order, Target};
use crate::kit::Outcome;

/// How long the generator sleeps at most between looking for orders, in nanoseconds.
const NAP: u64 = 1_000_000_000;

/// Is the generator until nobody tells it anything any more.
pub(crate) fn run(target: Target) -> Outcome<()> {
    let mut crowd = Crowd::new(target)?;
    let (tell, told) = mpsc::channel();
    let waker = crowd.waker()?;
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if tell.send(line).is_err() || waker.wake().is_err() {
                return;
            }
        }
        drop(tell);
        let _ = waker.wake();
    });
    loop {
        match told.try_recv() {
            Ok(line) => {
                let answer = obey(&mut crowd, serde_json::from_str(&line)?);
                let answer = answer.unwrap_or_else(|error| Answer::Failed(error.to_string()));
                println!("{}", serde_json::to_string(&answer)?);
                io::stdout().flush()?;
            }
            Err(TryRecvError::Empty) => crowd.round(crowd.now() + NAP, false)?,
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
    }
}

fn obey(crowd: &mut Crowd, order: Order) -> io::Result<Answer> {
    Ok(match order {
        Order::Join { guests } => Answer::Joined(crowd.join(guests)?),
        Order::Admit { trouble } => crowd.admit(trouble).map(|()| Answer::Joined(Joined::default()))?,
        Order::Expel => crowd.expel().map(|()| Answer::Joined(Joined::default()))?,
        Order::Saturate { window, span } => Answer::Loaded(crowd.saturate(window, span)?),
        Order::Pace { rate, burst, speakers, spin, span } => {
            Answer::Loaded(crowd.pace(rate, burst, speakers, spin, span)?)
        }
        Order::Rest { seconds } => Answer::Rested(crowd.rest(seconds)?),
        Order::Knock { at_once, hello, span } => Answer::Knocked(crowd.knock(at_once, hello, span)?),
    })
}
