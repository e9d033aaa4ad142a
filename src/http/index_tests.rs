use std::io::Read;

use flate2::read::GzDecoder;
use http::header::CACHE_CONTROL;

use super::*;

/// What opening a room may cost, compressed.
const BUDGET: usize = 20_000;

/// What it may cost together with everything that a guest may load later.
const BUDGET_WITH_ALL: usize = 30_000;

fn document() -> String {
    String::from_utf8(Index::assemble().document.plain.to_vec()).expect("the page is UTF-8")
}

/// What stands between each `open` and the next `close`.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> Vec<&'a str> {
    text.split(open).skip(1).map(|rest| rest.split(close).next().unwrap_or(rest)).collect()
}

/// The document without what scripts and styles say.
fn markup() -> String {
    let mut text = document();
    for content in [script(), compact::style(STYLE.1)] {
        assert!(text.contains(&content));
        text = text.replace(&content, "");
    }
    text
}

#[test]
fn the_page_fits_its_budget() {
    let page = Index::assemble().document;
    assert!(page.compressed.len() <= BUDGET, "{} bytes compressed", page.compressed.len());
    let mut unpacked = Vec::new();
    GzDecoder::new(&page.compressed[..]).read_to_end(&mut unpacked).expect("valid gzip");
    assert_eq!(unpacked, page.plain);
    assert_eq!(page.compressed[4..8], [0; 4], "the time of compression is not told");
}

/// With all that a guest may load later.
#[test]
fn everything_together_fits_its_budget() {
    let index = Index::assemble();
    let sizes: Vec<_> = index.later.iter().map(|later| later.compressed.len()).collect();
    let all = index.document.compressed.len() + sizes.iter().sum::<usize>();
    assert!(all <= BUDGET_WITH_ALL, "{all} bytes compressed, later {sizes:?}");
    assert!(later().iter().all(|later| !later.contains(".css'")));
}

#[test]
fn the_document_asks_for_nothing() {
    let (document, markup) = (document(), markup());
    for attribute in ["src=", "href=", "srcset=", "action=", "poster=", "data="] {
        for value in between(&markup, &format!(" {attribute}"), ">") {
            // What browsers without JavaScript show in its place is a frame of the room's own.
            let frame = value.starts_with("\"rooms/main/page\"");
            assert!(value.starts_with("\"data:") || frame, "{attribute}{value}");
        }
    }
    assert!(!STYLE.1.contains("url(") && !STYLE.1.contains("@import"));
    assert_eq!(between(&document, "<script>", "</script>"), [script()]);
    assert_eq!(between(&document, "<style>", "</style>"), [compact::style(STYLE.1)]);
    // Address patterns and the icon's namespace are not addresses that anything is fetched from.
    assert!(!document.contains("//www.") && !document.contains("import "));
}

/// What `compact` takes for granted.
#[test]
fn the_scripts_are_of_the_kind_that_is_made_compact() {
    for (name, script) in SCRIPTS.into_iter().chain(LATER) {
        // What follows a comment on its last line would be lost, and a text over several lines would lose its indentation.
        for line in script.lines().map(str::trim) {
            let ends_early = line.starts_with("/*") && line.contains("*/") && !line.ends_with("*/");
            assert!(!ends_early && line.matches('`').count() % 2 == 0, "{name}: {line}");
        }
        assert!(script.contains("'use strict';\n"), "{name}");
    }
}

#[test]
fn everything_that_runs_stands_in_a_hashed_element() {
    let markup = markup();
    assert!(!markup.contains(" style=") && !markup.contains("javascript:"));
    for tag in between(&markup, "<", ">") {
        let handler = tag.split_whitespace().find(|word| word.starts_with("on") && word.contains('='));
        assert_eq!(handler, None, "inline handler");
    }
    let served = later().map(|script| ("later", script));
    let served = served.iter().map(|(name, script)| (*name, script.as_str()));
    for (name, script) in SCRIPTS.into_iter().chain(served).chain([("all", script().as_str())]) {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "</",
            "<!--",
        ] {
            assert!(!script.contains(forbidden), "{name} contains {forbidden}");
        }
    }
}

