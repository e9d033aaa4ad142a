//! The index: the document at `/`, with its style, scripts and icon inside, put together when the program is built, in each
//! language (`web/build`).
//!
//! A browser requests nothing else but the WebSocket, so opening a room costs one round trip through Tor, and the
//! Content-Security-Policy can forbid everything that is not this text. What only some guests need, such as the tools of hosts,
//! is asked for when they do.

use std::io::Write;

use axum::body::Body;
use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY,
};
use http::{HeaderMap, HeaderValue, Response};

use super::guard::Authority;
use crate::language::Language;

/// A text that `web/build` has made, as it is and compressed.
macro_rules! text {
    ($language:literal, $name:literal) => {
        Text {
            plain: include_bytes!(concat!(env!("OUT_DIR"), "/", $language, "/", $name)),
            compressed: include_bytes!(concat!(env!("OUT_DIR"), "/", $language, "/", $name, ".gz")),
        }
    };
}

/// A script that is asked for later.
macro_rules! later {
    ($language:literal, $name:literal) => {
        Later {
            name: $name,
            text: text!($language, $name),
            deflated: include_bytes!(concat!(env!("OUT_DIR"), "/", $language, "/", $name, ".deflate")),
        }
    };
}

/// Everything in one language.
macro_rules! page {
    ($language:literal) => {
        Page {
            document: text!($language, "index.html"),
            later: [
                later!($language, "moving.js"),
                later!($language, "requests.js"),
                later!($language, "governed.js"),
                later!($language, "tools.js"),
                later!($language, "entry.js"),
                later!($language, "talk.js"),
            ],
            sources: include_str!(concat!(env!("OUT_DIR"), "/", $language, "/sources")),
        }
    };
}

/// The page in each language, in the order of [`Language::ALL`].
static PAGES: [Page; 8] = [
    page!("en"),
    page!("de"),
    page!("fr"),
    page!("es"),
    page!("fa"),
    page!("ru"),
    page!("ar"),
    page!("zh-Hans"),
];

/// The page in one language: the document, and what it asks for when a guest needs it: how to go on at another address of the room, how to speak to it without
/// a WebSocket, how to show what hosts have decided, their tools, what newcomers need and how a guest stays the same one, the other rooms, and what guests do with messages, with what helps them to write and to notice. The document runs each as an element of its own, so that
/// the policy knows it by its hash, wherever the room's paths begin.
struct Page {
    document: Text,
    later: [Later; 6],
    /// `script-src` and `style-src`: exactly what the document and the scripts that it asks for hold may run.
    sources: &'static str,
}

impl Page {
    fn of(language: Language) -> &'static Self {
        &PAGES[language as usize]
    }
}

/// So many doors are in the policy at most: each makes every answer longer by its address.
const DOORS_MAX: usize = 16;

/// A script that the document asks for.
struct Later {
    name: &'static str,
    /// For browsers that cannot decompress in scripts.
    text: Text,
    /// Compressed with the end of the document's script as the dictionary (`web/build/dictionary.rs`).
    deflated: &'static [u8],
}

/// The end of the path of a script in its form for browsers that can decompress in scripts.
const DEFLATED: &str = ".deflate";

/// A text as it is and compressed.
struct Text {
    plain: &'static [u8],
    compressed: &'static [u8],
}

impl Text {
    /// Compressed if the client takes that.
    fn respond(&self, request: &HeaderMap, content_type: &'static str) -> Response<Body> {
        let compressed = accepts_gzip(request);
        let body = if compressed { self.compressed } else { self.plain };
        let mut response = Response::new(Body::from(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// The response to a request for the document, in this language: compressed if the client takes that. `authority` is what the request
/// was for, `doors` are the room's other origins: the document may ask there whether they answer.
pub fn respond(
    language: Language,
    request: &HeaderMap,
    authority: Option<&Authority>,
    doors: &[String],
) -> Response<Body> {
    let mut response = Page::of(language).document.respond(request, "text/html; charset=utf-8");
    // Only visible ASCII goes in, so this cannot fail; were it to, a document that may do nothing is right.
    let policy = HeaderValue::try_from(content_security_policy(language, authority, doors))
        .unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding, accept-language, cookie"));
    response
}

/// The names of the scripts that the document asks for later, in each of their forms.
pub fn later_names() -> impl Iterator<Item = String> {
    Page::of(Language::English)
        .later
        .iter()
        .flat_map(|Later { name, .. }| ["", DEFLATED].map(|form| format!("{name}{form}")))
}

/// The response to a request for one of the scripts that the document asks for later; none if this is not its name. The document
/// names its own language in the query, since the policy knows no other, and by now the browser may prefer one.
pub fn later(name: &str, query: &str, request: &HeaderMap) -> Option<Response<Body>> {
    let page = Page::of(Language::from_code(query).unwrap_or_default());
    let deflated = name.strip_suffix(DEFLATED);
    let script = page.later.iter().find(|script| script.name == deflated.unwrap_or(name))?;
    if deflated.is_none() {
        return Some(script.text.respond(request, "text/javascript; charset=utf-8"));
    }
    let mut response = Response::new(Body::from(script.deflated));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Some(response)
}

/// The document's Content-Security-Policy ([CSP 3](https://www.w3.org/TR/CSP3/)): what the document holds, and a
/// connection back to where it came from. The address of the WebSocket is spelled out because not every
/// engine counts `ws:` or `wss:` as `'self'`. Of a door, its `/health` alone.
pub fn content_security_policy(
    language: Language,
    authority: Option<&Authority>,
    doors: &[String],
) -> String {
    let sources = Page::of(language).sources;
    let socket = authority
        .filter(|authority| is_plain_host(&authority.host))
        .map_or_else(String::new, |to| format!(" {}", to.socket_origin()));
    let doors = doors.iter().filter(|door| is_plain_origin(door)).take(DOORS_MAX);
    let doors: String = doors.map(|door| format!(" {door}/health")).collect();
    format!(
        "default-src 'none'; {sources}; img-src data:; connect-src 'self'{socket}{doors}; frame-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
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

#[cfg(test)]
#[path = "index_texts_tests.rs"]
mod texts_tests;
