//! The name of an invitation.

use std::fmt;
use std::str::FromStr;

/// The longest name, in characters.
const LONGEST: usize = 32;

/// Names that Windows keeps for devices, in every directory.
const OF_WINDOWS: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The name of an invitation: 1 to 32 of `a` to `z`, `0` to `9`, `_` and `-`, the first a letter or a digit. It is a file
/// name, also where file systems do not tell `A` from `a`, and no guest ever sees it.
///
/// `Debug` does not show it: that gets into logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InviteeName(String);

/// A name that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "An invitation cannot be called {0:?}. Take 1 to 32 of the characters a to z, 0 to 9, - and _, the first a letter or a digit."
)]
pub struct NameError(String);

impl InviteeName {
    /// The name as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InviteeName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let begins = text.starts_with(plain);
        let device = text.strip_prefix("com").or_else(|| text.strip_prefix("lpt"));
        let device = device.is_some_and(|rest| rest.len() == 1) || OF_WINDOWS.contains(&text);
        if begins && !device && text.len() <= LONGEST && text.chars().all(|c| plain(c) || "-_".contains(c)) {
            Ok(Self(text.into()))
        } else {
            Err(NameError(text.chars().take(2 * LONGEST).collect()))
        }
    }
}

impl fmt::Display for InviteeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for InviteeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InviteeName(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_file_names_everywhere() {
        for name in ["a", "alice", "0", "alice-2_b", &"x".repeat(32)] {
            assert_eq!(name.parse::<InviteeName>().map(|name| name.to_string()), Ok(name.into()));
        }
        for name in ["", "Alice", "-a", "_a", ".a", "a.b", "a/b", "..", "ä", "a b", "nul", "com1", "a\n"] {
            assert!(name.parse::<InviteeName>().is_err(), "{name:?}");
        }
        assert!("x".repeat(33).parse::<InviteeName>().is_err());
    }

    #[test]
    fn a_name_does_not_get_into_logs() {
        let name: Result<InviteeName, _> = "alice".parse();
        assert!(!format!("{name:?}").contains("alice"));
    }
}
