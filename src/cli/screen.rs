//! The output while the room is open.
//!
//! Addresses go to standard output, progress to standard error. On a terminal: two paragraphs, a progress bar, a QR
//! code. Otherwise: one line for each change, `key: value` on standard output.

use std::future;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use super::status_changes::{StatusChange, StatusTracker};
use super::terminal::{Terminal, wrap};
use crate::config::PublicOrigin;
use crate::qr;
use crate::server::Server;
use crate::tor::{Problem, Stage, Status};

/// Below this width the text of the progress bar is above it instead of beside it.
const WIDE: usize = 76;

/// The Tor network that the room is published on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworkScope {
    /// The public network.
    Public,
    /// A private network.
    Private,
    /// The private network that `onionroom lab` runs, and prints instructions for.
    Lab,
}

/// The output of one room.
pub(super) struct Screen {
    terminal: Terminal,
    scope: NetworkScope,
    onion: Option<String>,
    tracker: StatusTracker,
    bar: Option<ProgressBar>,
}

impl Screen {
    /// Prints the addresses, of which the onion URL is not reachable yet, and on a terminal the link for the host, at each of
    /// them.
    pub(super) fn opened(
        terminal: Terminal,
        scope: NetworkScope,
        server: &Server,
        public: &[PublicOrigin],
        host_link: &[String],
    ) -> Self {
        let onion = server.onion_url();
        let screen = Self { terminal, scope, onion, tracker: StatusTracker::default(), bar: None };
        if screen.terminal.out.is_terminal {
            screen.words(server, public, host_link);
        } else {
            screen.lines(server, public);
        }
        screen
    }

    /// The addresses for scripts.
    fn lines(&self, server: &Server, public: &[PublicOrigin]) {
        let (proxy, tls) = (server.proxy_place(), server.tls());
        let address = tls.map(|tls| tls.address.to_string());
        let fingerprint = tls.and_then(|tls| tls.fingerprint.as_deref());
        let lines = [
            ("local", server.local_url()),
            ("proxy", proxy),
            ("tls", address.as_deref()),
            ("fingerprint", fingerprint),
        ];
        for (key, value) in lines {
            if let Some(value) = value {
                self.terminal.print(&format!("{key}: {value}"));
            }
        }
        let of_proxy = public.iter().filter(|_| proxy.is_some());
        let of_tls = tls.iter().flat_map(|tls| &tls.origins);
        let more = of_tls.filter(|origin| proxy.is_none() || !public.contains(origin));
        of_proxy.chain(more).for_each(|origin| self.terminal.print(&format!("public: {origin}/")));
        if let Some(onion) = &self.onion {
            self.terminal.print(&format!("room: {onion}"));
        }
        if let Some(keys) = private(server) {
            self.terminal.print(&format!("private: {}", invited(keys)));
        }
    }

    /// The addresses for people.
    fn words(&self, server: &Server, public: &[PublicOrigin], host_link: &[String]) {
        let (local, proxy, tls) = (server.local_url(), server.proxy_place(), server.tls());
        let elsewhere = proxy.is_some() || tls.is_some();
        let alone = !elsewhere && self.onion.is_none();
        match local {
            Some(local) if alone => self.terminal.paragraph("The room is open, on this machine only:", local),
            Some(local) => self.terminal.paragraph("The room is open. On this machine:", local),
            None if elsewhere => self.terminal.print("\n  The room is open."),
            None => self.terminal.print("\n  The room is open, through Tor only."),
        }
        if let Some(proxy) = proxy {
            self.terminal.paragraph("For a proxy, or a Tor daemon with an onion service of its own:", proxy);
            let origins: Vec<_> = public.iter().map(ToString::to_string).collect();
            self.terminal.paragraph("For your guests, through that:", &origins.join("  "));
        }
        if let Some(tls) = tls {
            let origins: Vec<_> = tls.origins.iter().map(|origin| format!("{origin}/")).collect();
            let words = format!("For your guests, over TLS on {}:", tls.address);
            self.terminal.paragraph(&words, &origins.join("  "));
            if let Some(fingerprint) = &tls.fingerprint {
                let words = "The certificate was made for this run, and browsers warn of it. Its SHA-256 is:";
                self.terminal.paragraph(words, fingerprint);
            }
        }
        let Some(onion) = &self.onion else {
            self.host(host_link);
            self.terminal.print("\n  Ctrl-C closes the room.\n");
            return;
        };
        let where_to = match self.scope {
            NetworkScope::Public => "For your guests, in Tor Browser",
            NetworkScope::Private | NetworkScope::Lab => "On the private Tor network",
        };
        self.terminal.paragraph(&format!("{where_to} (not reachable yet, Tor is starting):"), onion);
        if let Some(keys) = private(server) {
            let words = format!("The room is private: {}. To invite:", invited(keys));
            self.terminal.paragraph(&words, "onionroom invite add NAME");
        }
        self.host(host_link);
        self.terminal.print("");
    }

