//! Why something was refused: a stable code for programs, a sentence for people.

use std::sync::Arc;
use std::time::Duration;

use super::id::{InvalidMessageId, MESSAGE_ID_MAX, MessageId};
use super::secret::Secret;
use crate::language::Language;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The stable code of an error; `docs/protocol.md` says when each is used.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The code as it stands on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    /// The frame is not JSON.
    NotJson = "not_json",
    /// The frame is JSON, but not an object.
    NotAnObject = "not_an_object",
    /// Too many levels of nesting.
    TooDeep = "too_deep",
    /// A member that must be there is not.
    MissingField = "missing_field",
    /// A member has the wrong kind of value.
    WrongKind = "wrong_kind",
    /// A type of frame that does not exist.
    UnknownType = "unknown_type",
    /// A binary frame.
    BinaryReserved = "binary_reserved",
    /// A request before the hello.
    HelloFirst = "hello_first",
    /// A second hello after the welcome.
    HelloAgain = "hello_again",
    /// A room that does not exist.
    UnknownRoom = "unknown_room",
    /// A message id that is empty, too long or has other characters.
    BadId = "bad_id",
    /// A text of nothing but white space.
    TextEmpty = "text_empty",
    /// More text than a message may have.
    TextTooLong = "text_too_long",
    /// A control character in the text.
    TextControl = "text_control",
    /// A name without a letter, digit or emoji.
    NameEmpty = "name_empty",
    /// A name that is too long.
    NameTooLong = "name_too_long",
    /// A character or a mixture of scripts that names may not have, or a reserved word.
    NameForbidden = "name_forbidden",
    /// The name, or one confusable with it, belongs to another guest.
    NameTaken = "name_taken",
    /// The name, or one confusable with it, is reserved for the identity of another guest.
    NameReserved = "name_reserved",
    /// The passphrase is not that of the identity for which the name is reserved.
    IdentityWrong = "identity_wrong",
    /// Only guests with an identity may come in.
    IdentityNeeded = "identity_needed",
    /// A passphrase or a password that is too short, too long or has control characters.
    BadPassphrase = "bad_passphrase",
    /// No seat is free.
    RoomFull = "room_full",
    /// The same token joined on another connection.
    TakenOver = "taken_over",
    /// A role that this needs is missing, or a link that gives it is used up.
    NotAllowed = "not_allowed",
    /// The room's title, which confirms what cannot be taken back, is another one.
    NotConfirmed = "not_confirmed",
    /// The guest may not come in, or was put out.
    Banned = "banned",
    /// The guest may not say anything.
    Muted = "muted",
    /// The guest whom a private message is for is not in the room, or at another node.
    NotHere = "not_here",
    /// Only guests who are in the room may come in.
    Locked = "locked",
    /// The message would have to wait for a host, and no more can.
    NotHeld = "not_held",
    /// A host or a moderator has to let the guest in first.
    Waiting = "waiting",
    /// The room has a password, which the guest has to give.
    PasswordNeeded = "password_needed",
    /// The password is another one.
    PasswordWrong = "password_wrong",
    /// The guest needs an invitation.
    InvitationNeeded = "invitation_needed",
    /// Slow mode: it is too soon after the guest's last message.
    SlowMode = "slow_mode",
    /// The log cannot store the message now, so it was not published.
    StorageUnavailable = "not_kept",
    /// The guest's token bucket is empty.
    TooFast = "too_fast",
}

/// A refusal, ready to be sent as an `error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// A sentence in English that says what is wrong and what would be right.
    pub message: String,
    /// The id of the refused frame, if it had one.
    pub id: Option<MessageId>,
    /// How long to wait before the same request would be accepted, where that is known.
    pub retry_after: Option<Duration>,
    /// Where the guest can go instead: the other doors of a room that is full here, the least busy first.
    pub doors: Arc<[String]>,
    /// The token to ask again with, where the room has made one for the guest.
    pub token: Option<Secret>,
}

impl Refusal {
    /// A refusal that belongs to no message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            id: None,
            retry_after: None,
            doors: Arc::default(),
            token: None,
        }
    }

    /// The same refusal, for the message with this id.
    pub fn about(mut self, id: Option<MessageId>) -> Self {
        self.id = id;
        self
    }

    /// `too_fast` for something that few can have at once: `why` is a sentence, and `then` goes on after how long to wait.
    pub fn too_fast(why: &str, wait: Duration, then: &str) -> Self {
        let seconds = wait.as_millis().div_ceil(1000).max(1);
        let plural = if seconds == 1 { "" } else { "s" };
        Self::new(Code::TooFast, format!("{why} Wait {seconds} second{plural}{then}.")).retry_after(wait)
    }

    /// The same refusal, with its sentence in another language.
    pub fn translated(&self, language: Language) -> Self {
        Self { message: language.translated(&self.message).into_owned(), ..self.clone() }
    }

    /// The same refusal, with the time after which the request would be accepted.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl From<InvalidMessageId> for Refusal {
    fn from(InvalidMessageId: InvalidMessageId) -> Self {
        let sentence =
            format!("An id has 1 to {MESSAGE_ID_MAX} characters, of A-Z, a-z, 0-9, \"-\" and \"_\".");
        Self::new(Code::BadId, sentence)
    }
}
