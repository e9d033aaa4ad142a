//! What the commands for keys and backups have in common: which room they are about, and how far they are.

use std::env;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::DataFlags;
use super::failure::Failure;
use super::terminal::Terminal;
use crate::config::{Settings, Sources, StandardPaths};
use crate::server::archive::{Progress, Step};

/// After how long something is said.
const PATIENCE: Duration = Duration::from_secs(1);

/// The settings of the room.
pub(super) fn settings(flags: &DataFlags) -> Result<Settings, Failure> {
    let sources =
        Sources { file: flags.config.clone(), environment: env::vars_os().collect(), flags: flags.flags() };
    Ok(Settings::load(&sources, &StandardPaths::for_user())?)
}

/// Its data directory.
pub(super) fn data_dir(settings: &Settings) -> Result<&Path, Failure> {
    settings.data_dir.as_deref().ok_or(Failure::NothingKept)
}

/// The beginning of a sentence about what is in a backup, with the verb.
pub(super) fn sentence_of(messages: bool, rooms: usize, key: Option<String>) -> String {
    let others = match rooms {
        0 => None,
        1 => Some("one other room".to_owned()),
        rooms => Some(format!("{rooms} other rooms")),
    };
    let parts: Vec<String> =
        messages.then(|| "the messages".to_owned()).into_iter().chain(others).chain(key).collect();
    let verb = if parts.len() > 1 || messages || rooms > 1 { "are" } else { "is" };
    let words = match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, [first])) => format!("{first} and {last}"),
        Some((last, before)) => format!("{}, and {last}", before.join(", ")),
        None => "nothing".to_owned(),
    };
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
    format!("{} {verb}", first.chain(letters).collect::<String>())
}

/// How far it is, said after a second: on a terminal in one line, otherwise in a line for each step. Cleared when dropped.
pub(super) struct ProgressLine<'a> {
    terminal: &'a Terminal,
    since: Instant,
    bar: Option<ProgressBar>,
    told: Option<Step>,
}

impl<'a> ProgressLine<'a> {
    pub(super) fn new(terminal: &'a Terminal) -> Self {
        Self { terminal, since: Instant::now(), bar: None, told: None }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        if self.since.elapsed() < PATIENCE {
            return;
        }
        let words = words(progress.step);
        if !self.terminal.err.is_terminal {
            if self.told.replace(progress.step) != Some(progress.step) {
                self.terminal.eprint(words);
            }
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let template = "  {spinner} {elapsed}  {msg} {percent}%";
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            self.terminal.show(ProgressBar::new(1).with_style(style).with_elapsed(PATIENCE))
        });
        if self.told.replace(progress.step) != Some(progress.step) {
            bar.set_message(words);
        }
        bar.set_length(progress.total.max(1));
        bar.set_position(progress.done);
    }
}

impl Drop for ProgressLine<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn words(step: Step) -> &'static str {
    match step {
        Step::Copying => "Copying the messages…",
        Step::Writing => "Writing the backup…",
        Step::OtherRooms => "Writing the other rooms…",
        Step::Reading => "Reading the backup…",
        Step::Checking => "Checking what was read…",
    }
}
