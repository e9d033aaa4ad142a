//! Cookies of requests, and the names that the room's own have.

use http::HeaderMap;
use http::header::COOKIE;

use super::guard::Authority;

/// The value of a cookie (RFC 6265, section 4.2.1); the first of several with one name.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(given, _)| *given == name).map(|(_, value)| value)
}

/// What the names of the room's cookies end with: the port. Cookies are of a host, not of a port (RFC 6265, section 8.5): two rooms
/// on one machine need names of their own.
pub(super) fn suffix(authority: Option<&Authority>) -> &str {
    let port = authority.and_then(|authority| authority.host.rsplit_once(':')).map_or("", |(_, port)| port);
    if port.bytes().all(|byte| byte.is_ascii_digit()) { port } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, "a=1; guest8646=abc;guest=xyz; guest=second; =; odd".parse().unwrap());
        assert_eq!(cookie(&headers, "guest8646"), Some("abc"));
        assert_eq!(cookie(&headers, "guest"), Some("xyz"));
        assert_eq!(cookie(&headers, "odd"), None);
    }
}
