//! Assignments as they were typed: with key, value and provenance, but not yet checked.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::key::Key;

/// The sources of settings, weakest first.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The configuration file that was asked for; without one, the platform's is read if it exists.
    pub file: Option<PathBuf>,
    /// The process's environment, whole; what does not start with `ONIONROOM_` is not looked at.
    pub environment: Vec<(OsString, OsString)>,
    /// The command line.
    pub flags: Vec<Flag>,
}

/// One flag of the command line that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as typed, `--guests`; one of the table's [`Key::flag`].
    pub name: &'static str,
    /// Its value; `None` for a flag that is its own value, such as `--ephemeral`.
    pub value: Option<OsString>,
}

/// A value for a key.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) key: &'static Key,
    pub(super) value: Value,
    pub(super) provenance: Provenance,
}

/// A value as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// From the environment or a flag, where every value is text and the key's type decides how to parse it.
    Word(OsString),
    /// A text in the file.
    Text(String),
    /// A whole number in the file. TOML's are 64 bits wide with a sign.
    Number(i64),
    /// A `true` or `false` in the file, or a flag without a value.
    Switch(bool),
    /// A list of texts in the file, and the list as written.
    List { items: Vec<String>, source: String },
    /// A value of the file that no key takes, such as a list of numbers, a date or a fraction, as written.
    Other(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Word(word) => write!(f, "{:?}", word.to_string_lossy()),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Switch(on) => write!(f, "{on}"),
            Value::List { source, .. } | Value::Other(source) => write!(f, "{source}"),
        }
    }
}

/// Where a value was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provenance {
    /// A configuration file; lines count from 1.
    File { file: PathBuf, line: usize },
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Provenance::File { file, line } => write!(f, "{}, line {line}", file.display()),
            Provenance::Variable(name) => write!(f, "environment variable {name}"),
            Provenance::Flag(name) => write!(f, "flag {name}"),
        }
    }
}
