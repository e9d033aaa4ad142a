//! The program itself, as a process of the test's own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::within;

const PROGRAM: &str = env!("CARGO_BIN_EXE_onionroom");

/// No rate limits: most tests are in a hurry.
const UNLIMITED: [(&str, &str); 3] = [
    ("ONIONROOM_ROOM_MESSAGES_PER_MINUTE", "0"),
    ("ONIONROOM_ROOM_ROOM_MESSAGES_PER_MINUTE", "0"),
    ("ONIONROOM_ROOM_JOINS_PER_MINUTE", "0"),
];

/// A running `onionroom` with a home directory of its own; killed when dropped.
pub(crate) struct Program {
    child: Child,
    /// What it says for scripts.
    pub(crate) out: Lines<BufReader<ChildStdout>>,
    /// What it says for people.
    pub(crate) err: Lines<BufReader<ChildStderr>>,
    home: TempDir,
}

impl Program {
    /// Starts it with these words on its command line.
    pub(crate) fn start(words: &[&str]) -> Self {
        let home = TempDir::new().unwrap();
        let command = command(home.path(), words);
        Self::spawn(command, home)
    }

    /// Starts it with these variables in its environment, from a shell that runs these commands first.
    pub(crate) fn start_after(commands: &str, variables: &[(&str, &Path)], words: &[&str]) -> Self {
        let home = TempDir::new().unwrap();
        let mut shell = heedful("sh");
        shell.args(["-c", &format!("{commands}\nexec \"$0\" \"$@\""), PROGRAM]).args(words);
        let mut command = confined(shell, home.path());
        command.envs(variables.iter().copied());
        Self::spawn(command, home)
    }

