//! Who a request of the chat without JavaScript is from: cookies, and what proves that a form is the room's own.
//!
//! A token in an address could be linked to, and a visitor who followed the link would speak as the linker's guest. So it is in
//! a cookie that only the room's own pages send (`SameSite=Strict`), no script reads, and no other route gets.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use http::header::{HeaderName, ORIGIN, SET_COOKIE};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use super::answer;
use super::seen::Seen;
use crate::http::cookies::{cookie, suffix};
use crate::http::error::Problem;
use crate::http::guard::Authority;
use crate::http::language;
use crate::http::site::{ChargedRoom, Site, room_name};
use crate::hub::Room;
use crate::language::{Language, english};
use crate::protocol::{Name, Token};
use crate::rooms::Front;
use crate::transport::noscript::markup::{Look, Window};
use crate::transport::noscript::theme::Theme;

/// The cookie with the token of a guest who has entered.
const GUEST: &str = "guest";

/// The cookie with the name that the guest has, for when the room no longer knows it.
const NAME: &str = "name";

/// The cookie with the secret of the entry's form. It is no identity; it shows that cookies are kept.
const ENTRY: &str = "entry";

/// The cookie with up to where the browser has looked in each room, for all of them.
const SEEN: &str = "seen";

/// The cookie with how the guest wants the pages to look, for all rooms.
const THEME: &str = "theme";

/// What a form without a cookie is answered with, or a part of the room.
pub(super) const NO_COOKIE: &str = english("This browser does not have the room's cookie any more.");

/// The longest number of a form or window, in characters.
const NUMBER_MAX: usize = 64;

/// What a request says about who sent it, in a room that exists.
pub(super) struct Session {
    /// The language of the answer.
    pub(super) language: Language,
    /// The guest's token.
    pub(super) token: Option<Token>,
    /// The name that the guest had last.
    pub(super) name: Option<Name>,
    /// The secret of the entry's form.
    pub(super) entry: Option<Token>,
    /// The name of the room.
    pub(super) room: String,
    /// Up to where this browser has looked in each room.
    pub(super) seen: Seen,
    /// What the page shows of the room to a visitor.
    pub(super) front: Front,
    /// Whether the request is to be answered inside a frame.
    framed: bool,
    /// Whether the browser says that a page of the room itself sent the request.
    vouched: bool,
    /// The path of the cookies.
    path: String,
    /// What the names of the cookies end with.
    suffix: String,
    /// Whether the guest reaches the room by https.
    secure: bool,
    /// The origin at which the guest reaches the room.
    pub(super) origin: String,
}

impl FromRequestParts<Arc<Site>> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let room = room_name(parts, site).await;
        let language = language_of(parts);
        let front =
            site.rooms.front(&room).map_err(|refusal| answer::refused(language, Look::Room, refusal))?;
        let authority = parts.extensions.get::<Authority>();
        let suffix = suffix(authority);
        let cookie = |name: &str| cookie(&parts.headers, &format!("{name}{suffix}"));
        let token = |name: &str| cookie(name).and_then(|text| Token::parse(text).ok());
        Ok(Self {
            language,
            token: token(GUEST),
            name: cookie(NAME).and_then(decoded_name),
            entry: token(ENTRY),
            framed: single(&parts.headers, SEC_FETCH_DEST).is_some_and(|kind| kind == "iframe"),
            vouched: vouched(&parts.headers),
            // Where the address has a key, `http::local_key` puts it before this.
            path: format!("/rooms/{room}/page"),
            seen: cookie(SEEN).map(Seen::parse).unwrap_or_default(),
            room,
            front,
            suffix: suffix.to_owned(),
            secure: authority.is_some_and(|authority| authority.secure),
            origin: authority.map_or(String::new(), Authority::origin),
        })
    }
}

/// The language of the answer to this request.
fn language_of(parts: &Parts) -> Language {
    parts.extensions.get().copied().unwrap_or_default()
}

/// The room that the path names, as [`ChargedRoom`]; what is wrong with it is told in a document.
pub(super) struct PageRoom(pub(super) Room);

