//! Durations and quantities in words. There is no time of day, because the host's clock must not leak.

use crate::protocol::event::Kept;

/// A duration in seconds as "1 minute" or "3 days": one unit, rounded down, no seconds.
pub(super) fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => return "less than a minute".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// The line for a room that cannot store what is said.
pub(super) const CANNOT_WRITE: &str = "The room cannot write at the moment.";

/// What is said to the author of a message that has to wait.
pub const WAITS: &str = "Your message waits until a host or a moderator lets it be said.";

/// What is said to a guest who could not get their name again.
pub fn lost_name(lost: &str, name: &str) -> String {
    format!("The name {lost} could not be had again, so you are {name} now.")
}

/// The retention as a sentence.
pub(super) fn kept(kept: Kept) -> String {
    let days = if kept.days == 1 { "1 day".to_owned() } else { format!("{} days", kept.days) };
    match kept {
        Kept { messages: 0, .. } => "Nothing is kept here.".to_owned(),
        Kept { messages, days: 0 } => format!("Kept here: the newest {messages} messages."),
        Kept { messages, .. } => format!("Kept here: the newest {messages} messages, for {days}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_rounded_down() {
        let cases = [
            (59, "less than a minute"),
            (60, "1 minute"),
            (3599, "59 minutes"),
            (7200, "2 hours"),
            (86_400, "1 day"),
        ];
        for (seconds, words) in cases {
            assert_eq!(span(seconds), words);
        }
    }

    #[test]
    fn the_retention_is_a_sentence() {
        let said = |messages, days| kept(Kept { messages, days });
        assert_eq!(said(0, 7), "Nothing is kept here.");
        assert_eq!(said(1000, 0), "Kept here: the newest 1000 messages.");
        assert_eq!(said(50, 1), "Kept here: the newest 50 messages, for 1 day.");
    }
}
