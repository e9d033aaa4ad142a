//! The request of a host that the room be wiped. It is no act, since nothing of it is to be kept: it is answered, and then the room
//! ends.

use std::sync::Arc;

use tokio::sync::watch;

use super::room::Room;
use crate::protocol::{Code, Confirmation, GuestId, MAIN_ROOM, Refusal, Role};

/// What is to be wiped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wipe {
    /// Whether the address is to go too.
    pub address: bool,
    /// Who asked first.
    pub by: WipedBy,
}

/// Who asked for a wipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WipedBy {
    /// A guest who is a host, from the page or over HTTP.
    Host,
    /// A program of the host, over the socket.
    Terminal,
    /// None: no host has confirmed the room for as long as the settings say.
    Unconfirmed,
}

/// Takes requests that the room be wiped, and keeps the first until the room has ended; cheap to clone.
#[derive(Debug, Clone)]
pub struct Wiping {
    asked: Arc<watch::Sender<Option<Wipe>>>,
    confirmation: Arc<watch::Sender<Option<Confirmation>>>,
    /// Why it cannot be done here.
    refused: Option<&'static str>,
}

impl Wiping {
    /// Takes them, or refuses all with this sentence.
    pub fn new(refused: Option<&'static str>) -> Self {
        let (asked, confirmation) = (watch::Sender::new(None), watch::Sender::new(None));
        Self { asked: Arc::new(asked), confirmation: Arc::new(confirmation), refused }
    }

    /// What was asked for, now and later: what runs the room waits for it. Without such a receiver all requests are refused.
    pub fn asked(&self) -> watch::Receiver<Option<Wipe>> {
        self.asked.subscribe()
    }

    /// How long the room still has, if it is wiped unless a host confirms it.
    pub fn confirmation(&self) -> Option<Confirmation> {
        *self.confirmation.borrow()
    }

    /// Tells it.
    pub fn tell(&self, confirmation: Confirmation) {
        self.confirmation.send_replace(Some(confirmation));
    }

    /// What was asked for so far.
    pub fn now(&self) -> Option<Wipe> {
        *self.asked.borrow()
    }

    /// Asks for it as a guest, who must be a host of the main room and give its title to confirm it: all rooms of the address are
    /// wiped.
    ///
    /// # Errors
    /// `not_allowed` without the role, in another room, or where this room cannot be wiped; `not_confirmed` with another title.
    pub async fn ask_as(
        &self,
        room: &Room,
        guest: GuestId,
        confirm: &str,
        address: bool,
    ) -> Result<(), Refusal> {
        if room.name() != MAIN_ROOM || room.state().await?.role(guest) < Role::Host {
            let sentence = "Only a host of the main room can wipe it, and all other rooms with it.";
            return Err(Refusal::new(Code::NotAllowed, sentence));
        }
        self.ask(room, confirm, Wipe { address, by: WipedBy::Host }).await
    }

    /// Asks for it as the room itself; `confirm` is its title.
    ///
    /// # Errors
    /// As [`Wiping::ask_as`], but for the role.
    pub async fn ask(&self, room: &Room, confirm: &str, wipe: Wipe) -> Result<(), Refusal> {
        let title = room.state().await?.title;
        self.check()?;
        if confirm.trim() != title.trim() {
            let sentence = "That is not the title of this room, which confirms that all of it is to be wiped. Nothing was done.";
            return Err(Refusal::new(Code::NotConfirmed, sentence));
        }
        self.begin(wipe);
        Ok(())
    }

    /// Whether it can be done here.
    fn check(&self) -> Result<(), Refusal> {
        match self.refused {
            Some(sentence) => Err(Refusal::new(Code::NotAllowed, sentence)),
            None if self.asked.receiver_count() == 0 && self.now().is_some() => {
                Err(Refusal::new(Code::NotAllowed, "The room is being wiped already."))
            }
            None if self.asked.receiver_count() == 0 => {
                let sentence = "The program that runs this room does not wipe it when it is asked to.";
                Err(Refusal::new(Code::NotAllowed, sentence))
            }
            None => Ok(()),
        }
    }

    /// Begins it without being confirmed. Of several requests the first one is kept, and the address goes if one of them says so.
    pub fn begin(&self, wipe: Wipe) {
        self.asked.send_modify(|asked| {
            let asked = asked.get_or_insert(wipe);
            asked.address |= wipe.address;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_requests_the_address_goes_if_one_says_so() {
        let wiping = Wiping::new(None);
        assert!(wiping.check().is_err(), "nothing waits for it");
        let asked = wiping.asked();
        wiping.check().unwrap();
        let (first, second) =
            (Wipe { address: false, by: WipedBy::Terminal }, Wipe { address: true, by: WipedBy::Host });
        wiping.begin(first);
        assert_eq!(*asked.borrow(), Some(first));
        wiping.begin(second);
        assert_eq!(wiping.now(), Some(Wipe { address: true, by: WipedBy::Terminal }));
        wiping.begin(first);
        assert_eq!(wiping.now(), Some(Wipe { address: true, by: WipedBy::Terminal }));
        drop(asked);
        assert!(wiping.check().unwrap_err().message.contains("already"));
        assert!(Wiping::new(Some("It is elsewhere.")).check().is_err());
    }
}
