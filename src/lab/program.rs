//! Finding `tor` and its companion `tor-gencert`.

use std::env;
use std::path::{Path, PathBuf};

use super::LabError;

/// Where Linux distributions put programs that `PATH` may leave out for ordinary people.
const ALSO: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];

/// The two programs that a private network needs; both come with Tor.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    /// The relay, authority and client.
    pub(super) tor: PathBuf,
    /// The maker of authorities' keys.
    pub(super) gencert: PathBuf,
}

impl Programs {
    /// Takes `tor` as given, or finds it on `PATH`; `tor-gencert` beside it or on `PATH`.
    pub(super) fn find(tor: Option<&Path>) -> Result<Self, LabError> {
        let mut places: Vec<PathBuf> =
            env::var_os("PATH").iter().flat_map(env::split_paths).chain(ALSO.map(PathBuf::from)).collect();
        let tor = match tor {
            Some(given) if is_program(given) => given.to_path_buf(),
            Some(given) => return Err(LabError::NotAProgram(given.into())),
            None => find_in(&places, "tor").ok_or(LabError::NotInstalled { program: "tor" })?,
        };
        places.splice(0..0, tor.parent().map(Path::to_path_buf));
        let gencert =
            find_in(&places, "tor-gencert").ok_or(LabError::NotInstalled { program: "tor-gencert" })?;
        Ok(Self { tor, gencert })
    }
}

fn find_in(places: &[PathBuf], name: &str) -> Option<PathBuf> {
    places.iter().map(|place| place.join(name)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn a_missing_tor_says_how_to_install_it() {
        let said = LabError::NotInstalled { program: "tor" }.to_string();
        for words in ["apt install tor", "dnf install tor", "pacman -S tor", "brew install tor"] {
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn what_is_not_a_program_is_named() {
        for wrong in ["/", "/nowhere/tor"] {
            let said = Programs::find(Some(Path::new(wrong))).unwrap_err().to_string();
            assert!(said.starts_with(wrong) && said.contains("PATH"), "{said}");
        }
    }

    #[test]
    fn nothing_is_found_in_places_without_it() {
        assert_eq!(find_in(&[PathBuf::from("/nowhere")], "tor"), None);
    }
}