impl FromRequestParts<Arc<Site>> for PageRoom {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let found = ChargedRoom::from_request_parts(parts, site).await;
        let refused = |problem| answer::refused(language_of(parts), Look::Room, problem);
        found.map(|ChargedRoom(room)| Self(room)).map_err(refused)
    }
}

impl Session {
    /// A part of the room for a browser without the cookie: a frame says so, a window goes to the entry.
    pub(super) fn without_cookie(&self, look: Look) -> Response {
        if self.framed {
            answer::outside(self.language, look, NO_COOKIE)
        } else {
            answer::see_other("../page")
        }
    }

    /// Whether the browser says that a page of the room itself sent the request.
    pub(super) fn is_vouched(&self) -> bool {
        self.vouched
    }

    /// A problem, in the language of the answer.
    pub(super) fn problem(&self, problem: impl Into<Problem>) -> Problem {
        problem.into().translated(self.language)
    }

    /// Keeps the language that was chosen, for all pages of the address. The page with scripts sets it, too.
    pub(super) fn keep_language(&self, response: &mut Response, language: Language) {
        let secure = if self.secure { "; Secure" } else { "" };
        let (name, suffix, code) = (language::COOKIE, &self.suffix, language.code());
        let cookie = format!("{name}{suffix}={code}; Path=/; SameSite=Strict{secure}");
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }

    /// Keeps up to where this browser has looked, for all rooms.
    pub(super) fn keep_seen(&self, response: &mut Response, seen: &Seen) {
        self.set_at("/rooms", response, SEEN, &seen.encode());
    }

    /// Keeps how the guest wants the pages to look.
    pub(super) fn keep_theme(&self, response: &mut Response, theme: Theme) {
        self.set_at("/rooms", response, THEME, &theme.encode());
    }

    /// Whether a form with this number and this proof is the room's own: either the browser says so, or the proof is right,
    /// which only a page of the room could have.
    pub(super) fn is_own_form(&self, secret: &Token, number: &str, proof: &str) -> bool {
        self.vouched || proof == prove(secret, number)
    }

    /// Keeps the guest in the browser until it is closed.
    pub(super) fn keep(&self, response: &mut Response, token: &Token, name: &Name) {
        self.set(response, GUEST, &token.encode());
        self.keep_name(response, name);
    }

    /// Keeps the guest, without a name.
    pub(super) fn keep_token(&self, response: &mut Response, token: &Token) {
        self.set(response, GUEST, &token.encode());
    }

    /// Keeps the guest's name alone.
    pub(super) fn keep_name(&self, response: &mut Response, name: &Name) {
        self.set(response, NAME, &BASE64URL_NOPAD.encode(name.as_str().as_bytes()));
    }

    /// Keeps the secret of the entry's form.
    pub(super) fn keep_entry(&self, response: &mut Response, secret: &Token) {
        self.set(response, ENTRY, &secret.encode());
    }

    /// Makes the browser forget the guest. With the secret of the entry, which would tie the next guest to this one.
    pub(super) fn forget(&self, response: &mut Response) {
        for name in [GUEST, NAME, ENTRY] {
            self.set(response, name, "; Max-Age=0");
        }
    }

    /// `Secure` (RFC 6265, section 4.1.2.5) where the guest reaches the room by https; an onion service is reached by plain
    /// http.
    fn set(&self, response: &mut Response, name: &str, value: &str) {
        self.set_at(&self.path, response, name, value);
    }

