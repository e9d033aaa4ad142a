//! Finds the programs `tor` and `tor-gencert`.

use std::env;
use std::path::{Path, PathBuf};

use super::error::LabError;

/// Where Linux distributions and Homebrew install programs that may be missing on a user's `PATH`.
const EXTRA_DIRECTORIES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];

/// The two programs that a private network needs; both come with Tor.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    /// The relay, authority and client.
    pub(super) tor: PathBuf,
    /// The generator of authorities' keys.
    pub(super) gencert: PathBuf,
}

impl Programs {
    /// Takes `tor` as given, or finds it on `PATH`; `tor-gencert` beside it or on `PATH`.
    ///
    /// # Errors
    /// When `tor` is given and not executable, or one of them is not installed.
    pub(super) fn find(tor: Option<&Path>) -> Result<Self, LabError> {
        let path = env::var_os("PATH");
        let directories = path.iter().flat_map(env::split_paths).chain(EXTRA_DIRECTORIES.map(PathBuf::from));
        Self::find_in(directories.collect(), tor)
    }

    fn find_in(mut directories: Vec<PathBuf>, tor: Option<&Path>) -> Result<Self, LabError> {
        let tor = match tor {
            Some(given) if is_executable(given) => given.to_path_buf(),
            Some(given) => return Err(LabError::NotAProgram(given.into())),
            None => executable(&directories, "tor")?,
        };
        directories.splice(0..0, tor.parent().map(Path::to_path_buf));
        let gencert = executable(&directories, "tor-gencert")?;
        Ok(Self { tor, gencert })
    }
}

fn executable(directories: &[PathBuf], program: &'static str) -> Result<PathBuf, LabError> {
    let mut candidates = directories.iter().map(|directory| directory.join(program));
    candidates.find(|path| is_executable(path)).ok_or(LabError::NotInstalled { program })
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A directory with a file of each name, with these permissions.
    fn directory_with(names: &[&str], mode: u32) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in names {
            let file = directory.path().join(name);
            fs::write(&file, "").unwrap();
            fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        }
        directory
    }

    #[test]
    fn both_are_found_on_the_path() {
        let [data, tor, gencert] = [
            directory_with(&["tor", "tor-gencert"], 0o644),
            directory_with(&["tor"], 0o755),
            directory_with(&["tor-gencert"], 0o755),
        ];
        let path = [&data, &gencert, &tor].map(|directory| directory.path().to_owned()).to_vec();
        let found = Programs::find_in(path, None).unwrap();
        assert_eq!(found.tor, tor.path().join("tor"));
        assert_eq!(found.gencert, gencert.path().join("tor-gencert"));
    }

    #[test]
    fn the_generator_beside_a_given_tor_is_preferred() {
        let [given, other] = [(); 2].map(|()| directory_with(&["tor", "tor-gencert"], 0o755));
        let tor = given.path().join("tor");
        let found = Programs::find_in(vec![other.path().to_owned()], Some(&tor)).unwrap();
        assert_eq!((found.tor, found.gencert), (tor, given.path().join("tor-gencert")));
    }

    #[test]
    fn a_missing_program_is_named_with_how_to_install_it() {
        let only_tor = directory_with(&["tor"], 0o755);
        let not_executable = directory_with(&["tor", "tor-gencert"], 0o644);
        for (directory, missing) in [(only_tor, "`tor-gencert`"), (not_executable, "`tor`")] {
            let error = Programs::find_in(vec![directory.path().to_owned()], None).unwrap_err().to_string();
            assert!(error.contains(missing) && error.contains("apt install tor"), "{error}");
        }
    }

    #[test]
    fn a_given_path_that_is_not_executable_is_named() {
        for wrong in ["/", "/nowhere/tor"] {
            let error = Programs::find(Some(Path::new(wrong))).unwrap_err().to_string();
            assert!(error.starts_with(wrong) && error.contains("PATH"), "{error}");
        }
    }
}
