//! Identities: guests who come back as the same guest, by a passphrase or by a key file.
//!
//! A guest is a token, so an identity is a token that comes back. One with a passphrase has a token that is derived from it
//! ([`Identity::salt`]); the token of any other guest can be kept in a key file ([`key_file`]).

use std::fmt::Write;

use caseless::Caseless;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::Badge;
use super::id::GuestId;
use super::json;
use super::name::Name;
use super::passphrase::Passphrase;
use super::refusal::{Code, Refusal};
use super::token::Token;

/// The fewest characters of the passphrase of an identity.
pub const PASSPHRASE_CHARACTERS_MIN: usize = 8;

/// How the line of a key file begins that has the token.
const KEY_LINE: &str = "onionroom-key-1 ";

/// The longest text that is taken for a key file, in bytes.
const KEY_FILE_BYTES_MAX: usize = 2000;

/// A name and the passphrase that was made with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name that the guest is to have.
    pub name: Name,
    /// The passphrase.
    pub passphrase: Passphrase,
}

impl Identity {
    /// Reads the member `identity` of a hello, which stands in place of `name` and `token`.
    ///
    /// # Errors
    /// `wrong_kind` if it is no object or stands beside one of these, `missing_field`, `bad_passphrase`, or what is wrong with
    /// the name.
    pub(super) fn from_members(members: &Map<String, Value>) -> Result<Option<Self>, Refusal> {
        let identity = match members.get("identity") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Object(identity)) => identity,
            Some(_) => {
                let sentence = "The member \"identity\" must be an object with \"name\" and \"passphrase\".";
                return Err(Refusal::new(Code::WrongKind, sentence));
            }
        };
        if json::optional_text(members, "name")?.is_some() || json::optional_text(members, "token")?.is_some()
        {
            let sentence = "Beside \"identity\" there is no \"name\" and no \"token\": it has the one, and gives the other.";
            return Err(Refusal::new(Code::WrongKind, sentence));
        }
        let (name, passphrase) = (json::text(identity, "name")?, json::text(identity, "passphrase")?);
        Self::parse(name, passphrase).map(Some)
    }

    /// Checks a name and a passphrase as they were typed.
    ///
    /// # Errors
    /// `bad_passphrase`, or what is wrong with the name.
    pub fn parse(name: &str, passphrase: &str) -> Result<Self, Refusal> {
        let name = Name::parse(name)?;
        Ok(Self { name, passphrase: Passphrase::parse("passphrase", passphrase, PASSPHRASE_CHARACTERS_MIN)? })
    }

    /// What the passphrase is derived with in a room with this secret, where it was made with the name `under`: so the same
    /// passphrase is another guest under another name and in another room.
    ///
    /// Upper and lower case of the name do not count, by the NFKC_Casefold of Unicode, which is stable. Its confusable key is
    /// not: with the next table of confusables all identities would be lost.
    pub fn salt(under: &Name, room_secret: &[u8; 32]) -> [u8; 32] {
        let folded: String = under.as_str().chars().nfkc().default_case_fold().nfkc().collect();
        let hash = Sha256::new().chain_update("onionroom identity 1\n").chain_update(room_secret);
        hash.chain_update(folded).finalize().into()
    }
}

/// The key file of a guest: with it they come back as the same guest.
pub fn key_file(token: &Token) -> String {
    let mut file = String::with_capacity(200);
    file.push_str(
        "# The key of a guest in an onionroom. To come in with it is to be that guest: keep it secret.\n",
    );
    let _ = writeln!(file, "{KEY_LINE}{}", token.encode());
    file
}

/// The name under which a browser saves the key file of a guest.
pub fn key_file_name(guest: GuestId) -> String {
    format!("onionroom-key-{}.txt", Badge::of(guest).characters())
}

/// Reads a key file, or the token alone: what a guest pastes.
///
/// # Errors
/// `wrong_kind` where no line has a token, or more than one.
pub fn read_key_file(text: &str) -> Result<Token, Refusal> {
    let wrong = || {
        let sentence =
            "This is no key file: it has a line that begins with \"onionroom-key-1\". Paste the whole of it.";
        Refusal::new(Code::WrongKind, sentence)
    };
    if text.len() > KEY_FILE_BYTES_MAX {
        return Err(wrong());
    }
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or_else(wrong)?;
    let token = Token::parse(line.strip_prefix(KEY_LINE).unwrap_or(line).trim()).map_err(|_| wrong())?;
    if lines.next().is_some() { Err(wrong()) } else { Ok(token) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Request;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_hello_has_an_identity_in_place_of_name_and_token() {
        let hello = |members: &str| match Request::decode(&format!(r#"{{"type":"hello",{members}}}"#), 10) {
            Ok(Request::Hello(hello)) => Ok(hello),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal),
        };
        let identity = hello(r#""identity":{"name":"Ann ","passphrase":"tea at five"}"#).unwrap().identity;
        assert_eq!(identity, Some(Identity::parse("Ann", "tea at five").unwrap()));
        assert!(!format!("{identity:?}").contains("tea"), "no output has the passphrase");
        assert_eq!(hello(r#""identity":null,"name":"Ann""#).unwrap().identity, None);
        for (members, code) in [
            (r#""identity":"Ann""#, Code::WrongKind),
            (r#""identity":{"name":"Ann"}"#, Code::MissingField),
            (r#""identity":{"passphrase":"tea at five"}"#, Code::MissingField),
            (r#""identity":{"name":"Ann","passphrase":5}"#, Code::WrongKind),
            (r#""identity":{"name":"Ann","passphrase":"tea five"},"name":"Bob""#, Code::WrongKind),
            (r#""identity":{"name":"Ann","passphrase":"tea"}"#, Code::BadPassphrase),
            (r#""identity":{"name":"","passphrase":"tea at five"}"#, Code::NameEmpty),
        ] {
            assert_eq!(hello(members).unwrap_err().code, code, "{members}");
        }
    }

    #[test]
    fn a_salt_is_of_one_room_and_one_name_in_any_case() {
        let salt = |text| Identity::salt(&name(text), &[1; 32]);
        assert_eq!(salt("Ann"), salt("ANN"));
        assert_eq!(salt("Straße"), salt("STRASSE"));
        assert_ne!(salt("Ann"), salt("Anne"));
        assert_ne!(salt("Ann"), Identity::salt(&name("Ann"), &[2; 32]));
    }

    #[test]
    fn a_key_file_is_read_as_it_was_written() {
        let token = Token::random().unwrap();
        let file = key_file(&token);
        for text in [
            file.clone(),
            file.replace('\n', "\r\n"),
            format!("\u{feff}{file}"),
            format!("\n  {}  \n", token.encode()),
            format!("{file}# a note of mine\n\n"),
        ] {
            assert_eq!(read_key_file(&text).unwrap(), token, "{text:?}");
        }
        let twice = format!("{file}{file}");
        for text in ["", "# only this\n", "Ann", &"A".repeat(44), &twice, &"\n".repeat(3000)] {
            assert_eq!(read_key_file(text).unwrap_err().code, Code::WrongKind);
        }
        assert_eq!(key_file_name(GuestId(7)), "onionroom-key-0007.txt");
    }
}
