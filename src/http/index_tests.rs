use std::collections::HashSet;
use std::io::Read;

use data_encoding::BASE64;
use flate2::read::{DeflateDecoder, GzDecoder};
use http::header::CACHE_CONTROL;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

// A build script has no tests of its own.
#[path = "../../web/build/style.rs"]
mod compact;
#[path = "../../web/build/look.rs"]
mod look;
#[path = "../../web/build/markup.rs"]
mod markup_parts;

/// What opening a room may cost, compressed.
const BUDGET: usize = 20_000;

/// What it may cost together with everything that a guest may load later.
const BUDGET_WITH_ALL: usize = 30_000;

/// What hosts and moderators load beside that, and guests never do: the page asks for it where its guest has a role.
const FOR_HOSTS: &str = "tools.js";

/// What that may cost.
const BUDGET_FOR_HOSTS: usize = 4_000;

/// So much more may all of it be in each other language.
const MORE_IN_OTHERS: usize = 2_500;

/// The page's own names of properties, each with the short one that it has in scripts.
const NAMES: &str = include_str!(concat!(env!("OUT_DIR"), "/en/names"));

fn utf8(text: &Text) -> &'static str {
    std::str::from_utf8(text.plain).expect("the page is UTF-8")
}

impl Page {
    fn document(&self) -> &'static str {
        utf8(&self.document)
    }

    /// The document's script.
    fn script(&self) -> &'static str {
        between(self.document(), "<script>", "</script>")[0]
    }

    /// The document's style.
    fn style(&self) -> &'static str {
        between(self.document(), "<style>", "</style>")[0]
    }

    /// The scripts that are asked for later.
    fn later(&self) -> [&'static str; 6] {
        self.later.each_ref().map(|script| utf8(&script.text))
    }

    /// The document without what scripts and styles say.
    fn markup(&self) -> String {
        let contents = [self.script(), self.style()];
        contents.iter().fold(self.document().to_owned(), |text, content| text.replace(content, ""))
    }
}

fn policy(language: Language, authority: Option<&str>) -> String {
    content_security_policy(language, authority.map(Authority::plain).as_ref(), &[])
}

/// A source expression that allows exactly this text.
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(&Sha256::digest(text)))
}

/// What stands between each `open` and the next `close`.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> Vec<&'a str> {
    text.split(open).skip(1).map(|rest| rest.split(close).next().unwrap_or(rest)).collect()
}

#[test]
fn the_page_fits_its_budget_in_every_language() {
    for (language, page) in Language::ALL.iter().zip(&PAGES) {
        let size = page.document.compressed.len();
        assert!(size <= BUDGET, "{}: {size} bytes compressed", language.code());
    }
}

/// With all that a guest may load later. `cargo test everything_together -- --nocapture` prints what it is in each language.
#[test]
fn everything_together_fits_its_budget() {
    for (language, page) in Language::ALL.iter().zip(&PAGES) {
        let sizes: Vec<_> = page.later.iter().map(|script| (script.name, script.deflated.len())).collect();
        let hosts: usize = sizes.iter().filter(|(name, _)| *name == FOR_HOSTS).map(|(_, size)| size).sum();
        let document = page.document.compressed.len();
        let all = document + sizes.iter().map(|(_, size)| size).sum::<usize>() - hosts;
        println!("{}: document {document}, with all {all}, for hosts {hosts}", language.code());
        // Letters of other alphabets take two bytes or three.
        let more = if *language == Language::English { 0 } else { MORE_IN_OTHERS };
        assert!(
            all <= BUDGET_WITH_ALL + more,
            "{}: {all} bytes compressed, later {sizes:?}",
            language.code()
        );
        assert!((1..=BUDGET_FOR_HOSTS + more).contains(&hosts), "{hosts} bytes compressed for hosts");
    }
}

#[test]
fn what_is_compressed_is_the_text_and_does_not_tell_when() {
    for text in
        PAGES.iter().flat_map(|page| page.later.iter().map(|script| &script.text).chain([&page.document]))
    {
        let mut unpacked = Vec::new();
        GzDecoder::new(text.compressed).read_to_end(&mut unpacked).expect("valid gzip");
        assert_eq!(unpacked, text.plain);
        assert_eq!(text.compressed[4..8], [0; 4]);
    }
}

