//! Durations and quantities in words. There is no time of day, because the host's clock must not leak.
//!
//! What a duration is said of is in the same text as the unit, because languages inflect the unit by it.

use crate::language::{Language, english, plurals};
use crate::protocol::event::Kept;

/// The texts for a duration of less than a minute, and of minutes, hours and days.
struct Units(&'static str, [[&'static str; 2]; 3]);

const AGO: Units = Units(
    english("less than a minute ago"),
    [
        plurals("{0} minute ago", "{0} minutes ago"),
        plurals("{0} hour ago", "{0} hours ago"),
        plurals("{0} day ago", "{0} days ago"),
    ],
);

const BEFORE: Units = Units(
    english("less than a minute before you came"),
    [
        plurals("{0} minute before you came", "{0} minutes before you came"),
        plurals("{0} hour before you came", "{0} hours before you came"),
        plurals("{0} day before you came", "{0} days before you came"),
    ],
);

const LATER: Units = Units(
    english("less than a minute later"),
    [
        plurals("{0} minute later", "{0} minutes later"),
        plurals("{0} hour later", "{0} hours later"),
        plurals("{0} day later", "{0} days later"),
    ],
);

const FOR: Units = Units(
    english("for less than a minute"),
    [
        plurals("for {0} minute", "for {0} minutes"),
        plurals("for {0} hour", "for {0} hours"),
        plurals("for {0} day", "for {0} days"),
    ],
);

const MORE: Units = Units(
    english("for less than a minute more"),
    [
        plurals("for {0} minute more", "for {0} minutes more"),
        plurals("for {0} hour more", "for {0} hours more"),
        plurals("for {0} day more", "for {0} days more"),
    ],
);

const WITHIN: Units = Units(
    english("in less than a minute"),
    [
        plurals("in {0} minute", "in {0} minutes"),
        plurals("in {0} hour", "in {0} hours"),
        plurals("in {0} day", "in {0} days"),
    ],
);

/// A duration in seconds: one unit, rounded down, no seconds.
fn span(language: Language, Units(less, units): &Units, seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => return language.say(less).to_owned(),
        60..3600 => (seconds / 60, 0),
        3600..86_400 => (seconds / 3600, 1),
        _ => (seconds / 86_400, 2),
    };
    let [one, many] = units[unit];
    language.counted(count, one, many)
}

/// How many seconds ago something was, as "3 days ago".
pub(super) fn ago(language: Language, seconds: u64) -> String {
    span(language, &AGO, seconds)
}

/// How many seconds before the guest came something was.
pub(super) fn before(language: Language, seconds: u64) -> String {
    span(language, &BEFORE, seconds)
}

/// How many seconds passed since what stands above.
pub(super) fn later(language: Language, seconds: u64) -> String {
    span(language, &LATER, seconds)
}

/// For how many seconds something has been so.
pub(super) fn since(language: Language, seconds: u64) -> String {
    span(language, &FOR, seconds)
}

/// For how many more seconds something will be so.
pub(super) fn more(language: Language, seconds: u64) -> String {
    span(language, &MORE, seconds)
}

/// After how many seconds something will be.
pub(super) fn within(language: Language, seconds: u64) -> String {
    span(language, &WITHIN, seconds)
}

/// The line for a room that cannot store what is said.
pub(super) const CANNOT_WRITE: &str = english("The room cannot write at the moment.");

/// What is said to the author of a message that has to wait.
pub const WAITS: &str = english("Your message waits until a host or a moderator lets it be said.");

/// What is said to a guest who could not get their name again.
pub fn lost_name(language: Language, lost: &str, name: &str) -> String {
    language.fill("The name {0} could not be had again, so you are {1} now.", &[&lost, &name])
}

/// The retention as a sentence.
pub(super) fn kept(language: Language, kept: Kept) -> String {
    let Kept { messages, days } = kept;
    match (messages, days) {
        (0, _) => language.say("Nothing is kept here.").to_owned(),
        (_, 0) => language.fill("Kept here: the newest {0} messages.", &[&messages]),
        _ => language.fill_plural(
            days,
            "Kept here: the newest {0} messages, for {1} day.",
            "Kept here: the newest {0} messages, for {1} days.",
            &[&messages, &days],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;

    #[test]
    fn spans_are_rounded_down() {
        let cases = [
            (59, "less than a minute ago"),
            (60, "1 minute ago"),
            (3599, "59 minutes ago"),
            (7200, "2 hours ago"),
            (86_400, "1 day ago"),
        ];
        for (seconds, words) in cases {
            assert_eq!(ago(EN, seconds), words);
        }
        assert_eq!(before(EN, 60), "1 minute before you came");
        assert_eq!([later(EN, 7200), since(EN, 59)], ["2 hours later", "for less than a minute"]);
        assert_eq!([more(EN, 172_800), within(EN, 60)], ["for 2 days more", "in 1 minute"]);
    }

    #[test]
    fn the_retention_is_a_sentence() {
        let said = |messages, days| kept(EN, Kept { messages, days });
        assert_eq!(said(0, 7), "Nothing is kept here.");
        assert_eq!(said(1000, 0), "Kept here: the newest 1000 messages.");
        assert_eq!(said(50, 1), "Kept here: the newest 50 messages, for 1 day.");
    }
}
