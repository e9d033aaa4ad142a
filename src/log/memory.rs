//! A log that lives as long as the process and leaves nothing behind.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt, ready};

use super::{Appended, Entry, Log, LogError, Span};
use crate::protocol::{GuestId, Message, MessageId};

/// Messages in memory, at most as many as [`MemoryLog::new`] was told.
#[derive(Debug)]
pub struct MemoryLog {
    kept: Mutex<Kept>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<Message>,
    head: u64,
    seen: HashMap<(GuestId, MessageId), u64>,
}

impl MemoryLog {
    /// An empty log that keeps the newest `limit` messages.
    pub fn new(limit: usize) -> Self {
        Self { kept: Mutex::default(), limit }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn append(&mut self, entry: Entry) -> Appended {
        let key = (entry.guest, entry.id.clone());
        if let Some(seq) = self.seen.get(&key) {
            return Appended::Before(*seq);
        }
        self.head += 1;
        let Entry { at, guest, name, id, text } = entry;
        let message = Message { seq: self.head, at, guest, name, id, text };
        self.seen.insert(key, message.seq);
        self.messages.push_back(message.clone());
        Appended::New(message)
    }

    fn trim(&mut self, keep: usize) {
        while self.messages.len() > keep {
            if let Some(message) = self.messages.pop_front() {
                self.seen.remove(&(message.guest, message.id));
            }
        }
    }

    fn first(&self) -> u64 {
        self.head + 1 - self.messages.len() as u64
    }
}

impl Log for MemoryLog {
    fn append(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Appended>, LogError>> {
        let mut kept = self.kept();
        let appended = entries.into_iter().map(|entry| kept.append(entry)).collect();
        kept.trim(self.limit);
        ready(Ok(appended)).boxed()
    }

    fn read(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Message>, LogError>> {
        let kept = self.kept();
        let skip = (after + 1).saturating_sub(kept.first());
        let messages = kept
            .messages
            .iter()
            .skip(usize::try_from(skip).unwrap_or(usize::MAX))
            .take(limit)
            .cloned()
            .collect();
        ready(Ok(messages)).boxed()
    }

    fn span(&self) -> BoxFuture<'_, Result<Span, LogError>> {
        let kept = self.kept();
        ready(Ok(Span { first: kept.first(), head: kept.head })).boxed()
    }

    fn trim(&self, keep: usize) -> BoxFuture<'_, Result<(), LogError>> {
        self.kept().trim(keep);
        ready(Ok(())).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Name;

    fn entry(guest: u64, id: &str) -> Entry {
        Entry {
            at: 0,
            guest: GuestId(guest),
            name: Name::parse("Ann").unwrap(),
            id: MessageId::parse(id).unwrap(),
            text: id.to_owned(),
        }
    }

    async fn sequence(log: &MemoryLog, after: u64, limit: usize) -> Vec<u64> {
        log.read(after, limit).await.unwrap().into_iter().map(|message| message.seq).collect()
    }

    #[tokio::test]
    async fn numbers_count_up_and_a_repeated_id_keeps_its_number() {
        let log = MemoryLog::new(10);
        let appended =
            log.append(vec![entry(1, "a"), entry(2, "a"), entry(1, "a"), entry(1, "b")]).await.unwrap();
        let numbers: Vec<_> = appended
            .iter()
            .map(|appended| match appended {
                Appended::New(message) => (message.seq, true),
                Appended::Before(seq) => (*seq, false),
            })
            .collect();
        assert_eq!(numbers, [(1, true), (2, true), (1, false), (3, true)]);
        assert_eq!(log.span().await.unwrap(), Span { first: 1, head: 3 });
    }

    #[tokio::test]
    async fn reading_respects_cursor_and_limit() {
        let log = MemoryLog::new(10);
        log.append((1..=5).map(|number| entry(1, &number.to_string())).collect()).await.unwrap();
        assert_eq!(sequence(&log, 0, 2).await, [1, 2]);
        assert_eq!(sequence(&log, 3, 9).await, [4, 5]);
        assert_eq!(sequence(&log, 5, 9).await, [] as [u64; 0]);
        assert_eq!(sequence(&log, 900, 9).await, [] as [u64; 0]);
    }

    #[tokio::test]
    async fn only_the_newest_are_kept_and_numbers_go_on() {
        let log = MemoryLog::new(2);
        log.append((1..=5).map(|number| entry(1, &number.to_string())).collect()).await.unwrap();
        assert_eq!(log.span().await.unwrap(), Span { first: 4, head: 5 });
        assert_eq!(sequence(&log, 0, 9).await, [4, 5]);
        log.trim(0).await.unwrap();
        assert_eq!(log.span().await.unwrap(), Span { first: 6, head: 5 });
        assert!(
            matches!(&log.append(vec![entry(1, "5")]).await.unwrap()[..], [Appended::New(m)] if m.seq == 6)
        );
    }
}
