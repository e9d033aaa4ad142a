//! The index: the document at `/`, with its style, scripts and icon inside, assembled once at start.
//!
//! A browser requests nothing else but the WebSocket, so opening a room costs one round trip through Tor, and the
//! Content-Security-Policy can forbid everything that is not this text. What only some guests need, such as the tools of hosts,
//! is asked for when they do.

use std::io::Write;

use axum::body::Body;
use bytes::Bytes;
use data_encoding::BASE64;
use flate2::{Compression, GzBuilder};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Response};
use sha2::{Digest, Sha256};

use super::compact;
use super::guard::Authority;

const DOCUMENT: &str = include_str!("../../web/index.html");
const STYLE: (&str, &str) =
    ("chat.css", concat!(include_str!("../../web/chat.css"), include_str!("../../web/colours.css")));
const ICON: (&str, &str) = ("icon.svg", include_str!("../../web/icon.svg"));
/// In the order in which the document names them.
const SCRIPTS: [(&str, &str); 17] = [
    ("text.js", include_str!("../../web/text.js")),
    ("later.js", include_str!("../../web/later.js")),
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
    ("doors.js", include_str!("../../web/doors.js")),
    ("policy.js", include_str!("../../web/policy.js")),
    ("status.js", include_str!("../../web/status.js")),
    ("naming.js", include_str!("../../web/naming.js")),
    ("chat.js", include_str!("../../web/chat.js")),
];

/// What the document asks for when a guest needs it: how to go on at another address of the room, how to speak to it without
/// a WebSocket, how to show what hosts have decided, and their tools.
const LATER: [(&str, &str); 4] = [
    ("moving.js", include_str!("../../web/moving.js")),
    ("requests.js", include_str!("../../web/requests.js")),
    ("governed.js", include_str!("../../web/governed.js")),
    ("tools.js", include_str!("../../web/tools.js")),
];

/// The styles that some of these bring along, each in place of its name.
const LATER_STYLES: [(&str, &str); 2] = [
    ("governed.css", include_str!("../../web/governed.css")),
    ("tools.css", include_str!("../../web/tools.css")),
];

/// So many doors are in the policy at most: each makes every answer longer by its address.
const DOORS_MAX: usize = 16;

/// All scripts as one, in strict mode.
fn script() -> String {
    format!("'use strict';{}", compact::script(&SCRIPTS.map(|(_, script)| script).concat()))
}

/// Those that are asked for later, each as it is served.
fn later() -> [String; 4] {
    LATER.map(|(_, script)| {
        let script = compact::script(script);
        let whole = LATER_STYLES.iter().fold(script, |script, (name, style)| {
            // A text in JSON is one in a script, too.
            let text = serde_json::Value::from(compact::style(style)).to_string();
            script.replace(&format!("'{name}'"), &text)
        });
        format!("'use strict';{whole}")
    })
}

/// The document as it is served. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Index {
    document: Text,
    /// `script-src` and `style-src`: exactly what the document holds may run.
    sources: String,
    /// The scripts that are asked for later. The document runs each as an element of its own, so that the policy knows it by
    /// its hash, wherever the room's paths begin.
    later: [Text; 4],
}

/// A text as it is and compressed.
#[derive(Debug, Clone)]
struct Text {
    plain: Bytes,
    compressed: Bytes,
}

impl Text {
    fn new(text: String) -> Self {
        Self { compressed: compress(text.as_bytes()), plain: text.into() }
    }

    /// Compressed if the client takes that.
    fn respond(&self, request: &HeaderMap, content_type: &'static str) -> Response<Body> {
        let compressed = accepts_gzip(request);
        let body = if compressed { &self.compressed } else { &self.plain };
        let mut response = Response::new(Body::from(body.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

impl Index {
    /// Puts style, scripts and icon into the document, compresses it and takes the hashes.
    pub fn assemble() -> Self {
        let (icon, style) = (BASE64.encode(ICON.1.as_bytes()), compact::style(STYLE.1));
        let (script, later) = (script(), later());
        let links: String = SCRIPTS.map(|(name, _)| linked_script(name)).concat();
        let document = DOCUMENT
            .replace(&format!("\"{}\"", ICON.0), &format!("\"data:image/svg+xml;base64,{icon}\""))
            .replace(&linked_style(STYLE.0), &format!("<style>{style}</style>"))
            .replace(&links, &format!("<script>{script}</script>\n"));
        let scripts = std::iter::once(&script).chain(&later);
        let hashes: Vec<_> = scripts.map(|script| source_hash(script)).collect();
        Self {
            document: Text::new(document),
            sources: format!("script-src {}; style-src {}", hashes.join(" "), source_hash(&style)),
            later: later.map(Text::new),
        }
    }

    /// The response to a request for the document: compressed if the client takes that. `authority` is what the request
    /// was for, `doors` are the room's other origins: the document may ask there whether they answer.
    pub fn respond(
        &self,
        request: &HeaderMap,
        authority: Option<&Authority>,
        doors: &[String],
    ) -> Response<Body> {
        let mut response = self.document.respond(request, "text/html; charset=utf-8");
        // Only visible ASCII goes in, so this cannot fail; were it to, a document that may do nothing is right.
        let policy = HeaderValue::try_from(self.content_security_policy(authority, doors))
            .unwrap_or(HeaderValue::from_static("default-src 'none'"));
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        response
    }

    /// The names of the scripts that the document asks for later.
    pub fn later_names() -> impl Iterator<Item = &'static str> {
        LATER.iter().map(|(name, _)| *name)
    }

    /// The response to a request for one of the scripts that the document asks for later; none if this is not its name.
    pub fn later(&self, name: &str, request: &HeaderMap) -> Option<Response<Body>> {
        let place = LATER.iter().position(|(known, _)| *known == name)?;
        Some(self.later[place].respond(request, "text/javascript; charset=utf-8"))
    }

    /// The document's Content-Security-Policy ([CSP 3](https://www.w3.org/TR/CSP3/)): what the document holds, and a
    /// connection back to where it came from. The address of the WebSocket is spelled out because not every
    /// engine counts `ws:` or `wss:` as `'self'`. Of a door, its `/health` alone.
    pub fn content_security_policy(&self, authority: Option<&Authority>, doors: &[String]) -> String {
        let socket = authority
            .filter(|authority| is_plain_host(&authority.host))
            .map_or_else(String::new, |to| format!(" {}", to.socket_origin()));
        let doors = doors.iter().filter(|door| is_plain_origin(door)).take(DOORS_MAX);
        let doors: String = doors.map(|door| format!(" {door}/health")).collect();
        format!(
            "default-src 'none'; {}; img-src data:; connect-src 'self'{socket}{doors}; frame-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
            self.sources
        )
    }
}

/// Whether this is `http://` or `https://` and a host, with a port or without: nothing that could end a source expression.
pub(super) fn is_plain_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(is_plain_host)
}

fn is_plain_host(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(plain)
}

fn linked_style(name: &str) -> String {
    format!("<link rel=\"stylesheet\" href=\"{name}\">")
}

fn linked_script(name: &str) -> String {
    format!("<script src=\"{name}\"></script>\n")
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
