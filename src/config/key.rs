//! What one setting is.

use std::fmt;
use std::path::PathBuf;

use super::draft::Draft;

/// One setting.
pub struct Key {
    /// The section of the file it stands in: `[room]`.
    pub section: &'static str,
    /// Its name there: `guests`.
    pub name: &'static str,
    /// The flag that sets it, if there is one.
    pub flag: Option<&'static str>,
    pub(super) setter: Setter,
}

/// The type of a setting, its range, and the function that stores its value.
pub(super) enum Setter {
    /// A whole number; both ends of the range are allowed.
    Number { least: u64, most: u64, unit: &'static str, store: fn(&mut Draft, u64) },
    /// `true` or `false`; a flag without a value sets it to `flag_means`.
    Switch { flag_means: bool, store: fn(&mut Draft, bool) },
    /// A text with rules of its own; the error is the rule that was broken.
    Text { allowed: &'static str, store: fn(&mut Draft, &str) -> Result<(), String> },
    /// A list of texts; the error is the rule that was broken. In the environment there are commas between them.
    List { allowed: &'static str, store: fn(&mut Draft, &[&str]) -> Result<(), String> },
    /// A path; an empty one means the default.
    Path { allowed: &'static str, store: fn(&mut Draft, Option<PathBuf>) },
}

impl Key {
    /// `room.guests`: the key as messages and documentation name it.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// `ONIONROOM_ROOM_GUESTS`: the environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("ONIONROOM_{}_{}", self.section, self.name).to_uppercase()
    }

    /// What may be given, as the end of "Allowed: …".
    pub fn allowed(&self) -> String {
        match self.setter {
            Setter::Number { least, most, unit, .. } => {
                format!("a whole number{unit} from {least} to {most}")
            }
            Setter::Switch { .. } => "true or false".into(),
            Setter::Text { allowed, .. } | Setter::List { allowed, .. } | Setter::Path { allowed, .. } => {
                allowed.into()
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.path())
    }
}

pub(super) const fn number(least: u64, most: u64, unit: &'static str, store: fn(&mut Draft, u64)) -> Setter {
    Setter::Number { least, most, unit, store }
}
