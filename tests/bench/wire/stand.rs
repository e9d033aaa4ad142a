//! A hub in a process of its own, pinned to a core, and its generator, pinned to another.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::GENERATOR;
use super::hub::{Hub, Setting};
use super::orders::{Answer, Joined, Knocked, Loaded, Order, Rested, Span, Target, Trouble};
use crate::kit::program::Program;
use crate::kit::{Outcome, within};

/// As many descriptors as allowed, then the cores, then the program, which keeps the process id.
const WRAPPER: &str = r#"ulimit -n "$(ulimit -Hn)"; cores=$1; shift; exec taskset -c "$cores" env "$@""#;

/// The server's core; one is all that a scenario has unless it says otherwise.
pub(crate) const SERVER: &str = "0";
const CROWD: &str = "1";

/// A hub that runs, and guests for it.
pub(crate) struct Stand {
    pub(crate) hub: Hub,
    server: Program,
    generator: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// Removed in the end.
    _home: TempDir,
}

impl Stand {
    /// Starts the hub on the first core.
    pub(crate) async fn open(hub: Hub) -> Outcome<Self> {
        Self::open_with(hub, SERVER, &Setting::default()).await
    }

    /// Starts the hub on these cores, with these settings.
    pub(crate) async fn open_with(hub: Hub, cores: &str, setting: &Setting) -> Outcome<Self> {
        // Below the build directory: the system's temporary files may be in memory, where nothing is durable.
        let place = env!("CARGO_TARGET_TMPDIR");
        std::fs::create_dir_all(place)?;
        let home = tempfile::tempdir_in(place)?;
        let mut command = pinned(cores);
        let variables = hub.variables().into_iter().chain(setting.variables.iter().cloned());
        command.args(variables.map(|(name, value)| format!("{name}={value}")));
        command.args(hub.command(home.path(), setting).await?);
        let mut server = Program::start(command, home.path())?;
        let urls = server.told("local").await?;
        let rooms = urls
            .split_whitespace()
            .map(|url| url.trim_start_matches("http://").trim_end_matches('/').parse().map_err(Into::into));
        let rooms = rooms.collect::<Outcome<_>>()?;
        let target = Target { rooms, process: server.id()?, dialect: hub.dialect() };

        let mut command = pinned(CROWD);
        command.arg(std::env::current_exe()?).args([GENERATOR, &serde_json::to_string(&target)?]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut generator = command.spawn()?;
        let (orders, answers) = (generator.stdin.take(), generator.stdout.take());
        let (Some(orders), Some(answers)) = (orders, answers) else {
            return Err("the generator has no pipes".into());
        };
        let answers = BufReader::new(answers).lines();
        Ok(Self { hub, server, generator, orders, answers, _home: home })
    }

    async fn order(&mut self, order: &Order) -> Outcome<Answer> {
        self.orders.write_all(format!("{}\n", serde_json::to_string(order)?).as_bytes()).await?;
        let line = within("the generator's answer", self.answers.next_line()).await??;
        match serde_json::from_str(&line.ok_or("the generator has ended")?)? {
            Answer::Failed(why) => Err(format!("{}: {why}", self.hub.name()).into()),
            answer => Ok(answer),
        }
    }

    /// Lets guests into each room.
    pub(crate) async fn join(&mut self, guests: usize) -> Outcome<Joined> {
        match self.order(&Order::Join { guests }).await? {
            Answer::Joined(joined) => Ok(joined),
            other => unexpected(&other),
        }
    }

    /// Lets one more guest in, who is trouble.
    pub(crate) async fn admit(&mut self, trouble: Trouble) -> Outcome<()> {
        self.order(&Order::Admit { trouble }).await.map(drop)
    }

    /// Resets the connections of those who are trouble.
    pub(crate) async fn expel(&mut self) -> Outcome<()> {
        self.order(&Order::Expel).await.map(drop)
    }

    /// Applies a load; an error if anything was lost.
    pub(crate) async fn load(&mut self, order: &Order) -> Outcome<Loaded> {
        match self.order(order).await? {
            Answer::Loaded(loaded) if loaded.lost != 0 || loaded.dead != 0 => {
                let Loaded { lost, dead, .. } = loaded;
                let name = self.hub.name();
                Err(format!("{name}: {lost} MESSAGES LOST, {dead} CONNECTIONS BROKEN under {order:?}").into())
            }
            Answer::Loaded(loaded) => Ok(loaded),
            other => unexpected(&other),
        }
    }

    /// Lets everybody be silent.
    pub(crate) async fn rest(&mut self, seconds: f64) -> Outcome<Rested> {
        match self.order(&Order::Rest { seconds }).await? {
            Answer::Rested(rested) => Ok(rested),
            other => unexpected(&other),
        }
    }

    /// Makes handshakes.
    pub(crate) async fn knock(&mut self, at_once: usize, hello: bool, span: Span) -> Outcome<Knocked> {
        match self.order(&Order::Knock { at_once, hello, span }).await? {
            Answer::Knocked(knocked) if knocked.refused > 0 => {
                Err(format!("{}: {} HANDSHAKES REFUSED", self.hub.name(), knocked.refused).into())
            }
            Answer::Knocked(knocked) => Ok(knocked),
            other => unexpected(&other),
        }
    }

    /// Ends both processes.
    pub(crate) async fn close(mut self) -> Outcome<()> {
        drop(self.orders);
        within("the generator's end", self.generator.wait()).await??;
        match self.hub {
            Hub::Room | Hub::Durable => self.server.end().await,
            _ => Ok(()), // killed
        }
    }
}

fn pinned(cores: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", WRAPPER, "sh", cores]);
    command
}

fn unexpected<T>(answer: &Answer) -> Outcome<T> {
    Err(format!("the generator answered something else: {answer:?}").into())
}
