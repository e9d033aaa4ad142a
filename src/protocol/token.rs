//! Session tokens, and the guest numbers derived from them.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::id::GuestId;
use super::refusal::{Code, Refusal};

/// A session token: 32 random bytes, on the wire as 43 characters of base64url (RFC 4648, section 5) without
/// padding. It authenticates a guest: each request that carries it acts as that guest.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// A fresh one from the system's randomness.
    ///
    /// # Errors
    /// The operating system has no randomness to give; nothing safe can be done then.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut bytes[..])?;
        Ok(Self(bytes))
    }

    /// The token of an identity: what was derived from a passphrase.
    pub fn derived(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// Reads a token as it stands on the wire.
    ///
    /// # Errors
    /// `wrong_kind` if it is not 43 characters of base64url.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let sentence = "The member \"token\" must be the 43 characters of an earlier welcome; leave it out to come as a new guest.";
        Self::read(text).ok_or_else(|| Refusal::new(Code::WrongKind, sentence))
    }

    /// Reads a secret of the same form that stands in another member.
    ///
    /// # Errors
    /// As [`Token::parse`].
    pub fn parse_as(member: &str, text: &str) -> Result<Self, Refusal> {
        let wrong = || {
            let sentence =
                format!("The member \"{member}\" must be the 43 characters after the \"=\" of a link.");
            Refusal::new(Code::WrongKind, sentence)
        };
        Self::read(text).ok_or_else(wrong)
    }

    fn read(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        let decoded = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()
            .map(Zeroizing::new)
            .filter(|decoded| decoded.len() == bytes.len())?;
        bytes.copy_from_slice(&decoded);
        Some(Self(bytes))
    }

    /// The token as it stands on the wire.
    pub fn encode(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0[..])
    }

    /// The public number of the guest with this token, in a room with this secret.
    ///
    /// It is derived, not counted, so that a guest keeps their number across restarts of the room without the
    /// room storing tokens. The room's secret prevents a search for a token that gives another guest's number.
    pub fn guest(&self, room_secret: &[u8; 32]) -> GuestId {
        let digest = Sha256::new().chain_update(room_secret).chain_update(&self.0[..]).finalize();
        let mut number = [0; 8];
        number[2..].copy_from_slice(&digest[..6]);
        GuestId(u64::from_be_bytes(number))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let token = Token::random().unwrap();
        assert_eq!(token.encode().len(), 43);
        assert_eq!(Token::parse(&token.encode()).unwrap(), token);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "abc", &"A".repeat(42), &"A".repeat(44), &"é".repeat(43)] {
            assert_eq!(Token::parse(text).unwrap_err().code, Code::WrongKind);
        }
    }

    #[test]
    fn a_guest_is_the_same_in_one_room_and_another_in_the_next() {
        let token = Token::random().unwrap();
        assert_eq!(token.guest(&[1; 32]), token.guest(&[1; 32]));
        assert_ne!(token.guest(&[1; 32]), token.guest(&[2; 32]));
        assert!(token.guest(&[1; 32]).0 < super::super::NUMBER_LIMIT);
    }

    #[test]
    fn debug_output_keeps_the_secret() {
        assert_eq!(format!("{:?}", Token([7; 32].into())), "Token(…)");
    }
}
