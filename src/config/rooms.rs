//! The other rooms of an address: `[[rooms]]` in the file.
//!
//! Each begins with the settings of the main room. Its own keys are those of `[room]`, and those of `[history]` in a table of
//! that name; they are looked up in the same table as all keys, so that they are checked and explained in the same words.

use std::ops::Deref;

use toml::Spanned;
use toml::de::DeValue;

use super::error::SettingsError;
use super::extra_room::{ROOM_NAME_RULE, ROOMS_MAX, is_room_name};
use super::key::Key;
use super::keys::KEYS;
use super::raw::{Assignment, Provenance, Value};
use super::settings::ExtraRoom;
use super::suggest::nearest;

/// The name of the tables.
pub(super) const ROOMS: &str = "rooms";

/// One table of `[[rooms]]`, not checked yet.
#[derive(Debug)]
pub(super) struct RoomTable {
    name: Option<(Value, Provenance)>,
    pub(super) listed: bool,
    pub(super) assignments: Vec<Assignment>,
    provenance: Provenance,
}

impl RoomTable {
    /// The room's name, which none of the others has.
    pub(super) fn name(&self, others: &[ExtraRoom]) -> Result<String, SettingsError> {
        let Some((value, provenance)) = &self.name else {
            return Err(SettingsError::UnnamedRoom { provenance: self.provenance.to_string() });
        };
        let refuse = |reason: Option<&str>| SettingsError::BadValue {
            key: "rooms.name".into(),
            given: value.to_string(),
            provenance: provenance.to_string(),
            reason: reason.map(str::to_owned),
            allowed: ROOM_NAME_RULE.into(),
        };
        let Value::Text(name) = value else { return Err(refuse(None)) };
        if !is_room_name(name) {
            return Err(refuse(None));
        }
        if others.iter().any(|other| other.room.name == *name) {
            return Err(refuse(Some("another room has that name")));
        }
        if others.len() == ROOMS_MAX {
            return Err(refuse(Some("there are more than 1000 rooms")));
        }
        Ok(name.clone())
    }
}

/// Names the key of a room, and not that of the main one that it stands for.
pub(super) fn of_a_room(error: SettingsError) -> SettingsError {
    match error {
        SettingsError::BadValue { key, given, provenance, reason, allowed } => {
            let key = match key.strip_prefix("room.") {
                Some(name) => format!("{ROOMS}.{name}"),
                None => format!("{ROOMS}.{key}"),
            };
            SettingsError::BadValue { key, given, provenance, reason, allowed }
        }
        error => error,
    }
}

/// A value and where it was written.
type Read<'a> = &'a dyn Fn(&Spanned<DeValue<'_>>) -> (Value, Provenance);

/// The tables of `[[rooms]]`.
pub(super) fn room_tables(
    content: &Spanned<DeValue<'_>>,
    at: &Provenance,
    read: Read<'_>,
) -> Result<Vec<RoomTable>, SettingsError> {
    let wrong = || SettingsError::Unknown {
        what: format!("section [{ROOMS}]"),
        provenance: at.to_string(),
        hint: format!("Each room is a table of its own: write [[{ROOMS}]] with two brackets."),
    };
    let tables = content.get_ref().as_array().ok_or_else(wrong)?;
    tables.iter().map(|table| room_table(table, read).and_then(|table| table.ok_or_else(wrong))).collect()
}

/// One of them; `None` if it is none.
fn room_table(table: &Spanned<DeValue<'_>>, read: Read<'_>) -> Result<Option<RoomTable>, SettingsError> {
    let Some(members) = table.get_ref().as_table() else { return Ok(None) };
    let (_, provenance) = read(table);
    let mut found = RoomTable { name: None, listed: true, assignments: Vec::new(), provenance };
    for (member, value) in members.iter() {
        let (given, at) = read(value);
        match (member.get_ref().deref(), value.get_ref()) {
            ("name", _) => found.name = Some((given, at)),
            ("listed", DeValue::Boolean(listed)) => found.listed = *listed,
            ("listed", _) => {
                return Err(SettingsError::BadValue {
                    key: format!("{ROOMS}.listed"),
                    given: given.to_string(),
                    provenance: at.to_string(),
                    reason: None,
                    allowed: "true or false".into(),
                });
            }
            ("history", DeValue::Table(history)) => {
                for (member, value) in history.iter() {
                    let (given, at) = read(value);
                    found.assignments.push(assignment("history", member.get_ref(), given, at)?);
                }
            }
            (member, _) => found.assignments.push(assignment("room", member, given, at)?),
        }
    }
    Ok(Some(found))
}

/// The assignment of a room's own key, which is one of `section`.
fn assignment(
    section: &'static str,
    name: &str,
    value: Value,
    provenance: Provenance,
) -> Result<Assignment, SettingsError> {
    let keys = || KEYS.iter().filter(move |key: &&Key| key.section == section);
    if let Some(key) = keys().find(|key| key.name == name) {
        return Ok(Assignment { key, value, provenance });
    }
    let path = if section == "room" { ROOMS.into() } else { format!("{ROOMS}.{section}") };
    let more: &[&str] = if section == "room" { &["name", "listed", "history"] } else { &[] };
    let names = || keys().map(|key| key.name).chain(more.iter().copied());
    let hint = match nearest(name, names()) {
        Some(near) => format!("Did you mean {path}.{near}?"),
        None => format!("The keys of a room are {}.", names().collect::<Vec<_>>().join(", ")),
    };
    Err(SettingsError::Unknown {
        what: format!("key {path}.{name}"),
        provenance: provenance.to_string(),
        hint,
    })
}
