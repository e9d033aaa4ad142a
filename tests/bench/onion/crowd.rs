//! Guests who stay in a room and are always listened to, each a task.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::talk::Talk;
use crate::kit::Outcome;
use crate::kit::websocket::Guest;

/// Everybody in one room.
pub(crate) struct Crowd {
    /// To each guest: the message they are to say.
    say: Vec<mpsc::UnboundedSender<(Arc<Talk>, usize)>>,
    talk: watch::Sender<Option<Arc<Talk>>>,
    guests: JoinSet<Outcome<()>>,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new() -> Self {
        Self { say: Vec::new(), talk: watch::Sender::new(None), guests: JoinSet::new() }
    }

    /// One more, who has been welcomed.
    pub(crate) fn add(&mut self, guest: Guest) {
        let (say, orders) = mpsc::unbounded_channel();
        self.say.push(say);
        self.guests.spawn(stay(guest, orders, self.talk.subscribe()));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.say.len()
    }

    /// From now on the talk is this; everyone knows before the first message.
    pub(crate) fn begin(&self, talk: &Arc<Talk>) {
        self.talk.send_replace(Some(Arc::clone(talk)));
    }

    /// The guests take turns.
    pub(crate) fn say(&self, talk: &Arc<Talk>, message: usize) {
        let _ = self.say[message % self.say.len()].send((Arc::clone(talk), message));
    }

    /// Fails if somebody is no longer there.
    pub(crate) fn complete(&mut self) -> Outcome<()> {
        match self.guests.try_join_next() {
            None => Ok(()),
            Some(ended) => ended?.and(Err("a guest has left".into())),
        }
    }
}

/// Says what is ordered and hears everything, each message once and in order.
async fn stay(
    mut guest: Guest,
    mut orders: mpsc::UnboundedReceiver<(Arc<Talk>, usize)>,
    talk: watch::Receiver<Option<Arc<Talk>>>,
) -> Outcome<()> {
    let mut newest = None;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some((talk, message)) => guest.send(talk.frame(message)).await?,
                None => return Ok(()),
            },
            text = guest.text() => {
                let event: Value = serde_json::from_str(&text?)?;
                if event["type"] == "error" {
                    return Err(format!("the room refuses: {}", event["message"]).into());
                }
                if event["type"] != "message" {
                    continue;
                }
                let seq = event["seq"].as_u64().ok_or("a message without its number")?;
                if newest.is_some_and(|newest| newest + 1 != seq) {
                    return Err(format!("message {seq} came after {newest:?}").into());
                }
                newest = Some(seq);
                let talk = talk.borrow().clone();
                if let Some(talk) = talk {
                    talk.hear(&event);
                }
            }
        }
    }
}
