//! What guests are told of all rooms, and what of it is new.

use std::sync::{Arc, Mutex, PoisonError};

use crate::hub::RoomsNews;
use crate::hub::house::Facts;
use crate::protocol::event::RoomLine;

/// A room, as its task has told it.
pub(super) fn line(facts: &Facts) -> RoomLine {
    RoomLine {
        name: facts.name().into(),
        title: facts.title().to_string(),
        head: facts.head(),
        said: facts.said(),
        guests: facts.guests(),
    }
}

/// The rooms that are listed, as guests were told last.
#[derive(Debug, Default)]
pub(super) struct Listing(Mutex<Arc<[RoomLine]>>);

impl Listing {
    /// What guests were told last, to a room that is opened now.
    pub(super) fn told(&self) -> Arc<RoomsNews> {
        let all = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Arc::new(RoomsNews { all, ..RoomsNews::default() })
    }

    /// Whether guests were told anything.
    pub(super) fn is_told(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Takes the present list; what of it is to be told, if anything.
    pub(super) fn update(&self, lines: Vec<RoomLine>) -> Option<Arc<RoomsNews>> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |line: &&RoomLine| !told.contains(line);
        let changed: Vec<_> = lines.iter().filter(is_new).cloned().collect();
        let is_gone = |line: &&RoomLine| !lines.iter().any(|one| one.name == line.name);
        let gone: Vec<_> = told.iter().filter(is_gone).map(|line| line.name.clone()).collect();
        if changed.is_empty() && gone.is_empty() {
            return None;
        }
        *told = lines.into();
        Some(Arc::new(RoomsNews { all: Arc::clone(&told), changed, gone }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, head: u64) -> RoomLine {
        RoomLine { name: name.into(), title: name.into(), head, said: head, guests: 0 }
    }

    #[test]
    fn what_is_new_is_told_once() {
        let listing = Listing::default();
        let first = listing.update(vec![line("main", 0), line("tea", 0)]).unwrap();
        assert_eq!((first.changed.len(), first.all.len()), (2, 2));
        assert!(listing.update(vec![line("main", 0), line("tea", 0)]).is_none());
        let news = listing.update(vec![line("main", 1)]).unwrap();
        assert_eq!((&news.changed[..], &news.gone[..]), (&[line("main", 1)][..], &["tea".to_owned()][..]));
        assert_eq!(*listing.told().all, [line("main", 1)]);
    }
}
