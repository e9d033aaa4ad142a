//! The languages of guests: by the browser's preference, by the cookie of the switch, on every transport, and in no event.

use onionroom::language::Language;
use serde_json::{Value, json};

use crate::kit::noscript::NoscriptGuest;
use crate::kit::{Guest, TestRoom, Visitor};

const TAKEN: &str = "Somebody here is called that, or something that looks the same. Choose another name.";

/// A text in a language that has it.
fn said(language: Language, english: &'static str) -> &'static str {
    let said = language.say(english);
    assert!(language == Language::English || said != english, "{english} in {}", language.code());
    said
}

/// Sends a switch's form.
async fn switch(guest: &NoscriptGuest, language: &str, back: &str) -> (String, Option<String>) {
    let fields = [("language", language), ("back", back)];
    let answer = guest.post_to("/language", &fields, &["Sec-Fetch-Site: same-origin"]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    (answer.header("location").unwrap().to_owned(), answer.header("set-cookie").map(str::to_owned))
}

#[tokio::test]
async fn the_page_is_in_the_language_that_the_browser_prefers_or_the_guest_has_chosen() {
    let room = TestRoom::open().await;
    let mut guest = NoscriptGuest::stranger(&room);
    let page = |guest: &NoscriptGuest, header: &str| {
        let (guest, header) = (guest.clone(), format!("Accept-Language: {header}"));
        async move { guest.request("GET /rooms/main/page", &[&header], "").await }
    };
    let long = "x-,".repeat(4000);
    for (header, language) in [
        ("de-AT, en;q=0.5", Language::German),
        ("tlh, fa-IR;q=0.3, en;q=0.2", Language::Persian),
        ("zh-Hant", Language::Chinese),
        ("tlh", Language::English),
        (";;;q=,*;q=9, \u{e9}", Language::English),
        (long.as_str(), Language::English),
    ] {
        let answer = page(&guest, header).await;
        assert_eq!((answer.status, answer.header("content-language")), (200, Some(language.code())));
        let varies: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "vary")
            .map(|(_, value)| value.as_str())
            .collect();
        assert!(varies.join(", ").contains("accept-language, cookie"), "{varies:?}");
        let begins =
            format!("<!doctype html>\n<html lang=\"{}\" dir=\"{}\">", language.code(), language.direction());
        assert!(answer.text().starts_with(&begins), "{}", answer.text());
        assert!(
            answer.text().contains(&format!(">{}</button>", said(language, "Enter"))),
            "{}",
            answer.text()
        );
    }
    let (back, cookie) = switch(&guest, "ar", "page").await;
    let port = room.address().port();
    assert_eq!(back, "../page");
    assert_eq!(cookie.unwrap(), format!("language{port}=ar; Path=/; SameSite=Strict"));
    guest.cookies.push((format!("language{port}"), "ar".to_owned()));
    let chosen = page(&guest, "de").await;
    assert!(chosen.text().contains("<html lang=\"ar\" dir=\"rtl\">"), "{}", chosen.text());
    // The page with scripts, too.
    let index = guest.request("GET /", &["Accept-Language: de"], "").await;
    assert_eq!(index.header("content-language"), Some("ar"));
}

/// A form says in which language, and where it stands: neither comes into an answer unless it is known.
#[tokio::test]
async fn a_switch_leads_nowhere_else_and_is_the_rooms_own() {
    let room = TestRoom::open().await;
    let guest = NoscriptGuest::stranger(&room);
    for back in
        ["//evil.example/", "https://evil.example/", "/\\evil.example", "page\r\nSet-Cookie: guest=x", ""]
    {
        assert_eq!(switch(&guest, "de", back).await.0, "../page", "{back}");
    }
    assert_eq!(switch(&guest, "de", "message?of=12").await.0, "message?of=12");
    for language in ["xx", "de; Path=/x", "de\r\nX: y", ""] {
        assert_eq!(switch(&guest, language, "page").await.1, None, "{language}");
    }
    let long = "x".repeat(300);
    assert_eq!(switch(&guest, "de", &long).await, ("../page".to_owned(), None));
    let fields = [("language", "de"), ("back", "page")];
    for from in ["cross-site", "same-site"] {
        let answer = guest.post_to("/language", &fields, &[&format!("Sec-Fetch-Site: {from}")]).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
    }
    let answer = guest.post_to("/language", &fields, &["Origin: https://evil.example"]).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
    let by_link = guest.get("/language", "&language=de").await;
    assert_eq!((by_link.status, by_link.header("set-cookie")), (303, None));
}

/// What a browser keeps for outages is the same whatever its cookies are; what never ends keeps its language.
#[tokio::test]
async fn a_stream_keeps_the_language_in_which_it_was_opened() {
    let room = TestRoom::open().await;
    let mut guest = NoscriptGuest::arrive_as(&room, "Ann").await;
    let mut bob = room.guest("Bob").await;
    bob.say("b1", "hello").await;
    let language = format!("language{}", room.address().port());
    guest.cookies.push((language.clone(), "de".to_owned()));
    let inside = guest.open().await;
    assert!(inside.text().contains("src=\"page/connection?window="), "{}", inside.text());
    assert!(inside.text().contains("&amp;in=de\""), "{}", inside.text());
    let kept = guest.get("/connection", "&in=de").await;
    assert_eq!(kept.header("content-language"), Some("de"));
    let varies: Vec<_> =
        kept.headers.iter().filter(|(name, _)| name == "vary").map(|(_, value)| value).collect();
    assert!(varies.iter().all(|value| *value == "accept-encoding"), "{varies:?}");
    assert!(kept.text().contains("&amp;in=de\""), "{}", kept.text());
    let mut stream = guest.stream("&in=de").await;
    let begun = stream.until(said(Language::German, "You came in")).await;
    assert!(begun.starts_with("<!doctype html>\n<html lang=\"de\""), "{begun}");
    guest.cookies.retain(|(name, _)| *name != language);
    guest.cookies.push((language, "ar".to_owned()));
    assert_eq!(guest.get("/connection", "&in=de").await.text(), kept.text());
    drop(bob);
    room.guest("Eve").await;
    let joined = Language::German.fill("{0} joined", &[&"<bdi>Eve</bdi>"]);
    stream.until(&joined).await;
}

#[tokio::test]
async fn a_name_is_suggested_in_the_guests_language_and_no_event_says_which_that_is() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let russian = |text: &str| {
        text.chars().all(|letter| letter == ' ' || ('А'..='ё').contains(&letter) || letter == 'Ё')
    };
    let check = |joined: Value| {
        assert!(russian(joined["guest"]["name"].as_str().unwrap()), "{joined}");
        assert!(
            !joined.to_string().contains("language") && !joined.to_string().contains("\"ru\""),
            "{joined}"
        );
    };
    let io = room.connect().await;
    let mut eve = Guest::connect_with(io, &room.host(), &[("accept-language", "ru")]).await;
    eve.hello_as(json!({})).await;
    check(bob.expect("joined").await);
    let seat = Visitor::stranger(&room)
        .request(
            "POST",
            "/rooms/main/guests",
            &["Content-Type: application/json", "Accept-Language: ru"],
            "{}",
        )
        .await;
    assert_eq!(seat.status, 201, "{}", seat.text());
    check(bob.expect("joined").await);
    let mut ann = NoscriptGuest::stranger(&room);
    ann.cookies.push((format!("language{}", room.address().port()), "ru".to_owned()));
    let entry = ann.open().await;
    assert_eq!(ann.enter(&entry, "").await.status, 303);
    check(bob.expect("joined").await);
    let io = room.connect().await;
    let mut ann = Guest::connect_with(io, &room.host(), &[("accept-language", "zh-CN")]).await;
    let name = ann.hello_as(json!({})).await["guest"]["name"].as_str().unwrap().to_owned();
    assert!(name.contains('的') || name.chars().count() >= 4, "{name}");
}

