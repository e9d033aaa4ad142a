//! A server pinned to the first core and its generator pinned to the second.

use std::process::Stdio;

use onionroom_bench::program::{Build, Program};
use onionroom_bench::{Outcome, within};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command as Process};

use crate::command::{Command, Connected, Load, Measured, Report, Target};

/// The first argument of the processes that this executable starts of itself.
pub(crate) const FLOOR: &str = "run-floor";
pub(crate) const BROADCAST: &str = "run-broadcast";
pub(crate) const GENERATOR: &str = "run-generator";

/// Raises the limit of descriptors, pins to a core, and runs the program under the same process id.
const WRAPPER: &str = r#"ulimit -n "$(ulimit -Hn)"; core=$1; shift; exec taskset -c "$core" "$@""#;

const SERVER_CORE: &str = "0";
const GENERATOR_CORE: &str = "1";

/// What is measured.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// The epoll loop of this benchmark.
    Floor,
    /// The axum server of this benchmark.
    Broadcast,
    /// A build of onionroom with its log in memory.
    Memory(Build),
    /// The same with its log in SQLite.
    Disk(Build),
}

impl Kind {
    /// The name in the results.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Floor => "floor".into(),
            Self::Broadcast => "axum".into(),
            Self::Memory(build) => build.name.clone(),
            Self::Disk(build) => format!("{}, log on disk", build.name),
        }
    }
}

/// A running server and its generator.
pub(crate) struct Server {
    kind: Kind,
    program: Program,
    generator: Child,
    commands: ChildStdin,
    reports: Lines<BufReader<ChildStdout>>,
    /// The data directory; removed at the end.
    _home: TempDir,
}

impl Server {
    /// Starts both processes.
    pub(crate) async fn start(kind: &Kind) -> Outcome<Self> {
        let bench = std::env::current_exe()?;
        // In the target directory: /tmp may be in memory, where nothing is durable.
        let home = tempfile::tempdir_in(bench.parent().ok_or("no directory")?)?;
        let mut command = pinned(SERVER_CORE);
        match kind {
            Kind::Floor => drop(command.arg(&bench).arg(FLOOR)),
            Kind::Broadcast => drop(command.arg(&bench).arg(BROADCAST)),
            Kind::Memory(build) | Kind::Disk(build) => {
                command.args(["env", "ONIONROOM_LISTEN_CONNECTIONS=20000"]);
                command.args(build.unlimited().await?).arg(&build.path);
                command.args(["serve", "--no-onion", "--listen", "127.0.0.1:0", "--guests", "10000"]);
                match kind {
                    Kind::Disk(_) => command.arg("--data-dir").arg(home.path().join("data")),
                    _ => command.arg("--ephemeral"),
                };
            }
        }
        let mut program = Program::start(command, home.path())?;
        let url = program.line("local: http://").await?;
        let target = Target { address: url.trim_end_matches('/').parse()?, process: program.id()? };

        let mut command = pinned(GENERATOR_CORE);
        command.arg(&bench).args([GENERATOR, &serde_json::to_string(&target)?]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut generator = command.spawn()?;
        let commands = generator.stdin.take().ok_or("no pipe")?;
        let reports = BufReader::new(generator.stdout.take().ok_or("no pipe")?).lines();
        Ok(Self { kind: kind.clone(), program, generator, commands, reports, _home: home })
    }

    /// The name in the results.
    pub(crate) fn name(&self) -> String {
        self.kind.name()
    }

    async fn command(&mut self, command: &Command) -> Outcome<Report> {
        self.commands.write_all(format!("{}\n", serde_json::to_string(command)?).as_bytes()).await?;
        let line = within("report of the generator", self.reports.next_line()).await??;
        match serde_json::from_str(&line.ok_or("the generator has ended")?)? {
            Report::Failed(why) => Err(format!("{}: {why}", self.name()).into()),
            report => Ok(report),
        }
    }

    /// Connects guests.
    pub(crate) async fn connect(&mut self, guests: usize) -> Outcome<Connected> {
        match self.command(&Command::Connect(guests)).await? {
            Report::Connected(connected) => Ok(connected),
            other => Err(format!("unexpected report: {other:?}").into()),
        }
    }

    /// Applies a load.
    ///
    /// # Errors
    /// Also when a message was lost or delivered twice.
    pub(crate) async fn load(&mut self, load: Load, warm_up: f64, seconds: f64) -> Outcome<Measured> {
        match self.command(&Command::Load { load, warm_up, seconds }).await? {
            Report::Measured(measured) if measured.lost != 0 => {
                Err(format!("{}: {} MESSAGES LOST under {load:?}", self.name(), measured.lost).into())
            }
            Report::Measured(measured) => Ok(measured),
            other => Err(format!("unexpected report: {other:?}").into()),
        }
    }

    /// Ends both processes.
    pub(crate) async fn stop(mut self) -> Outcome<()> {
        drop(self.commands);
        within("end of the generator", self.generator.wait()).await??;
        match self.kind {
            Kind::Floor | Kind::Broadcast => Ok(()), // killed
            _ => self.program.terminate().await,
        }
    }
}

fn pinned(core: &str) -> Process {
    let mut command = Process::new("sh");
    command.args(["-c", WRAPPER, "sh", core]);
    command
}
