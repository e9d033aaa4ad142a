//! The messages that wait until a host or a moderator lets them be said, for those who may see them.

use super::command::Seat;
use super::reader::unreadable;
use super::room::Room;
use crate::protocol::event::HeldMessage;
use crate::protocol::{Body, Code, Event, GuestId, Record, Refusal, Role};

/// The messages that wait until a host or a moderator lets them be said.
#[derive(Debug)]
pub struct Waiting {
    /// The messages, oldest first, each with the body [`Body::Held`].
    pub messages: Vec<Record>,
    /// The words that are kept out; `None` for moderators, who do not choose them.
    pub words: Option<Vec<String>>,
}

impl Waiting {
    /// The answer as an event.
    pub fn event(&self) -> Event<'_> {
        let messages = self.messages.iter().filter_map(|record| match &record.body {
            Body::Held { name, text, .. } => {
                Some(HeldMessage { seq: record.seq, at: record.at, guest: record.author, name, text })
            }
            _ => None,
        });
        Event::Held { messages: messages.collect(), words: self.words.as_deref() }
    }
}

impl Room {
    /// The messages that wait, for the guest on this connection.
    ///
    /// # Errors
    /// As [`Room::held`].
    pub fn held_for(&self, seat: &Seat) -> impl Future<Output = Result<Waiting, Refusal>> + Send + use<> {
        let (room, guest) = (self.clone(), seat.guest);
        async move { room.held(guest).await }
    }

    /// The messages that wait, for this guest, or for the room itself.
    ///
    /// # Errors
    /// `not_allowed`, or `not_kept` when the log cannot be read.
    pub async fn held(&self, guest: GuestId) -> Result<Waiting, Refusal> {
        loop {
            let erasures = self.shared().erasures();
            let state = self.state().await?;
            let role = state.role(guest);
            if role < Role::Moderator {
                let sentence = "Only a host or a moderator of this room can see that.";
                return Err(Refusal::new(Code::NotAllowed, sentence));
            }
            let mut held = Vec::with_capacity(state.held().len());
            for line in state.held() {
                let read = self.shared().log.read(line.seq - 1, 1).await.map_err(unreadable)?;
                let is_it =
                    |record: &Record| record.seq == line.seq && matches!(record.body, Body::Held { .. });
                held.extend(read.into_iter().filter(is_it));
            }
            // What was discarded meanwhile is told to no moderator after that.
            if self.shared().erasures() == erasures {
                return Ok(Waiting { messages: held, words: (role == Role::Host).then_some(state.words) });
            }
        }
    }
}
