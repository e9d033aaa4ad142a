//! An entry as it is in the stream.
//!
//! Its subject ends with a token: half of a keyed SHA-256 of author and id, in Base64 for addresses, so that an entry has a
//! subject of its own and neither is told to the servers. The payload is
//!
//! ```text
//! version (1) │ node (8) │ nonce (24) │ ciphertext │ tag (16)
//! ```
//!
//! where `node` tells which process published it, and what is encrypted is
//!
//! ```text
//! author (8) │ at (8) │ length of the id (1) │ length of the kind (1) │ id │ kind │ body
//! ```
//!
//! with numbers in little-endian order, and no kind for a message. The associated data is the subject, in which are the
//! room, the author and the id.

use async_nats::Subject;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::cluster::{Connection, Sealer};
use crate::log::Entry;
use crate::protocol::record::{MESSAGE, REPLY, SAID};
use crate::protocol::{Body, GuestId, MessageId, Record};

/// What stands for author and id.
pub(super) type Token = [u8; 16];

/// Which process published an entry.
pub(super) type Node = [u8; 8];

const VERSION: u8 = 1;
const HEADER: usize = 1 + size_of::<Node>();

/// The bytes before the id.
const FIXED: usize = 8 + 8 + 1 + 1;

/// Reads and writes entries of one room.
pub(super) struct Wire {
    sealer: Sealer,
    /// The hash of the key, to go on from.
    tokens: Sha256,
    /// What each subject begins with.
    prefix: String,
    _key: Zeroizing<[u8; 32]>,
}

/// What a message of the stream is, once it was decrypted.
pub(super) struct Opened {
    pub(super) token: Token,
    pub(super) packed: Packed,
}

impl Wire {
    pub(super) fn new(connection: &Connection) -> Self {
        let key = connection.derive("ids");
        Self {
            sealer: connection.sealer("log"),
            tokens: Sha256::new().chain_update(&key[..]),
            prefix: connection.subject("log."),
            _key: key,
        }
    }

    pub(super) fn token(&self, author: GuestId, id: &MessageId) -> Token {
        let hash = self.tokens.clone().chain_update(author.0.to_le_bytes()).chain_update(id.as_str());
        let hash: [u8; 32] = hash.finalize().into();
        let mut token = Token::default();
        token.copy_from_slice(&hash[..16]);
        token
    }

    pub(super) fn subject(&self, token: &Token) -> Subject {
        let mut subject = String::with_capacity(self.prefix.len() + 22);
        subject.push_str(&self.prefix);
        BASE64URL_NOPAD.encode_append(token, &mut subject);
        Subject::from(subject)
    }

    /// The payload of an entry.
    pub(super) fn seal(
        &self,
        node: &Node,
        subject: &Subject,
        entry: &Entry,
    ) -> Result<Vec<u8>, getrandom::Error> {
        let Entry { at, author, id, body } = entry;
        let kind = if body.kind() == MESSAGE { "" } else { body.kind() };
        let plain = FIXED + id.as_str().len() + kind.len() + body.encoded_bytes();
        let mut payload = Vec::with_capacity(HEADER + Sealer::OVERHEAD + plain);
        payload.push(VERSION);
        payload.extend(node);
        self.sealer.seal_into(&mut payload, subject.as_bytes(), |out| {
            out.extend(author.0.to_le_bytes());
            out.extend(at.to_le_bytes());
            // Ids have 64 bytes at most, kinds 32.
            out.push(id.as_str().len() as u8);
            out.push(kind.len() as u8);
            out.extend(id.as_str().as_bytes());
            out.extend(kind.as_bytes());
            body.encode(out);
        })?;
        Ok(payload)
    }

    /// Reads a message of the stream; `None` if it is none of this version, this room and this key.
    pub(super) fn open(&self, us: &Node, subject: &Subject, payload: &[u8]) -> Option<Opened> {
        let (version, rest) = payload.split_first()?;
        let (node, sealed) = rest.split_first_chunk::<8>()?;
        if *version != VERSION {
            return None;
        }
        let mut token = Token::default();
        let text = subject.strip_prefix(self.prefix.as_str())?.as_bytes();
        if BASE64URL_NOPAD.decode_len(text.len()).ok()? != token.len() {
            return None;
        }
        BASE64URL_NOPAD.decode_mut(text, &mut token).ok()?;
        let own = [u8::from(node == us)];
        let packed = Packed(self.sealer.open_after(&own, subject.as_bytes(), sealed)?.into_boxed_slice());
        // Read once, so that what is kept can be read.
        packed.parts()?;
        Some(Opened { token, packed })
    }
}

/// What is encrypted of an entry, as the node keeps it in memory: after a byte that says whether it is this node's own.
#[derive(Debug)]
pub(super) struct Packed(Box<[u8]>);

struct Parts<'a> {
    author: GuestId,
    at: u64,
    id: &'a str,
    kind: &'a str,
    body: &'a [u8],
}

impl Packed {
    fn parts(&self) -> Option<Parts<'_>> {
        let (author, rest) = self.0.get(1..)?.split_first_chunk::<8>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let ([id, kind], rest) = rest.split_first_chunk::<2>()?;
        let (id, rest) = rest.split_at_checked(usize::from(*id))?;
        let (kind, body) = rest.split_at_checked(usize::from(*kind))?;
        Some(Parts {
            author: GuestId(u64::from_le_bytes(*author)),
            at: u64::from_le_bytes(*at),
            id: str::from_utf8(id).ok()?,
            kind: if kind.is_empty() { MESSAGE } else { str::from_utf8(kind).ok()? },
            body,
        })
    }

    /// The entry with this number; `None` if what was encrypted is none.
    pub(super) fn record(&self, seq: u64) -> Option<Record> {
        let Parts { author, at, id, kind, body } = self.parts()?;
        Some(Record { seq, at, author, id: MessageId::parse(id).ok()?, body: Body::decode(kind, body)? })
    }

    /// Its author, when it was published, and how many bytes the retention counts.
    pub(super) fn facts(&self) -> Option<(GuestId, u64, usize)> {
        let Parts { author, at, kind, body, .. } = self.parts()?;
        Some((author, at, body.len().saturating_sub(Body::members_bytes(kind))))
    }

    /// Whether it is a message that was said at once: such an entry changes nothing of the room's state.
    pub(super) fn is_message(&self) -> bool {
        self.parts().is_some_and(|parts| [MESSAGE, REPLY].contains(&parts.kind))
    }

    /// Whether it has the text of a message, said or held.
    pub(super) fn is_said(&self) -> bool {
        self.parts().is_some_and(|parts| SAID.contains(&parts.kind))
    }

    /// Whether this process published it.
    pub(super) fn is_own(&self) -> bool {
        self.0.first() == Some(&1)
    }

    /// Overwrites it in memory.
    pub(super) fn wipe(&mut self) {
        self.0.zeroize();
    }

    /// Its author and id.
    pub(super) fn key(&self) -> Option<(GuestId, MessageId)> {
        let Parts { author, id, .. } = self.parts()?;
        Some((author, MessageId::parse(id).ok()?))
    }
}
