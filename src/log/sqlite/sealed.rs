//! A message's name and text, encrypted: ChaCha20-Poly1305 (RFC 8439).
//!
//! The sealed bytes are the nonce (12 bytes), then the ciphertext of the name's length (16 bits, little-endian), the name
//! and the text, then the tag (16 bytes). The associated data is everything else of the row: sequence number, time,
//! author and id, so that no sealed text can be moved to another row. A key seals one message; the nonce is random
//! nevertheless, for a machine that is set back to a snapshot with the keys in its memory.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

use super::keys::Key;
use crate::protocol::{Message, Name};

const NONCE: usize = 12;
const TAG: usize = 16;

/// How many bytes the sealed form has beyond the name and the text.
pub(super) const OVERHEAD: usize = NONCE + 2 + TAG;

/// Encrypts a message's name and text.
///
/// # Errors
/// The operating system has no randomness.
pub(super) fn seal(key: &Key, message: &Message) -> Result<Vec<u8>, getrandom::Error> {
    let (name, text) = (message.name.as_str(), message.text.as_str());
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce)?;
    // Room for the tag, too: a buffer that moves would leave plaintext behind in memory.
    let mut sealed = Vec::with_capacity(OVERHEAD + name.len() + text.len());
    sealed.extend(nonce);
    // A name has far fewer bytes than 16 bits count.
    sealed.extend((name.len() as u16).to_le_bytes());
    sealed.extend(name.as_bytes());
    sealed.extend(text.as_bytes());
    let tag = cipher(key)
        .encrypt_inout_detached(&Nonce::from(nonce), &context(message), (&mut sealed[NONCE..]).into())
        .expect("a message is shorter than 256 GiB");
    sealed.extend(tag);
    Ok(sealed)
}

/// Decrypts into a message whose name and text are not filled in yet; `None` if the bytes, the key or anything of the
/// row are not as they were sealed.
pub(super) fn open(key: &Key, mut message: Message, sealed: &[u8]) -> Option<Message> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
    let mut plain = ciphertext.to_vec();
    cipher(key)
        .decrypt_inout_detached(
            &Nonce::from(*nonce),
            &context(&message),
            plain.as_mut_slice().into(),
            &(*tag).into(),
        )
        .ok()?;
    let (length, rest) = plain.split_first_chunk()?;
    let (name, text) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    message.name = Name::from_stored(str::from_utf8(name).ok()?.to_owned())?;
    message.text = str::from_utf8(text).ok()?.to_owned();
    Some(message)
}

fn cipher(key: &Key) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&**key).into())
}

/// The associated data; only the id has no fixed length, and it is last.
fn context(message: &Message) -> Vec<u8> {
    let mut context = Vec::with_capacity(24 + message.id.as_str().len());
    for number in [message.seq, message.at, message.guest.0] {
        context.extend(number.to_le_bytes());
    }
    context.extend(message.id.as_str().as_bytes());
    context
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::protocol::{GuestId, MessageId};

    fn message(seq: u64, at: u64, guest: u64, id: &str) -> Message {
        let (name, id) = (Name::parse("Ольга").unwrap(), MessageId::parse(id).unwrap());
        Message { seq, at, guest: GuestId(guest), name, id, text: "said\u{0} once".into() }
    }

    #[test]
    fn only_the_same_row_opens_it() {
        let (key, message) = (Zeroizing::new([7; 32]), message);
        let said = message(1, 2, 3, "a");
        let sealed = seal(&key, &said).unwrap();
        assert_eq!(sealed.len(), OVERHEAD + said.text.len() + said.name.as_str().len());
        assert_eq!(open(&key, message(1, 2, 3, "a"), &sealed), Some(said.clone()));
        for other in
            [message(2, 2, 3, "a"), message(1, 1, 3, "a"), message(1, 2, 4, "a"), message(1, 2, 3, "b")]
        {
            assert_eq!(open(&key, other, &sealed), None);
        }
        assert_eq!(open(&Zeroizing::new([8; 32]), said.clone(), &sealed), None);
        for byte in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[byte] ^= 1;
            assert_eq!(open(&key, said.clone(), &changed), None);
            assert_eq!(open(&key, said.clone(), &sealed[..byte]), None);
        }
        assert_ne!(seal(&key, &said).unwrap(), sealed, "a nonce of its own each time");
    }
}