#[test]
fn the_policy_allows_exactly_what_the_document_holds() {
    let policy = Index::assemble().content_security_policy(Some(&Authority::plain("127.0.0.1:8646")), &[]);
    let document = document();
    let content = between(&document, "<script>", "</script>")
        .into_iter()
        .chain(between(&document, "<style>", "</style>"));
    let mut hashes = 0;
    for text in content {
        assert!(policy.contains(&source_hash(text)));
        hashes += 1;
    }
    // And what it may ask for.
    for script in later() {
        assert!(policy.contains(&source_hash(&script)));
        hashes += 1;
    }
    assert_eq!(policy.matches("'sha256-").count(), hashes);
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    assert!(policy.contains("connect-src 'self' ws://127.0.0.1:8646;"));
    assert!(!policy.contains("unsafe"));
    // The digest of no bytes, as sha256sum prints it.
    assert_eq!(source_hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
}

#[test]
fn the_page_knows_what_a_crowd_is() {
    assert!(later().concat().contains(&format!("OCCUPANCY_ABOVE={};", crate::protocol::OCCUPANCY_ABOVE)));
}

#[test]
fn an_odd_authority_adds_nothing_to_the_policy() {
    let page = Index::assemble();
    for odd in ["", "a b", "a;script-src *", "a,b", "a'b"] {
        assert!(
            page.content_security_policy(Some(&Authority::plain(odd)), &[]).contains("connect-src 'self';"),
            "{odd:?}"
        );
    }
    assert!(page.content_security_policy(None, &[]).contains("connect-src 'self';"));
    let local = Authority::plain("[::1]:80");
    assert!(page.content_security_policy(Some(&local), &[]).contains(" ws://[::1]:80;"));
    let public = Authority { host: "room.example".into(), secure: true };
    assert!(
        page.content_security_policy(Some(&public), &[]).contains("connect-src 'self' wss://room.example;")
    );
}

#[test]
fn the_document_may_ask_the_doors_whether_they_answer_and_nothing_else_of_them() {
    let page = Index::assemble();
    let sources = |doors: &[&str]| {
        let doors: Vec<_> = doors.iter().map(|door| (*door).to_owned()).collect();
        let policy = page.content_security_policy(Some(&Authority::plain("one.onion")), &doors);
        between(&policy, "connect-src ", ";")[0].to_owned()
    };
    assert_eq!(sources(&[]), "'self' ws://one.onion");
    assert_eq!(
        sources(&["http://two.onion", "https://room.example:81"]),
        "'self' ws://one.onion http://two.onion/health https://room.example:81/health"
    );
    let odd = [
        "",
        "two.onion",
        "http://",
        "http://a b",
        "http://a;script-src *",
        "http://a/b",
        "ws://a",
        "http://a'",
    ];
    assert_eq!(sources(&odd), "'self' ws://one.onion");
    assert_eq!(sources(&["http://two.onion"; 100]).matches("/health").count(), DOORS_MAX);
}

#[test]
fn compressed_only_for_those_who_take_it() {
    let page = Index::assemble();
    let cases: [(Option<&str>, bool); 12] = [
        (None, false),
        (Some(""), false),
        (Some("gzip, deflate, br, zstd"), true),
        (Some("GZIP"), true),
        (Some("br, x-gzip;q=0.5"), true),
        (Some("gzip;q=0"), false),
        (Some("gzip; q=0.000, *"), false),
        (Some("*"), true),
        (Some("*;q=0"), false),
        (Some("gzip;q=many"), false),
        (Some("identity"), false),
        (Some("gzipped"), false),
    ];
    for (accepted, compressed) in cases {
        let mut request = HeaderMap::new();
        if let Some(value) = accepted {
            request.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        let response = page.respond(&request, Some(&Authority::plain("room.onion")), &[]);
        let headers = response.headers();
        assert_eq!(headers.contains_key(CONTENT_ENCODING), compressed, "{accepted:?}");
        assert_eq!(headers[VARY], "accept-encoding");
        assert!(!headers.contains_key(CACHE_CONTROL), "as every other answer: nothing is kept");
        assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(
            headers[CONTENT_SECURITY_POLICY].as_bytes(),
            page.content_security_policy(Some(&Authority::plain("room.onion")), &[]).as_bytes()
        );
    }
}
