//! Guests who come in with a passphrase: their token, and the name that is reserved for them.

use super::command::{Command, storage_unavailable};
use super::room::Room;
use super::speaker::Speaker;
use crate::log::LogError;
use crate::passwords;
use crate::protocol::{Act, Guest, Hello, Identity, MessageId, Name, Refusal, Token, Welcome};

impl Room {
    /// Gives a hello with an identity the token of that identity and its name; any other is given back as it is. Joining does the
    /// same; who tries to join again and again does it once before, because it costs an attempt.
    ///
    /// # Errors
    /// `too_fast`, with how long to wait.
    pub async fn identify(&self, mut hello: Hello) -> Result<Hello, Refusal> {
        let Some(Identity { name, passphrase }) = hello.identity.take() else { return Ok(hello) };
        self.shared().attempts.charge(self.circuit)?;
        let salt = self.ask(|reply| Command::Salt(name.clone(), reply)).await?;
        let key = passwords::key(&passphrase, &salt).await?;
        Ok(Hello { token: Some(Token::derived(key)), name: Some(name), keeps: true, ..hello })
    }

    /// Reserves the name of a guest who came in with the identity `under` this name, where it is not reserved for them.
    pub(super) async fn reserve_for(
        &self,
        welcome: &mut Welcome,
        speaker: Speaker,
        under: Option<Name>,
    ) -> Result<(), Refusal> {
        if under.is_none() || welcome.guest.kept {
            return Ok(());
        }
        let id = MessageId::random().map_err(|error| storage_unavailable(LogError(error.to_string())))?;
        let act = Act::Reserve { name: None, under: under.map(|under| under.as_str().to_owned()) };
        self.act_as(Some(speaker), id, act).await.map_err(|refusal| refusal.about(None))?;
        welcome.guest.kept = true;
        let own = welcome.guest.id;
        let kept = |guest: &Guest| Guest { kept: guest.kept || guest.id == own, ..guest.clone() };
        welcome.guests = welcome.guests.iter().map(kept).collect();
        Ok(())
    }
}
