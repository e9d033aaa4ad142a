//! Which files an archive may have, by their names, and how large they may be.

use crate::config::{ROOMS_MAX, is_room_name};
use crate::server::files::{KEYS_FILE, LOG_FILE, MARK_FILE, ROOMS, ROOMS_FILE};

/// Where Tor's state is, and the invitations.
const STATE: &str = "tor/state/";
const INVITED: &str = "invited/";

/// How many bytes a file has at most that is not of a log.
const SMALL: u64 = 1 << 20;

/// How many bytes the list of rooms has at most: 2,000 rooms with titles and limits.
const LIST: u64 = 4 << 20;

/// How many files there are at most beside those of other rooms.
const FILES_MOST: usize = 1000;

/// How many other rooms there are at most: those of a configuration and those of a list.
const OTHERS_MOST: usize = 2 * ROOMS_MAX;

/// What a file of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// The messages or the keys of a log: as long as they say of themselves. With the room, if it is not the main one.
    Long(Option<&'a str>),
    /// The mark of a log.
    Mark(Option<&'a str>),
    /// Of Tor's state.
    State,
    /// Of the invitations.
    Invited,
    /// The list of rooms.
    List,
}

impl<'a> Kind<'a> {
    /// What the file of this name is; `None` for one that is of no room.
    pub(super) fn of(name: &'a str) -> Option<Self> {
        let (room, file) = match name.strip_prefix(ROOMS).and_then(|rest| rest.strip_prefix('/')) {
            Some(rest) => {
                let (room, file) = rest.split_once('/')?;
                (Some(room), file)
            }
            None => (None, name),
        };
        if !room.is_none_or(is_room_name) {
            return None;
        }
        match file {
            LOG_FILE | KEYS_FILE => Some(Self::Long(room)),
            MARK_FILE => Some(Self::Mark(room)),
            ROOMS_FILE if room.is_none() => Some(Self::List),
            _ if is_below(STATE, name) => Some(Self::State),
            _ if is_below(INVITED, name) => Some(Self::Invited),
            _ => None,
        }
    }

    /// Whether it has its length in itself.
    pub(super) fn is_long(self) -> bool {
        matches!(self, Self::Long(_))
    }

    /// Whether it may have so many bytes.
    pub(super) fn may_have(self, bytes: u64) -> bool {
        match self {
            Self::Long(_) => true,
            Self::List => bytes <= LIST,
            _ => bytes <= SMALL,
        }
    }

    /// Of the files of other rooms.
    fn is_of_another(self) -> bool {
        matches!(self, Self::Long(Some(_)) | Self::Mark(Some(_)))
    }
}

/// Counts the files of an archive.
#[derive(Debug, Default)]
pub(super) struct Count {
    ours: usize,
    of_others: usize,
}

impl Count {
    /// Takes account of another one; `false` if there are too many.
    pub(super) fn add(&mut self, kind: Kind<'_>) -> bool {
        let (count, most) = match kind.is_of_another() {
            true => (&mut self.of_others, 3 * OTHERS_MOST),
            false => (&mut self.ours, FILES_MOST),
        };
        *count += 1;
        *count <= most
    }
}

/// Whether this is the name of a file below this directory, and nowhere else.
fn is_below(directory: &str, name: &str) -> bool {
    let plain = |part: &str| {
        let characters = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
        !matches!(part, "" | "." | "..") && part.bytes().all(characters)
    };
    name.strip_prefix(directory).is_some_and(|below| below.split('/').all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_files_than_rooms_have() {
        let mut count = Count::default();
        let of = |name: &'static str| Kind::of(name).unwrap_or(Kind::List);
        assert!((0..FILES_MOST).all(|_| count.add(of("tor/state/x"))));
        assert!(!count.add(of("messages.sqlite")) && !count.add(of("rooms.json")));
        assert!((0..3 * OTHERS_MOST).all(|_| count.add(of("rooms/tea/messages.state"))));
        assert!(!count.add(of("rooms/tea/messages.keys")));
        assert!(!of("rooms.json").may_have(LIST + 1) && !of("rooms/tea/messages.state").may_have(SMALL + 1));
    }
}
