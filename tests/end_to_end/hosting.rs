//! The host's socket and the command that speaks to it, on the program itself.

mod backup;
mod command;
mod confirming;
mod held;
mod newcomers;
mod rooms;
mod socket;
mod wiping;

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, UnixStream};

use crate::kit::program::{Program, run};
use crate::kit::{Guest, within};

/// A room on this machine alone, with a data directory of its own.
struct Hosted {
    program: Program,
    directory: PathBuf,
    address: String,
    _outer: TempDir,
}

impl Hosted {
    async fn open() -> Self {
        let outer = TempDir::new().unwrap();
        let directory = outer.path().canonicalize().unwrap().join("room");
        let (program, address) = start(&directory).await;
        Self { program, directory, address, _outer: outer }
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("host.sock")
    }

    async fn guest(&self, name: &str) -> Guest {
        let mut guest = self.stranger().await;
        guest.hello(name).await;
        guest
    }

    async fn stranger(&self) -> Guest {
        Guest::connect(TcpStream::connect(&self.address).await.unwrap(), &self.address).await
    }

    async fn connect(&self) -> Client {
        Client::connect(&self.socket()).await
    }

    /// Runs `onionroom host` with these words.
    async fn host(&self, words: &[&str]) -> Output {
        let directory = self.directory.to_str().unwrap();
        run(&[&["host", "--data-dir", directory], words].concat(), &[]).await
    }

    /// What it says when it has done it.
    async fn says(&self, words: &[&str]) -> String {
        let output = self.host(words).await;
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same as JSON.
    async fn json(&self, words: &[&str]) -> Value {
        let said = self.says(&[words, &["--json"]].concat()).await;
        assert_eq!(said.lines().count(), 1, "{said}");
        serde_json::from_str(&said).unwrap()
    }

    /// The sentence with which it is refused.
    async fn refused(&self, words: &[&str]) -> String {
        let output = self.host(words).await;
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{words:?} {err}");
        assert!(err.starts_with("error: "), "{err}");
        err
    }
}

async fn start(directory: &Path) -> (Program, String) {
    let directory = directory.to_str().unwrap();
    let words = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--data-dir", directory];
    let mut program = Program::start(&words);
    let url = program.told("local").await;
    (program, url.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned())
}

/// A program that speaks over the socket itself.
struct Client {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Client {
    async fn connect(path: &Path) -> Self {
        let (reader, writer) = UnixStream::connect(path).await.unwrap().into_split();
        Self { lines: BufReader::new(reader).lines(), writer }
    }

    async fn send(&mut self, line: &str) {
        within("sending", self.writer.write_all(line.as_bytes())).await.unwrap();
    }

    /// The next answer; `None` at the end.
    async fn answer(&mut self) -> Option<Value> {
        let line = within("an answer", self.lines.next_line()).await.unwrap_or(None)?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// The answer to a request.
    async fn ask(&mut self, request: &Value) -> Value {
        self.send(&format!("{request}\n")).await;
        self.answer().await.unwrap()
    }
}
