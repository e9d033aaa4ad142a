//! What hosts and moderators decide.

use tokio::sync::oneshot;

use super::Room;
use crate::hub::command::{Command, Done, Seat, closing, storage_unavailable};
use crate::hub::found::Found;
use crate::hub::gate::GateCommand;
use crate::hub::password;
use crate::hub::speaker::Speaker;
use crate::log::LogError;
use crate::protocol::{Act, GuestId, MessageId, Refusal};

impl Room {
    /// Does something as a host or a moderator, or what all guests may do; the number of the act in the room's order, and the secret of the link that it
    /// makes, if it makes one. It is done even when the answer is not awaited.
    ///
    /// # Errors
    /// `not_allowed`, `taken_over` if the seat now belongs to another connection, `not_kept` when the log fails, or
    /// `too_fast` with how long to wait.
    pub fn act(
        &self,
        seat: &Seat,
        id: MessageId,
        act: Act,
    ) -> impl Future<Output = Result<Done, Refusal>> + Send + use<> {
        let (room, speaker) = (self.clone(), seat.speaker());
        async move { room.act_as(Some(speaker), id, act).await }
    }

    /// The same for a guest without a connection, who must have [joined](Room::join_stateless).
    ///
    /// # Errors
    /// As [`Room::act`].
    pub async fn act_stateless(&self, guest: GuestId, id: MessageId, act: Act) -> Result<Done, Refusal> {
        self.act_as(Some(Speaker { guest, connection: None }), id, act).await
    }

    /// The same as the room itself, which may do everything.
    ///
    /// # Errors
    /// `not_kept` when the log fails, or what is wrong with the act.
    pub async fn govern(&self, act: Act) -> Result<Done, Refusal> {
        let id = MessageId::random().map_err(|error| storage_unavailable(LogError(error.to_string())))?;
        self.act_as(None, id, act).await
    }

    pub(in crate::hub) async fn act_as(
        &self,
        speaker: Option<Speaker>,
        id: MessageId,
        mut act: Act,
    ) -> Result<Done, Refusal> {
        if let Act::Password { text, hash, .. } = &mut act
            && let Some(text) = text.take()
        {
            // Before anything is computed.
            self.ask(|reply| Command::Gate(GateCommand::MayGovern(speaker, reply))).await?;
            *hash = Some(password::hash(&text).await?);
        }
        let link = self.make_link(speaker, &id, &mut act).await?;
        let made = link.is_some().then(|| act.clone());
        let found = match (&act, speaker) {
            (Act::Edit { message, .. } | Act::React { message, .. }, Some(_)) => {
                self.find(&[*message], &act).await?
            }
            (Act::Delete { messages, .. }, Some(_)) => self.find(messages, &act).await?,
            _ => Found::default(),
        };
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(Command::Act(speaker, id.clone(), act, Box::new(found), reply));
        let result =
            answer.await.ok().and_then(|mut batch| batch.results.pop()).unwrap_or_else(|| Err(closing()));
        let done = async { Ok(Done { seq: result?, link: self.check_link(made).await.map(|()| link)? }) };
        done.await.map_err(|refusal: Refusal| refusal.about(Some(id)))
    }
}
