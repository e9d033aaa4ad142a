//! The room among the other rooms of its address.

use std::sync::Arc;

use super::Room;
use crate::hub::command::{Command, RoomsNews};
use crate::hub::facts::Facts;
use crate::language::Language;
use crate::protocol::{CircuitId, Refusal};

impl Room {
    /// The circuit that requests through this handle are charged to.
    pub fn circuit(&self) -> CircuitId {
        self.circuit
    }

    /// The same handle, for requests of a guest with this language: refusals and a name that is suggested are in it. It is of the
    /// handle alone; the room does not know it of its guests.
    pub fn in_language(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// The language of the guest whose requests come through this handle.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The room's name in addresses.
    pub fn name(&self) -> &str {
        self.shared.facts.name()
    }

    /// What is told of the room to those who are not in it.
    pub fn facts(&self) -> &Arc<Facts> {
        &self.shared.facts
    }

    /// Tells the room's guests of the other rooms.
    pub fn tell_rooms(&self, news: &Arc<RoomsNews>) {
        let _ = self.commands.send(Command::Rooms(Arc::clone(news)));
    }

    /// How many handles and seats there are, this one among them. Only from a handle comes another one.
    pub fn handles(&self) -> usize {
        self.commands.strong_count()
    }

    /// Whether nothing would be lost if the room ended now and were opened again: no guest has a seat, nothing is being
    /// written, and nothing is remembered that the log has not.
    pub async fn is_quiet(&self) -> bool {
        self.ask(Command::IsQuiet).await.unwrap_or(false)
    }

    /// Puts all guests out for this reason, and ends the room: what is asked of it later is refused.
    pub async fn end(&self, reason: Refusal) {
        let _ = self.ask(|reply| Command::End(reason, reply)).await;
    }
}
