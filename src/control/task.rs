//! What a room is told to do as a whole: it is no act, and is in no log.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::answer::Failed;

/// What the room is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// To write a backup.
    Backup(Backup),
    /// To be kept: a host confirms it, where it is wiped by itself otherwise.
    Confirm,
    /// To be wiped: the room ends, and nothing that it has kept can be read any more.
    Wipe {
        /// The room's title, which confirms it.
        confirm: String,
        /// Whether the address is to go too.
        address: bool,
    },
}

/// A backup that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The file to make, as an absolute path. The room's process opens it.
    pub path: PathBuf,
    /// What it is encrypted with.
    pub passphrase: Secret,
    /// Whether lines of [`Progress`] are wanted before the answer.
    pub progress: bool,
}

/// A text that is overwritten in memory when it is dropped, and that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is done: `copying`, `writing` or `rooms`.
    pub step: String,
    /// How much of it is done.
    pub done: u64,
    /// Of how much.
    pub total: u64,
}

/// A line before the answer: `{"progress":…}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressLine {
    /// How far it is; nothing before the first step.
    pub progress: Option<Progress>,
}

impl ProgressLine {
    /// The JSON, with the end of the line.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

impl Task {
    /// Decodes the members of a request whose `do` is there. Secrets are taken out of them.
    ///
    /// # Errors
    /// With a code and a sentence that says what would be right.
    pub(super) fn decode(members: &mut Map<String, Value>) -> Result<Self, Failed> {
        match members.get("do").and_then(Value::as_str) {
            Some("backup") => Backup::decode(members).map(Self::Backup),
            Some("wipe") => {
                let (confirm, address) = (text(members, "confirm")?, switch(members, "address")?);
                Ok(Self::Wipe { confirm, address })
            }
            Some("confirm") => Ok(Self::Confirm),
            _ => Err(Failed::new("wrong_kind", "The member \"do\" must be one of backup, wipe, confirm.")),
        }
    }

    /// Whether it may take long: then it is given up when its connection ends.
    pub(super) fn is_long(&self) -> bool {
        matches!(self, Self::Backup(_))
    }

    /// Whether lines of [`Progress`] are wanted.
    pub(super) fn wants_progress(&self) -> bool {
        matches!(self, Self::Backup(Backup { progress: true, .. }))
    }
}

impl Backup {
    fn decode(members: &mut Map<String, Value>) -> Result<Self, Failed> {
        let passphrase = text(members, "passphrase").map(|text| Secret(Zeroizing::new(text)));
        let path = PathBuf::from(text(members, "path")?);
        let progress = switch(members, "progress")?;
        if !path.is_absolute() {
            let sentence = "The member \"path\" must be an absolute path: the room's process opens it, which has another working directory.";
            return Err(Failed::new("path_relative", sentence));
        }
        Ok(Self { path, passphrase: passphrase?, progress })
    }
}

/// Takes a member out that must be a text.
fn text(members: &mut Map<String, Value>, name: &str) -> Result<String, Failed> {
    match members.get_mut(name).map(Value::take) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Failed::new("wrong_kind", format!("The member {name:?} must be a text."))),
        None => Err(Failed::new("missing_field", format!("The member {name:?} is missing."))),
    }
}

/// A member that may be there: true or false.
fn switch(members: &Map<String, Value>, name: &str) -> Result<bool, Failed> {
    match members.get(name) {
        None => Ok(false),
        Some(Value::Bool(on)) => Ok(*on),
        Some(_) => Err(Failed::new("wrong_kind", format!("The member {name:?} must be true or false."))),
    }
}