    /// The link for the host, who is at this terminal: not in files and journals, where others may read it.
    fn host(&self, link: &[String]) {
        if !link.is_empty() {
            let words = "For you, the host: the window that opens this link governs the room. It works once; `onionroom host \
                link` makes another one.";
            self.terminal.paragraph(words, &link.join("\n  "));
        }
    }

    /// Shows the progress of Tor until the room is reachable; `None` if the sender of the status was dropped.
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

    /// Shows each status. Returns only if the sender of the status was dropped; without Tor, never.
    pub(super) async fn follow(&mut self, status: Option<watch::Receiver<Status>>) {
        let Some(mut status) = status else {
            return future::pending().await;
        };
        while self.until_reachable(&mut status).await.is_some() && status.changed().await.is_ok() {}
    }

    /// Shows one status.
    pub(super) fn update(&mut self, status: &Status) {
        for change in self.tracker.update(status) {
            self.print_change(&change);
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

    fn print_change(&mut self, change: &StatusChange) {
        match change {
            // On a terminal the progress bar has it.
            StatusChange::Step(stage) if !self.terminal.err.is_terminal => {
                self.terminal.eprint(&format!("Tor: {}", stage.words()));
            }
            StatusChange::Step(_) => {}
            StatusChange::Problem(problem) => self.eprint(&problem_words(problem)),
            StatusChange::Lost => self.eprint("Not reachable at the moment; looking for the way back."),
            StatusChange::Reachable { first, bootstrap, self_check } => {
                self.clear();
                self.eprint(&reachable_words(*first, *bootstrap, *self_check));
                self.print_reachable(*first);
            }
        }
    }

    /// Prints the onion URL, which is reachable now, and its QR code.
    fn print_reachable(&self, first: bool) {
        let Some(onion) = &self.onion else { return };
        let out = self.terminal.out;
        if !out.is_terminal {
            self.terminal.print(&format!("reachable: {onion}"));
        } else if first && self.scope != NetworkScope::Lab {
            let indent = |picture: String| picture.lines().map(|line| format!("  {line}\n")).collect();
            let picture: String =
                qr::code(onion, out.colours, out.columns - 2).map(indent).unwrap_or_default();
            self.terminal.print(&format!("\n{picture}\n  {onion}\n\n  Ctrl-C closes the room.\n"));
        }
    }

    fn eprint(&self, words: &str) {
        let err = self.terminal.err;
        let indent = if err.is_terminal { "  " } else { "" };
        self.terminal.eprint(&wrap(words, indent, err.columns));
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Says that the room is closing.
    pub(super) fn closing(mut self) {
        self.clear();
        if self.terminal.err.is_terminal {
            self.terminal.eprint(""); // The cursor is behind the terminal's own ^C.
        }
        self.eprint("Closing the room…");
    }
}

/// How many are invited to a private room.
fn private(server: &Server) -> Option<usize> {
    let access = server.access()?;
    let access = access.borrow();
    access.is_private().then(|| access.keys())
}

fn invited(keys: usize) -> String {
    match keys {
        0 => "none are invited yet".into(),
        1 => "one invitation is in force".into(),
        keys => format!("{keys} invitations are in force"),
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
