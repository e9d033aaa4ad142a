//! Newcomers, at the handle of a room: what they bring to be let in is checked here, beside the actor.

use tokio::sync::oneshot;

use super::command::{Command, closing, storage_unavailable};
use super::entrance::{Needs, with_token};
use super::gate::{Entering, GateCommand, Step};
use super::password;
use super::room::Room;
use super::speaker::Reply;
use crate::log::LogError;
use crate::protocol::act::Target;
use crate::protocol::entering::Proof;
use crate::protocol::event::WaitingGuest;
use crate::protocol::{Act, CircuitId, Code, GuestId, Hello, Refusal, Role, Token};

impl Room {
    /// What newcomers need now.
    pub fn needs(&self) -> Needs {
        self.shared().entrance.needs()
    }

    /// Gives a hello a token, if it has none, and uses what the guest brings to be let in: it is not in the hello any more then.
    /// Whether the guest may come in, joining says.
    ///
    /// # Errors
    /// `password_wrong`; `too_fast`, with how long to wait, where passwords were tried too often; `not_kept` when the log
    /// fails.
    pub async fn enter(&self, hello: &mut Hello) -> Result<(), Refusal> {
        let token = match &hello.token {
            Some(token) => token.clone(),
            None => {
                let fresh =
                    Token::random().map_err(|error| storage_unavailable(LogError(error.to_string())))?;
                hello.token.insert(fresh).clone()
            }
        };
        let (invite, password) = (hello.invite.take(), hello.password.take());
        if invite.is_none() && password.is_none() {
            return Ok(());
        }
        let name = hello.name.clone();
        let entering =
            Entering { token, circuit: self.circuit(), name, invite, password: password.is_some() };
        let step = self.ask(|reply| Command::Gate(GateCommand::Enter(entering, reply))).await?;
        match (step, password) {
            (Step::Append(author, act), _) => self.let_in(author, act).await,
            (Step::Verify { guest, hash, number }, Some(given)) => {
                self.shared().attempts.charge(self.circuit())?;
                if !password::matches(&given, &hash).await? {
                    let sentence = "That is not the password of this room. Ask the one who told you of it.";
                    return Err(Refusal::new(Code::PasswordWrong, sentence));
                }
                let target = Target { of: guest, name: None };
                self.let_in(GuestId::ROOM, Act::Admit { target, by: Some(Proof::Password(number)) }).await
            }
            _ => Ok(()),
        }
    }

    /// The role of the guest with this token, who takes no seat and holds none by it: for `HEAD`.
    ///
    /// # Errors
    /// Why they would not come in now, as joining says it.
    pub async fn peek(&self, token: &Token) -> Result<Role, Refusal> {
        let circuit = self.circuit();
        self.ask(|reply| Command::Gate(GateCommand::Peek(token.clone(), circuit, reply))).await
    }

    /// Uses what the guest brings to be let in, and joins.
    pub(super) async fn ask_as<T>(
        &self,
        mut hello: Hello,
        command: impl FnOnce(Box<Hello>, CircuitId, Reply<T>) -> Command,
    ) -> Result<T, Refusal> {
        // That of a passphrase is told as well, so that to ask again costs no attempt.
        let made = hello.token.is_none() || hello.keeps;
        let brought = hello.invite.is_some() || hello.password.is_some();
        self.enter(&mut hello).await?;
        hello.language = self.language();
        let token = hello.token.clone();
        let joined = self.ask(|reply| command(hello.into(), self.circuit(), reply)).await;
        joined.map_err(|refusal| with_token(refusal, token.as_ref().filter(|_| made), brought))
    }

    /// Appends an act that lets a guest in. Where it does so no more, joining refuses the guest.
    async fn let_in(&self, author: GuestId, act: Act) -> Result<(), Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Gate(GateCommand::Append(author, act, reply)));
        let result = answer.await.ok().and_then(|mut batch| batch.results.pop());
        match result.unwrap_or_else(|| Err(closing())) {
            Err(refusal) if refusal.code != Code::NotAllowed => Err(refusal),
            _ => Ok(()),
        }
    }

    /// Who waits at this node to be let in.
    ///
    /// # Errors
    /// The room is closing.
    pub async fn waiting(&self) -> Result<Vec<WaitingGuest>, Refusal> {
        self.ask(|reply| Command::Gate(GateCommand::List(None, reply))).await
    }

    /// The same for a guest.
    ///
    /// # Errors
    /// `not_allowed` for one who is neither a host nor a moderator.
    pub async fn waiting_for(&self, guest: GuestId) -> Result<Vec<WaitingGuest>, Refusal> {
        self.ask(|reply| Command::Gate(GateCommand::List(Some(guest), reply))).await
    }

    /// The guest with this token, if they wait at this node.
    ///
    /// # Errors
    /// The room is closing.
    pub async fn waits(&self, token: &Token) -> Result<Option<GuestId>, Refusal> {
        self.ask(|reply| Command::Gate(GateCommand::Waits(token.clone(), reply))).await
    }
}
