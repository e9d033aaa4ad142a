//! From entries to settings: the stronger source wins, every value is checked, what is missing is filled in.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::error::SettingsError;
use super::keys::{Draft, KEYS, Slot};
use super::places::Places;
use super::raw::{Entry, Flag, Origin, Sources, Value};
use super::{Settings, environment, file};

pub(super) fn settle(sources: &Sources, places: &Places) -> Result<Settings, SettingsError> {
    let mut draft = Draft::default();
    // Later entries overwrite earlier ones: file < environment < flags. All are checked, so that a mistake
    // in the file shows even while a flag hides it.
    let written = from_file(sources, places)?;
    let variables = environment::entries(&sources.environment)?;
    for entry in written.into_iter().chain(variables).chain(sources.flags.iter().filter_map(from_flag)) {
        store(&mut draft, entry)?;
    }
    finish(draft, places)
}

fn from_file(sources: &Sources, places: &Places) -> Result<Vec<Entry>, SettingsError> {
    let asked_for = sources.file.clone().or_else(|| environment::config_file(&sources.environment));
    let Some(path) = asked_for.as_ref().or(places.config_file.as_ref()) else {
        return Ok(Vec::new());
    };
    match fs::read_to_string(path) {
        Ok(text) => file::entries(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && asked_for.is_none() => Ok(Vec::new()),
        Err(source) => Err(SettingsError::Unreadable { file: path.clone(), source }),
    }
}

/// The entry that a flag stands for; a flag that is not in the table sets nothing.
fn from_flag(flag: &Flag) -> Option<Entry> {
    let key = KEYS.iter().find(|key| key.flag == Some(flag.name))?;
    let value = match (&flag.value, &key.slot) {
        (Some(word), _) => Value::Word(word.clone()),
        (None, Slot::Switch { flag_means, .. }) => Value::Switch(*flag_means),
        (None, _) => return None,
    };
    Some(Entry { key, value, origin: Origin::Flag(flag.name) })
}

fn store(draft: &mut Draft, entry: Entry) -> Result<(), SettingsError> {
    let Entry { key, value, origin } = entry;
    let refuse = |reason: Option<String>| SettingsError::BadValue {
        key: key.path(),
        given: value.to_string(),
        origin: origin.to_string(),
        reason,
        allowed: key.allowed(),
    };
    let text = match &value {
        Value::Word(word) => word.to_str(),
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    };
    match &key.slot {
        Slot::Number { least, most, store, .. } => {
            let number = match &value {
                Value::Word(_) => text.and_then(|digits| digits.trim().parse().ok()),
                Value::Number(number) => u64::try_from(*number).ok(),
                _ => None,
            };
            let number = number.filter(|n| (*least..=*most).contains(n)).ok_or_else(|| refuse(None))?;
            store(draft, number);
        }
        Slot::Switch { store, .. } => {
            let on = match (&value, text) {
                (Value::Switch(on), _) => *on,
                (Value::Word(_), Some("true")) => true,
                (Value::Word(_), Some("false")) => false,
                _ => return Err(refuse(None)),
            };
            store(draft, on);
        }
        Slot::Text { store, .. } => {
            store(draft, text.ok_or_else(|| refuse(None))?).map_err(|reason| refuse(Some(reason)))?;
            if key.path() == "listen.address" {
                // The example file writes the default out, and copying it should change nothing.
                let default = Settings::default().listen.address;
                draft.settings.listen.address_is_default =
                    matches!(origin, Origin::File { .. }) && draft.settings.listen.address == default;
            }
        }
        Slot::Path { store, .. } => {
            let path = match &value {
                Value::Word(word) => PathBuf::from(word),
                Value::Text(text) => PathBuf::from(text),
                _ => return Err(refuse(None)),
            };
            if path.starts_with("~") {
                return Err(refuse(Some("~ is not expanded here; write the whole path".into())));
            }
            store(draft, (!path.as_os_str().is_empty()).then(|| beside_file(path, &origin)));
        }
    }
    Ok(())
}

/// A relative path in a file starts at the file's directory, wherever the program was started.
fn beside_file(path: PathBuf, origin: &Origin) -> PathBuf {
    match origin {
        Origin::File { file, .. } => file.parent().map_or(path.clone(), |directory| directory.join(path)),
        _ => path,
    }
}

/// What only the whole shows.
fn finish(draft: Draft, places: &Places) -> Result<Settings, SettingsError> {
    let Draft { mut settings, data_dir, ephemeral, connections } = draft;
    let guests = settings.room.guests;
    settings.listen.connections = match connections {
        Some(connections) if connections < guests => {
            return Err(SettingsError::FewerConnectionsThanGuests { connections, guests });
        }
        Some(connections) => connections,
        // A guest holds one connection and needs a second for a moment, to load the page or to come back.
        None => settings.listen.connections.max(2 * guests),
    };
    settings.data_dir = match (ephemeral, data_dir.or_else(|| places.data_dir.clone())) {
        (true, _) => None,
        (false, Some(directory)) => Some(directory),
        // Only the onion service keeps anything.
        (false, None) if settings.onion.enabled => return Err(SettingsError::NoDataDirectory),
        (false, None) => None,
    };
    Ok(settings)
}

/// The candidate that `typed` most likely meant, if any is near.
pub(super) fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&typed, &candidate.to_lowercase()), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 5)
        .map(|(_, candidate)| candidate)
}
