//! The secrets of links that hosts have made, for those whose answer was lost.
//!
//! The log has the hash of a link, so the secret can be given once. An act that is sent again with its id is the same act, and
//! gets the same secret for as long as this node remembers it; later it is told that it was done, and not given a secret that
//! opens nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::protocol::{Code, GuestId, MessageId, Refusal, Token};

/// How many of the newest are remembered, in memory alone.
const REMEMBERED_MAX: usize = 32;

/// The newest secrets, oldest first, by the author and the id of the act.
#[derive(Default)]
pub(super) struct MadeLinks(Mutex<VecDeque<(GuestId, MessageId, Token)>>);

impl MadeLinks {
    /// The secret of this act, which is `fresh` where it was not asked for before.
    pub(super) fn secret(&self, author: GuestId, id: &MessageId, fresh: Token) -> Token {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((.., known)) = made.iter().find(|(by, with, _)| *by == author && with == id) {
            return known.clone();
        }
        if made.len() >= REMEMBERED_MAX {
            made.pop_front();
        }
        made.push_back((author, id.clone(), fresh.clone()));
        fresh
    }
}

/// Why an act gets no secret that makes a link which was made before.
pub(super) fn made_before() -> Refusal {
    let sentence = "There was an act with this id already, and the secret of its link cannot be given again: it is kept nowhere, \
                    or the link was used, taken back or has ended. For a new link, do it again with a new id; for an invitation \
                    of the same name, take the old one back first.";
    Refusal::new(Code::BadId, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let (made, id) =
            (MadeLinks::default(), |number: usize| MessageId::parse(&number.to_string()).unwrap());
        let secret = |author, number| made.secret(GuestId(author), &id(number), Token::random().unwrap());
        let first = secret(1, 0);
        assert!(secret(1, 0) == first && secret(2, 0) != first && secret(1, 1) != first);
        (2..REMEMBERED_MAX).for_each(|number| drop(secret(1, number)));
        assert!(secret(1, 0) != first, "32 later ones were made");
        assert_eq!(made.0.lock().unwrap().len(), REMEMBERED_MAX);
    }
}
