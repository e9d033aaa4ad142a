//! The passphrase of a backup: asked for on the terminal, without showing it, or read from a file that no other user can read.
//! Never from the environment or the command line, which other programs can see.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use console::Term;
use zeroize::Zeroizing;

use super::arguments::PassphraseFlags;
use super::terminal::Terminal;
use crate::server::archive::Passphrase;

/// The longest file that is read, in bytes.
const FILE_MOST: usize = 4096;

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It cannot be asked for.
    #[error(
        "There is no terminal to ask for the passphrase on. --passphrase-file FILE reads it from a file."
    )]
    NoTerminal,
    /// The terminal does not answer.
    #[error("The passphrase cannot be read: {0}.")]
    Terminal(#[source] io::Error),
    /// Nothing was typed, or the file is empty.
    #[error("The passphrase is empty. Nothing was done.")]
    Empty,
    /// The second time something else was typed.
    #[error("The two passphrases differ. Nothing was done; try again.")]
    Differ,
    /// It can be guessed.
    #[error(
        "The passphrase is too short: with the file, many can be tried a second. Take at least {} characters that can be \
         seen, such as five words at random.",
        Passphrase::LEAST
    )]
    Short,
    /// Other users can read the file.
    #[error(
        "The file of the passphrase {} can be read by other users of this machine (mode {mode:04o}). Close it with: chmod 600 {}",
        path.display(), path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file belongs to another user.
    #[error("The file of the passphrase {} belongs to another user (number {owner}), who can read it.", path.display())]
    OfAnother {
        /// The file.
        path: PathBuf,
        /// The other user.
        owner: u32,
    },
    /// The file is none of a passphrase.
    #[error("The file of the passphrase {} is not one line of text with at most 4,096 bytes.", path.display())]
    NotALine {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("The file of the passphrase {} cannot be read: {cause}.", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

/// The passphrase for a backup that is to be made: not too short, and typed twice.
pub(super) fn of_a_new_backup(
    flags: &PassphraseFlags,
    terminal: &Terminal,
) -> Result<Passphrase, PassphraseError> {
    let text = match &flags.passphrase_file {
        Some(file) => read(file)?,
        None => {
            let first = ask("Passphrase of the backup: ", terminal)?;
            let second = ask("The same again: ", terminal)?;
            if *first != *second {
                return Err(PassphraseError::Differ);
            }
            first
        }
    };
    let passphrase = passphrase(&text)?;
    if passphrase.is_long() { Ok(passphrase) } else { Err(PassphraseError::Short) }
}

/// The password for newcomers to a room: typed twice. The room says when it is too short.
#[cfg(unix)]
pub(super) fn of_a_room(
    flags: &PassphraseFlags,
    terminal: &Terminal,
) -> Result<Zeroizing<String>, PassphraseError> {
    let text = match &flags.passphrase_file {
        Some(file) => read(file)?,
        None => {
            let first = ask("Password for newcomers: ", terminal)?;
            let second = ask("The same again: ", terminal)?;
            if *first != *second {
                return Err(PassphraseError::Differ);
            }
            first
        }
    };
    if text.is_empty() { Err(PassphraseError::Empty) } else { Ok(text) }
}

/// The passphrase of a backup that there is.
pub(super) fn of_a_backup(
    flags: &PassphraseFlags,
    terminal: &Terminal,
) -> Result<Passphrase, PassphraseError> {
    match &flags.passphrase_file {
        Some(file) => passphrase(&read(file)?),
        None => passphrase(&ask("Passphrase of the backup: ", terminal)?),
    }
}

fn passphrase(text: &str) -> Result<Passphrase, PassphraseError> {
    Passphrase::new(text.to_owned()).ok_or(PassphraseError::Empty)
}

/// Asks on standard error; what is typed is read from the terminal, and not shown.
fn ask(words: &str, terminal: &Terminal) -> Result<Zeroizing<String>, PassphraseError> {
    let term = Term::stderr();
    if !term.is_term() || !terminal.err.is_terminal {
        return Err(PassphraseError::NoTerminal);
    }
    term.write_str(words).map_err(PassphraseError::Terminal)?;
    term.read_secure_line().map(Zeroizing::new).map_err(PassphraseError::Terminal)
}

/// The one line of a file, without its end.
fn read(path: &Path) -> Result<Zeroizing<String>, PassphraseError> {
    let unreadable = |cause| PassphraseError::Unreadable { path: path.into(), cause };
    let file = File::open(path).map_err(unreadable)?;
    check_closed(path, &file.metadata().map_err(unreadable)?)?;
    let not_a_line = || PassphraseError::NotALine { path: path.into() };
    // Room for all: a buffer that grows leaves what was in it behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * FILE_MOST));
    file.take(FILE_MOST as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| not_a_line())?;
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if bytes.len() > FILE_MOST || line.contains(['\n', '\r', '\0']) {
        return Err(not_a_line());
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(unix)]
fn check_closed(path: &Path, data: &std::fs::Metadata) -> Result<(), PassphraseError> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let mode = data.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(PassphraseError::Open { path: path.into(), mode });
    }
    let owner = data.uid();
    if owner != rustix::process::geteuid().as_raw() && owner != 0 {
        return Err(PassphraseError::OfAnother { path: path.into(), owner });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_closed(_path: &Path, _data: &std::fs::Metadata) -> Result<(), PassphraseError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn of_file(bytes: &[u8], mode: u32) -> Result<String, PassphraseError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passphrase");
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        read(&path).map(|line| line.to_string())
    }

    #[test]
    fn a_file_has_one_line() {
        for bytes in
            [&b"five words at random  "[..], b"five words at random  \n", b"five words at random  \r\n"]
        {
            assert_eq!(of_file(bytes, 0o600).unwrap(), "five words at random  ", "blanks are part of it");
        }
        assert_eq!(of_file(b"\n", 0o400).unwrap(), "");
        let longest = "x".repeat(FILE_MOST);
        assert_eq!(of_file(longest.as_bytes(), 0o600).unwrap(), longest);
        for wrong in [&b"one\ntwo\n"[..], b"one\n\n", b"\xff\n", b"with\0zero", &[b'x'; FILE_MOST + 1]] {
            assert!(matches!(of_file(wrong, 0o600), Err(PassphraseError::NotALine { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o660] {
            let refused = of_file(b"five words at random", mode).unwrap_err().to_string();
            assert!(refused.contains("chmod 600 /") && !refused.contains("words"), "{refused}");
        }
    }

    #[test]
    fn what_can_be_guessed_is_refused_for_a_new_backup() {
        assert!(matches!(passphrase(""), Err(PassphraseError::Empty)));
        assert!(!passphrase("elevenchars").unwrap().is_long());
        assert!(passphrase("zwölf zeichen").unwrap().is_long());
        assert!(!passphrase(&" ".repeat(20)).unwrap().is_long());
        assert!(!passphrase(&"\u{200b}".repeat(20)).unwrap().is_long());
        assert_eq!(format!("{:?}", passphrase("a secret").unwrap()), "Passphrase(…)");
    }
}
