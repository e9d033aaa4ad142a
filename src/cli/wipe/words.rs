//! The question before a wipe, and what was done.

use std::io::{self, IsTerminal};

use crate::cli::arguments::WipeFlags;
use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;
use crate::server::wipe::Wiped;

/// What confirms it.
const WORD: &str = "wipe";

/// Asks, unless a flag says that it is sure.
pub(super) fn confirm(flags: &WipeFlags, question: &str, terminal: &Terminal) -> Result<(), Failure> {
    if flags.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::WipeUnasked);
    }
    terminal.eprint(question);
    let mut answer = String::new();
    // What cannot be read is no yes.
    let read = io::stdin().read_line(&mut answer);
    if read.is_err() || answer.trim() != WORD { Err(Failure::WipeNotConfirmed) } else { Ok(()) }
}

/// What is asked.
pub(super) fn question(path: &str, address: bool) -> String {
    let what = match address {
        true => "all messages of all rooms, all that was decided in them, and the address",
        false => "all messages of all rooms and all that was decided in them; the address stays",
    };
    format!(
        "In {path} this makes unreadable for ever: {what}.\nType the word {WORD} to do it, anything else to leave it:"
    )
}

/// What was wiped, as a sentence.
pub(in super::super) fn told(wiped: &Wiped) -> String {
    let mut told = match wiped.address {
        true => "The room and its address are wiped.".to_owned(),
        false => "The room is wiped. Its address is kept.".to_owned(),
    };
    if !wiped.left.is_empty() {
        let left: Vec<_> = wiped.left.iter().map(|path| path.display().to_string()).collect();
        told += &format!(" This was left where it is: {}.", left.join(", "));
    }
    told
}
