//! Circuits are closed under the guests, through the control port of their Tor client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use onionroom::listen::Io;

use super::crowd::{Crowd, kept};
use super::steadfast::{Manners, Way};
use crate::kit::Guest;
use crate::kit::dice::{Dice, rounds};
use crate::onion::visitor::Visitors;

const GUESTS: usize = 6;

/// How many times circuits are closed.
const ROUNDS: usize = 20;

/// How long a round may take: a new circuit to a busy machine's relays.
const PATIENCE: Duration = Duration::from_secs(90);

const MANNERS: Manners = Manners {
    under_way: 4,
    welcome: Duration::from_secs(30),
    silence: Duration::from_secs(10),
    pause: Duration::from_millis(200),
};

/// Closes circuits of random guests, at times of all of them, while everyone talks.
pub(crate) async fn circuits_that_are_closed_again_and_again(visitors: &Arc<Visitors>, host: &str) {
    let mut dice = Dice::thrown("circuits");
    let way = {
        let (visitors, host) = (Arc::clone(visitors), host.to_owned());
        let way: Way = Arc::new(move |name| {
            let (visitors, host) = (Arc::clone(&visitors), host.clone());
            async move {
                let io: Box<dyn Io> = Box::new(visitors.try_connect_as(&name, &host).await?);
                Ok((io, host))
            }
            .boxed()
        });
        way
    };
    let since = Instant::now();
    let mut crowd = Crowd::start(GUESTS, MANNERS, &way, &mut dice, PATIENCE);
    crowd.until("everyone", |now| now.welcomes >= GUESTS).await;
    let mut control = visitors.control().await;
    let mut closed = 0;
    for _ in 0..rounds(ROUNDS) {
        let before = crowd.progress();
        let said = dice.spread(200) as usize;
        crowd.until("messages", |now| now.acknowledged >= before.acknowledged + said).await;
        let everyone = dice.once_in(5);
        let unlucky = format!("Guest {}", 1 + dice.below(GUESTS as u64));
        for (name, circuit) in visitors.circuits().await {
            if everyone || name == unlucky {
                // It may be gone by itself by now.
                closed += usize::from(control.command(&format!("CLOSECIRCUIT {circuit}")).await.is_ok());
            }
        }
    }
    // A guest who is just coming back has none.
    assert!(closed >= rounds(ROUNDS) / 2, "only {closed} circuits were there to be closed");
    crowd.fall_silent().await;
    let witness = Guest::connect(visitors.connect_as("Witness", host).await, host).await;
    let kept = kept(witness).await;
    println!("circuits: {closed} closed, {} messages, {:.1} s", kept.len(), since.elapsed().as_secs_f32());
    crowd.agrees_with(&kept, 1).await;
}
