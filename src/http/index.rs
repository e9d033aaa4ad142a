//! The index: the document at `/`, with its style, scripts and icon inside, assembled once at start.
//!
//! A browser requests nothing else but the WebSocket, so opening a room costs one round trip through Tor, and the
//! Content-Security-Policy can forbid everything that is not this text.

use std::io::Write;

use axum::body::Body;
use bytes::Bytes;
use data_encoding::BASE64;
use flate2::{Compression, GzBuilder};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Response};
use sha2::{Digest, Sha256};

use super::guard::Authority;

const DOCUMENT: &str = include_str!("../../web/index.html");
const STYLE: (&str, &str) =
    ("chat.css", concat!(include_str!("../../web/chat.css"), include_str!("../../web/colours.css")));
const ICON: (&str, &str) = ("icon.svg", include_str!("../../web/icon.svg"));
/// In the order in which the document names them.
const SCRIPTS: [(&str, &str); 12] = [
    ("text.js", include_str!("../../web/text.js")),
    ("wires.js", include_str!("../../web/wires.js")),
    ("time.js", include_str!("../../web/time.js")),
    ("seat.js", include_str!("../../web/seat.js")),
    ("connection.js", include_str!("../../web/connection.js")),
    ("message.js", include_str!("../../web/message.js")),
    ("log.js", include_str!("../../web/log.js")),
    ("unsaid.js", include_str!("../../web/unsaid.js")),
    ("people.js", include_str!("../../web/people.js")),
    ("composer.js", include_str!("../../web/composer.js")),
    ("around.js", include_str!("../../web/around.js")),
    ("chat.js", include_str!("../../web/chat.js")),
];

/// The document as it is served. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Index {
    document: Bytes,
    compressed: Bytes,
    /// `script-src` and `style-src`: exactly what the document holds may run.
    sources: String,
}

impl Index {
    /// Puts style, scripts and icon into the document, compresses it and takes the hashes.
    pub fn assemble() -> Self {
        let (icon, style) = (BASE64.encode(ICON.1.as_bytes()), without_comments(STYLE.1));
        let mut document = DOCUMENT
            .replace(&format!("\"{}\"", ICON.0), &format!("\"data:image/svg+xml;base64,{icon}\""))
            .replace(&linked_style(STYLE.0), &format!("<style>{style}</style>"));
        let mut hashes = Vec::new();
        for (name, script) in SCRIPTS {
            let script = without_comments(script);
            document = document.replace(&linked_script(name), &format!("<script>{script}</script>"));
            hashes.push(source_hash(&script));
        }
        Self {
            compressed: compress(document.as_bytes()),
            document: document.into(),
            sources: format!("script-src {}; style-src {}", hashes.join(" "), source_hash(&style)),
        }
    }

    /// The response to a request for the document: compressed if the client takes that. `authority` is what the request
    /// was for.
    pub fn respond(&self, request: &HeaderMap, authority: Option<&Authority>) -> Response<Body> {
        let compressed = accepts_gzip(request);
        let body = if compressed { &self.compressed } else { &self.document };
        let mut response = Response::new(Body::from(body.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        // Only visible ASCII goes in, so this cannot fail; were it to, a document that may do nothing is right.
        let policy = HeaderValue::try_from(self.content_security_policy(authority))
            .unwrap_or(HeaderValue::from_static("default-src 'none'"));
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        response
    }

    /// The document's Content-Security-Policy ([CSP 3](https://www.w3.org/TR/CSP3/)): what the document holds, and a
    /// connection back to where it came from. The address of the WebSocket is spelled out because not every
    /// engine counts `ws:` or `wss:` as `'self'`.
    pub fn content_security_policy(&self, authority: Option<&Authority>) -> String {
        let plain = |authority: &&Authority| {
            let mut bytes = authority.host.bytes();
            !authority.host.is_empty()
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        };
        let socket =
            authority.filter(plain).map_or_else(String::new, |to| format!(" {}", to.socket_origin()));
        format!(
            "default-src 'none'; {}; img-src data:; connect-src 'self'{socket}; frame-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
            self.sources
        )
    }
}

fn linked_style(name: &str) -> String {
    format!("<link rel=\"stylesheet\" href=\"{name}\">")
}

fn linked_script(name: &str) -> String {
    format!("<script src=\"{name}\"></script>")
}

/// A script or style without its indentation and the comments that stand on lines of their own: a quarter of the bytes
/// that opening a room costs. No text in them spans lines.
fn without_comments(text: &str) -> String {
    let mut in_comment = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        let comment = in_comment || line.starts_with("/*");
        in_comment = comment && !line.contains("*/");
        if !comment && !line.is_empty() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// A source expression that allows exactly this text.
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(&Sha256::digest(text)))
}

/// Gzip ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)) without a time stamp: the start of the
/// program must not be visible.
pub(super) fn compress(text: &[u8]) -> Bytes {
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let whole = gzip.write_all(text).and_then(|()| gzip.finish());
    whole.expect("writing to memory does not fail").into()
}

/// Whether the client takes gzip: [RFC 9110, section 12.5.3](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3).
/// The coding named itself counts before `*`; a weight of 0 means no.
pub(super) fn accepts_gzip(request: &HeaderMap) -> bool {
    let mut any = false;
    for line in request.get_all(ACCEPT_ENCODING) {
        for item in line.to_str().unwrap_or_default().split(',') {
            let mut parts = item.split(';').map(str::trim);
            let coding = parts.next().unwrap_or_default();
            let wanted = parts.all(|parameter| !is_zero_weight(parameter));
            if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
                return wanted;
            }
            any |= coding == "*" && wanted;
        }
    }
    any
}

/// Whether a parameter is `q=0`, in any of its spellings. A weight that is no number counts as a refusal.
fn is_zero_weight(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    name.trim().eq_ignore_ascii_case("q") && !value.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0)
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
