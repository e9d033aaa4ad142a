//! The other end of the socket, for programs of the host.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::SOCKET_FILE;
use super::answer::{Failed, Line};
use super::task::{Progress, ProgressLine};
use crate::listen::unix;

/// How long the room may take for an answer, and to accept the connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no socket, or no process behind it.
    #[error(
        "No room is open in {}, or it is still being opened. Start it with `onionroom`, or name the directory of another one \
         with --data-dir.",
        .0.display()
    )]
    NoRoom(PathBuf),
    /// The directory is of another user.
    #[error(
        "The room in {} belongs to another user, so this one cannot speak to it. Run the command as that user, or as root.",
        .0.display()
    )]
    Foreign(PathBuf),
    /// The socket cannot be used.
    #[error("The room in {} cannot be spoken to: {cause}.", directory.display())]
    Unreachable {
        /// The data directory.
        directory: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The room is stopped, or waits for something that does not come.
    #[error("The room has not answered for {} seconds. What was asked for may still be done later: see `onionroom host status`.", PATIENCE.as_secs())]
    Silent,
    /// The connection ended.
    #[error(
        "The room closed the connection before it answered. See `onionroom host status` whether it is still open."
    )]
    Ended,
    /// The room is of another version.
    #[error(
        "The answer of the room is not understood: {0}. Use the program of the version that runs the room."
    )]
    Unknown(String),
    /// The room refused.
    #[error(transparent)]
    Failed(#[from] Failed),
}

/// A connection to the room of a data directory.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    /// The room that all requests are about; the main one without it.
    room: Option<String>,
}

impl Client {
    /// Connects to the room of this data directory.
    ///
    /// # Errors
    /// That there is none, or why it cannot be reached.
    pub async fn connect(directory: &Path) -> Result<Self, ClientError> {
        let path = directory.join(SOCKET_FILE);
        match timeout(PATIENCE, unix::connect(&path)).await {
            Ok(Ok(stream)) => Ok(Self { stream: BufReader::new(stream), room: None }),
            Ok(Err(error)) => Err(unreachable(directory, error)),
            Err(_) => Err(ClientError::Silent),
        }
    }

    /// From now on requests are about this room.
    pub fn speak_of(&mut self, room: Option<String>) {
        self.room = room;
    }

    /// The answer to a request.
    ///
    /// # Errors
    /// That there is none, or what the room refuses it with.
    pub async fn request<T: DeserializeOwned>(&mut self, request: &Value) -> Result<T, ClientError> {
        let value = self.request_value(request).await?;
        serde_json::from_value(value).map_err(|error| ClientError::Unknown(error.to_string()))
    }

    /// The same, as it came.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub async fn request_value(&mut self, request: &Value) -> Result<Value, ClientError> {
        let mut request = request.clone();
        if let Some(room) = &self.room {
            request["room"] = room.as_str().into();
        }
        self.send(&request.to_string()).await?;
        decode(&self.next_line().await?)
    }

    /// The answer to a task, whose request is the JSON `request` and asks for progress; `told` is told of it. Dropped unfinished
    /// with this client, it is given up.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub async fn follow<T: DeserializeOwned>(
        &mut self,
        request: &str,
        told: &mut dyn FnMut(Progress),
    ) -> Result<T, ClientError> {
        self.send(request).await?;
        loop {
            let line = self.next_line().await?;
            match serde_json::from_slice::<ProgressLine>(&line) {
                Ok(ProgressLine { progress }) => progress.into_iter().for_each(&mut *told),
                Err(_) => {
                    let value = decode(&line)?;
                    return serde_json::from_value(value)
                        .map_err(|error| ClientError::Unknown(error.to_string()));
                }
            }
        }
    }

    async fn next_line(&mut self) -> Result<Vec<u8>, ClientError> {
        let mut line = Vec::new();
        match timeout(PATIENCE, self.stream.read_until(b'\n', &mut line)).await {
            Ok(Ok(_)) if !line.is_empty() => Ok(line),
            Ok(_) => Err(ClientError::Ended),
            Err(_) => Err(ClientError::Silent),
        }
    }

    async fn send(&mut self, request: &str) -> Result<(), ClientError> {
        let mut line = Zeroizing::new(String::with_capacity(request.len() + 1));
        line.push_str(request);
        line.push('\n');
        // A room that refuses answers before it has read anything, and may not read this.
        let sent = timeout(PATIENCE, self.stream.get_mut().write_all(line.as_bytes())).await;
        sent.map(drop).map_err(|_| ClientError::Silent)
    }
}

fn decode(line: &[u8]) -> Result<Value, ClientError> {
    let line: Line<Value> =
        serde_json::from_slice(line).map_err(|error| ClientError::Unknown(error.to_string()))?;
    Ok(Result::from(line)?)
}

fn unreachable(directory: &Path, cause: io::Error) -> ClientError {
    let directory = directory.to_owned();
    match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ClientError::NoRoom(directory),
        io::ErrorKind::PermissionDenied => ClientError::Foreign(directory),
        io::ErrorKind::WouldBlock => ClientError::Silent,
        _ => ClientError::Unreachable { directory, cause },
    }
}