/// As `web/later.js` decompresses it: after a stored block with how the document's style and script begin and end.
#[test]
fn what_is_deflated_goes_on_after_the_style_and_the_script_of_the_document() {
    const HEAD: usize = 14 * 1024;
    const TAIL: usize = 18 * 1024;
    for (page, Later { text, deflated, .. }) in
        PAGES.iter().flat_map(|page| page.later.iter().map(move |later| (page, later)))
    {
        let said = [page.style(), page.script()].concat().into_bytes();
        let known = [&said[..HEAD], &said[said.len() - TAIL..]].concat();
        let stored = [&[0, 0, 128, 255, 127], &known[..], deflated].concat();
        let mut unpacked = Vec::new();
        DeflateDecoder::new(&stored[..]).read_to_end(&mut unpacked).expect("valid deflate");
        assert_eq!(unpacked[known.len()..], *text.plain);
        assert!(deflated.len() < text.compressed.len());
    }
}

/// In a member of the protocol, and in what it says, no property of the page's own is renamed, and none becomes another.
#[test]
fn the_pages_own_names_are_none_of_the_protocol() {
    let names: HashSet<_> = NAMES.split_whitespace().collect();
    assert!(names.contains("showBeginning") && names.len() > 200);
    for description in [include_str!("../../docs/openapi.json"), include_str!("../../docs/asyncapi.json")] {
        let description: Value = serde_json::from_str(description).expect("a description is JSON");
        let mut rest = vec![&description];
        while let Some(value) = rest.pop() {
            match value {
                Value::Object(members) => {
                    let keys = members.keys().map(String::as_str);
                    let fixed = ["const", "enum"].iter().filter_map(|key| members.get(*key));
                    let values = fixed.flat_map(|value| {
                        value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
                    });
                    for word in keys.chain(values.filter_map(Value::as_str)) {
                        assert!(!names.contains(word), "web/own.txt has {word}, or makes it");
                    }
                    rest.extend(members.values());
                }
                Value::Array(items) => rest.extend(items),
                _ => {}
            }
        }
    }
}

#[test]
fn scripts_are_strict() {
    for script in PAGES.iter().flat_map(|page| page.later().into_iter().chain([page.script()])) {
        assert!(script.starts_with("\"use strict\";") && !script.contains(".css"));
        // The browser would count another hash, over other line ends.
        assert!(!script.contains(['\r', '\0']));
    }
}

#[test]
fn the_document_asks_for_nothing() {
    for page in &PAGES {
        let (document, markup) = (page.document(), page.markup());
        for attribute in ["src=", "href=", "srcset=", "action=", "poster=", "data="] {
            for value in between(&markup, &format!(" {attribute}"), ">") {
                // What browsers without JavaScript show in its place is a frame of the room's own.
                let frame = value.starts_with("rooms/main/page ");
                assert!(value.starts_with("\"data:") || frame, "{attribute}{value}");
            }
        }
        assert!(!page.style().contains("url(") && !page.style().contains("@import"));
        assert_eq!(between(document, "<script", ">"), [""]);
        assert_eq!(between(document, "<style", ">"), [""]);
        // Address patterns and the icon's namespace are not addresses that anything is fetched from.
        assert_eq!(between(document, "//www.", "'"), ["w3.org/2000/svg"]);
        assert!(!document.contains("import "));
    }
}

