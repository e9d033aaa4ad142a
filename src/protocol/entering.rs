//! What lets newcomers in: passwords, invitations, and links that give a role.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::json;
use super::passphrase::Passphrase;
use super::refusal::{Code, Refusal};
use super::token::Token;
use super::visible::is_blank;

/// The shortest password of a room, in characters.
pub const PASSWORD_CHARACTERS_MIN: usize = 8;

/// The longest name of an invitation, in characters.
pub const INVITATION_NAME_CHARACTERS_MAX: usize = 64;

/// What identifies a link that gives a role, without being its secret: the first 16 bytes of the SHA-256 of the secret, as
/// hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkHash(String);

impl LinkHash {
    /// That of the link with this secret.
    pub fn of(secret: &Token) -> Self {
        Self(HEXLOWER.encode(&Sha256::digest(secret.encode())[..16]))
    }

    /// A number that names it: the first 48 bits.
    pub fn number(&self) -> u64 {
        self.0.get(..12).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0)
    }
}

impl fmt::Debug for LinkHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkHash(…)")
    }
}

/// Why a guest was let in, where no host or moderator did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// An invitation.
    Invite(LinkHash),
    /// The password with this number.
    Password(u64),
    /// One of them: guests are not told which.
    Room,
}

/// An invitation, as hosts name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InvitationRef {
    /// Its number.
    Id(u64),
    /// The name of the person whom it is for.
    Name(String),
}

/// The password of a hello; an empty one is none.
pub(super) fn of_hello(members: &Map<String, Value>) -> Result<Option<Passphrase>, Refusal> {
    let given = json::optional_text(members, "password")?.filter(|text| !text.is_empty());
    given.map(|text| Passphrase::parse("password", text, 1)).transpose()
}

/// Checks the name of an invitation and takes white space from around it.
pub(super) fn invitation_name(given: &str) -> Result<String, Refusal> {
    let name = given.trim();
    let fits = (1..=INVITATION_NAME_CHARACTERS_MAX).contains(&name.chars().count());
    if !fits || name.chars().any(char::is_control) || is_blank(name) {
        let sentence = format!(
            "An invitation has a name of 1 to {INVITATION_NAME_CHARACTERS_MAX} characters, of which one can be seen, for the \
             host alone."
        );
        return Err(Refusal::new(Code::WrongKind, sentence));
    }
    Ok(name.to_owned())
}

/// The member `invite` of an act: a number or a name.
pub(super) fn invitation(members: &Map<String, Value>) -> Result<InvitationRef, Refusal> {
    match members.get("invite") {
        Some(Value::String(name)) => Ok(InvitationRef::Name(invitation_name(name)?)),
        Some(value) => json::whole(value).map(InvitationRef::Id).ok_or_else(|| {
            Refusal::new(
                Code::WrongKind,
                "The member \"invite\" must be the number or the name of an invitation.",
            )
        }),
        None => Err(json::missing("invite")),
    }
}
