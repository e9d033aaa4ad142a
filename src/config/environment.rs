//! The environment: `ONIONROOM_<SECTION>_<KEY>`.

use std::ffi::OsString;
use std::path::PathBuf;

use super::error::SettingsError;
use super::keys::KEYS;
use super::raw::{Assignment, Provenance, Value};
use super::suggest::nearest;

/// The variable that names the configuration file, as `--config` does.
const CONFIG: &str = "ONIONROOM_CONFIG";

/// Variables that the tests and other scripts around the program keep for themselves.
const NOT_SETTINGS: [&str; 5] =
    ["ONIONROOM_BIN", "ONIONROOM_BROWSER", "ONIONROOM_FIREFOX", "ONIONROOM_SOCKS", "ONIONROOM_URL"];

/// More of the same: whatever starts with this.
const FOR_TESTS: &str = "ONIONROOM_TEST_";

/// The assignments of the environment.
///
/// A misspelt variable would otherwise be ignored in silence, so one that starts with `ONIONROOM_` and is not
/// known is an error.
pub(super) fn assignments(environment: &[(OsString, OsString)]) -> Result<Vec<Assignment>, SettingsError> {
    let mut found = Vec::new();
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with("ONIONROOM_")) else {
            continue;
        };
        if name == CONFIG || NOT_SETTINGS.contains(&name) || name.starts_with(FOR_TESTS) {
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.variable() == name) else {
            return Err(unknown(name));
        };
        let provenance = Provenance::Variable(name.into());
        found.push(Assignment { key, value: Value::Word(value.clone()), provenance });
    }
    Ok(found)
}

/// The configuration file that the environment names.
pub(super) fn config_file(environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let (_, file) = environment.iter().find(|(name, file)| name == CONFIG && !file.is_empty())?;
    Some(file.into())
}

fn unknown(name: &str) -> SettingsError {
    let variables: Vec<String> =
        KEYS.iter().map(|key| key.variable()).chain([String::from(CONFIG)]).collect();
    let hint = match nearest(name, variables.iter().map(String::as_str)) {
        Some(near) => format!("Did you mean {near}?"),
        None => "onionroom config prints every key; its variable is ONIONROOM_<SECTION>_<KEY>.".into(),
    };
    SettingsError::Unknown {
        what: format!("setting {name}"),
        provenance: "environment variable".into(),
        hint,
    }
}
