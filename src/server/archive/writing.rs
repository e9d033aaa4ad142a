//! Writes an archive.

use std::io::{self, Write};

use age::Encryptor;
use age::scrypt::Recipient;
use age::stream::StreamWriter;
use tar::{EntryType, Header};

use super::{FORMAT, MANIFEST, Manifest, Parts, Passphrase, WORK};

/// The size of a block of a tar archive, in bytes.
const BLOCK: u64 = 512;

/// An archive that is written to `W`.
pub(in super::super) struct ArchiveWriter<W: Write>(StreamWriter<W>);

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub(in super::super) fn begin(out: W, passphrase: &Passphrase, parts: Parts) -> io::Result<Self> {
        let mut recipient = Recipient::new(passphrase.0.clone());
        recipient.set_work_factor(WORK);
        let encryptor =
            Encryptor::with_recipients(std::iter::once(&recipient as _)).map_err(io::Error::other)?;
        let mut archive = Self(encryptor.wrap_output(out)?);
        let manifest = Manifest { format: FORMAT, program: env!("CARGO_PKG_VERSION").into(), parts };
        let manifest = serde_json::to_vec(&manifest)?;
        archive.bytes(MANIFEST, &manifest)?;
        Ok(archive)
    }

    /// Adds a file.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub(in super::super) fn bytes(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(name, bytes.len() as u64, |out| out.write_all(bytes))
    }

    /// Adds a file of `size` bytes, which `fill` writes.
    ///
    /// # Errors
    /// The archive cannot be written, or `fill` fails, or writes more or less than it has to.
    pub(in super::super) fn file<T, E: From<io::Error>>(
        &mut self,
        name: &str,
        size: u64,
        fill: impl FnOnce(&mut dyn Write) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_entry_type(EntryType::Regular);
        header.set_size(size);
        header.set_mode(0o600);
        // Not when it was written, nor by whom.
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        self.0.write_all(header.as_bytes())?;
        let mut counted = Counted { out: &mut self.0, bytes: 0 };
        let filled = fill(&mut counted)?;
        if counted.bytes != size {
            return Err(io::Error::other(format!("{name} changed while it was read")).into());
        }
        let padding = size.next_multiple_of(BLOCK) - size;
        self.0.write_all(&[0; BLOCK as usize][..padding as usize])?;
        Ok(filled)
    }

    /// Ends the archive. Without this it cannot be read.
    ///
    /// # Errors
    /// The archive cannot be written.
    pub(in super::super) fn finish(mut self) -> io::Result<W> {
        self.0.write_all(&[0; 2 * BLOCK as usize])?;
        self.0.finish()
    }
}

/// Counts what is written.
struct Counted<'a, W: Write> {
    out: &'a mut StreamWriter<W>,
    bytes: u64,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
