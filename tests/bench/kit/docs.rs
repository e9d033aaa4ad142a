//! Putting figures where the documentation has them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Outcome;

const BEGIN: &str = "<!-- measured -->\n";
const END: &str = "<!-- end of measured -->\n";

/// A file of the documentation.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

/// Where a run that is not meant for the documentation leaves its files.
pub(crate) fn scratch(name: &str) -> Outcome<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned();
    std::fs::create_dir_all(&directory)?;
    Ok(directory.join(name))
}

/// Replaces what stands between the two comments in a page.
pub(crate) fn replace_measured(page: &str, measured: &str) -> Outcome<()> {
    let path = file(page);
    let text = std::fs::read_to_string(&path)?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.ok_or_else(|| format!("{page} has no {BEGIN:?} and {END:?} any more"))?;
    std::fs::write(&path, format!("{before}{BEGIN}\n{}\n\n{END}{after}", measured.trim()))?;
    Ok(())
}

/// When and on what this was measured.
pub(crate) fn circumstances() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let day = now.split('T').next().unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or_else(String::new, |(_, name)| format!(" ({name})"));
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    format!("{day}, {cores} cores{processor}, {}, {build} build", std::env::consts::OS)
}
