//! Whom a host means: by number, badge or name.

use std::collections::HashSet;
use std::fmt;

use super::error::HostError;
use crate::protocol::{Badge, GuestId, NUMBER_LIMIT, Name};

/// A guest whom the room knows: present, or named in what was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) number: u64,
    /// Their name now, or when something was decided about them.
    pub(super) name: Option<String>,
    /// What is said of them where several are listed, such as `away`.
    pub(super) remark: &'static str,
}

impl Known {
    fn stranger(number: u64) -> Self {
        Self { number, name: None, remark: "not here" }
    }

    fn badge(&self) -> String {
        Badge::of(GuestId(self.number)).characters()
    }
}

impl fmt::Display for Known {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(formatter, "{name} ({})", self.badge()),
            None => write!(formatter, "Guest {} ({})", self.number, self.badge()),
        }
    }
}

/// The guest whom `wanted` means, of those who are known. A number may be of any guest.
pub(super) fn find(wanted: &str, known: &[Known]) -> Result<Known, HostError> {
    let none = || HostError::NoSuchGuest(wanted.to_owned());
    let mut found: Vec<Known> = match wanted.split_once(':') {
        Some(("number", number)) => by_number(number, known).into_iter().collect(),
        Some(("badge", badge)) => by_badge(badge, known).collect(),
        Some(("name", name)) => by_name(name, known),
        _ => by_number(wanted, known)
            .into_iter()
            .chain(by_badge(wanted, known))
            .chain(by_name(wanted, known))
            .collect(),
    };
    let mut seen = HashSet::new();
    found.retain(|guest| seen.insert(guest.number));
    if found.len() > 1 {
        let line = |guest: &Known| {
            let name = guest.name.as_deref().unwrap_or("");
            format!("  number:{}  {}  {name}  {}", guest.number, guest.badge(), guest.remark)
                .trim_end()
                .to_owned()
        };
        let list: Vec<_> = found.iter().map(line).collect();
        return Err(HostError::Ambiguous { wanted: wanted.to_owned(), list: list.join("\n") });
    }
    found.pop().ok_or_else(none)
}

fn by_number(number: &str, known: &[Known]) -> Option<Known> {
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok().filter(|number| (1..NUMBER_LIMIT).contains(number))?;
    Some(known.iter().find(|guest| guest.number == number).cloned().unwrap_or(Known::stranger(number)))
}

fn by_badge<'a>(badge: &str, known: &'a [Known]) -> impl Iterator<Item = Known> + use<'a> {
    let badge = badge.to_ascii_lowercase();
    known.iter().filter(move |guest| guest.badge() == badge).cloned()
}

/// Those who are called exactly so, or else those whose names differ from it in case alone. Not those whose names look the same
/// otherwise: a guest who looks like another one is not meant.
fn by_name(name: &str, known: &[Known]) -> Vec<Known> {
    let name = Name::parse(name).map_or_else(|_| name.to_owned(), |name| name.as_str().to_owned());
    let called = |is_called: &dyn Fn(&str) -> bool| -> Vec<Known> {
        known.iter().filter(|guest| guest.name.as_deref().is_some_and(is_called)).cloned().collect()
    };
    let exactly = called(&|other| other == name);
    if exactly.is_empty() { called(&|other| other.to_lowercase() == name.to_lowercase()) } else { exactly }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(number: u64, name: &str) -> Known {
        Known { number, name: Some(name.to_owned()), remark: "" }
    }

    fn number(wanted: &str, guests: &[Known]) -> Option<u64> {
        find(wanted, guests).map(|guest| guest.number).ok()
    }

    #[test]
    fn a_guest_is_found_by_number_badge_and_name() {
        let guests = [known(7, "Ann"), known(1 << 40, "Bob the builder"), known((1 << 41) + 33, "Ćelo")];
        for (wanted, found) in [
            ("7", Some(7)),
            ("number:7", Some(7)),
            ("0007", Some(7)),
            ("badge:0011", Some((1 << 41) + 33)),
            ("ann", Some(7)),
            ("name:Ann", Some(7)),
            (" Bob the builder ", Some(1 << 40)),
            ("Ćelo", Some((1 << 41) + 33)),
            ("8", Some(8)),
            ("Celo", None),
            ("badge:Ann", None),
            ("name:7", None),
            ("-7", None),
            ("0", None),
            ("99999999999999999999", None),
            ("", None),
        ] {
            assert_eq!(number(wanted, &guests), found, "{wanted:?}");
        }
    }

    /// Who calls themselves by the number or the badge of another guest is not acted on in their place, nor they in theirs.
    #[test]
    fn what_could_be_two_guests_is_refused_and_can_be_said_exactly() {
        let guests = [known(7, "Ann"), known(8, "7"), known(9, "0007"), known((1 << 20) + 9, "number:9")];
        for wanted in ["7", "0007", "0009", "77"] {
            let refused = find(wanted, &guests);
            match wanted {
                "77" => assert_eq!(refused.unwrap().number, 77),
                _ => assert!(matches!(refused, Err(HostError::Ambiguous { .. })), "{wanted}: {refused:?}"),
            }
        }
        let said = find("7", &guests).unwrap_err().to_string();
        assert!(said.contains("number:7  0007  Ann") && said.contains("number:8  0008  7"), "{said}");
        assert_eq!(number("number:7", &guests), Some(7));
        assert_eq!(number("name:7", &guests), Some(8));
        assert_eq!(number("number:9", &guests), Some(9));
        assert_eq!(number("name:number:9", &guests), Some((1 << 20) + 9));
    }

    /// A guest who is not here may be meant by the number alone; one who is called so makes that ambiguous.
    #[test]
    fn a_number_of_a_stranger_and_a_name_are_two_guests() {
        assert!(find("123", &[known(8, "123")]).is_err());
        assert_eq!(number("123", &[known(123, "123")]), Some(123));
    }
}
