//! Programs under test: built, started, read, ended.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::{Outcome, within};

/// The settings of all builds that limit a load: section, key and the value for no limit.
const UNLIMITED: [(&str, &str, &str); 6] = [
    ("ROOM", "messages_per_second", "0"),
    ("ROOM", "messages_per_minute", "0"),
    ("ROOM", "room_messages_per_minute", "0"),
    ("ROOM", "joins_per_minute", "0"),
    ("LISTEN", "requests_per_second", "0"),
    ("LISTEN", "local", "open"),
];

/// A build of onionroom.
#[derive(Debug, Clone)]
pub struct Build {
    /// What it is called in the results.
    pub name: String,
    /// The executable.
    pub path: PathBuf,
}

impl FromStr for Build {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, path) = text.split_once('=').ok_or("expected NAME=PATH")?;
        let path = std::fs::canonicalize(path).map_err(|error| format!("{path}: {error}"))?;
        Ok(Self { name: name.to_owned(), path })
    }
}

impl Build {
    /// The environment, as `NAME=VALUE`, in which this build has no rate limits: the load is the benchmark's to decide, and
    /// builds name their limits differently.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn unlimited(&self) -> Outcome<Vec<String>> {
        let settings = Command::new(&self.path).arg("config").output().await?.stdout;
        let settings = String::from_utf8_lossy(&settings).into_owned();
        let known = UNLIMITED.iter().filter(|(_, key, _)| settings.contains(&format!("\n{key} = ")));
        Ok(known
            .map(|(section, key, value)| format!("ONIONROOM_{section}_{}={value}", key.to_uppercase()))
            .collect())
    }

    /// The build that was named in the place of the present source, if any was, or that of the present source.
    ///
    /// # Errors
    /// As [`Build::current`].
    pub async fn named_or_current(named: Option<&Self>) -> Outcome<Self> {
        match named {
            Some(build) => Ok(build.clone()),
            None => Self::current().await,
        }
    }

    /// The present source, built by cargo with the profile and into the directory of the running benchmark.
    ///
    /// # Errors
    /// When cargo cannot be run or the build fails.
    pub async fn current() -> Outcome<Self> {
        let bench = std::env::current_exe()?;
        let directory = bench.ancestors().nth(2).ok_or("the benchmark is not in a target directory")?;
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--locked", "--package", "onionroom", "--bin", "onionroom"]);
        cargo.args(["--profile", profile, "--target-dir"]).args(directory.parent());
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        // `cargo bench` sets them for the benchmark. ring's build script runs again when they change, and then most of
        // Tor is compiled again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        match cargo.status().await?.success() {
            true => Ok(Self { name: "onionroom".into(), path: directory.join("onionroom") }),
            false => Err("cargo could not build onionroom".into()),
        }
    }
}

/// A running program; killed when dropped.
pub struct Program {
    child: Child,
    lines: mpsc::UnboundedReceiver<(Instant, String)>,
}

impl Program {
    /// Starts it with `HOME` and `PATH` as its only environment variables.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, home: &Path) -> Outcome<Self> {
        command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (sender, lines) = mpsc::unbounded_channel();
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            tokio::spawn(forward(out, sender.clone()));
            tokio::spawn(forward(err, sender));
        }
        Ok(Self { child, lines })
    }

    /// Waits for a line of standard output or standard error that begins with `prefix`; returns the rest of it.
    ///
    /// # Errors
    /// When the program ends or the deadline passes first.
    pub async fn line(&mut self, prefix: &str) -> Outcome<String> {
        let mut before = String::new();
        let found = async {
            while let Some((_, line)) = self.lines.recv().await {
                if let Some(rest) = line.strip_prefix(prefix) {
                    return Some(rest.to_owned());
                }
                before.push_str(&format!("\n  {line}"));
            }
            None
        };
        let found = within(prefix, found).await;
        found.ok().flatten().ok_or_else(|| format!("the program did not print {prefix:?}:{before}").into())
    }

    /// Waits for a line that contains one of `texts`; returns that text and when it was printed.
    ///
    /// # Errors
    /// When the program ends or the deadline passes first.
    pub async fn containing<'a>(&mut self, texts: &[&'a str]) -> Outcome<(Instant, &'a str)> {
        let mut before = String::new();
        let found = async {
            while let Some((at, line)) = self.lines.recv().await {
                if let Some(text) = texts.iter().find(|text| line.contains(**text)) {
                    return Some((at, *text));
                }
                before.push_str(&format!("\n  {line}"));
            }
            None
        };
        let found = within("line", found).await;
        found.ok().flatten().ok_or_else(|| format!("the program did not print {texts:?}:{before}").into())
    }

    /// Passes over the lines that were printed until now.
    pub fn skip_lines(&mut self) {
        while self.lines.try_recv().is_ok() {}
    }

    /// Its process id.
    ///
    /// # Errors
    /// When it has ended.
    pub fn id(&self) -> Outcome<u32> {
        Ok(self.child.id().ok_or("the program has ended")?)
    }

    /// Sends `SIGTERM` and waits for its end. `SIGINT` is ignored, by the program as well, where a shell has started the
    /// benchmark in the background.
    ///
    /// # Errors
    /// When it does not end within the deadline.
    pub async fn terminate(mut self) -> Outcome<()> {
        let Some(id) = self.child.id() else { return Ok(()) };
        Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        within("end of the program", self.child.wait()).await??;
        Ok(())
    }
}

async fn forward(output: impl AsyncRead + Unpin, sender: mpsc::UnboundedSender<(Instant, String)>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // The output is read to its end also when there is no receiver: a full pipe would block the program.
        let _ = sender.send((Instant::now(), line));
    }
}
