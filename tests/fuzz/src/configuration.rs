//! Settings: a configuration file, a NUL, lines of the environment, a NUL, lines of flags.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use onionroom::config::{Flag, KEYS, Settings, Sources, StandardPaths};
use tempfile::TempDir;

use super::split;

thread_local! {
    static DIRECTORY: TempDir = TempDir::new().expect("a temporary directory");
}

/// Loading settings never panics; what is loaded is within its ranges; an error says where.
pub fn run(data: &[u8]) {
    DIRECTORY.with(|directory| load(data, directory.path().join("room.toml")));
}

fn load(data: &[u8], file: PathBuf) {
    let (text, rest) = split(data, 0);
    let (environment, flags) = split(rest, 0);
    fs::write(&file, text).expect("the file is written");
    let sources = Sources {
        file: Some(file.clone()),
        environment: lines(environment).map(|(name, value)| (OsString::from_vec(name), value)).collect(),
        flags: lines(flags).filter_map(|(name, value)| flag(&name, value)).collect(),
    };
    let paths = StandardPaths { config_file: None, data_dir: Some("/data".into()) };
    match Settings::load(&sources, &paths) {
        Ok(settings) => {
            let room = &settings.room;
            assert!((1..=10_000).contains(&room.guests));
            assert!((1..=32_000).contains(&room.message_bytes));
            assert!(!room.title.is_empty() && !room.title.chars().any(char::is_control));
            assert!(settings.listen.address.ip().is_loopback());
            assert!(settings.listen.connections >= room.guests);
        }
        Err(error) => {
            let sentence = error.to_string();
            let places = [&*file.to_string_lossy(), "environment variable", "flag --", "listen.connections"];
            assert!(places.iter().any(|place| sentence.contains(place)), "where? {sentence}");
        }
    }
}

/// The lines `name=value`; a line without "=" is a name with an empty value.
fn lines(text: &[u8]) -> impl Iterator<Item = (Vec<u8>, OsString)> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| {
        let (name, value) = split(line, b'=');
        (name.to_vec(), OsString::from_vec(value.to_vec()))
    })
}

/// The flag of this name; an empty value counts as none.
fn flag(name: &[u8], value: OsString) -> Option<Flag> {
    let known = KEYS.iter().filter_map(|key| key.flag).find(|flag| flag.as_bytes() == name)?;
    Some(Flag { name: known, value: (!value.is_empty()).then_some(value) })
}
