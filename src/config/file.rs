//! The configuration file: TOML, read with the line of every key.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::error::SettingsError;
use super::keys::KEYS;
use super::raw::{Assignment, Provenance, Value};
use super::rooms::{ROOMS, RoomTable, room_tables};
use super::suggest::nearest;

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The assignments, in the order in which they stand there.
    pub(super) assignments: Vec<Assignment>,
    /// Its `[[rooms]]`.
    pub(super) rooms: Vec<RoomTable>,
}

/// Reads the file.
pub(super) fn read_file(file: &Path, text: &str) -> Result<Written, SettingsError> {
    let document = DeTable::parse(text).map_err(|error| SettingsError::NotToml {
        file: file.into(),
        line: line_of(text, error.span()),
        message: error.message().replace('\n', ", ").trim_end_matches('.').into(),
    })?;
    let provenance =
        |span: Range<usize>| Provenance::File { file: file.into(), line: line_of(text, Some(span)) };

    let (mut found, mut rooms) = (Vec::new(), Vec::new());
    for (section, content) in document.get_ref() {
        if section.get_ref() == ROOMS {
            rooms = room_tables(content, &provenance(section.span()), &|value| {
                (read(value.get_ref(), &text[value.span()]), provenance(value.span()))
            })?;
            continue;
        }
        let Some(content) = content.get_ref().as_table() else {
            return Err(unknown_key("", section.get_ref(), &provenance(section.span())));
        };
        if !KEYS.iter().any(|key| key.section == section.get_ref()) {
            return Err(unknown_section(section.get_ref(), &provenance(section.span())));
        }
        for (name, value) in content {
            let at = provenance(name.span());
            let Some(key) =
                KEYS.iter().find(|key| key.section == section.get_ref() && key.name == name.get_ref())
            else {
                return Err(unknown_key(section.get_ref(), name.get_ref(), &at));
            };
            let value = read(value.get_ref(), &text[value.span()]);
            found.push((name.span().start, Assignment { key, value, provenance: at }));
        }
    }
    found.sort_by_key(|(start, _)| *start);
    Ok(Written { assignments: found.into_iter().map(|(_, assignment)| assignment).collect(), rooms })
}

fn read(value: &DeValue<'_>, source: &str) -> Value {
    let other = || Value::Other(source.into());
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Boolean(on) => Value::Switch(*on),
        DeValue::Integer(digits) => {
            i64::from_str_radix(digits.as_str(), digits.radix()).map_or_else(|_| other(), Value::Number)
        }
        DeValue::Array(array) => {
            let texts = array.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            let items: Option<Vec<_>> = texts.collect();
            items.map_or_else(other, |items| Value::List { items, source: source.into() })
        }
        _ => other(),
    }
}

/// The line, counted from 1, on which a span begins.
fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start).min(text.len());
    1 + text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count()
}

fn unknown_section(section: &str, provenance: &Provenance) -> SettingsError {
    let mut sections: Vec<&str> = KEYS.iter().map(|key| key.section).collect();
    sections.dedup();
    let hint = match nearest(section, sections.iter().copied().chain([ROOMS])) {
        Some(ROOMS) => format!("Did you mean [[{ROOMS}]]?"),
        Some(near) => format!("Did you mean [{near}]?"),
        None => format!("The sections are [{}].", sections.join("], [")),
    };
    SettingsError::Unknown { what: format!("section [{section}]"), provenance: provenance.to_string(), hint }
}

/// A key that its section does not have; `section` is empty for one that stands before any section.
fn unknown_key(section: &str, name: &str, provenance: &Provenance) -> SettingsError {
    let names = || KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
    let elsewhere = || KEYS.iter().find(|key| key.name == name);
    let hint = match (nearest(name, names()), elsewhere()) {
        (_, Some(key)) => format!("Did you mean {}, in the section [{}]?", key.path(), key.section),
        (Some(near), None) => format!("Did you mean {section}.{near}?"),
        (None, None) if section.is_empty() => "Every key stands in a section, such as [room].".into(),
        (None, None) => format!("The keys of [{section}] are {}.", names().collect::<Vec<_>>().join(", ")),
    };
    let what = if section.is_empty() {
        format!("key {name} outside a section")
    } else {
        format!("key {section}.{name}")
    };
    SettingsError::Unknown { what, provenance: provenance.to_string(), hint }
}
