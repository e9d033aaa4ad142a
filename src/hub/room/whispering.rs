//! What guests say to each other privately, and that they are writing.

use super::Room;
use crate::hub::command::{Command, Seat};
use crate::hub::speaker::Speaker;
use crate::protocol::{GuestId, Refusal, Whisper};

impl Room {
    /// Sends a message to one other guest; its number among the guest's private messages. It is sent even when the answer is
    /// not awaited, and once, however often it is asked for with the same id.
    ///
    /// # Errors
    /// `not_here`, `not_allowed`, `muted`, `taken_over` if the seat now belongs to another connection, or `too_fast` with how
    /// long to wait.
    pub fn whisper(
        &self,
        seat: &Seat,
        whisper: Whisper,
    ) -> impl Future<Output = Result<u64, Refusal>> + Send + use<> {
        let (room, speaker) = (self.clone(), seat.speaker());
        async move { room.whisper_as(speaker, whisper).await }
    }

    /// The same for a guest without a connection, who must have [joined](Room::join_stateless).
    ///
    /// # Errors
    /// As [`Room::whisper`].
    pub async fn whisper_stateless(&self, guest: GuestId, whisper: Whisper) -> Result<u64, Refusal> {
        self.whisper_as(Speaker { guest, connection: None }, whisper).await
    }

    async fn whisper_as(&self, speaker: Speaker, whisper: Whisper) -> Result<u64, Refusal> {
        let id = whisper.id.clone();
        let sent = self.ask(|reply| Command::Whisper(speaker, whisper, reply)).await;
        sent.map_err(|refusal| refusal.about(Some(id)))
    }

    /// Says that a guest is writing something. Whether the others are told is not said.
    pub fn typing(&self, seat: &Seat) {
        self.send(Command::Typing(seat.speaker()));
    }

    /// The same for a guest without a connection.
    pub fn typing_stateless(&self, guest: GuestId) {
        self.send(Command::Typing(Speaker { guest, connection: None }));
    }
}