#[tokio::test]
async fn refusals_are_in_the_guests_language_and_their_codes_are_for_programs() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let io = room.connect().await;
    let mut eve = Guest::connect_with(io, &room.host(), &[("accept-language", "ru")]).await;
    eve.send(json!({ "type": "hello", "name": "Bob" })).await;
    let refused = eve.expect("error").await;
    assert_eq!(
        (&refused["code"], &refused["message"]),
        (&json!("name_taken"), &json!(said(Language::Russian, TAKEN)))
    );
    eve.hello_as(json!({ "name": "Eve" })).await;
    let long = "x".repeat(20_000);
    eve.send(json!({ "type": "say", "id": "e1", "text": long })).await;
    let refused = eve.expect("error").await;
    let sentence = "A message may have at most {0} bytes; this one has {1}. Say it in parts.";
    said(Language::Russian, sentence);
    let limit = eve.welcome["limits"]["message_bytes"].as_u64().unwrap();
    assert_eq!(refused["message"], Language::Russian.fill(sentence, &[&limit, &20_000]), "{refused}");
    assert_eq!((&refused["code"], &refused["id"]), (&json!("text_too_long"), &json!("e1")));
    // What only programs meet stays English, and so does everything for who asks for nothing else.
    eve.send(json!({ "type": "say", "id": "e2" })).await;
    assert_eq!(eve.expect("error").await["message"], "The member \"text\" is missing.");
    bob.send(json!({ "type": "rename", "name": "Eve" })).await;
    assert_eq!(bob.expect("error").await["message"], TAKEN);

    let seat = |header: &'static str| {
        let visitor = Visitor::stranger(&room);
        async move {
            let headers = ["Content-Type: application/json", header];
            visitor.request("POST", "/rooms/main/guests", &headers, r#"{"name":"Bob"}"#).await
        }
    };
    for (header, language) in
        [("Accept-Language: fr, en;q=0.1", Language::French), ("Accept-Language: tlh", Language::English)]
    {
        let answer = seat(header).await;
        assert_eq!((answer.status, answer.header("content-language")), (409, Some(language.code())));
        assert_eq!(answer.header("vary"), Some("accept-language, cookie"));
        let problem = answer.json();
        assert_eq!((&problem["code"], &problem["status"]), (&json!("name_taken"), &json!(409)));
        assert_eq!(problem["detail"], said(language, TAKEN));
    }
    let mut ann = NoscriptGuest::stranger(&room);
    ann.cookies.push((format!("language{}", room.address().port()), "es".to_owned()));
    let entry = ann.open().await;
    let refused = ann.enter(&entry, "Bob").await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains(said(Language::Spanish, TAKEN)), "{}", refused.text());
}
