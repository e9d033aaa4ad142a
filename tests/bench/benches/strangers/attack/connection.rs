//! Connections by hand: requests and frames that a well-behaved client would not send.

use std::sync::atomic::Ordering::Relaxed;

use onionroom_bench::Outcome;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Present, Stranger};

/// The most that is kept of what was read.
const READ_MAX: usize = 1 << 20;

/// A stream to the room, counted.
pub(super) struct Connection<'a> {
    stream: TcpStream,
    stranger: &'a Stranger,
    read: Vec<u8>,
    _open: Present<'a>,
}

/// A frame with no masking key (RFC 6455, section 5.2): a key of zeros leaves the payload as it is.
pub(super) fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// A text frame.
pub(super) fn text(payload: &str) -> Vec<u8> {
    frame(0x81, payload.as_bytes())
}

impl<'a> Connection<'a> {
    pub(super) fn new(stream: TcpStream, stranger: &'a Stranger) -> Self {
        let counts = &stranger.counts;
        counts.connections.fetch_add(1, Relaxed);
        let _open = Present::new(&counts.open, &counts.open_most);
        Self { stream, stranger, read: Vec::new(), _open }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.stream.write_all(bytes).await?;
        self.stranger.counts.sent.fetch_add(bytes.len() as u64, Relaxed);
        Ok(())
    }

    async fn more(&mut self) -> Outcome<()> {
        if self.read.len() > READ_MAX {
            return Err("an answer is too long".into());
        }
        let count = self.stream.read_buf(&mut self.read).await?;
        self.stranger.counts.received.fetch_add(count as u64, Relaxed);
        match count {
            0 => {
                self.stranger.counts.closed.fetch_add(1, Relaxed);
                Err("the room closed the connection".into())
            }
            _ => Ok(()),
        }
    }

    async fn bytes(&mut self, count: usize) -> Outcome<Vec<u8>> {
        while self.read.len() < count {
            self.more().await?;
        }
        Ok(self.read.drain(..count).collect())
    }

    async fn until(&mut self, end: &[u8]) -> Outcome<String> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end) {
                return Ok(String::from_utf8_lossy(&self.bytes(at + end.len()).await?).into_owned());
            }
            self.more().await?;
        }
    }

    /// Reads one answer: its head, and its body if that ends.
    pub(super) async fn answer(&mut self) -> Outcome<(String, String)> {
        let head = self.head().await?;
        let mut body = Vec::new();
        let lower = head.to_ascii_lowercase();
        if lower.contains("\r\ntransfer-encoding: chunked") {
            loop {
                let size = usize::from_str_radix(self.until(b"\r\n").await?.trim(), 16)?;
                body.extend(self.bytes(size.min(READ_MAX)).await?);
                self.bytes(2).await?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some((_, rest)) = lower.split_once("\r\ncontent-length: ") {
            let length: usize = rest.split("\r\n").next().unwrap_or_default().parse()?;
            body = self.bytes(length.min(READ_MAX)).await?;
        }
        Ok((head, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Reads the head of an answer.
    pub(super) async fn head(&mut self) -> Outcome<String> {
        self.until(b"\r\n\r\n").await
    }

    /// Makes a WebSocket of it.
    ///
    /// # Errors
    /// When the room does not change over to that.
    pub(super) async fn upgrade(&mut self) -> Outcome<()> {
        let head = self.stranger.head(
            "GET /chat",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Protocol: chat\r\n",
        );
        self.write(head.as_bytes()).await?;
        let answer = self.head().await?;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        if status != "101" {
            self.stranger.refused(status);
            return Err(answer.into());
        }
        Ok(())
    }

    /// Makes a WebSocket of it and joins; returns the welcome.
    ///
    /// # Errors
    /// When the room refuses.
    pub(super) async fn join(&mut self, token: &str) -> Outcome<Value> {
        self.upgrade().await?;
        self.write(&text(&format!(r#"{{"type":"hello","token":"{token}"}}"#))).await?;
        loop {
            let event = self.event().await?;
            match event["type"].as_str() {
                Some("welcome") => {
                    self.stranger.counts.welcomes.fetch_add(1, Relaxed);
                    return Ok(event);
                }
                Some("error") => {
                    let code = event["code"].as_str().unwrap_or_default();
                    self.stranger.refused(code);
                    return Err(code.into());
                }
                _ => {}
            }
        }
    }

    /// The next text frame; pings are answered meanwhile (RFC 6455, section 5.5).
    ///
    /// # Errors
    /// When the room closes the connection.
    pub(super) async fn event(&mut self) -> Outcome<Value> {
        loop {
            let header = self.bytes(2).await?;
            let length = match header[1] {
                126 => self.bytes(2).await?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
                127 => self.bytes(8).await?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
                length => usize::from(length),
            };
            let payload = self.bytes(length.min(READ_MAX)).await?;
            match header[0] & 0xf {
                1 => return Ok(serde_json::from_slice(&payload)?),
                9 => self.write(&frame(0x8a, &payload)).await?,
                8 => {
                    self.stranger.counts.closed.fetch_add(1, Relaxed);
                    let code = payload.iter().take(2).fold(0, |code, byte| code << 8 | u16::from(*byte));
                    self.stranger.refused(&format!("closed with {code}"));
                    return Err("closed".into());
                }
                _ => {}
            }
        }
    }

    /// Counts a guest of the attackers for as long as it lives.
    pub(super) fn present(&self) -> Present<'a> {
        Present::new(&self.stranger.counts.guests, &self.stranger.counts.guests_most)
    }

    /// Writes what `next` makes, as fast as it is taken, and reads what comes, if at all; until the room closes the
    /// connection or there is nothing more to write.
    pub(super) async fn pour(self, read: bool, mut next: impl FnMut() -> Vec<u8>) -> Outcome<()> {
        let Self { mut stream, stranger, _open, .. } = self;
        let counts = &stranger.counts;
        let (mut reader, mut writer) = stream.split();
        let write = async {
            while stranger.goes_on() {
                let bytes = next();
                writer.write_all(&bytes).await?;
                counts.sent.fetch_add(bytes.len() as u64, Relaxed);
                // One stream that is always taken must not keep the others from writing.
                tokio::task::yield_now().await;
            }
            Outcome::Ok(())
        };
        match read {
            true => tokio::select! {
                written = write => written,
                () = drain(&mut reader, stranger) => Err("the room closed the connection".into()),
            },
            false => write.await,
        }
    }
}

/// Reads to the end and discards.
async fn drain(reader: &mut (impl AsyncRead + Unpin), stranger: &Stranger) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        stranger.counts.received.fetch_add(count as u64, Relaxed);
    }
    stranger.counts.closed.fetch_add(1, Relaxed);
}

impl Stranger {
    /// The head of a request without a body, or with its `Content-Length` among the headers, each with its line end.
    pub(super) fn head(&self, method_and_path: &str, headers: &str) -> String {
        format!("{method_and_path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.route.onion)
    }

    /// A request with a JSON body; `headers` each with its line end.
    pub(super) fn request(&self, method_and_path: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        let headers = format!("{headers}Content-Type: application/json\r\nContent-Length: {length}\r\n");
        self.head(method_and_path, &headers) + body
    }
}
