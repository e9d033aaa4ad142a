//! What is said while a room is being opened, if that takes long, which a large log does.

use std::mem::discriminant;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::failure::Failure;
use super::terminal::Terminal;
use crate::config::Settings;
use crate::server::Server;

/// After how long something is said.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Opens the room, and says what it is busy with after a second: on a terminal in one line, with the time it has taken,
/// otherwise in a line for each step.
pub(super) async fn open(settings: &Settings, terminal: &Terminal) -> Result<Server, Failure> {
    let opening = Arc::default();
    let mut server = pin!(Server::open_watched(settings, &opening));
    let mut looks = interval_at(Instant::now() + PATIENCE, LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut line, mut told) = (None, None);
    loop {
        tokio::select! {
            biased;
            server = &mut server => return Ok(server?),
            _ = looks.tick() => {}
        }
        let step = opening.step();
        let kind = discriminant(&step);
        if terminal.err.is_terminal {
            line.get_or_insert_with(|| Line::new(terminal)).0.set_message(step.to_string());
        } else if told.replace(kind) != Some(kind) {
            terminal.eprint(&step.to_string());
        }
    }
}

/// A line that changes, until it is dropped and cleared.
struct Line(ProgressBar);

impl Line {
    fn new(terminal: &Terminal) -> Self {
        let style = ProgressStyle::with_template("  {spinner} {elapsed}  {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let line = terminal.show(ProgressBar::new_spinner().with_style(style).with_elapsed(PATIENCE));
        line.enable_steady_tick(Duration::from_millis(120));
        Self(line)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
