//! Acts that make links, at the handle of a room: their secrets are made here, and given where they open something.

use super::command::{Command, storage_unavailable};
use super::gate::GateCommand;
use super::made_links::made_before;
use super::room::Room;
use super::speaker::Speaker;
use crate::log::LogError;
use crate::protocol::act::LinkHash;
use crate::protocol::{Act, GuestId, MessageId, Refusal, Role, Token};

impl Room {
    /// Fills in the hash of the link that an act makes, if it makes one; its secret.
    ///
    /// # Errors
    /// `not_kept` if the system has no randomness, or the room is closing.
    pub(super) async fn make_link(
        &self,
        speaker: Option<Speaker>,
        id: &MessageId,
        act: &mut Act,
    ) -> Result<Option<Token>, Refusal> {
        let Some(link) = act.link_mut() else { return Ok(None) };
        let fresh = Token::random().map_err(|error| storage_unavailable(LogError(error.to_string())))?;
        let author = speaker.map_or(GuestId::ROOM, |speaker| speaker.guest);
        let role = self.ask(|reply| Command::Gate(GateCommand::Role(author, reply))).await?;
        // Others are refused, and push nothing out of what is remembered.
        let secret = match role {
            Role::Host => self.shared().made_links.secret(author, id, fresh),
            _ => fresh,
        };
        *link = Some(LinkHash::of(&secret));
        Ok(Some(secret))
    }

    /// Checks whether the link of an act that the log has gives anything, where the act makes one.
    ///
    /// # Errors
    /// `bad_id` if it was made before, by an act of the same id, and its secret is not known any more or gives nothing now.
    pub(super) async fn check_link(&self, made: Option<Act>) -> Result<(), Refusal> {
        let Some(act) = made else { return Ok(()) };
        if self.ask(|reply| Command::Gate(GateCommand::Stands(act, reply))).await? {
            return Ok(());
        }
        Err(made_before())
    }
}
