//! The actor and the words that are kept out: what has to wait for a host, and what is released.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::RoomActor;
use crate::hub::command::{PublishBatch, storage_unavailable};
use crate::hub::pending::{PendingAppend, PendingPublish};
use crate::log::{Entry, LogError};
use crate::protocol::record::Release;
use crate::protocol::{Body, Code, GuestId, MessageId, Name, Refusal, Role};

impl RoomActor {
    /// What a guest says as the body of an entry: a message, or one that has to wait.
    ///
    /// # Errors
    /// `not_held`.
    pub(super) fn body_of(
        &mut self,
        guest: GuestId,
        name: Name,
        id: &MessageId,
        (text, reply): (String, Option<u64>),
    ) -> Result<Body, Refusal> {
        if self.words.is_empty() || self.state.role(guest) > Role::Guest || !self.words.is_in(&text) {
            return Ok(match reply {
                Some(to) => Body::Reply { to, name, text },
                None => Body::Message { name, text },
            });
        }
        self.check_keeps()?;
        self.holding.admit(&self.state, guest, id)?;
        Ok(Body::Held { name, text, to: reply })
    }

    /// Checks that what has to wait can: where nothing is kept it would be lost.
    pub(super) fn check_keeps(&self) -> Result<(), Refusal> {
        if self.kept.messages > 0 {
            return Ok(());
        }
        let sentence =
            "This room keeps no messages, so none can wait for a host or a moderator to read it first.";
        Err(Refusal::new(Code::NotHeld, sentence))
    }

    /// Checks that a name that a guest asks for has none of the words.
    pub(super) fn check_words_in(&mut self, guest: GuestId, name: &Name) -> Result<(), Refusal> {
        if self.words.is_empty() || self.state.role(guest) > Role::Guest || !self.words.is_in(name.as_str()) {
            return Ok(());
        }
        let sentence = "The host of this room keeps a word of this name out. Choose another name.";
        Err(Refusal::new(Code::NameForbidden, sentence))
    }

    /// Whether none of these messages waits, and one was released not long ago: then the request came before.
    pub(super) fn is_released_already(&self, author: GuestId, messages: &[u64]) -> bool {
        self.state.role(author) > Role::Guest
            && !messages.iter().any(|seq| self.state.is_held(*seq))
            && messages.iter().any(|seq| self.state.released_as(*seq).is_some())
    }

    /// Appends the messages that wait as those that are said now. Of two requests for the same message, wherever they come to,
    /// the first in the order counts.
    pub(super) async fn release(
        &mut self,
        by: GuestId,
        act: &MessageId,
        messages: Vec<u64>,
        reply: oneshot::Sender<PublishBatch>,
    ) {
        let released = messages.iter().filter_map(|seq| self.state.released_as(*seq)).max();
        let entries = match self.released_entries(by, act, messages).await {
            Ok(entries) => entries,
            Err(refusal) => return drop(reply.send(PublishBatch::refused(refusal))),
        };
        if entries.is_empty() {
            let result = released.ok_or_else(|| {
                Refusal::new(Code::NotAllowed, "There is no such message that waits any more.")
            });
            return drop(reply.send(PublishBatch { results: vec![result], ..PublishBatch::default() }));
        }
        let results = entries.iter().map(|_| Ok(0)).collect();
        let request = PendingPublish { results, rate_limited: None, reply };
        self.append(PendingAppend { entries, requests: vec![request] }).await;
    }

    async fn released_entries(
        &mut self,
        by: GuestId,
        act: &MessageId,
        mut messages: Vec<u64>,
    ) -> Result<Vec<Entry>, Refusal> {
        messages.sort_unstable();
        messages.dedup();
        messages.retain(|seq| self.state.is_held(*seq));
        let mut entries = Vec::with_capacity(messages.len());
        for held in messages {
            let read = self.ask_log(|log| log.read(held - 1, 1)).await.map_err(storage_unavailable)?;
            for record in read.into_iter().filter(|record| record.seq == held) {
                let Body::Held { name, text, to } = record.body else { continue };
                let id = self.release_id(by, act, held)?;
                let release = Box::new(Release { by, held, said_as: record.id, to });
                let body = Body::Released { release, name, text };
                entries.push(Entry { at: self.clock(), author: record.author, id, body });
            }
        }
        Ok(entries)
    }

    /// The id of the entry by which a message is released: the same for the same request, and none that the author of the
    /// message could have taken before.
    fn release_id(&self, by: GuestId, act: &MessageId, held: u64) -> Result<MessageId, Refusal> {
        let hash = Sha256::new()
            .chain_update(&self.identity.secret[..])
            .chain_update(b"release")
            .chain_update(by.0.to_le_bytes())
            .chain_update(held.to_le_bytes())
            .chain_update(act.as_str());
        MessageId::parse(&BASE64URL_NOPAD.encode(&hash.finalize()))
            .map_err(|_| storage_unavailable(LogError("an id could not be made".into())))
    }
}
