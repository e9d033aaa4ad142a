//! What is said in a room while it is measured, and what of it everyone hears.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until, timeout};

use crate::kit::Outcome;
use crate::kit::figures::Sample;

/// How long the last deliveries may take; what has not come by then counts as lost.
const LAST: Duration = Duration::from_secs(15);

/// What is said: with it a message is 150 to 160 bytes on the wire.
const TEXT: &str = "so we meet at the old mill, and bring the tea";

/// How fast there is something to say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// So many messages a second, so many of them at once, whether or not those before have been heard.
    Open { a_second: u32, at_once: u32 },
    /// So many messages that not everyone has heard yet; whenever one is complete there is another.
    Outstanding(usize),
}

/// One measured conversation.
pub(crate) struct Talk {
    number: u64,
    guests: usize,
    pace: Pace,
    /// When each message was to be said, however late it was.
    intended: Vec<OnceLock<Instant>>,
    /// How many guests have heard each message.
    heard_by: Vec<AtomicUsize>,
    /// Who is told that a message is complete.
    complete: mpsc::UnboundedSender<()>,
    delays: Mutex<Vec<Duration>>,
    /// Deliveries that are still to come.
    left: AtomicUsize,
    over: Notify,
}

impl Talk {
    /// One for so many guests, and where it tells that a message is complete.
    pub(crate) fn new(guests: usize, messages: usize, pace: Pace) -> (Self, mpsc::UnboundedReceiver<()>) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (complete, completed) = mpsc::unbounded_channel();
        let talk = Self {
            number: NUMBER.fetch_add(1, Relaxed),
            guests,
            pace,
            intended: (0..messages).map(|_| OnceLock::new()).collect(),
            heard_by: (0..messages).map(|_| AtomicUsize::new(0)).collect(),
            complete,
            delays: Mutex::new(Vec::with_capacity(guests * messages)),
            left: AtomicUsize::new(guests * messages),
            over: Notify::new(),
        };
        (talk, completed)
    }

    /// How many deliveries there are if nothing is lost.
    pub(crate) fn deliveries(&self) -> usize {
        self.guests * self.intended.len()
    }

    /// The frame that says a message.
    pub(crate) fn frame(&self, message: usize) -> Value {
        serde_json::json!({ "type": "say", "id": format!("{}-{message}", self.number), "text": TEXT })
    }

    /// Has `say` say every message in time, and waits until everyone has heard them; answers with how many
    /// deliveries were lost.
    pub(crate) async fn hold(
        &self,
        completed: &mut mpsc::UnboundedReceiver<()>,
        say: impl Fn(usize),
    ) -> Outcome<usize> {
        let begin = Instant::now();
        for message in 0..self.intended.len() {
            let intended = match self.pace {
                Pace::Open { a_second, at_once } => {
                    let group = message as u32 / at_once;
                    let intended = begin + Duration::from_secs(1) * (group * at_once) / a_second;
                    sleep_until(intended).await;
                    intended
                }
                Pace::Outstanding(window) => {
                    if message >= window {
                        let complete = timeout(LAST, completed.recv()).await;
                        complete.map_err(|_| "a message was lost, and with it the window's place")?;
                    }
                    Instant::now()
                }
            };
            let _ = self.intended[message].set(intended);
            say(message);
        }
        if self.left.load(Relaxed) > 0 {
            let _ = timeout(LAST, self.over.notified()).await;
        }
        Ok(self.left.load(Relaxed))
    }

    /// A guest has read a frame.
    pub(crate) fn hear(&self, event: &Value) {
        let now = Instant::now();
        let Some(message) = event["id"].as_str().and_then(|id| self.message(id)) else { return };
        let Some(intended) = self.intended.get(message).and_then(|intended| intended.get()) else { return };
        self.delays.lock().unwrap_or_else(PoisonError::into_inner).push(now - *intended);
        if self.heard_by[message].fetch_add(1, Relaxed) + 1 == self.guests {
            let _ = self.complete.send(());
        }
        if self.left.fetch_sub(1, Relaxed) == 1 {
            self.over.notify_one();
        }
    }

    /// How long each delivery took, from when the message was to be said.
    pub(crate) fn delays(&self) -> Sample {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    fn message(&self, id: &str) -> Option<usize> {
        let (talk, message) = id.split_once('-')?;
        (talk.parse() == Ok(self.number)).then_some(message.parse().ok()?)
    }
}
