//! Bytes into the HTTP server: pipelined requests, or what is none.

use super::exchange::exchange;

/// More than this is not looked at, in bytes: each short request can be for the whole page.
const INPUT_MAX: usize = 2048;

/// What each response of the room has, in lower case.
const PRIVACY: [&str; 5] = [
    "cache-control: ",
    "content-security-policy: default-src 'none'",
    "referrer-policy: ",
    "x-content-type-options: nosniff",
    "cross-origin-opener-policy: same-origin",
];

/// Whatever is sent, the answers are responses: none of them 5xx but 503, none with a clock or the name of a server,
/// and all with the headers that keep a browser from telling others.
pub fn run(data: &[u8]) {
    if data.len() <= INPUT_MAX {
        check(&exchange([data]));
    }
}

/// Checks everything that was written on a connection.
fn check(mut written: &[u8]) {
    while !written.is_empty() {
        let (head, rest) = head(written);
        let status = head.strip_prefix("http/1.").and_then(|head| head.get(2..5));
        let status: u16 = status.and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{head}"));
        assert!(status < 500 || status == 503, "{head}");
        let has = |line: &str| head.contains(&format!("\r\n{line}"));
        assert!(!has("date:") && !has("server:"), "{head}");
        if status == 101 {
            return; // WebSocket from here on
        }
        if status == 100 {
            written = rest;
            continue;
        }
        if !has("content-security-policy: ") {
            // hyper's own answer to what is no request: nothing in it, and the end.
            assert!(matches!(status, 400 | 414 | 431) && has("content-length: 0"), "{head}");
            assert!(rest.is_empty());
            return;
        }
        assert!(PRIVACY.into_iter().all(has), "{head}");
        written = after_body(&head, rest);
    }
}

/// The head of a response in lower case, and what comes after it.
fn head(written: &[u8]) -> (String, &[u8]) {
    let end = written.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
    let (head, rest) = written.split_at(end.expect("a head has an end"));
    (String::from_utf8(head.to_vec()).expect("a head is text").to_lowercase(), rest)
}

/// What comes after the body of a response. The answer to HEAD has a length and no body: no body begins as a head does.
fn after_body<'a>(head: &str, rest: &'a [u8]) -> &'a [u8] {
    if rest.starts_with(b"HTTP/1.") {
        return rest;
    }
    if head.contains("\r\ntransfer-encoding: chunked") {
        return after_chunks(rest);
    }
    let length = head.split_once("\r\ncontent-length: ").and_then(|(_, after)| after.split_once("\r\n"));
    let length: usize = length.map_or(0, |(length, _)| length.parse().expect("a length"));
    rest.get(length..).unwrap_or_default()
}

/// What comes after a chunked body (RFC 9112, section 7.1), or nothing if it has not ended.
fn after_chunks(mut rest: &[u8]) -> &[u8] {
    loop {
        let Some(at) = rest.windows(2).position(|window| window == b"\r\n") else { return &[] };
        let size =
            std::str::from_utf8(&rest[..at]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.expect("a chunk has a size");
        rest = rest.get(at + 2 + size + 2..).unwrap_or_default();
        if size == 0 {
            return rest;
        }
    }
}
