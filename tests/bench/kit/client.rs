//! A plain HTTP/1.1 client over one counted connection, with the headers that Tor Browser would send: they are
//! most of what a small request weighs.

use std::io::Read as _;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use flate2::read::GzDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wire::{Counted, Tally};
use super::{Outcome, within};

/// The longest answer head that is taken.
const HEAD_MAX: usize = 16 * 1024;

/// What a Firefox ESR 140 says of itself with every request, as in Tor Browser 15.
pub(crate) const BROWSER: &str = "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) \
     Gecko/20100101 Firefox/140.0\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, \
     zstd\r\n";

/// What `fetch` adds.
pub(crate) const FETCH: &str = "Accept: */*\r\nConnection: keep-alive\r\nSec-Fetch-Dest: empty\r\n\
     Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\nPriority: u=4\r\n";

/// What an `EventSource` adds.
pub(crate) const EVENT_SOURCE: &str = "Accept: text/event-stream\r\nConnection: keep-alive\r\n\
     Sec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\nPragma: no-cache\r\n\
     Cache-Control: no-cache\r\n";

/// What opening an address adds.
pub(crate) const NAVIGATE: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
     Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n\
     Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\nPriority: u=0, i\r\n";

/// What an `<iframe>` adds.
pub(crate) const FRAME: &str = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
     Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: iframe\r\n\
     Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nPriority: u=4\r\n";

/// One connection, asked one thing after another.
pub(crate) struct Client {
    io: Counted,
    read: BytesMut,
    tally: Arc<Tally>,
    host: String,
    left: Left,
}

/// What of the answer's body is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    Bytes(usize),
    Chunks,
    /// Until the connection ends.
    Everything,
}

/// An answer's head.
#[derive(Debug)]
pub(crate) struct Head {
    /// The status.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// A header's value; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// Over this connection.
    pub(crate) fn new(io: Counted, tally: &Arc<Tally>, host: &str) -> Self {
        let (tally, host) = (Arc::clone(tally), host.to_owned());
        Self { io, read: BytesMut::new(), tally, host, left: Left::Nothing }
    }

    /// Asks and reads the whole answer. `headers` are lines with their ends.
    pub(crate) async fn ask(&mut self, request: &str, headers: &str, body: &str) -> Outcome<(Head, Vec<u8>)> {
        let head = self.open(request, headers, body).await?;
        let mut body = Vec::new();
        while let Some(piece) = within("an answer's body", self.piece()).await?? {
            body.extend_from_slice(&piece);
        }
        if head.header("content-encoding") == Some("gzip") {
            let mut plain = Vec::new();
            GzDecoder::new(body.as_slice()).read_to_end(&mut plain)?;
            body = plain;
        }
        Ok((head, body))
    }

    /// Asks and reads the answer's head; its body comes in pieces.
    pub(crate) async fn open(&mut self, request: &str, headers: &str, body: &str) -> Outcome<Head> {
        let mut text = format!("{request} HTTP/1.1\r\nHost: {}\r\n{BROWSER}{headers}", self.host);
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.tally.request();
        self.io.write_all(text.as_bytes()).await?;
        self.io.flush().await?;
        within("an answer", self.head()).await?
    }

    async fn head(&mut self) -> Outcome<Head> {
        let end = loop {
            match self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end,
                None if self.read.len() > HEAD_MAX => return Err("an answer's head is too long".into()),
                None => self.more().await?,
            }
        };
        let head = self.read.split_to(end + 4);
        let mut lines = std::str::from_utf8(&head[..end])?.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?.parse()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let head = Head { status, headers };
        self.left = match (head.header("content-length"), head.header("transfer-encoding")) {
            _ if matches!(head.status, 204 | 304) => Left::Nothing,
            (_, Some("chunked")) => Left::Chunks,
            (Some(length), _) => Left::Bytes(length.parse()?),
            (None, _) => Left::Everything,
        };
        Ok(head)
    }

    /// The next piece of the body as it comes; `None` at its end.
    pub(crate) async fn piece(&mut self) -> Outcome<Option<Bytes>> {
        match self.left {
            Left::Nothing | Left::Bytes(0) => Ok(None),
            Left::Bytes(left) => {
                if self.read.is_empty() {
                    self.more().await?;
                }
                let taken = left.min(self.read.len());
                self.left = Left::Bytes(left - taken);
                Ok(Some(self.read.split_to(taken).freeze()))
            }
            Left::Chunks => self.chunk().await,
            Left::Everything => {
                if self.read.is_empty() && self.io.read_buf(&mut self.read).await? == 0 {
                    return Ok(None);
                }
                Ok(Some(self.read.split().freeze()))
            }
        }
    }

    /// One chunk (RFC 9112, section 7.1); trailers are not expected.
    async fn chunk(&mut self) -> Outcome<Option<Bytes>> {
        let end = loop {
            match self.read.windows(2).position(|window| window == b"\r\n") {
                Some(end) => break end,
                None => self.more().await?,
            }
        };
        let line = std::str::from_utf8(&self.read[..end])?;
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)?;
        while self.read.len() < end + 2 + size + 2 {
            self.more().await?;
        }
        self.read.advance(end + 2);
        let piece = self.read.split_to(size).freeze();
        self.read.advance(2);
        if size == 0 {
            self.left = Left::Nothing;
            return Ok(None);
        }
        Ok(Some(piece))
    }

    async fn more(&mut self) -> Outcome<()> {
        match self.io.read_buf(&mut self.read).await? {
            0 => Err("the connection ended inside an answer".into()),
            _ => Ok(()),
        }
    }
}
