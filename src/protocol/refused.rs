//! A refusal as guests are sent it.

use super::event::Event;
use super::id::MessageId;
use super::refusal::Refusal;
use super::secret::Secret;

impl Refusal {
    /// The refusal as an event.
    pub fn event(&self) -> Event<'_> {
        Event::Error {
            code: self.code.as_str(),
            message: &self.message,
            id: self.id.as_ref().map(MessageId::as_str),
            retry_after: self.retry_after.map(|wait| wait.as_millis().div_ceil(1000).max(1) as u64),
            token: self.token.as_ref().map(Secret::text),
            doors: &self.doors,
        }
    }
}
