//! Resolves assignments to settings: the stronger source wins, every value is checked, defaults are filled in.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::draft::Draft;
use super::environment;
use super::error::SettingsError;
use super::file::{Written, read_file};
use super::key::Setter;
use super::keys::KEYS;
use super::nats_address::masked;
use super::raw::{Assignment, Flag, Provenance, Sources, Value};
use super::rooms::{RoomTable, of_a_room};
use super::settings::{ExtraRoom, ListenSettings, LocalAccess, RoomSettings, Settings};
use super::standard_paths::StandardPaths;

impl Settings {
    /// Reads every source, lets the stronger win (file < environment < flags), checks each value and fills
    /// in the defaults.
    ///
    /// # Errors
    ///
    /// The first error, as a sentence that names the key and where it was written, what was given and what is allowed.
    pub fn load(sources: &Sources, paths: &StandardPaths) -> Result<Self, SettingsError> {
        resolve(sources, paths)
    }
}

fn resolve(sources: &Sources, paths: &StandardPaths) -> Result<Settings, SettingsError> {
    let mut draft = Draft::default();
    // Later assignments overwrite earlier ones: file < environment < flags. All are checked, so that a mistake
    // in the file shows even while a flag hides it.
    let Written { assignments: written, rooms } = from_file(sources, paths)?;
    let variables = environment::assignments(&sources.environment)?;
    for assignment in written.into_iter().chain(variables).chain(sources.flags.iter().filter_map(from_flag)) {
        apply(&mut draft, assignment)?;
    }
    let mut settings = finish(draft, paths)?;
    settings.rooms = extra_rooms(rooms, &settings)?;
    if settings.cluster.is_some() && !settings.rooms.is_empty() {
        return Err(SettingsError::ClusterRooms);
    }
    Ok(settings)
}

/// The rooms of `[[rooms]]`: each begins as the main one and has its own keys after that.
fn extra_rooms(tables: Vec<RoomTable>, main: &Settings) -> Result<Vec<ExtraRoom>, SettingsError> {
    let mut rooms: Vec<ExtraRoom> = Vec::new();
    for table in tables {
        let name = table.name(&rooms)?;
        let mut draft = Draft::default();
        draft.settings.room = RoomSettings { title: name.clone(), name, ..main.room.clone() };
        draft.settings.history = main.history.clone();
        for assignment in table.assignments {
            apply(&mut draft, assignment).map_err(of_a_room)?;
        }
        let Settings { room, history, .. } = draft.settings;
        rooms.push(ExtraRoom { room, history, listed: table.listed, own_limits: true });
    }
    Ok(rooms)
}

fn from_file(sources: &Sources, paths: &StandardPaths) -> Result<Written, SettingsError> {
    let asked_for = sources.file.clone().or_else(|| environment::config_file(&sources.environment));
    let Some(path) = asked_for.as_ref().or(paths.config_file.as_ref()) else {
        return Ok(Written::default());
    };
    match fs::read_to_string(path) {
        Ok(text) => read_file(path, &text),
        Err(error) if error.kind() == io::ErrorKind::NotFound && asked_for.is_none() => {
            Ok(Written::default())
        }
        Err(source) => Err(SettingsError::Unreadable { file: path.clone(), source }),
    }
}

/// The assignment of a flag; a flag that is not in the table sets nothing.
fn from_flag(flag: &Flag) -> Option<Assignment> {
    let key = KEYS.iter().find(|key| key.flag == Some(flag.name))?;
    let value = match (&flag.value, &key.setter) {
        (Some(word), _) => Value::Word(word.clone()),
        (None, Setter::Switch { flag_means, .. }) => Value::Switch(*flag_means),
        (None, _) => return None,
    };
    Some(Assignment { key, value, provenance: Provenance::Flag(flag.name) })
}

