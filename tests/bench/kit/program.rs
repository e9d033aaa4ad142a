//! Programs as people run them: what they say and when, what they weigh.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::Instant;

use super::process::{self, Threads};
use super::{Outcome, within};

/// The room's program as this bench's profile built it.
pub(crate) const ROOM: &str = env!("CARGO_BIN_EXE_onionroom");

/// A running program; killed when dropped.
pub(crate) struct Program {
    child: Child,
    started: Instant,
    said: Said,
    /// Told after each line; closed when the program has closed its output.
    news: watch::Receiver<()>,
}

/// The lines of both outputs and when they came.
type Said = Arc<Mutex<Vec<(Instant, String)>>>;

impl Program {
    /// Starts it. It sees nothing of this process's environment but `PATH`.
    pub(crate) fn start(mut command: Command, home: &Path) -> Outcome<Self> {
        command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let started = Instant::now();
        let mut child = command.spawn()?;
        let (said, (tell, news)) = (Said::default(), watch::channel(()));
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            tokio::spawn(keep(out, Arc::clone(&said), tell.clone()));
            tokio::spawn(keep(err, Arc::clone(&said), tell));
        }
        Ok(Self { child, started, said, news })
    }

    /// Starts `onionroom serve` on a free port with its data below `home`, and these further words. Guests may say
    /// as much as they can.
    pub(crate) fn serve(home: &Path, words: &[&OsStr]) -> Outcome<Self> {
        Self::serve_with(Path::new(ROOM), home, words)
    }

    /// The same with another build of the program.
    pub(crate) fn serve_with(program: &Path, home: &Path, words: &[&OsStr]) -> Outcome<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--messages-per-second", "0", "--data-dir"]);
        command.arg(home.join("room")).args(words);
        Self::start(command, home)
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Outcome<u32> {
        Ok(self.child.id().ok_or("the program has ended")?)
    }

    /// Waits for a line that `wanted` takes; answers with what it made of it, and when the line came.
    pub(crate) async fn heard<T>(
        &mut self,
        what: &str,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> Outcome<(Instant, T)> {
        let mut news = self.news.clone();
        let heard = async {
            loop {
                let over = news.has_changed().is_err();
                let found = self.lines(|lines| {
                    lines.iter().find_map(|(when, line)| wanted(line).map(|found| (*when, found)))
                });
                match found {
                    Some(found) => return Ok(found),
                    None if over => return Err(format!("the program ended before it told {what}").into()),
                    None => drop(news.changed().await),
                }
            }
        };
        within(what, heard).await.flatten().map_err(|error| {
            let said =
                self.lines(|lines| lines.iter().map(|(_, line)| format!("\n  {line}")).collect::<String>());
            format!("{error}{said}").into()
        })
    }

    /// Waits for the line `key: value`; answers with the value.
    pub(crate) async fn told(&mut self, key: &str) -> Outcome<String> {
        let value = |line: &str| Some(line.strip_prefix(key)?.strip_prefix(": ")?.to_owned());
        Ok(self.heard(key, value).await?.1)
    }

    /// Resident memory (`VmRSS`) in bytes.
    pub(crate) fn resident(&self) -> Outcome<u64> {
        process::memory(self.id()?, "VmRSS:")
    }

    /// The most memory that was ever resident (`VmHWM`), in bytes.
    pub(crate) fn resident_peak(&self) -> Outcome<u64> {
        process::memory(self.id()?, "VmHWM:")
    }

    /// What its threads have computed so far.
    pub(crate) fn threads(&self) -> Outcome<Threads> {
        Threads::of(self.id()?)
    }

    /// Ends it as Ctrl-C would, and waits for its end.
    pub(crate) async fn end(mut self) -> Outcome<()> {
        let Some(id) = self.child.id() else { return Ok(()) };
        Command::new("kill").args(["-INT", &id.to_string()]).status().await?;
        within("the program's end", self.child.wait()).await??;
        Ok(())
    }

    fn lines<T>(&self, look: impl FnOnce(&[(Instant, String)]) -> T) -> T {
        look(&self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn keep(output: impl AsyncRead + Unpin, said: Said, tell: watch::Sender<()>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        said.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), line));
        let _ = tell.send(());
    }
}
