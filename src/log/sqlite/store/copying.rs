//! Reads the files for a copy, one slice between two appends.

use rusqlite::types::Value;
use zeroize::Zeroizing;

use super::Store;
use crate::log::LogError;
use crate::log::sqlite::error::{failed, keys_failed};
use crate::log::sqlite::keys::KeyId;

/// The table of the entries.
pub(in super::super) const ENTRIES: &str = "messages";

/// How many rows are read in one slice at most.
const SLICE_ROWS: usize = 512;

/// After how many bytes a slice ends.
const SLICE_BYTES: usize = 256 * 1024;

/// A table as it is in the file, or a part of it.
pub(in super::super) struct Table {
    pub(in super::super) name: String,
    pub(in super::super) columns: Vec<String>,
    pub(in super::super) rows: Vec<Vec<Value>>,
}

/// The end of a copy: what is read in one moment.
pub(in super::super) struct Rest {
    /// The entries that were not read before, and every other table whole.
    pub(in super::super) tables: Vec<Table>,
    /// The slots of the keys that the other tables were sealed with: they may be overwritten by the next append.
    pub(in super::super) pinned: Vec<(u32, Zeroizing<Vec<u8>>)>,
}

impl Table {
    /// Where a column is in the rows.
    pub(in super::super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The sequence number of the last row.
    pub(in super::super) fn last(&self) -> Option<i64> {
        match self.rows.last()?[self.column("seq")?] {
            Value::Integer(seq) => Some(seq),
            _ => None,
        }
    }

    /// The keys that its rows are sealed with.
    fn keys(&self) -> impl Iterator<Item = KeyId> {
        let places = self.column("slot").zip(self.column("key"));
        places.into_iter().flat_map(|(slot, key)| {
            self.rows.iter().filter_map(move |row| match (&row[slot], &row[key]) {
                (Value::Integer(slot), Value::Integer(id)) => {
                    Some(KeyId { slot: u32::try_from(*slot).ok()?, id: *id })
                }
                _ => None,
            })
        })
    }
}

impl Store {
    /// The next entries with a sequence number above `after`; and whether there may be more.
    pub(in super::super) fn copy_slice(&self, after: i64) -> Result<(Table, bool), LogError> {
        let (mut bytes, mut rows) = (0, 0);
        let table = self.table(ENTRIES, &format!("WHERE seq > {after} ORDER BY seq"), |row| {
            rows += 1;
            bytes += row.iter().map(size).sum::<usize>();
            rows < SLICE_ROWS && bytes < SLICE_BYTES
        })?;
        Ok((table, rows >= SLICE_ROWS || bytes >= SLICE_BYTES))
    }

    /// All that is to be read in one moment, after the entry `after`.
    pub(in super::super) fn copy_rest(&mut self, after: i64) -> Result<Rest, LogError> {
        let mut tables = vec![self.table(ENTRIES, &format!("WHERE seq > {after} ORDER BY seq"), |_| true)?];
        let names: Vec<String> = self
            .connection
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name != ?1",
            )
            .and_then(|mut names| names.query_map([ENTRIES], |row| row.get(0))?.collect())
            .map_err(failed)?;
        let mut pinned = Vec::new();
        for name in names {
            let table = self.table(&name, "", |_| true)?;
            for key in table.keys() {
                let slot = self.keys.slots_from(key.slot, 1).map_err(keys_failed)?;
                pinned.push((key.slot, slot));
            }
            tables.push(table);
        }
        Ok(Rest { tables, pinned })
    }

    /// The slots from this one on, at most `count`, as they are in the file of the keys.
    pub(in super::super) fn copy_keys(
        &mut self,
        first: u32,
        count: u32,
    ) -> Result<Zeroizing<Vec<u8>>, LogError> {
        self.keys.slots_from(first, count).map_err(keys_failed)
    }

    fn table(
        &self,
        name: &str,
        which: &str,
        mut more: impl FnMut(&[Value]) -> bool,
    ) -> Result<Table, LogError> {
        let mut read = || {
            let mut statement = self.connection.prepare(&format!("SELECT * FROM \"{name}\" {which}"))?;
            let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
            let (mut rows, mut found) = (statement.query([])?, Vec::new());
            while let Some(row) = rows.next()? {
                let values = (0..columns.len()).map(|column| row.get(column));
                found.push(values.collect::<rusqlite::Result<Vec<Value>>>()?);
                if !more(found.last().map_or(&[], Vec::as_slice)) {
                    break;
                }
            }
            Ok(Table { name: name.to_owned(), columns, rows: found })
        };
        read().map_err(failed)
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Blob(bytes) => bytes.len(),
        Value::Text(text) => text.len(),
        _ => 8,
    }
}
