//! The header of the PROXY protocol, versions 1 and 2
//! ([specification](https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt)).

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::Client;

/// The longest header of version 2 that is taken, in bytes. It could have 64 KiB, most of it about certificates, but is to
/// have 536 at most where what sends it does not know better (section 2.2).
const HEADER_MAX: usize = 4096;

/// The longest header of version 1, in bytes (section 2.1).
const LINE_MAX: usize = 107;

/// How a header of version 2 begins (section 2.2).
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// How a header of version 1 begins (section 2.1).
const WORD: &[u8] = b"PROXY ";

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// Where the connection comes from. The proxy itself, and a client without an address, are [`Client::Unknown`]:
    /// `UNKNOWN` in version 1, and the command `LOCAL`, a Unix socket or no family in version 2.
    pub client: Client,
    /// What came after it: the first bytes of what the client sent.
    pub rest: Vec<u8>,
}

/// Bytes that do not begin with a header, however they go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoHeader;

/// Reads a header of either version from the first bytes of a connection; `None` if there is more to come. Extensions (TLVs)
/// are passed over: what a proxy says of names and certificates does not count here.
///
/// # Errors
/// The bytes do not begin with a header, or with one of more than 4096 bytes.
pub fn parse(bytes: &[u8]) -> Result<Option<Header>, NoHeader> {
    let begins_as = |signature: &[u8]| {
        let length = bytes.len().min(signature.len());
        bytes[..length] == signature[..length]
    };
    // At the first wrong byte, so that what was connected by mistake is not kept waiting.
    if !begins_as(SIGNATURE) && !begins_as(WORD) {
        return Err(NoHeader);
    }
    let most = match announced(bytes) {
        Some(length) if length > HEADER_MAX => return Err(NoHeader),
        Some(length) => length,
        None if begins_as(WORD) => LINE_MAX,
        None => HEADER_MAX,
    };
    let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    match ProxyHeader::parse(bytes, config) {
        Ok((header, length)) if length <= most => {
            let address = header.proxied_address();
            let client = address.map_or(Client::Unknown, |address| Client::at(address.source.ip()));
            Ok(Some(Header { client, rest: bytes[length..].to_vec() }))
        }
        Err(Error::BufferTooShort) if bytes.len() < most => Ok(None),
        _ => Err(NoHeader),
    }
}

/// How long a header of version 2 is that begins with these bytes, if they say it already: its length without the first 16
/// bytes stands in the last two of them (section 2.2).
fn announced(bytes: &[u8]) -> Option<usize> {
    let length = bytes.strip_prefix(SIGNATURE)?.get(2..4)?;
    Some(16 + usize::from(u16::from_be_bytes([length[0], length[1]])))
}

/// Reads until there is a header; `None` if there is none, or the stream ends before.
pub(super) async fn read_header(stream: &mut (impl AsyncRead + Unpin)) -> Option<Header> {
    let mut bytes = Vec::with_capacity(256);
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        match parse(&bytes) {
            Ok(Some(header)) => return Some(header),
            Ok(None) => {}
            Err(NoHeader) => return None,
        }
    }
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
