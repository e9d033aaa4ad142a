//! Appends to the file: entries, and the state of the room that follows from them.

use std::collections::HashMap;

use super::Store;
use crate::log::index::Facts;
use crate::log::sqlite::error::{failed, keys_failed, no_keys};
use crate::log::sqlite::fault::reached;
use crate::log::sqlite::keys::GROWTH;
use crate::log::sqlite::rows::{self, number};
use crate::log::sqlite::sealed;
use crate::log::sqlite::state::{self, KeptState};
use crate::log::{Appended, Entry, Erase, LogError, RoomState};
use crate::protocol::{Body, Record};

/// What [`Store::insert`] did.
struct Inserted {
    appended: Vec<Appended>,
    /// Those that are new.
    records: Vec<Record>,
    /// The state of the room, if it changed.
    room: Option<KeptState>,
    /// What is erased with these numbers, and the slots of the keys of what was.
    erases: Vec<(u64, Erase)>,
    slots: Vec<u32>,
}

impl Store {
    /// The state of the room; where there is none, `initial` is stored as such.
    pub(in super::super) fn state(&mut self, initial: RoomState) -> Result<RoomState, LogError> {
        if let Some(kept) = &self.room {
            return Ok(kept.state.clone());
        }
        self.provide_keys(1)?;
        let head = self.view.now().head;
        let transaction = self.connection.transaction().map_err(failed)?;
        let mut taken = Vec::new();
        let slot = state::save(&transaction, &mut self.keys, &mut taken, head, &initial)
            .and_then(|slot| transaction.commit().map_err(failed).map(|()| slot))
            .inspect_err(|_| self.to_erase.append(&mut taken))?;
        self.room = Some(KeptState { state: initial.clone(), slot });
        Ok(initial)
    }

    /// Appends in one transaction; when it fails nothing was appended. Returns with the outcomes what is new.
    pub(in super::super) fn append(
        &mut self,
        entries: Vec<Entry>,
    ) -> Result<(Vec<Appended>, Vec<Record>), LogError> {
        // One more for the state.
        self.provide_keys(if self.retention.messages > 0 { entries.len() + 1 } else { 1 })?;
        let mut taken = Vec::new();
        let Inserted { appended, records, room, erases, slots } = match self.insert(entries, &mut taken) {
            Ok(inserted) => inserted,
            Err(error) => {
                // What they encrypted may be in the write-ahead log.
                self.to_erase.append(&mut taken);
                return Err(error);
            }
        };
        if let Some(room) = room {
            self.to_erase.extend(self.room.replace(room).map(|before| before.slot));
        }
        let mut state = self.view.now();
        for record in &records {
            self.dedup.insert((record.author, record.id.clone()), record.seq);
            (state.head, state.clock) = (record.seq, state.clock.max(record.at));
            if self.retention.messages > 0 {
                state.index.insert(record.seq, Facts::from(record));
            }
            for (_, erase) in erases.iter().filter(|(seq, _)| *seq == record.seq) {
                state.index.erase(erase);
            }
        }
        let head = state.head;
        state.index.end_at(head);
        let clock = state.clock;
        state.index.evict(clock);
        drop(state);
        if !erases.is_empty() {
            self.erase_at_once(slots);
        }
        if head > self.mark.mark().head
            && let Err(error) = self.mark.note(head)
        {
            tracing::debug!(%error, "the newest number was not noted beside the log");
        }
        Ok((appended, records))
    }

    /// Overwrites the keys of what was deleted, and those of earlier states of the room, before the author has an answer.
    /// The rest, and what fails, is for [`Store::work`], which begins with it now.
    fn erase_at_once(&mut self, slots: Vec<u32>) {
        self.to_erase.extend(slots);
        (self.deleted, self.stuck) = (true, false);
        self.begin_trim();
        if let Err(error) = self.erase_keys() {
            tracing::error!(%error, "the keys of deleted messages could not be overwritten yet");
        }
    }

    /// Has so many keys ready. Nearly always they are.
    fn provide_keys(&mut self, count: usize) -> Result<(), LogError> {
        while self.keys.ready() < count && self.view.now().index.evicted_count() > 0 {
            self.begin_trim();
            self.erase_slice()?;
        }
        let missing = count.saturating_sub(self.keys.ready());
        if missing > 0 {
            let slots = u32::try_from(missing).unwrap_or(u32::MAX).next_multiple_of(GROWTH);
            self.keys.grow(slots).map_err(keys_failed)?;
        }
        Ok(())
    }

    fn insert(&mut self, entries: Vec<Entry>, taken: &mut Vec<u32>) -> Result<Inserted, LogError> {
        let transaction = self.connection.transaction().map_err(failed)?;
        let (mut appended, mut records) =
            (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        // Only a state that something may change is copied.
        let may_change =
            entries.iter().any(|entry| !matches!(entry.body, Body::Message { .. } | Body::Reply { .. }));
        let mut room = self.room.as_ref().filter(|_| may_change).map(|kept| kept.state.clone());
        let mut changed = false;
        let (mut erases, mut slots) = (Vec::new(), Vec::new());
        let mut new = HashMap::with_capacity(entries.len());
        let mut head = self.view.now().head;
        for entry in entries {
            let key = (entry.author, entry.id.clone());
            let before = new.get(&key).copied().or_else(|| self.dedup.find(&key));
            let duplicate = match before {
                Some(seq) => Some(seq),
                None => rows::find(&transaction, &entry).map_err(failed)?,
            };
            if let Some(seq) = duplicate {
                appended.push(Appended::Duplicate(seq));
                continue;
            }
            head += 1;
            new.insert(key, head);
            let record = entry.numbered(head);
            if self.retention.messages > 0 {
                let (id, key) = self.keys.take().map_err(keys_failed)?.ok_or_else(no_keys)?;
                taken.push(id.slot);
                let sealed = sealed::seal(&key, &record).map_err(|error| LogError(error.to_string()))?;
                rows::insert(&transaction, &record, id, &sealed).map_err(failed)?;
            }
            if let Some(state) = &mut room {
                let effect = state.apply(&record);
                changed |= effect.changed;
                if let Some(erase) = effect.erases {
                    rows::erase(&transaction, &erase, &mut slots).map_err(failed)?;
                    erases.push((head, erase));
                    reached("rows deleted with their act");
                }
            }
            appended.push(Appended::New(head));
            records.push(record);
        }
        transaction
            .prepare_cached("UPDATE room SET head = ?1")
            .and_then(|mut statement| statement.execute([number(head)]))
            .map_err(failed)?;
        let room = match room.filter(|_| changed) {
            Some(state) => {
                let slot = state::save(&transaction, &mut self.keys, taken, head, &state)?;
                Some(KeptState { state, slot })
            }
            None => None,
        };
        transaction.commit().map_err(failed)?;
        reached("appended");
        Ok(Inserted { appended, records, room, erases, slots })
    }
}
