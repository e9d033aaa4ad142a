//! A busy room through each onion service in turn: what a delivery costs and how long it takes.

use std::sync::Arc;
use std::time::Duration;

use super::cells::{Cells, Reading};
use super::crowd::Crowd;
use super::service::Service;
use super::talk::{Pace, Talk};
use crate::kit::Outcome;
use crate::kit::figures::Sample;

/// Said before each measurement, so that nothing is measured that happens once.
const WARMING: usize = 20;

/// So many guests, so much said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) guests: usize,
    pace: Pace,
    messages: usize,
}

/// The loads, in the order of guests.
pub(crate) const LOADS: [Load; 5] = [
    Load {
        name: "20 guests, 40 messages/s",
        guests: 20,
        pace: Pace::Open { a_second: 40, at_once: 1 },
        messages: 160,
    },
    Load {
        name: "50 guests, 40 messages/s",
        guests: 50,
        pace: Pace::Open { a_second: 40, at_once: 1 },
        messages: 160,
    },
    Load {
        name: "50 guests, 400 messages/s",
        guests: 50,
        pace: Pace::Open { a_second: 400, at_once: 1 },
        messages: 1200,
    },
    Load {
        name: "50 guests, 400 messages/s, 40 at once",
        guests: 50,
        pace: Pace::Open { a_second: 400, at_once: 40 },
        messages: 1200,
    },
    Load { name: "50 guests, 32 outstanding", guests: 50, pace: Pace::Outstanding(32), messages: 1600 },
];

/// What one round of a load gave.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    /// Processor time of all processes of the service, for each delivery, in µs.
    pub(crate) computing: f64,
    /// From when a message was to be said until somebody read it.
    pub(crate) delays: Sample,
    /// Deliveries that never came.
    pub(crate) lost: usize,
    /// Resident memory at the end, in bytes.
    pub(crate) resident: u64,
    /// The cells that came from the service.
    pub(crate) cells: Reading,
    /// The same for each delivery.
    pub(crate) cells_each: f64,
}

impl Load {
    /// Measures it once.
    pub(crate) async fn round(&self, service: &Service, crowd: &mut Crowd, cells: &Cells) -> Outcome<Round> {
        let warm = Pace::Open { a_second: 40, at_once: 1 };
        self.hold(crowd, WARMING, warm).await?;
        let before = cells.read().await;
        let computed = service.computed()?;
        let (talk, lost) = self.hold(crowd, self.messages, self.pace).await?;
        let computing = service.computed_since(&computed)?;
        let resident = service.resident()?;
        let cells = cells.read().await.since(before);
        crowd.complete()?;
        let each = |total: f64| total / (talk.deliveries() - lost).max(1) as f64;
        Ok(Round {
            computing: each(computing.as_secs_f64() * 1e6),
            delays: talk.delays(),
            lost,
            resident,
            cells,
            cells_each: each(cells.cells() as f64),
        })
    }

    async fn hold(&self, crowd: &Crowd, messages: usize, pace: Pace) -> Outcome<(Arc<Talk>, usize)> {
        let (talk, mut completed) = Talk::new(crowd.len(), messages, pace);
        let talk = Arc::new(talk);
        crowd.begin(&talk);
        let lost = talk.hold(&mut completed, |message| crowd.say(&talk, message)).await?;
        // What else belongs to it, the log's work for instance, comes to its end.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok((talk, lost))
    }
}
