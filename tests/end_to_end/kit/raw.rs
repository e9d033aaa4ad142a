//! Bytes by hand, for what a well-behaved client would not send.

use onionroom::listen::Io;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::within;

/// A connection and what was read from it.
pub(crate) struct Raw {
    io: Box<dyn Io>,
    read: Vec<u8>,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// Names in lower case, in the order they came.
    pub(crate) headers: Vec<(String, String)>,
    /// As long as `Content-Length` says; empty without one.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The header's value, if it is there.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text()))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A header with no masking key and this payload.
pub(crate) fn frame(first_byte: u8, mask: bool, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte];
    let mask_bit = if mask { 0x80 } else { 0 };
    match payload.len() {
        length @ 0..=125 => frame.push(mask_bit | length as u8),
        length @ 126..=0xffff => {
            frame.push(mask_bit | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(mask_bit | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    if mask {
        frame.extend([0; 4]); // a key of zeros leaves the payload as it is
    }
    frame.extend(payload);
    frame
}

impl Raw {
    /// Over any stream.
    pub(crate) fn new(io: impl Io) -> Self {
        Self { io: Box::new(io), read: Vec::new() }
    }

    /// Writes bytes.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        within("writing", self.io.write_all(bytes)).await.unwrap();
        within("flushing", self.io.flush()).await.unwrap();
    }

    /// Sends a request head, one line each, and reads the answer.
    pub(crate) async fn request(&mut self, lines: &[&str]) -> Answer {
        self.write(format!("{}\r\n\r\n", lines.join("\r\n")).as_bytes()).await;
        match lines[0].starts_with("HEAD ") {
            true => self.head().await, // its Content-Length is of a body that does not come
            false => self.answer().await,
        }
    }

    /// Reads one answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.body = self.bytes(length).await;
        answer
    }

    /// Reads an answer up to its body.
    pub(crate) async fn head(&mut self) -> Answer {
        let head = loop {
            if let Some(end) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break self.read.drain(..end + 4).collect::<Vec<_>>();
            }
            assert!(self.more().await > 0, "the connection ended inside an answer's head");
        };
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Answer { status, headers, body: Vec::new() }
    }

    /// Reads one line, without its end.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.read.windows(2).position(|window| window == b"\r\n") {
                let line: Vec<u8> = self.read.drain(..end + 2).collect();
                return String::from_utf8(line).unwrap().trim_end().to_owned();
            }
            assert!(self.more().await > 0, "the connection ended inside a line");
        }
    }

    /// Reads exactly this many bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert!(self.more().await > 0, "the connection ended too early");
        }
        self.read.drain(..count).collect()
    }

    /// Reads one short unmasked frame: its first byte and its payload.
    pub(crate) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let header = self.bytes(2).await;
        let length = match header[1] {
            126 => usize::from(u16::from_be_bytes(self.bytes(2).await.try_into().unwrap())),
            length => usize::from(length),
        };
        (header[0], self.bytes(length).await)
    }

    /// Reads frames until a close frame; answers with its code.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            let (first, payload) = self.frame().await;
            if first == 0x88 {
                return u16::from_be_bytes([payload[0], payload[1]]);
            }
        }
    }

    /// Whether the other side ended the connection without saying anything more.
    pub(crate) async fn ended(&mut self) -> bool {
        self.more().await == 0
    }

    async fn more(&mut self) -> usize {
        within("reading", self.io.read_buf(&mut self.read)).await.unwrap_or(0)
    }
}
