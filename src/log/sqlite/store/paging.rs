//! Reads many entries at once, for those who look through the log.
//!
//! The writer thread only reads rows and keys, a slice between two appends. What has asked decrypts them on another one.

use super::Store;
use crate::log::sqlite::error::{failed, keys_failed};
use crate::log::sqlite::{rows, sealed};
use crate::log::{LogError, LogPage};

/// After how many bytes a page ends.
const PAGE_BYTES: usize = 256 * 1024;

impl Store {
    /// The newest kept entries with `seq` < `before`, as [`Log::page_before`](crate::log::Log::page_before).
    pub(in super::super) fn page_before(&mut self, before: u64, limit: usize) -> Result<LogPage, LogError> {
        let (after, kept): (u64, Vec<u64>) = {
            let now = self.view.now();
            let after = now.index.cursor_before(before, limit);
            (after, now.index.after(after).take_while(|seq| *seq < before).collect())
        };
        let sealed = match rows::newest_between(&self.connection, after, before, PAGE_BYTES) {
            Ok(sealed) => sealed,
            // Where the file is damaged, what can be read of it is read one by one.
            Err(error) if rows::is_damage(&error) => {
                let mut records = self.read(after, kept.len())?;
                records.retain(|record| record.seq < before);
                return Ok(LogPage { after, open: Box::new(|| records) });
            }
            Err(error) => return Err(failed(error)),
        };
        let after = if sealed.is_whole { after } else { sealed.first - 1 };
        let mut rows = sealed.rows;
        // What is not kept any more may not be deleted yet.
        rows.retain(|row| kept.binary_search(&row.seq).is_ok());
        let wanted: Vec<_> = rows.iter().map(|row| row.key).collect();
        let keys = self.keys.get_many(&wanted).map_err(keys_failed)?;
        let open = move || {
            let opened = rows.into_iter().zip(keys).rev();
            opened.filter_map(|(row, key)| sealed::open(&key?, row)).collect()
        };
        Ok(LogPage { after, open: Box::new(open) })
    }
}

#[cfg(test)]
#[path = "paging_tests.rs"]
mod tests;
