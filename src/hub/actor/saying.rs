//! The actor and what guests say.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::RoomActor;
use crate::hub::command::{PublishBatch, not_seated};
use crate::hub::pending::{PendingAppend, PendingPublish};
use crate::hub::speaker::Speaker;
use crate::log::Entry;
use crate::protocol::Say;

impl RoomActor {
    /// Charges messages to their author and puts those that are admitted among the entries.
    pub(super) fn admit(
        &mut self,
        speaker: Speaker,
        says: Vec<Say>,
        reply: oneshot::Sender<PublishBatch>,
        pending: &mut PendingAppend,
    ) {
        let (at, now) = (self.clock(), Instant::now());
        let (mut results, mut rate_limited) = (Vec::with_capacity(says.len()), None);
        let mut says = says.into_iter();
        while let Some(say) = says.next() {
            let Some((author, circuit)) = self.roster.guest(speaker.guest, speaker.connection) else {
                results.push(Err(not_seated()));
                continue;
            };
            let (guest, name) = (author.id, author.name.clone());
            if let Err(refusal) = self.check_speech(guest, at, now) {
                results.push(Err(refusal));
                continue;
            }
            if let Err(wait) = self.budgets.charge_message(guest, circuit, say.text.len(), now) {
                rate_limited = Some((std::iter::once(say).chain(&mut says).collect(), wait));
                break;
            }
            self.roster.note_spoken(guest);
            self.note_speech(guest, now);
            let body = match self.body_of(guest, name, &say.id, (say.text, say.reply)) {
                Ok(body) => body,
                Err(refusal) => {
                    results.push(Err(refusal));
                    continue;
                }
            };
            pending.entries.push(Entry { at, author: guest, id: say.id, body });
            results.push(Ok(0));
        }
        pending.requests.push(PendingPublish { results, rate_limited, reply });
    }
}
