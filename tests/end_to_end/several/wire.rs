//! HTTP to a node that may be killed, stopped or cut off at any moment: every failure is an error and no panic.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a node may say nothing: longer than a heartbeat of server-sent events and than a poll waits.
const SILENCE: Duration = Duration::from_secs(20);

/// A connection after the head of a response.
pub(super) struct Response {
    pub(super) status: u16,
    /// `None` where it comes in chunks.
    length: Option<usize>,
    stream: BufReader<TcpStream>,
}

/// Sends one request, with a token as bearer or cookie in `headers`, and reads the head of the response.
pub(super) async fn ask(node: SocketAddr, line: &str, headers: &[&str], body: &str) -> io::Result<Response> {
    heard(async {
        let mut stream = BufReader::new(TcpStream::connect(node).await?);
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let length = body.len();
        let head =
            format!("{line} HTTP/1.1\r\nHost: {node}\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(head.as_bytes()).await?;
        let status = text_line(&mut stream).await?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(strange)?;
        let mut length = None;
        loop {
            let line = text_line(&mut stream).await?;
            if line.is_empty() {
                return Ok(Response { status, length, stream });
            }
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.parse().map_err(|_| strange())?);
            }
        }
    })
    .await
}

impl Response {
    /// The body: as long as was said, or else all chunks.
    pub(super) async fn body(mut self) -> io::Result<String> {
        let mut body = vec![0; self.length.unwrap_or(0)];
        match self.length {
            Some(_) => drop(heard(self.stream.read_exact(&mut body)).await?),
            None => loop {
                match self.chunk().await {
                    Ok(chunk) => body.extend(chunk),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                    Err(error) => return Err(error),
                }
            },
        }
        String::from_utf8(body).map_err(|_| strange())
    }

    /// The next chunk (RFC 9112, section 7.1) of a response without an end.
    pub(super) async fn chunk(&mut self) -> io::Result<Vec<u8>> {
        heard(async {
            let size = text_line(&mut self.stream).await?;
            let size = usize::from_str_radix(&size, 16).map_err(|_| strange())?;
            if size == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk).await?;
            chunk.truncate(size);
            Ok(chunk)
        })
        .await
    }
}

async fn text_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

async fn heard<T>(part: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(SILENCE, part).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn strange() -> io::Error {
    io::ErrorKind::InvalidData.into()
}
