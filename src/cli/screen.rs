//! What people see while the room is open.
//!
//! Addresses go to standard output, everything about the way there to standard error. On a terminal: two
//! paragraphs, a bar, a QR code. Anywhere else: one line for each thing that happened, `key: value` on
//! standard output.

use std::future;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use super::narrator::{Narrator, News};
use super::qr;
use super::terminal::{Terminal, wrapped};
use crate::tor::{Problem, Stage, Status};

/// Below this width the bar's words stand above it instead of beside it.
const WIDE: usize = 76;

/// Who can come in through the onion address, and who tells them how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everyone with Tor Browser.
    TheWorld,
    /// Whoever is on the same private Tor network.
    PrivateNetwork,
    /// Whoever is at this machine; the lab tells the way in its own words.
    Lab,
}

/// Shows one room.
pub(super) struct Screen {
    terminal: Terminal,
    audience: Audience,
    onion: Option<String>,
    narrator: Narrator,
    bar: Option<ProgressBar>,
}

impl Screen {
    /// The room answers on this machine; `onion` is its URL on the Tor network, not reachable yet.
    pub(super) fn opened(terminal: Terminal, audience: Audience, local: &str, onion: Option<String>) -> Self {
        let screen = Self { terminal, audience, onion, narrator: Narrator::default(), bar: None };
        screen.addresses(local);
        screen
    }

    fn addresses(&self, local: &str) {
        if !self.terminal.out.is_terminal {
            self.terminal.say(&format!("local: {local}"));
            if let Some(onion) = &self.onion {
                self.terminal.say(&format!("room: {onion}"));
            }
            return;
        }
        let Some(onion) = &self.onion else {
            self.terminal.paragraph("The room is open, on this machine only:", local);
            self.terminal.say("\n  Ctrl-C closes the room.\n");
            return;
        };
        self.terminal.paragraph("The room is open. On this machine:", local);
        let where_to = match self.audience {
            Audience::TheWorld => "For your guests, in Tor Browser",
            Audience::PrivateNetwork | Audience::Lab => "On the private Tor network",
        };
        self.terminal.paragraph(&format!("{where_to} (not reachable yet, Tor is starting):"), onion);
        self.terminal.say("");
    }

    /// Shows how far Tor is until the room is reachable.
    ///
    /// `None`: what reports it has ended.
    pub(super) async fn until_reachable(&mut self, status: &mut watch::Receiver<Status>) -> Option<()> {
        loop {
            let now = status.borrow_and_update().clone();
            self.update(&now);
            if now.stage == Stage::Reachable {
                return Some(());
            }
            status.changed().await.ok()?;
        }
    }

    /// Shows how Tor fares, again and again. Returns only if what reports it has ended; without Tor, never.
    pub(super) async fn follow(&mut self, status: Option<watch::Receiver<Status>>) {
        let Some(mut status) = status else {
            return future::pending().await;
        };
        while self.until_reachable(&mut status).await.is_some() && status.changed().await.is_ok() {}
    }

    /// Shows one status.
    pub(super) fn update(&mut self, status: &Status) {
        for news in self.narrator.hear(status) {
            self.tell(&news);
        }
        if status.stage == Stage::Reachable {
            self.clear();
        } else if self.terminal.err.is_terminal {
            let bar = self.bar.get_or_insert_with(|| new_bar(&self.terminal));
            bar.set_position((status.fraction.clamp(0.0, 1.0) * 100.0) as u64);
            let words = if status.problem.is_some() { "still trying" } else { status.stage.words() };
            bar.set_message(words);
        }
    }

    fn tell(&mut self, news: &News) {
        match news {
            // On a terminal the bar says it.
            News::Step(stage) if !self.terminal.err.is_terminal => {
                self.terminal.note(&format!("Tor: {}", stage.words()));
            }
            News::Step(_) => {}
            News::Problem(problem) => self.note(&problem_words(problem)),
            News::Lost => self.note("Not reachable at the moment; looking for the way back."),
            News::Reachable { first, bootstrap, self_check } => {
                self.clear();
                self.note(&reachable_words(*first, *bootstrap, *self_check));
                self.invite(*first);
            }
        }
    }

    /// The address once more, now that it works.
    fn invite(&self, first: bool) {
        let Some(onion) = &self.onion else { return };
        let out = self.terminal.out;
        if !out.is_terminal {
            self.terminal.say(&format!("reachable: {onion}"));
        } else if first && self.audience != Audience::Lab {
            let indent = |picture: String| picture.lines().map(|line| format!("  {line}\n")).collect();
            let picture: String =
                qr::code(onion, out.colours, out.columns - 2).map(indent).unwrap_or_default();
            self.terminal.say(&format!("\n{picture}\n  {onion}\n\n  Ctrl-C closes the room.\n"));
        }
    }

    fn note(&self, words: &str) {
        let err = self.terminal.err;
        let indent = if err.is_terminal { "  " } else { "" };
        self.terminal.note(&wrapped(words, indent, err.columns));
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// The room is being closed.
    pub(super) fn closing(mut self) {
        self.clear();
        if self.terminal.err.is_terminal {
            self.terminal.note(""); // The cursor stands behind the terminal's own ^C.
        }
        self.note("Closing the room…");
    }
}

fn new_bar(terminal: &Terminal) -> ProgressBar {
    let template = if terminal.err.columns >= WIDE {
        "  {spinner} Tor {bar:22} {percent:>3} %  {wide_msg}"
    } else {
        "  {spinner} Tor: {wide_msg}\n    {bar:30} {percent:>3} %"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = terminal.show(ProgressBar::new(100).with_style(style.progress_chars("━╸─")));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn problem_words(problem: &Problem) -> String {
    format!("Not reachable: {} {}", problem.description, problem.advice)
}

fn reachable_words(first: bool, bootstrap: Option<Duration>, self_check: Option<Duration>) -> String {
    let seconds = |took: Duration| format!("{:.1} s", took.as_secs_f32());
    let again = if first { "" } else { " again" };
    let visit = self_check.map(|took| format!(" A visit through Tor took {}.", seconds(took)));
    let start = bootstrap.filter(|_| first).map(|took| format!(" Tor was ready after {}.", seconds(took)));
    format!("Reachable{again}.{}{}", start.unwrap_or_default(), visit.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_how_long_it_took_as_far_as_that_is_known() {
        let (start, check) = (Some(Duration::from_millis(3240)), Some(Duration::from_millis(800)));
        assert_eq!(
            reachable_words(true, start, check),
            "Reachable. Tor was ready after 3.2 s. A visit through Tor took 0.8 s."
        );
        assert_eq!(reachable_words(false, start, check), "Reachable again. A visit through Tor took 0.8 s.");
        assert_eq!(reachable_words(true, None, None), "Reachable.");
    }

    #[test]
    fn a_problem_says_what_and_what_to_do() {
        let problem = Problem { description: "No relay answers.".into(), advice: "Check the cable.".into() };
        assert_eq!(problem_words(&problem), "Not reachable: No relay answers. Check the cable.");
    }
}