fn apply(draft: &mut Draft, assignment: Assignment) -> Result<(), SettingsError> {
    let Assignment { key, value, provenance } = assignment;
    let refuse = |reason: Option<String>| SettingsError::BadValue {
        key: key.path(),
        given: masked(&value.to_string()),
        provenance: provenance.to_string(),
        reason,
        allowed: key.allowed(),
    };
    let text = match &value {
        Value::Word(word) => word.to_str(),
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    };
    match &key.setter {
        Setter::Number { least, most, store, .. } => {
            let number = match &value {
                Value::Word(_) => text.and_then(|digits| digits.trim().parse().ok()),
                Value::Number(number) => u64::try_from(*number).ok(),
                _ => None,
            };
            let number = number.filter(|n| (*least..=*most).contains(n)).ok_or_else(|| refuse(None))?;
            store(draft, number);
        }
        Setter::Switch { store, .. } => {
            let on = match (&value, text) {
                (Value::Switch(on), _) => *on,
                (Value::Word(_), Some("true")) => true,
                (Value::Word(_), Some("false")) => false,
                _ => return Err(refuse(None)),
            };
            store(draft, on);
        }
        Setter::Text { store, .. } => {
            store(draft, text.ok_or_else(|| refuse(None))?).map_err(|reason| refuse(Some(reason)))?;
            if key.path() == "listen.address" {
                // The example file writes the default out, and copying it should change nothing.
                let default = Settings::default().listen.address;
                draft.settings.listen.address_is_default =
                    matches!(provenance, Provenance::File { .. }) && draft.settings.listen.address == default;
            }
        }
        Setter::List { store, .. } => {
            let items: Vec<&str> = match (&value, text) {
                (Value::List { items, .. }, _) => items.iter().map(String::as_str).collect(),
                (_, Some(text)) => text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
                _ => return Err(refuse(None)),
            };
            store(draft, &items).map_err(|reason| refuse(Some(reason)))?;
        }
        Setter::Path { store, .. } => {
            let path = match &value {
                Value::Word(word) => PathBuf::from(word),
                Value::Text(text) => PathBuf::from(text),
                _ => return Err(refuse(None)),
            };
            if path.starts_with("~") {
                return Err(refuse(Some("~ is not expanded here; write the whole path".into())));
            }
            store(draft, (!path.as_os_str().is_empty()).then(|| beside_file(path, &provenance)));
        }
    }
    Ok(())
}

/// A relative path in a file starts at the file's directory, wherever the program was started.
fn beside_file(path: PathBuf, provenance: &Provenance) -> PathBuf {
    match provenance {
        Provenance::File { file, .. } => file.parent().map_or(path.clone(), |directory| directory.join(path)),
        _ => path,
    }
}

/// Checks values against each other, and fills in what depends on others.
fn finish(draft: Draft, paths: &StandardPaths) -> Result<Settings, SettingsError> {
    let Draft { mut settings, data_dir, ephemeral, tls, connections, cluster } = draft;
    let guests = settings.room.guests;
    settings.listen.connections = match connections {
        Some(connections) if connections < guests => {
            return Err(SettingsError::FewerConnectionsThanGuests { connections, guests });
        }
        Some(connections) => connections,
        // A guest holds one connection and needs a second for a moment, to load the page or to come back.
        None => settings.listen.connections.max(2 * guests),
    };
    settings.listen.tls = tls.finish(&settings.listen.public)?;
    let ListenSettings { local, public, proxy, tls, .. } = &settings.listen;
    if *local == LocalAccess::Off && !settings.onion.enabled && proxy.is_none() && tls.is_none() {
        return Err(SettingsError::NoWayIn);
    }
    if proxy.is_some() && public.is_empty() {
        return Err(SettingsError::NoPublicOrigin);
    }
    if settings.onion.restricted && ephemeral {
        return Err(SettingsError::EphemeralInvitations);
    }
    settings.cluster = cluster.finish(ephemeral)?;
    if settings.cluster.is_some() && settings.room.wipe_after_days > 0 {
        return Err(SettingsError::WipedElsewhere);
    }
    settings.data_dir = match (ephemeral, data_dir.or_else(|| paths.data_dir.clone())) {
        (true, _) => None,
        (false, Some(directory)) => Some(directory),
        // Nothing would be kept, which only --ephemeral asks for.
        (false, None) => return Err(SettingsError::NoDataDirectory),
    };
    Ok(settings)
}
