//! The key of the local room: the first segment of every path on this machine's own listener.
//!
//! Any program and any local user can connect to a loopback port, and a page of any site can make the browser do so. A
//! request without the key is answered as a server would that has nothing to say: `404`, without a body and without any
//! header of this program, whatever its method, path, `Host` and `Origin` are.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64URL_NOPAD;
use http::header::{CONTENT_LENGTH, LOCATION, SET_COOKIE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::listen::{ConnectInfo, Peer};

/// The characters of a key: 16 random bytes in base64url (RFC 4648, section 5) without padding.
const CHARACTERS: usize = 22;

/// The key of the local room, as it stands in the path.
pub struct LocalKey(Zeroizing<String>);

impl LocalKey {
    /// A new key.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 16]);
        getrandom::fill(&mut bytes[..])?;
        Ok(Self(BASE64URL_NOPAD.encode(&bytes[..]).into()))
    }

    /// The key that this file has, so that bookmarks stay good; without one a new key, which is written there with the
    /// mode 0600. What is not a key is replaced.
    ///
    /// # Errors
    /// The file cannot be read or written, or the operating system has no randomness.
    pub fn kept_in(file: &Path) -> io::Result<Self> {
        if fs::metadata(file).is_ok_and(|data| !data.is_file()) {
            // To read a named pipe could wait for ever.
            return Err(io::Error::other("it is not a file"));
        }
        match fs::read_to_string(file).map(Zeroizing::new) {
            Ok(text) if is_key(text.trim_end()) => return Ok(Self(text.trim_end().to_owned().into())),
            // Invalid data is no text, and no key either.
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
                return Err(error);
            }
            _ => {}
        }
        let key = Self::random()?;
        let mut new = tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
        writeln!(new, "{}", key.as_str())?;
        new.as_file().sync_all()?;
        new.persist(file)?;
        Ok(key)
    }

    /// The key as it stands in the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the key in a path that begins with it. Takes as long whichever character is wrong.
    fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (given, rest) = path.strip_prefix('/')?.split_at_checked(CHARACTERS)?;
        let right: bool = given.as_bytes().ct_eq(self.0.as_bytes()).into();
        (right && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
    }

    /// Puts the key before the paths that a response sends the browser to, or sends cookies for.
    fn prefix_paths(&self, headers: &mut HeaderMap) {
        let key = self.as_str();
        if let Some(path) = headers.get(LOCATION).and_then(text).filter(|path| path.starts_with('/'))
            && let Ok(location) = HeaderValue::try_from(format!("/{key}{path}"))
        {
            headers.insert(LOCATION, location);
        }
        for cookie in headers.iter_mut().filter(|(name, _)| *name == SET_COOKIE).map(|(_, value)| value) {
            let prefixed = text(cookie).map(|text| text.replace("; Path=/", &format!("; Path=/{key}/")));
            if let Some(Ok(prefixed)) = prefixed.map(HeaderValue::try_from) {
                *cookie = prefixed;
            }
        }
    }
}

/// Lets requests of this machine to these routes only with the key, which is removed from the path. What comes through
/// Tor, or over a public listener, needs no key.
pub fn protect(router: Router, key: LocalKey) -> Router {
    Router::new().fallback_service(router).layer(middleware::from_fn_with_state(Arc::new(key), enter))
}

async fn enter(State(key): State<Arc<LocalKey>>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo { peer: Peer::Circuit(_) | Peer::Public(_), .. }) = request.extensions().get() {
        return next.run(request).await;
    }
    let uri = match key.strip(request.uri().path()) {
        Some("") => return complete(&key),
        Some(_) => without_key(request.uri()),
        None => None,
    };
    let Some(uri) = uri else {
        return nothing();
    };
    *request.uri_mut() = uri;
    let mut response = next.run(request).await;
    key.prefix_paths(response.headers_mut());
    response
}

/// What strangers get. The length is given here because it would be left out of the answer to `HEAD`.
fn nothing() -> Response {
    (StatusCode::NOT_FOUND, [(CONTENT_LENGTH, HeaderValue::from(0_u16))]).into_response()
}

/// Relative addresses in the page need the slash after the key.
fn complete(key: &LocalKey) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(location) = HeaderValue::try_from(format!("/{}/", key.as_str())) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn without_key(uri: &Uri) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let path = parts.path_and_query.as_ref()?.as_str().get(1 + CHARACTERS..)?;
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

fn is_key(text: &str) -> bool {
    text.len() == CHARACTERS && BASE64URL_NOPAD.decode(text.as_bytes()).is_ok()
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn a_path_is_stripped_of_the_right_key_alone() {
        let key = LocalKey::random().unwrap();
        let path = |rest: &str| format!("/{}{rest}", key.as_str());
        assert_eq!(key.strip(&path("/rooms/main")), Some("/rooms/main"));
        assert_eq!(key.strip(&path("")), Some(""));
        let other = format!("/{}/", LocalKey::random().unwrap().as_str());
        for wrong in ["", "/", "*", "/rooms/main/page", &path("x/"), &path("/")[1..], &other] {
            assert_eq!(key.strip(wrong), None, "{wrong}");
        }
        assert_eq!(key.strip(&format!("/{}é/", "a".repeat(CHARACTERS - 1))), None);
        let uri = Uri::try_from(path("//evil.example/x?y=1")).unwrap();
        assert_eq!(without_key(&uri).unwrap().path(), "//evil.example/x");
    }

    #[test]
    fn redirects_and_cookies_stay_below_the_key() {
        let key = LocalKey(Zeroizing::new("k".repeat(CHARACTERS)));
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_static("/rooms/main/page"));
        headers.append(SET_COOKIE, HeaderValue::from_static("a=1; Path=/rooms; HttpOnly"));
        headers.append(SET_COOKIE, HeaderValue::from_static("b=2; Path=/"));
        key.prefix_paths(&mut headers);
        let k = key.as_str();
        assert_eq!(headers[LOCATION], format!("/{k}/rooms/main/page"));
        let cookies: Vec<_> = headers.get_all(SET_COOKIE).into_iter().collect();
        assert_eq!(
            cookies,
            [format!("a=1; Path=/{k}/rooms; HttpOnly").as_str(), &format!("b=2; Path=/{k}/")]
        );
        headers.insert(LOCATION, HeaderValue::from_static("say#text"));
        key.prefix_paths(&mut headers);
        assert_eq!(headers[LOCATION], "say#text", "a relative address is right as it is");
    }

    #[test]
    fn a_kept_key_stays_and_what_is_none_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        let first = LocalKey::kept_in(&file).unwrap();
        assert_eq!(LocalKey::kept_in(&file).unwrap().as_str(), first.as_str());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        for no_key in [&b"short"[..], b"", b"\xff\xfe", &[b'='; CHARACTERS]] {
            fs::write(&file, no_key).unwrap();
            assert!(is_key(LocalKey::kept_in(&file).unwrap().as_str()), "{no_key:?}");
        }
    }

    /// To read a named pipe waited for ever.
    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        mknodat(CWD, &file, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(LocalKey::kept_in(&file).is_err_and(|error| error.to_string().contains("not a file")));
    }
}
