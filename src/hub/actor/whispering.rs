//! What guests say to each other privately, and that they are writing: nothing of it goes to the log.

use tokio::time::Instant;

use super::RoomActor;
use crate::hub::admission::muted;
use crate::hub::command::{not_seated, rate_limited};
use crate::hub::speaker::Speaker;
use crate::protocol::{Code, Event, GuestId, Refusal, Whisper};

impl RoomActor {
    /// Delivers a private message, which is charged as any other; the number that it has for its author.
    pub(super) fn whisper(&mut self, speaker: Speaker, whisper: Whisper) -> Result<u64, Refusal> {
        let (at, now) = (self.clock(), Instant::now());
        let (author, circuit) =
            self.roster.guest(speaker.guest, speaker.connection).ok_or_else(not_seated)?;
        let author = author.clone();
        self.budgets
            .charge_message(author.id, circuit, whisper.text.text().len(), now)
            .map_err(rate_limited)?;
        // Before all that may have changed since the first time.
        if let Some(number) = self.roster.private().sent(author.id, &whisper) {
            return Ok(number);
        }
        if let Some(mute) = self.state.mute(author.id, at) {
            return Err(muted(mute, at));
        }
        if self.policy.no_private {
            let sentence = "Guests cannot write to each other privately in this room.";
            return Err(Refusal::new(Code::NotAllowed, sentence));
        }
        if whisper.to == author.id {
            let sentence = "This is your own number; a private message is for another guest.";
            return Err(Refusal::new(Code::WrongKind, sentence));
        }
        let Some((to, _)) = self.roster.guest(whisper.to, None) else {
            return Err(self.not_here(whisper.to));
        };
        let to = to.clone();
        self.roster.private().deliver(&author, &to, at, whisper).ok_or_else(not_seated)
    }

    fn not_here(&self, guest: GuestId) -> Refusal {
        let sentence = match self.roster.name_elsewhere(guest) {
            Some(_) => {
                "This guest is at another address of the room; private messages reach only those who are at the same one."
            }
            None => "This guest is not in the room any more, so a private message cannot reach them.",
        };
        Refusal::new(Code::NotHere, sentence)
    }

    /// Tells all guests that one is writing, where hosts have switched that on; or tells it not, and says nothing.
    pub(super) fn tell_typing(&mut self, speaker: Speaker) {
        let (at, now) = (self.clock(), Instant::now());
        let is_told = self.policy.typing && self.roster.count() > 1 && !self.presence.is_crowd();
        if !is_told || self.roster.guest(speaker.guest, speaker.connection).is_none() {
            return;
        }
        if self.state.mute(speaker.guest, at).is_none() && self.typing.admit(speaker.guest, now) {
            self.shared.publish_one(Event::Typing { guest: speaker.guest });
        }
    }
}
