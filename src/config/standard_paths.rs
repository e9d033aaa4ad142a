//! The platform's directories for configuration and data.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The standard paths of this program on this platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandardPaths {
    /// The configuration file that is read if it exists and no other was asked for.
    pub config_file: Option<PathBuf>,
    /// The directory for keys and state when none was asked for.
    pub data_dir: Option<PathBuf>,
}

impl StandardPaths {
    /// This user's paths: on Linux `~/.config/onionroom/onionroom.toml` and `~/.local/share/onionroom`,
    /// with `XDG_CONFIG_HOME` and `XDG_DATA_HOME` respected; on macOS and Windows the corresponding ones.
    /// Both are `None` for a user without a home directory.
    pub fn for_user() -> Self {
        let Some(project) = ProjectDirs::from("", "", "onionroom") else {
            return Self::default();
        };
        Self {
            config_file: Some(project.config_dir().join("onionroom.toml")),
            data_dir: Some(project.data_local_dir().to_owned()),
        }
    }
}
