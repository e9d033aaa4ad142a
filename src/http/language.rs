//! The language of a request: that of the cookie which a switch sets, or else what the browser prefers.
//!
//! It is of one request. It is kept with no guest, told to no other one, and in no log.

use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, VARY};
use http::{HeaderMap, HeaderValue};

use super::cookies::{cookie, suffix};
use super::guard::Authority;
use crate::language::Language;

/// The cookie with the language that was chosen, of all rooms of the address.
pub const COOKIE: &str = "language";

/// The language in which a request is to be answered.
pub fn of(headers: &HeaderMap, authority: Option<&Authority>) -> Language {
    let chosen = cookie(headers, &format!("{COOKIE}{}", suffix(authority)));
    // Lines of one name are one list (RFC 9110, section 5.3). More than one is rare.
    let mut lines = headers.get_all(ACCEPT_LANGUAGE).into_iter().filter_map(|line| line.to_str().ok());
    let first = lines.next();
    match lines.next() {
        None => Language::negotiate(chosen, first),
        Some(second) => {
            let all: Vec<_> = first.into_iter().chain([second]).chain(lines).collect();
            Language::negotiate(chosen, Some(&all.join(",")))
        }
    }
}

/// Says in which language an answer is, and that another request would get it in another.
pub fn mark(headers: &mut HeaderMap, language: Language) {
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
    headers.append(VARY, HeaderValue::from_static("accept-language, cookie"));
}

#[cfg(test)]
mod tests {
    use http::header::{self, HeaderName};

    use super::*;

    fn asked(pairs: &[(HeaderName, &str)], host: &str) -> Language {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        let authority = Authority::plain(host);
        of(&headers, Some(&authority))
    }

    #[test]
    fn the_cookie_of_this_room_counts_first() {
        let german = (ACCEPT_LANGUAGE, "de");
        assert_eq!(asked(std::slice::from_ref(&german), "x.onion"), Language::German);
        let cookies = |text| (header::COOKIE, text);
        let both = |text| [german.clone(), cookies(text)];
        assert_eq!(asked(&both("a=b; language=fa"), "x.onion"), Language::Persian);
        assert_eq!(asked(&both("language=fa"), "127.0.0.1:8646"), Language::German, "of another port");
        assert_eq!(asked(&both("language8646=ru"), "127.0.0.1:8646"), Language::Russian);
        assert_eq!(asked(&both("language=de-DE; language=ru"), "x.onion"), Language::German);
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [(ACCEPT_LANGUAGE, "tlh, fr;q=0.3"), (ACCEPT_LANGUAGE, "es;q=0.5")];
        assert_eq!(asked(&lines, "x.onion"), Language::Spanish);
    }
}
