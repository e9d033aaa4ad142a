//! What an entry says, and the state of the room, encrypted: ChaCha20-Poly1305 (RFC 8439).
//!
//! The sealed bytes are the nonce (12 bytes), then the ciphertext, then the tag (16 bytes). What is encrypted of an entry is
//! its [body](Body::encode). The associated data is everything else of the row: sequence number, time, author, id and, unless
//! that is `message`, a zero and the kind; so no body can be moved to another row. A key seals one body; the nonce is random
//! nevertheless, for a machine that is set back to a snapshot with the keys in its memory.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

use super::keys::{Key, KeyId};
use crate::protocol::record::MESSAGE;
use crate::protocol::{Body, GuestId, MessageId, Record};

const NONCE: usize = 12;
const TAG: usize = 16;

/// How many bytes the sealed form has beyond what is encrypted.
const OVERHEAD: usize = NONCE + TAG;

/// A row before it is decrypted.
pub(super) struct SealedRow {
    pub(super) seq: u64,
    pub(super) at: u64,
    pub(super) author: GuestId,
    pub(super) id: MessageId,
    pub(super) kind: String,
    pub(super) key: KeyId,
    pub(super) sealed: Vec<u8>,
}

/// How many bytes the retention counts of a row of this kind, from those of its sealed form.
pub(super) fn counted(kind: &str, sealed: usize) -> usize {
    sealed.saturating_sub(OVERHEAD + Body::members_bytes(kind))
}

/// Encrypts what an entry says.
///
/// # Errors
/// The operating system has no randomness.
pub(super) fn seal(key: &Key, record: &Record) -> Result<Vec<u8>, getrandom::Error> {
    let context = context(record.seq, record.at, record.author, &record.id, record.body.kind());
    encrypt(key, &context, record.body.encoded_bytes(), |out| record.body.encode(out))
}

/// Decrypts a row; `None` if the bytes, the key or anything of the row are not as they were sealed.
pub(super) fn open(key: &Key, row: SealedRow) -> Option<Record> {
    let SealedRow { seq, at, author, id, kind, sealed, .. } = row;
    let plain = decrypt(key, &context(seq, at, author, &id, &kind), &sealed)?;
    Some(Record { seq, at, author, id, body: Body::decode(&kind, &plain)? })
}

/// Encrypts the state of the room after the entry `seq`.
///
/// # Errors
/// The operating system has no randomness.
pub(super) fn seal_state(key: &Key, seq: u64, state: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
    encrypt(key, &seq.to_le_bytes(), state.len(), |out| out.extend(state))
}

/// Decrypts it; `None` as of [`open`].
pub(super) fn open_state(key: &Key, seq: u64, sealed: &[u8]) -> Option<Vec<u8>> {
    decrypt(key, &seq.to_le_bytes(), sealed)
}

/// Encrypts the `bytes` that `fill` appends.
fn encrypt(
    key: &Key,
    context: &[u8],
    bytes: usize,
    fill: impl FnOnce(&mut Vec<u8>),
) -> Result<Vec<u8>, getrandom::Error> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce)?;
    // Room for the tag, too: a buffer that moves would leave plaintext behind in memory.
    let mut sealed = Vec::with_capacity(OVERHEAD + bytes);
    sealed.extend(nonce);
    fill(&mut sealed);
    let tag = cipher(key)
        .encrypt_inout_detached(&Nonce::from(nonce), context, (&mut sealed[NONCE..]).into())
        .expect("what is stored is shorter than 256 GiB");
    sealed.extend(tag);
    Ok(sealed)
}

fn decrypt(key: &Key, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
    let mut plain = ciphertext.to_vec();
    cipher(key)
        .decrypt_inout_detached(&Nonce::from(*nonce), context, plain.as_mut_slice().into(), &(*tag).into())
        .ok()?;
    Some(plain)
}

fn cipher(key: &Key) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&**key).into())
}

/// The associated data; only the id and the kind have no fixed length, and no id has a zero.
fn context(seq: u64, at: u64, author: GuestId, id: &MessageId, kind: &str) -> Vec<u8> {
    let mut context = Vec::with_capacity(24 + id.as_str().len());
    for number in [seq, at, author.0] {
        context.extend(number.to_le_bytes());
    }
    context.extend(id.as_str().as_bytes());
    if kind != MESSAGE {
        context.push(0);
        context.extend(kind.as_bytes());
    }
    context
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::protocol::Name;

    fn row(record: &Record, sealed: &[u8]) -> SealedRow {
        SealedRow {
            seq: record.seq,
            at: record.at,
            author: record.author,
            id: record.id.clone(),
            kind: record.body.kind().to_owned(),
            key: KeyId { slot: 0, id: 0 },
            sealed: sealed.to_vec(),
        }
    }

    #[test]
    fn only_the_same_row_opens_it() {
        let key = Zeroizing::new([7; 32]);
        let (name, text) = (Name::parse("Ольга").unwrap(), String::from("said\u{0} once"));
        let title = Body::Title { title: "tea".into() };
        for body in [Body::Message { name, text }, title] {
            let id = MessageId::parse("a").unwrap();
            let said = Record { seq: 1, at: 2, author: GuestId(3), id, body };
            let sealed = seal(&key, &said).unwrap();
            assert_eq!(counted(said.body.kind(), sealed.len()), said.body.bytes());
            let same = || row(&said, &sealed);
            assert_eq!(open(&key, same()), Some(said.clone()));
            for other in [
                SealedRow { seq: 2, ..same() },
                SealedRow { at: 1, ..same() },
                SealedRow { author: GuestId(4), ..same() },
                SealedRow { id: MessageId::parse("b").unwrap(), ..same() },
                SealedRow { kind: "pin".into(), ..same() },
            ] {
                assert_eq!(open(&key, other), None);
            }
            assert_eq!(open(&Zeroizing::new([8; 32]), same()), None);
            for byte in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[byte] ^= 1;
                assert_eq!(open(&key, row(&said, &changed)), None);
                assert_eq!(open(&key, row(&said, &sealed[..byte])), None);
            }
            assert_ne!(seal(&key, &said).unwrap(), sealed, "a nonce of its own each time");
        }
        let sealed = seal_state(&key, 9, b"state").unwrap();
        assert_eq!(open_state(&key, 9, &sealed).as_deref(), Some(&b"state"[..]));
        assert_eq!(open_state(&key, 8, &sealed), None);
    }
}
