//! Those who follow a log in this process.

use tokio::sync::mpsc;

use super::Follow;
use crate::protocol::Record;

/// The sending half for each of them. What is sent waits in memory until it is taken; the room's task takes it before it
/// begins more than two further appends, which bounds it.
#[derive(Debug, Default)]
pub(super) struct Followers(Vec<mpsc::UnboundedSender<Vec<Record>>>);

impl Followers {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A further one, who gets these entries first.
    pub(super) fn add(&mut self, first: Vec<Record>) -> Follow {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        if !first.is_empty() {
            let _ = sender.send(first);
        }
        self.0.push(sender);
        Box::pin(futures_util::stream::poll_fn(move |context| receiver.poll_recv(context)))
    }

    /// Tells all of entries that were appended.
    pub(super) fn tell(&mut self, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        self.0.retain(|follower| !follower.is_closed());
        let Some((last, others)) = self.0.split_last() else { return };
        for follower in others {
            let _ = follower.send(records.clone());
        }
        let _ = last.send(records);
    }
}
