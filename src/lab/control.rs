//! A client of C Tor's control port.
//!
//! The format is that of the [control specification](https://spec.torproject.org/control-spec/).
//! A connection either takes commands, each followed by its reply, or reports events ([`Control::events`]).

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// How long a node may take for one reply.
const DEADLINE: Duration = Duration::from_secs(20);

/// An authenticated connection to a control port.
#[derive(Debug)]
pub struct Control {
    stream: BufReader<TcpStream>,
}

/// Why a request to the control port failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The connection failed or was closed.
    #[error("its control port cannot be reached ({0})")]
    Io(#[from] io::Error),
    /// The reply did not come in time.
    #[error("its control port did not answer within {} seconds", DEADLINE.as_secs())]
    Deadline,
    /// A command was refused.
    #[error("it refused a command: {0}")]
    Refused(String),
    /// The reply is not of the form that the specification gives.
    #[error("its control port answered in an unknown form: {0}")]
    Form(String),
}

impl Control {
    /// Connects, and authenticates with the cookie in the file `cookie`.
    ///
    /// # Errors
    /// When the port cannot be reached, the cookie cannot be read, or authentication fails.
    pub async fn connect(address: SocketAddr, cookie: &Path) -> Result<Self, ControlError> {
        let cookie = std::fs::read(cookie)?;
        let stream = TcpStream::connect(address).await?;
        let mut control = Self { stream: BufReader::new(stream) };
        control.command(&format!("AUTHENTICATE {}", HEXLOWER.encode(&cookie))).await?;
        Ok(control)
    }

    /// Sends one command, given without its line end, and returns the lines of the reply without their status codes;
    /// the lines of a data block as they are.
    ///
    /// # Errors
    /// When the reply is a refusal, is malformed, or does not come within 20 seconds.
    pub async fn command(&mut self, command: &str) -> Result<Vec<String>, ControlError> {
        tokio::time::timeout(DEADLINE, async {
            self.stream.write_all(format!("{command}\r\n").as_bytes()).await?;
            self.reply().await
        })
        .await
        .map_err(|_| ControlError::Deadline)?
    }

    /// Reads one value with `GETINFO` and returns its lines; none if the value is empty.
    ///
    /// # Errors
    /// As [`command`](Self::command).
    pub async fn get_info(&mut self, key: &str) -> Result<Vec<String>, ControlError> {
        let mut lines = self.command(&format!("GETINFO {key}")).await?;
        let is_ok = |line: &String| line == "OK";
        if lines.last().is_some_and(is_ok) {
            lines.pop();
        }
        if let Some(first) = lines.first_mut() {
            let value = first.strip_prefix(key).and_then(|rest| rest.strip_prefix('='));
            let value = value.ok_or_else(|| ControlError::Form(first.clone()))?.to_owned();
            *first = value;
        }
        lines.retain(|line| !line.is_empty());
        Ok(lines)
    }

    /// Subscribes to events of one line with `SETEVENTS`; `kinds` is such as `STREAM CIRC`.
    ///
    /// # Errors
    /// As [`command`](Self::command).
    pub async fn events(mut self, kinds: &str) -> Result<Events, ControlError> {
        self.command(&format!("SETEVENTS {kinds}")).await?;
        Ok(Events { control: self })
    }

    async fn reply(&mut self) -> Result<Vec<String>, ControlError> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            let (Some(code), Some(kind), Some(text)) = (line.get(..3), line.get(3..4), line.get(4..)) else {
                return Err(ControlError::Form(line));
            };
            if !code.starts_with('2') {
                return Err(ControlError::Refused(text.to_owned()));
            }
            lines.push(text.to_owned());
            match kind {
                " " => return Ok(lines),
                "-" => {}
                "+" => self.data_block(&mut lines).await?,
                _ => return Err(ControlError::Form(line)),
            }
        }
    }

    /// A data block: it ends with a line that is one dot; a dot at the start of other lines is doubled.
    async fn data_block(&mut self, lines: &mut Vec<String>) -> Result<(), ControlError> {
        loop {
            let line = self.line().await?;
            match line.strip_prefix('.') {
                Some("") => return Ok(()),
                Some(rest) => lines.push(rest.to_owned()),
                None => lines.push(line),
            }
        }
    }

    async fn line(&mut self) -> Result<String, ControlError> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        line.truncate(line.trim_end_matches(['\r', '\n']).len());
        Ok(line)
    }
}

/// A control connection that reports events.
#[derive(Debug)]
pub struct Events {
    control: Control,
}

impl Events {
    /// The next event, such as `STREAM 7 CLOSED …`; waits without limit.
    ///
    /// # Errors
    /// When the connection ends or sends anything else.
    pub async fn next(&mut self) -> Result<String, ControlError> {
        let line = self.control.line().await?;
        line.strip_prefix("650 ").map(str::to_owned).ok_or(ControlError::Form(line))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    /// A connection to a control port that accepts the cookie and then sends `reply` to the next command.
    async fn connected_to(reply: &'static str) -> Control {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut stream = listener.accept().await.unwrap().0;
            let mut request = [0; "AUTHENTICATE 6162\r\n".len()];
            stream.read_exact(&mut request).await.unwrap();
            assert_eq!(&request, b"AUTHENTICATE 6162\r\n");
            stream.write_all(b"250 OK\r\n").await.unwrap();
            let mut command = [0; 256];
            let _ = stream.read(&mut command).await.unwrap();
            stream.write_all(reply.as_bytes()).await.unwrap();
        });
        let directory = tempfile::tempdir().unwrap();
        let cookie = directory.path().join("cookie");
        std::fs::write(&cookie, "ab").unwrap();
        Control::connect(address, &cookie).await.unwrap()
    }

    #[tokio::test]
    async fn one_line_is_a_value() {
        let mut control = connected_to("250-version=0.4\r\n250 OK\r\n").await;
        assert_eq!(control.get_info("version").await.unwrap(), ["0.4"]);
    }

    #[tokio::test]
    async fn a_data_block_is_many_lines() {
        let mut control = connected_to("250+circuit-status=\r\n1 BUILT\r\n..2\r\n.\r\n250 OK\r\n").await;
        assert_eq!(control.get_info("circuit-status").await.unwrap(), ["1 BUILT", ".2"]);
    }

    #[tokio::test]
    async fn an_empty_value_is_no_line() {
        let mut control = connected_to("250-stream-status=\r\n250 OK\r\n").await;
        assert!(control.get_info("stream-status").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn events_come_one_by_one() {
        let events = "250 OK\r\n650 CIRC 1 BUILT\r\n650 CIRC 1 CLOSED\r\n";
        let mut events = connected_to(events).await.events("CIRC").await.unwrap();
        assert_eq!(events.next().await.unwrap(), "CIRC 1 BUILT");
        assert_eq!(events.next().await.unwrap(), "CIRC 1 CLOSED");
        assert!(events.next().await.is_err());
    }

    #[tokio::test]
    async fn a_refusal_says_why() {
        let mut control = connected_to("552 Unknown circuit \"7\"\r\n").await;
        let said = control.command("CLOSECIRCUIT 7").await.unwrap_err().to_string();
        assert!(said.contains("Unknown circuit"), "{said}");
    }
}
