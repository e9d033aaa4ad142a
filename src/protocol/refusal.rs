//! Why something was refused: a stable code for programs, a sentence for people.

use std::time::Duration;

use super::request::MessageId;

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
    /// Something else before the hello.
    HelloFirst = "hello_first",
    /// A second hello after the welcome.
    HelloAgain = "hello_again",
    /// A room that does not exist.
    UnknownRoom = "unknown_room",
    /// A message id that is empty, too long or has other characters.
    BadId = "bad_id",
    /// Nothing to say.
    TextEmpty = "text_empty",
    /// More text than a message may have.
    TextTooLong = "text_too_long",
    /// A control character in the text.
    TextControl = "text_control",
    /// A name without a visible character.
    NameEmpty = "name_empty",
    /// A name that is too long.
    NameTooLong = "name_too_long",
    /// A control, invisible or direction-changing character in the name.
    NameForbidden = "name_forbidden",
    /// The name, or one that looks like it, belongs to somebody here.
    NameTaken = "name_taken",
    /// No seat is free.
    RoomFull = "room_full",
    /// The same token came in on another connection.
    TakenOver = "taken_over",
    /// The message could not be written down, so nobody was shown it.
    NotKept = "not_kept",
    /// More than one guest may say.
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
    /// After how long the same would not be refused, where that is known. It does not stand in an `error`.
    pub wait: Option<Duration>,
}

impl Refusal {
    /// A refusal that belongs to no message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), id: None, wait: None }
    }

    /// The same refusal, for the message with this id.
    pub fn about(mut self, id: Option<MessageId>) -> Self {
        self.id = id;
        self
    }

    /// The same refusal, which is over after this time.
    pub fn worth_repeating_after(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }
}
