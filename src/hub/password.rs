//! The room's password: its hash as the log has it, in the PHC format, and whether another text is the same.

use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq;

use crate::log::LogError;
use crate::passwords;
use crate::protocol::{Passphrase, Refusal};

use super::command::storage_unavailable;

/// How the hashes begin that [`passwords::key`] computes.
const PARAMETERS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// The hash of a password, with a salt of its own.
///
/// # Errors
/// `too_fast` if too many are computed at the moment, `not_kept` if the system has no randomness.
pub(super) async fn hash(password: &Passphrase) -> Result<String, Refusal> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| storage_unavailable(LogError(error.to_string())))?;
    let key = passwords::key(password, &salt).await?;
    Ok(format!("{PARAMETERS}{}${}", BASE64_NOPAD.encode(&salt), BASE64_NOPAD.encode(&key[..])))
}

/// Whether a password is the one with this hash, compared in constant time. A hash of another form is that of no password.
///
/// # Errors
/// `too_fast` if too many are computed at the moment.
pub(super) async fn matches(password: &Passphrase, hash: &str) -> Result<bool, Refusal> {
    let Some((salt, expected)) = parts(hash) else {
        tracing::error!("the room's password has a hash that this program cannot compute; set it again");
        return Ok(false);
    };
    let key = passwords::key(password, &salt).await?;
    Ok(key.ct_eq(&expected).into())
}

fn parts(hash: &str) -> Option<([u8; 32], [u8; 32])> {
    let (salt, key) = hash.strip_prefix(PARAMETERS)?.split_once('$')?;
    let decode = |text: &str| BASE64_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok();
    Some((decode(salt)?, decode(key)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::parse("password", text, 1).unwrap()
    }

    /// The hash is what Python's `argon2-cffi` gives for the same text, salt and costs.
    #[tokio::test]
    async fn the_hash_is_one_that_others_read() {
        let key = data_encoding::HEXLOWER
            .decode(b"84ef04c9ac05d1ce5fe907a4576cea809a2b941230479d774e3188348f53f60b")
            .unwrap();
        let hash = format!("{PARAMETERS}{}${}", BASE64_NOPAD.encode(&[b'1'; 32]), BASE64_NOPAD.encode(&key));
        assert!(matches(&passphrase("correct horse"), &hash).await.unwrap());
        assert!(!matches(&passphrase("correct horsf"), &hash).await.unwrap());
        assert!(!matches(&passphrase("x"), "$argon2id$v=19$m=8,t=1,p=1$AA$AA").await.unwrap());
    }

    #[tokio::test]
    async fn each_hash_has_a_salt_of_its_own() {
        let (one, two) = (hash(&passphrase("tea")).await.unwrap(), hash(&passphrase("tea")).await.unwrap());
        assert_ne!(one, two);
        assert!(matches(&passphrase("tea"), &one).await.unwrap());
        assert!(matches(&passphrase("tea"), &two).await.unwrap());
    }
}