#[test]
fn everything_that_runs_stands_in_a_hashed_element() {
    for page in &PAGES {
        let markup = page.markup();
        assert!(!markup.contains(" style=") && !markup.contains("javascript:"));
        for tag in between(&markup, "<", ">") {
            let handler = tag.split_whitespace().find(|word| word.starts_with("on") && word.contains('='));
            assert_eq!(handler, None, "inline handler");
        }
        for (name, script) in
            page.later().map(|script| ("later", script)).into_iter().chain([("page", page.script())])
        {
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
}

#[test]
fn the_policy_allows_exactly_what_the_document_holds() {
    for (language, page) in Language::ALL.into_iter().zip(&PAGES) {
        let policy = policy(language, Some("127.0.0.1:8646"));
        // And what it may ask for.
        let scripts: Vec<_> = [page.script()].into_iter().chain(page.later()).map(source_hash).collect();
        let sources = format!("script-src {}; style-src {};", scripts.join(" "), source_hash(page.style()));
        assert!(policy.contains(&sources), "{policy}");
        assert_eq!(policy.matches("'sha256-").count(), scripts.len() + 1);
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"));
        assert!(policy.contains("connect-src 'self' ws://127.0.0.1:8646;"));
        assert!(!policy.contains("unsafe"));
    }
    // The digest of no bytes, as sha256sum prints it.
    assert_eq!(source_hash(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
}

#[test]
fn the_page_knows_what_a_crowd_is() {
    let source = include_str!("../../web/requests.js");
    assert!(source.contains(&format!("const OCCUPANCY_ABOVE = {};", crate::protocol::OCCUPANCY_ABOVE)));
}

#[test]
fn an_odd_authority_adds_nothing_to_the_policy() {
    for odd in ["", "a b", "a;script-src *", "a,b", "a'b"] {
        assert!(policy(Language::English, Some(odd)).contains("connect-src 'self';"), "{odd:?}");
    }
    assert!(policy(Language::English, None).contains("connect-src 'self';"));
    assert!(policy(Language::English, Some("[::1]:80")).contains(" ws://[::1]:80;"));
    let public = Authority { host: "room.example".into(), secure: true };
    assert!(
        content_security_policy(Language::Russian, Some(&public), &[])
            .contains("connect-src 'self' wss://room.example;")
    );
}

#[test]
fn the_document_may_ask_the_doors_whether_they_answer_and_nothing_else_of_them() {
    let sources = |doors: &[&str]| {
        let doors: Vec<_> = doors.iter().map(|door| (*door).to_owned()).collect();
        let policy = content_security_policy(Language::English, Some(&Authority::plain("one.onion")), &doors);
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
        let response = respond(Language::Persian, &request, Some(&Authority::plain("room.onion")), &[]);
        let headers = response.headers();
        assert_eq!(headers.contains_key(CONTENT_ENCODING), compressed, "{accepted:?}");
        assert_eq!(headers[VARY], "accept-encoding, accept-language, cookie");
        assert_eq!(headers[CONTENT_LANGUAGE], "fa");
        assert!(!headers.contains_key(CACHE_CONTROL), "as every other answer: nothing is kept");
        assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(
            headers[CONTENT_SECURITY_POLICY].as_bytes(),
            policy(Language::Persian, Some("room.onion")).as_bytes()
        );
    }
}

#[test]
fn each_document_says_its_language_and_direction() {
    for (language, page) in Language::ALL.into_iter().zip(&PAGES) {
        let direction = if language.direction() == "rtl" { " dir=rtl" } else { "" };
        let root = format!("<html lang={}{direction}>", language.code());
        assert!(page.document().starts_with(&format!("<!doctype html>\n{root}\n")), "{}", language.code());
    }
}

/// The policy of a document knows the later scripts of its own language alone.
#[test]
fn later_scripts_are_those_of_the_language_that_is_asked_for() {
    for (language, page) in Language::ALL.into_iter().zip(&PAGES) {
        for (Later { name, text, .. }, script) in page.later.iter().zip(page.later()) {
            assert_eq!(
                later(name, language.code(), &HeaderMap::new())
                    .map(|answer| answer.headers()[CONTENT_TYPE].clone()),
                Some(HeaderValue::from_static("text/javascript; charset=utf-8"))
            );
            assert!(policy(language, None).contains(&source_hash(script)));
            assert_eq!(text.plain, script.as_bytes());
        }
    }
    assert!(
        later("talk.js", "tlh&x=1", &HeaderMap::new()).is_some()
            && later("talk.js", "", &HeaderMap::new()).is_some()
    );
    assert!(later("other.js", "de", &HeaderMap::new()).is_none());
}