    fn set_at(&self, path: &str, response: &mut Response, name: &str, value: &str) {
        let Self { suffix, .. } = self;
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!("{name}{suffix}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}");
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
}

/// How the guest wants the pages to look.
pub(super) fn theme(headers: &HeaderMap, extensions: &Extensions) -> Theme {
    let name = format!("{THEME}{}", suffix(extensions.get()));
    cookie(headers, &name).map(Theme::parse).unwrap_or_default()
}

/// The token of the guest who enters by the entry with this secret.
pub(super) fn guest_of(secret: &Token) -> Option<Token> {
    let hash = Sha256::new().chain_update("guest").chain_update(secret.encode()).finalize();
    Token::parse(&BASE64URL_NOPAD.encode(&hash)).ok()
}

/// A window with this number, and the proof for its forms.
pub(super) fn window(secret: &Token, number: String) -> Window {
    Window { proof: prove(secret, &number), number }
}

/// What only a page of the room could have beside a form's number: a hash over a secret and the number.
pub(super) fn prove(secret: &Token, number: &str) -> String {
    let hash =
        Sha256::new().chain_update("form").chain_update(secret.encode()).chain_update(number).finalize();
    BASE64URL_NOPAD.encode(&hash[..16])
}

/// A random number for a form or a window, in hexadecimal. Without randomness it is the same each time, and a text that is
/// sent from two forms is one message.
pub(super) fn random_number() -> String {
    let mut bytes = [0; 16];
    let _ = getrandom::fill(&mut bytes);
    HEXLOWER.encode(&bytes)
}

/// A number as a request gives it, of letters and digits; empty if it is none.
pub(super) fn number(given: Option<&str>) -> String {
    let plain =
        |text: &&str| text.len() <= NUMBER_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    given.filter(plain).unwrap_or_default().to_owned()
}

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The guard has compared `Origin` with the room's own address, and let `null` pass only beside a `Sec-Fetch-Site` that
/// vouches for it.
fn vouched(headers: &HeaderMap) -> bool {
    match single(headers, SEC_FETCH_SITE) {
        Some(site) => site == "same-origin",
        None => single(headers, ORIGIN).is_some_and(|origin| origin != "null"),
    }
}

/// A header that is there once.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut lines = headers.get_all(name).into_iter();
    let line = lines.next()?.to_str().ok()?;
    lines.next().is_none().then_some(line)
}

fn decoded_name(text: &str) -> Option<Name> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    Name::parse(std::str::from_utf8(&bytes).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::event::Kept;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_browser_vouches_or_it_does_not() {
        for (site, origin, vouches) in [
            (Some("same-origin"), None, true),
            (Some("same-origin"), Some("null"), true),
            (None, Some("http://localhost:8646"), true),
            (None, Some("null"), false),
            (None, None, false),
            (Some("none"), None, false),
            (Some("none"), Some("http://localhost:8646"), false),
            (Some("cross-site"), None, false),
            (Some("same-site"), None, false),
            (Some(""), None, false),
        ] {
            let site = site.map(|site| (SEC_FETCH_SITE, site));
            let origin = origin.map(|origin| (ORIGIN, origin));
            let given: Vec<_> = site.into_iter().chain(origin).collect();
            assert_eq!(vouched(&headers(&given)), vouches, "{given:?}");
        }
    }

    #[test]
    fn a_proof_is_of_one_secret_and_one_number() {
        let (ann, bob) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(prove(&ann, "1"), prove(&ann, "1"));
        assert_ne!(prove(&ann, "1"), prove(&ann, "2"));
        assert_ne!(prove(&ann, "1"), prove(&bob, "1"));
    }

    /// Under a path of its own the room's cookies are under that path: no other service on the host gets them.
    #[test]
    fn cookies_are_of_this_room_alone() {
        for (secure, end) in [(false, ""), (true, "; Secure")] {
            let path = "/key/rooms/main/page".to_owned();
            let (token, name, suffix) = (None, None, "8646".into());
            let origin = String::new();
            let front = Front { title: "Tea".into(), kept: Kept { messages: 0, days: 0 } };
            let session = Session {
                language: Language::English,
                token,
                name,
                entry: None,
                room: "main".into(),
                seen: Seen::default(),
                front,
                framed: false,
                vouched: false,
                path,
                suffix,
                secure,
                origin,
            };
            let mut response = Response::default();
            session.keep_entry(&mut response, &Token::parse(&"A".repeat(43)).unwrap());
            let expected = format!(
                "entry8646={}; Path=/key/rooms/main/page; HttpOnly; SameSite=Strict{end}",
                "A".repeat(43)
            );
            assert_eq!(response.headers()[SET_COOKIE], expected.as_str());
        }
    }
}
