//! What the honest guests said, who has seen it and when, and what happened to the guests meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use onionroom_bench::latencies::Latencies;
use tokio::time::Instant;

/// The ledger, shared by the guests of one room.
#[derive(Clone)]
pub(crate) struct Ledger(Arc<Mutex<Inner>>);

struct Inner {
    guests: u32,
    said: HashMap<String, Said>,
    /// By [`Period`]; what is said or happens belongs to the period in which it begins.
    periods: Vec<Figures>,
    now: Period,
}

/// A part of the time that one room runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    /// Not measured: starting, and between the others.
    Between,
    /// Nobody but the honest guests.
    Alone,
    /// The traffic goes to another room on the same network.
    Beside,
    /// The traffic goes to this room.
    Against,
}

/// A message of an honest guest.
struct Said {
    due: Instant,
    author: u32,
    period: Period,
    acknowledged: bool,
    /// One bit for each guest.
    seen: u64,
}

/// What one period was like for the honest.
#[derive(Default)]
pub(crate) struct Figures {
    /// From when a message was due until each of the others had it.
    pub(crate) seen: Latencies,
    /// From when a message was due until its author had the acknowledgement.
    pub(crate) acknowledged: Latencies,
    pub(crate) messages: u64,
    /// Deliveries that came again.
    pub(crate) duplicates: u64,
    /// Deliveries of acknowledged messages that never came.
    pub(crate) lost: u64,
    /// Messages without an acknowledgement.
    pub(crate) unacknowledged: u64,
    /// Connections of guests that ended.
    pub(crate) put_out: u64,
    /// Guests who came back as another one, or to a gap in the messages.
    pub(crate) forgotten: u64,
    /// Newcomers who tried to join.
    pub(crate) joins: u64,
    /// Those of them who were in at the first attempt.
    pub(crate) joined_at_once: u64,
    /// Those who were in within the time for it.
    pub(crate) joined: u64,
    /// How long that took.
    pub(crate) joining: Latencies,
    /// Refusals and the ends of connections, by code.
    pub(crate) reasons: BTreeMap<String, u64>,
}

impl Ledger {
    pub(crate) fn new(guests: u32) -> Self {
        let periods = std::iter::repeat_with(Figures::default).take(4).collect();
        Self(Arc::new(Mutex::new(Inner { guests, said: HashMap::new(), periods, now: Period::Between })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a period.
    pub(crate) fn begin(&self, period: Period) {
        self.lock().now = period;
    }

    pub(crate) fn period(&self) -> Period {
        self.lock().now
    }

    /// Changes the figures of a period.
    pub(crate) fn note(&self, period: Period, change: impl FnOnce(&mut Figures)) {
        change(&mut self.lock().periods[period as usize]);
    }

    /// Counts a refusal, or the end of a connection.
    pub(crate) fn reason(&self, period: Period, reason: &str) {
        self.note(period, |figures| *figures.reasons.entry(reason.to_owned()).or_default() += 1);
    }

    /// A guest has something to say.
    pub(crate) fn said(&self, id: &str, author: u32, due: Instant) {
        let mut inner = self.lock();
        let period = inner.now;
        inner.periods[period as usize].messages += 1;
        let said = Said { due, author, period, acknowledged: false, seen: 0 };
        inner.said.insert(id.to_owned(), said);
    }

    /// The author has the acknowledgement, perhaps once more.
    pub(crate) fn acknowledged(&self, id: &str) {
        let inner = &mut *self.lock();
        let Some(said) = inner.said.get_mut(id) else { return };
        if !std::mem::replace(&mut said.acknowledged, true) {
            inner.periods[said.period as usize].acknowledged.record(since(said.due));
        }
    }

    /// A guest has a message.
    pub(crate) fn seen(&self, id: &str, guest: u32) {
        let inner = &mut *self.lock();
        let Some(said) = inner.said.get_mut(id) else { return };
        let figures = &mut inner.periods[said.period as usize];
        if said.seen & (1 << guest) != 0 {
            figures.duplicates += 1;
        } else if said.author != guest {
            figures.seen.record(since(said.due));
        }
        said.seen |= 1 << guest;
    }

    /// Waits until all guests have all messages, or for the given time.
    pub(crate) async fn settled(&self, most: Duration) {
        let begin = Instant::now();
        while begin.elapsed() < most {
            let complete = {
                let inner = self.lock();
                let everyone = inner.everyone();
                inner.said.values().all(|said| said.acknowledged && said.seen == everyone)
            };
            if complete {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The figures of all periods, with what is missing now counted as lost; by [`Period`].
    pub(crate) fn close(&self) -> Vec<Figures> {
        let inner = &mut *self.lock();
        let everyone = inner.everyone();
        for said in inner.said.values() {
            let figures = &mut inner.periods[said.period as usize];
            match said.acknowledged {
                true => figures.lost += u64::from((everyone & !said.seen).count_ones()),
                false => figures.unacknowledged += 1,
            }
        }
        std::mem::take(&mut inner.periods)
    }
}

impl Inner {
    fn everyone(&self) -> u64 {
        u64::MAX >> (64 - self.guests)
    }
}

/// Nanoseconds since then.
pub(crate) fn since(begin: Instant) -> u64 {
    begin.elapsed().as_nanos() as u64
}