    /// The same where `disk` is mounted.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_on(disk: &Disk<'_>, words: &[&str]) -> Self {
        let home = TempDir::new().unwrap();
        let command = disk.command(home.path(), words);
        Self::spawn(command, home)
    }

    fn spawn(mut command: Command, home: TempDir) -> Self {
        command.envs(UNLIMITED);
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let err = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, out, err, home }
    }

    /// Where it sees this path, which may lie on a disk that only it has mounted.
    #[cfg(target_os = "linux")]
    pub(crate) fn sees(&self, path: &Path) -> PathBuf {
        let id = self.child.id().expect("it still runs");
        Path::new(&format!("/proc/{id}/root")).join(path.strip_prefix("/").unwrap())
    }

    /// Its home directory.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Reads standard output up to the line with this key, and answers with its value.
    pub(crate) async fn told(&mut self, key: &str) -> String {
        loop {
            let line = within(key, self.out.next_line()).await.unwrap();
            let Some(line) = line else {
                let mut said = String::new();
                while let Ok(Some(line)) = within("its last words", self.err.next_line()).await {
                    said += &line;
                }
                panic!("standard output ended before {key}; standard error: {said}");
            };
            if let Some(value) = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(": ")) {
                return value.to_owned();
            }
        }
    }

    /// Reads standard error up to a line that contains these words.
    pub(crate) async fn noted(&mut self, words: &str) -> String {
        loop {
            let line = within(words, self.err.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("standard error ended before {words:?}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Sends a signal by its name, `INT` or `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it still runs").to_string();
        let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status().await;
        assert!(sent.unwrap().success());
    }

    /// What proc(5) has of it in this file.
    pub(crate) fn proc(&self, file: &str) -> String {
        let id = self.child.id().expect("it still runs");
        std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap()
    }

    /// The soft and the hard limit of this name, as /proc/PID/limits has them (proc(5)).
    pub(crate) fn limit(&self, name: &str) -> (String, String) {
        let limits = self.proc("limits");
        let line = limits.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let mut columns = line.split_whitespace().map(str::to_owned);
        (columns.next().unwrap(), columns.next().unwrap())
    }

    /// The value of this line of /proc/PID/status.
    pub(crate) fn status(&self, name: &str) -> String {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:"))).unwrap();
        line.trim().to_owned()
    }

    /// Reads standard error to its end.
    pub(crate) async fn rest_of_err(&mut self) -> String {
        let mut rest = String::new();
        while let Some(line) = within("standard error", self.err.next_line()).await.unwrap() {
            rest += &(line + "\n");
        }
        rest
    }

    /// Kills it: it gets no chance to do anything more.
    pub(crate) async fn kill(mut self) {
        within("the program's end", self.child.kill()).await.unwrap();
    }

    /// How much memory it holds: `VmRSS` of proc(5).
    pub(crate) fn resident_bytes(&self) -> u64 {
        let id = self.child.id().expect("it still runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// The most memory that it held: `VmHWM` of proc(5); `None` once it has ended.
    pub(crate) fn peak_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        within("the program's end", self.child.wait()).await.unwrap()
    }
}

/// Runs the program to its end, with variables in its environment.
pub(crate) async fn run(words: &[&str], variables: &[(&str, &OsStr)]) -> Output {
    let home = TempDir::new().unwrap();
    let output = command(home.path(), words).envs(variables.iter().copied()).output();
    within("the program's end", output).await.unwrap()
}

/// A file system that only the program started on it sees; it is unmounted with the program's end.
#[cfg(target_os = "linux")]
pub(crate) struct Disk<'a> {
    /// The shell's command that mounts `$0` on `$1`.
    mount: &'static str,
    what: &'a str,
    at: &'a Path,
    /// Whether only the superuser of the whole system may mount it.
    privileged: bool,
}

#[cfg(target_os = "linux")]
impl<'a> Disk<'a> {
    /// One in memory, with these options of `tmpfs`, such as `size=64k` or `ro`, to be mounted on the directory `at`.
    ///
    /// # Panics
    /// When this system does not let a test mount something for itself alone.
    pub(crate) async fn new(options: &'a str, at: &'a Path) -> Self {
        let mount = "mount -t tmpfs -o \"mode=0700,$0\" none \"$1\"";
        Self { mount, what: options, at, privileged: false }.tried().await
    }

    /// The image of a file system, mounted through a loop device.
    ///
    /// # Panics
    /// As [`Disk::new`].
    pub(crate) async fn image(image: &'a str, at: &'a Path) -> Self {
        let mount = "mount -o loop \"$0\" \"$1\"";
        Self { mount, what: image, at, privileged: true }.tried().await
    }

    async fn tried(self) -> Self {
        let disk = self;
        let tried = disk.mounted("true", &[]).output().await;
        let complaint = match &tried {
            Ok(output) if output.status.success() => return disk,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        panic!(
            "no file system can be mounted in a namespace of its own: {complaint}\nThis test needs `unshare` and \
             `mount` (Debian: util-linux and mount) and a kernel that lets this user make namespaces (sysctl \
             user.max_user_namespaces above 0, kernel.apparmor_restrict_unprivileged_userns 0)."
        );
    }

    /// Runs the program to its end where this is mounted.
    pub(crate) async fn run(&self, words: &[&str]) -> Output {
        let home = TempDir::new().unwrap();
        within("the program's end", self.command(home.path(), words).output()).await.unwrap()
    }

    fn command(&self, home: &Path, words: &[&str]) -> Command {
        confined(self.mounted(PROGRAM, words), home)
    }

    fn mounted(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command.arg("--mount").args((!self.privileged).then_some("--map-root-user"));
        command
            .args(["sh", "-c", &format!("{} && shift && exec \"$@\"", self.mount), self.what])
            .arg(self.at);
        command.arg(program).args(words);
        command
    }
}

/// The program with nothing of this process's environment but the way to other programs.
fn command(home: &Path, words: &[&str]) -> Command {
    let mut command = heedful(PROGRAM);
    command.args(words);
    confined(command, home)
}

/// A program that ignores no signal to begin with, also where the tests are run with `nohup` or in the background of a
/// shell.
pub(crate) fn heedful(program: &str) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("env");
    command.args(["--default-signal=INT,HUP,TERM", program]);
    command
}

fn confined(mut command: Command, home: &Path) -> Command {
    command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}
