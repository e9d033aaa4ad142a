//! Parts of answers in words: names, times, and texts that cannot move the cursor of a terminal.

use std::time::Duration;

pub(super) fn name_of(name: &Option<String>) -> String {
    name.as_deref().map_or_else(|| "(name not known)".to_owned(), shown)
}

/// A time as people write it, such as `1h 30m`.
pub(super) fn time(seconds: u64) -> String {
    humantime::format_duration(Duration::from_secs(seconds)).to_string()
}

/// The same in a few characters.
pub(super) fn short(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A text whose further lines are indented, so that none is taken for a line of this program.
pub(super) fn indented(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n             ")
}

/// A text that cannot move the cursor of a terminal or turn its writing round.
pub(super) fn shown(text: &str) -> String {
    let is_unsafe = |character: char| {
        character.is_control()
            || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|character| if is_unsafe(character) { '\u{fffd}' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_guest_reaches_the_terminal_as_a_command() {
        assert_eq!(shown("a\u{1b}[2Jb\rc\u{202e}d\u{9b}e"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\u{fffd}e");
        assert_eq!(indented("one\nerror: two"), "one\n             error: two");
    }

    #[test]
    fn times_are_short() {
        assert_eq!([0, 59, 60, 7200, 200_000].map(short), ["0s", "59s", "1m", "2h", "2d"]);
        assert_eq!(time(5400), "1h 30m");
    }
}
