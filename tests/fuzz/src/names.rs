//! Names: two of them, separated by a line break.

use onionroom::protocol::Name;
use onionroom::protocol::name::{NAME_BYTES_MAX, NAME_CHARACTERS_MAX};

use super::protocol::check_refusal;
use super::split;

/// Checking a name never panics; an accepted name is bounded and stays as it is when it is checked again; every name
/// is confusable with itself, and no name with one that is not confusable with it.
pub fn run(data: &[u8]) {
    let (one, other) = split(data, b'\n');
    let names = [one, other].map(|text| parse(&String::from_utf8_lossy(text)));
    for name in names.iter().flatten() {
        assert_eq!(parse(name.as_str()).as_ref(), Some(name), "{:?}", name.as_str());
        assert!(name.confusable_key().is_confusable_with(&name.confusable_key()));
    }
    if let [Some(one), Some(other)] = &names {
        let (first, second) = (one.confusable_key(), other.confusable_key());
        let confusable = first.is_confusable_with(&second);
        assert_eq!(confusable, second.is_confusable_with(&first));
        assert!(confusable || one != other);
    }
}

fn parse(text: &str) -> Option<Name> {
    match Name::parse(text) {
        Ok(name) => {
            let shown = name.as_str();
            assert!(!shown.is_empty() && shown.len() <= NAME_BYTES_MAX);
            assert!(shown.chars().count() <= 8 * NAME_CHARACTERS_MAX);
            assert!(!shown.chars().any(char::is_control));
            assert_eq!(shown.trim(), shown);
            Some(name)
        }
        Err(refusal) => {
            check_refusal(&refusal);
            None
        }
    }
}
