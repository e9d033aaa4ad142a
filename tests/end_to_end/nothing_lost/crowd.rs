//! Many steadfast guests, and the account of what the room promised them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::steadfast::{Heard, Manners, Steadfast, Way, text};
use crate::kit::Guest;
use crate::kit::dice::Dice;

/// What happened so far, over all guests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How many messages were acknowledged.
    pub(crate) acknowledged: usize,
    /// How often somebody was welcomed.
    pub(crate) welcomes: usize,
    /// How many guests have nothing left to say.
    silent: usize,
}

/// What the guests are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Say one thing after another.
    Talk,
    /// Say what has begun and no more.
    FallSilent,
    /// Go when this message, the last there is, has been heard.
    End(u64),
}

/// What the room promised, and how far the guests are.
#[derive(Default)]
pub(crate) struct Account {
    progress: watch::Sender<Progress>,
    /// Author and id, and the number they were promised.
    promises: Mutex<BTreeMap<(String, String), u64>>,
    silent: Mutex<BTreeSet<String>>,
}

impl Account {
    pub(crate) fn note_welcome(&self) {
        self.progress.send_modify(|progress| progress.welcomes += 1);
    }

    /// A promise, which may be told again and must not change.
    pub(crate) fn note_acknowledged(&self, name: &str, id: &str, seq: u64) {
        let before = self.promises.lock().unwrap().insert((name.to_owned(), id.to_owned()), seq);
        assert!(before.is_none_or(|before| before == seq), "{name}'s {id} was {before:?} and now is {seq}");
        self.progress.send_modify(|progress| progress.acknowledged += 1);
    }

    pub(crate) fn note_silent(&self, name: &str) {
        let mut silent = self.silent.lock().unwrap();
        if silent.insert(name.to_owned()) {
            self.progress.send_modify(|progress| progress.silent = silent.len());
        }
    }
}

/// Guests who talk.
pub(crate) struct Crowd {
    account: Arc<Account>,
    phase: watch::Sender<Phase>,
    guests: JoinSet<Vec<Heard>>,
    size: usize,
    patience: Duration,
}

impl Crowd {
    /// Starts `size` guests.
    pub(crate) fn start(
        size: usize,
        manners: Manners,
        way: &Way,
        dice: &mut Dice,
        patience: Duration,
    ) -> Self {
        let (account, phase) = (Arc::<Account>::default(), watch::Sender::new(Phase::Talk));
        let mut guests = JoinSet::new();
        for number in 1..=size {
            let (name, way) = (format!("Guest {number}"), Arc::clone(way));
            let (account, phase) = (Arc::clone(&account), phase.subscribe());
            guests.spawn(Steadfast::new(name, manners, way, account, phase, dice.fork()).talk());
        }
        Self { account, phase, guests, size, patience }
    }

    /// Brings one more guest, who talks and listens in another way.
    pub(crate) fn bring<G>(&mut self, guest: impl FnOnce(Arc<Account>, watch::Receiver<Phase>) -> G)
    where
        G: Future<Output = Vec<Heard>> + Send + 'static,
    {
        self.size += 1;
        self.guests.spawn(guest(Arc::clone(&self.account), self.phase.subscribe()));
    }

    /// What the guests are to do.
    pub(crate) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> Progress {
        *self.account.progress.borrow()
    }

    /// Waits until it is as far as wanted.
    pub(crate) async fn until(&mut self, what: &str, mut wanted: impl FnMut(&Progress) -> bool) {
        let mut progress = self.account.progress.subscribe();
        tokio::select! {
            reached = timeout(self.patience, progress.wait_for(|now| wanted(now))) => {
                assert!(reached.is_ok(), "waited in vain for {what}: {:?}", self.progress());
            }
            Some(ended) = self.guests.join_next() => match ended {
                Ok(_) => panic!("a guest ended before the time"),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
        }
    }

    /// What was promised up to now.
    pub(crate) fn promises(&self) -> BTreeMap<(String, String), u64> {
        self.account.promises.lock().unwrap().clone()
    }

    /// Lets the guests say what they have begun and no more. Nothing may be broken any longer.
    pub(crate) async fn fall_silent(&mut self) {
        self.phase.send_replace(Phase::FallSilent);
        let size = self.size;
        self.until("the last acknowledgement", |progress| progress.silent == size).await;
    }

    /// Compares what every guest has heard with `kept` and with what was promised. The messages of each guest are in the order
    /// they were said, but for those that were under way together where `together` is more than one: a message was first said
    /// when all but the last of so many before it were acknowledged. Returns how many came before one that was said earlier.
    pub(crate) async fn agrees_with(mut self, kept: &[Heard], together: u64) -> usize {
        let promises = self.promises();
        fulfils(kept, &promises);
        assert_eq!(kept.len(), promises.len(), "in the end everything there is was acknowledged");
        let mut early = 0;
        let mut orders: BTreeMap<&str, (u64, BTreeSet<u64>)> = BTreeMap::new();
        for heard in kept {
            let number: u64 = heard.id.parse().unwrap();
            let (next, beyond) = orders.entry(&heard.name).or_insert((1, BTreeSet::new()));
            assert!(number < *next + together, "{}'s {number} comes before their {next}", heard.name);
            early += usize::from(number > *next);
            beyond.insert(number);
            while beyond.remove(next) {
                *next += 1;
            }
        }
        self.phase.send_replace(Phase::End(kept.len() as u64));
        let everyone = async {
            while let Some(ended) = self.guests.join_next().await {
                let heard = ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
                assert!(heard == kept, "a guest has another list than the log");
            }
        };
        assert!(timeout(self.patience, everyone).await.is_ok(), "not everyone has heard everything");
        early
    }
}

/// Everything the room keeps, as somebody new is told it, who then leaves.
pub(crate) async fn kept(mut witness: Guest) -> Vec<Heard> {
    let welcome = witness.hello_as(json!({ "name": "Witness" })).await;
    assert_eq!(welcome["first"], 1, "nothing is trimmed in these tests");
    let head = welcome["head"].as_u64().unwrap();
    let mut kept = Vec::new();
    while kept.len() as u64 != head {
        let heard = Heard::of(&witness.expect("message").await);
        assert_eq!(heard.seq, kept.len() as u64 + 1, "without gaps");
        kept.push(heard);
    }
    witness.send(json!({ "type": "leave" })).await;
    witness.gone().await;
    kept
}

/// Checks that everything promised is kept, once, under its number and with its text.
pub(crate) fn fulfils(kept: &[Heard], promises: &BTreeMap<(String, String), u64>) {
    let mut numbers = BTreeMap::new();
    for heard in kept {
        let number = heard.id.parse().unwrap();
        assert_eq!(heard.text, text(&heard.name, number));
        let twice = numbers.insert((heard.name.clone(), heard.id.clone()), heard.seq);
        assert_eq!(twice, None, "{}'s {} is there twice", heard.name, heard.id);
    }
    for (promise, seq) in promises {
        assert_eq!(numbers.get(promise), Some(seq), "{promise:?} was acknowledged");
    }
}
