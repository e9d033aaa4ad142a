//! The chat for browsers without JavaScript, to the byte.

use std::time::Duration;

use serde_json::json;

use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::raw::Answer;
use crate::kit::{TestRoom, narrow, within};

#[tokio::test]
async fn two_people_chat_one_of_them_without_scripts() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = NoscriptGuest::arrive(&room).await;
    let name = bob.expect("joined").await["guest"]["name"].as_str().unwrap().to_owned();
    let mut stream = ann.stream("").await;
    let page = stream.until("Nothing has been said yet.").await;
    assert!(page.contains("2 here") && page.contains(&name) && page.contains("Bob"), "{page}");

    bob.say("b1", "good evening").await;
    let heard = stream.chunk().await.unwrap();
    assert!(heard.starts_with("<article class=\"h"), "{heard}");
    let badge = bob.welcome["guest"]["badge"].as_str().unwrap();
    assert!(
        heard.contains("\"><h2><bdi>Bob</bdi> <span class=\"badge\" ") && heard.contains(badge),
        "{heard}"
    );
    let end = "</span></h2><p dir=\"auto\">good evening</p><a href=\"message?of=1\" target=\"message\">more</a></article>\n";
    assert!(heard.ends_with(end), "{heard}");
    ann.say("and to you").await;
    assert_eq!(bob.expect("message").await["text"], "good evening");
    let heard = bob.expect("message").await;
    assert_eq!((&heard["text"], &heard["name"]), (&json!("and to you"), &json!(name)));
    let own = stream.chunk().await.unwrap();
    assert!(own.contains(" mine\" id=\"m2\"><h2>You</h2>") && own.contains("and to you"), "{own}");
}

#[tokio::test]
async fn a_form_that_is_sent_again_says_it_once_and_an_edited_one_says_more() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = NoscriptGuest::arrive(&room).await;
    let form = field(ann.get("/say", "").await.text(), "form");
    assert_ne!(form, field(ann.get("/say", "").await.text(), "form"), "each form is another");
    let fields = |text| [("form", form.clone()), ("text", text), ("do", "say".to_owned())];
    // A reload, a double click, going back and sending again.
    for text in ["hello", "hello", "hello\r\n", "hello, all"] {
        let fields = fields(text.to_owned());
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(ann.post(&fields).await.status, 303);
    }
    let (first, second) = (bob.expect("message").await, bob.expect("message").await);
    assert_eq!((&first["text"], &second["text"]), (&json!("hello"), &json!("hello, all")));
    ann.say("hello").await;
    assert_eq!(bob.expect("message").await["seq"], 3, "from a new form it is a new message");
}

#[tokio::test]
async fn what_is_refused_stays_in_the_box_beside_the_reason() {
    let room = TestRoom::open_with(|settings| settings.room.message_bytes = 20).await;
    let _bob = room.guest("Bob").await;
    let ann = NoscriptGuest::arrive(&room).await;
    let long = "a <b> & \"quoted\" message</textarea>";
    for (text, name, button, status, sentence) in [
        (long, "", "say", 422, "at most 20 bytes"),
        (" \r\n", "", "say", 422, "something to say"),
        ("a draft", "Bob", "rename", 409, "Somebody here is called that"),
        ("a draft", "\u{202e}x", "rename", 422, "name"),
    ] {
        let answer = ann.post(&[("form", "f<1>"), ("text", text), ("name", name), ("do", button)]).await;
        assert_eq!(answer.status, status, "{text}");
        let page = answer.text();
        assert!(page.split("role=\"alert\">").nth(1).unwrap().contains(sentence), "{page}");
        assert_eq!(field(page, "form"), "f&lt;1&gt;", "the same form");
        // The fragment of the address focuses what was refused.
        let (textarea, input) = (element(page, "<textarea "), element(page, "<input class=\"new\" "));
        let focused = if button == "rename" { input } else { textarea };
        assert!(focused.contains("id=\"here\"") && focused.contains("autofocus"), "{page}");
        assert_eq!((page.matches("id=\"here\"").count(), page.matches("autofocus").count()), (1, 1));
        let kept = page.split(textarea).nth(1).unwrap().strip_prefix(">\n").unwrap();
        let kept = kept.split("</textarea>").next().unwrap();
        let kept =
            kept.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        assert_eq!(kept, text, "{page}");
    }
    let whole = "x".repeat(2 * 3 * 20 + 5000);
    // Of what is far too long the room has read too little to give it back; the browser has it.
    let answer = ann.post(&[("text", &whole), ("do", "say")]).await;
    assert_eq!(answer.status, 413);
    assert!(
        answer.text().contains("at most 20 bytes") && answer.text().contains("Back brings the form again")
    );
    assert!(
        !answer.text().contains("http-equiv") && !answer.text().contains("<a "),
        "nothing leads away from it"
    );
    assert_eq!(ann.request("POST /rooms/main/page/say", &[], "text=a").await.status, 415);
}

/// The tag that begins so, without its end.
fn element<'a>(page: &'a str, begin: &str) -> &'a str {
    let at = page.find(begin).unwrap();
    page[at..].split('>').next().unwrap()
}

#[tokio::test]
async fn a_name_is_changed_without_losing_the_draft() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = NoscriptGuest::arrive(&room).await;
    let mut stream = ann.stream("").await;
    let answer =
        ann.post(&[("form", "1"), ("text", "a draft"), ("name", "Ann & Co"), ("do", "rename")]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("autofocus>\na draft</textarea>"));
    assert_eq!(bob.expect("renamed").await["guest"]["name"], "Ann & Co");
    stream.until("You are now called <bdi>Ann &amp; Co</bdi>").await;
    let answer = ann.post(&[("form", "1"), ("text", ""), ("name", "Ann"), ("do", "rename")]).await;
    assert_eq!(answer.status, 303);
    assert!(ann.get("/say", "").await.text().contains("<bdi>Ann</bdi>"));
}

#[tokio::test]
async fn guests_text_is_text_wherever_it_stands() {
    let room = TestRoom::open_with(|settings| settings.room.title = "A <i>room</i>".into()).await;
    let mut eve = room.guest("&amp Eve").await;
    eve.say("1", "<script>alert('&amp;')</script>").await;
    let ann = NoscriptGuest::arrive(&room).await;
    let mut page = ann.stream("").await.until("You came in").await;
    page += ann.get("", "").await.text();
    page += ann.get("/messages", "&plain=20").await.text();
    for markup in ["<script", "<b>", "<i>", "&amp;amp;amp;"] {
        assert!(!page.contains(markup), "{page}");
    }
    assert!(page.contains("&lt;script&gt;alert('&amp;amp;')&lt;/script&gt;"), "{page}");
    assert!(page.contains("<bdi>&amp;amp Eve</bdi>"), "{page}");
    assert!(page.contains("<h1 dir=\"auto\">A &lt;i&gt;room&lt;/i&gt;</h1>"), "{page}");
}

#[tokio::test]
async fn these_pages_may_do_nothing_but_frame_and_send_forms() {
    let room = TestRoom::open().await;
    let ann = NoscriptGuest::arrive(&room).await;
    for part in ["", "/say"] {
        let answer = ann.get(part, "").await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        for directive in ["form-action 'self'", "frame-src 'self'", "frame-ancestors 'self'"] {
            assert!(policy.contains(directive), "{policy}");
        }
        // So that a form's Origin is the room's own; addresses stay with the room.
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        // Of a document that is not stored Firefox forgets what was written into it.
        let kept = if part == "/say" { "private, no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(kept));
    }
    let fields = ["Content-Type: application/x-www-form-urlencoded", "Origin: null"];
    let line = "POST /rooms/main/page/say";
    assert_eq!(ann.request(line, &fields, "text=a&do=say").await.status, 403);
    let vouched = [fields[0], fields[1], "Sec-Fetch-Site: same-origin"];
    assert_eq!(ann.request(line, &vouched, "text=a&do=say").await.status, 303);
    let framed = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"];
    assert_eq!(ann.request("GET /rooms/main/page", &framed, "").await.status, 403);
}

#[tokio::test]
async fn another_room_is_not_there() {
    let room = TestRoom::open().await;
    let ann = NoscriptGuest::arrive(&room).await;
    for part in ["", "/messages", "/say"] {
        let answer = ann.request(&format!("GET /rooms/other/page{part}"), &[], "").await;
        assert_eq!(answer.status, 404);
        assert!(answer.text().contains("&quot;main&quot;"));
    }
}

#[tokio::test]
async fn a_full_room_says_so_at_the_entry_and_asks_again_inside() {
    let room = TestRoom::open_with(|settings| settings.room.guests = 1).await;
    let mut ann = NoscriptGuest::arrive(&room).await;
    let _stream = ann.stream("").await;
    let mut bob = NoscriptGuest::stranger(&room);
    let entry = bob.open().await;
    let answer = bob.enter(&entry, "Bob").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("10")));
    assert!(answer.text().contains("Every seat") && answer.text().contains("value=\"Bob\""));
    // A guest who had a seat before.
    ann.cookies = vec![(format!("guest{}", room.address().port()), "A".repeat(43))];
    let answer = ann.get("/messages", "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("http-equiv=\"refresh\"") && answer.text().contains("Every seat"));
}

#[tokio::test]
async fn coming_back_shows_what_was_said_and_tells_nobody() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = NoscriptGuest::arrive(&room).await;
    let bob_saw = bob.expect("joined").await;
    let stream = ann.stream("").await;
    ann.say("before").await;
    bob.expect("message").await;
    drop(stream);
    bob.expect("away").await;
    bob.say("1", "meanwhile").await;
    let mut stream = ann.stream("").await;
    let page = stream.until("You came in").await;
    assert!(page.contains(">before</p>") && page.contains(">meanwhile</p>"), "{page}");
    assert!(page.contains("less than a minute before you came"));
    assert_eq!(bob.expect("back").await["guest"], bob_saw["guest"]);
    let page = ann.stream("&after=1").await.until("You came in").await;
    assert!(!page.contains(">before</p>") && page.contains(">meanwhile</p>"), "{page}");
}

#[tokio::test]
async fn the_newest_are_shown_and_the_rest_on_request_and_what_is_gone_is_a_gap() {
    let room = TestRoom::open_with(|settings| settings.history.messages = 250).await;
    let mut bob = room.guest("Bob").await;
    for number in 1..=300 {
        bob.say(&number.to_string(), &format!("number {number}.")).await;
    }
    let ann = NoscriptGuest::arrive(&room).await;
    let page = ann.stream("").await.until("You came in").await;
    assert!(!page.contains("number 100.") && page.contains("number 101.") && page.contains("number 300."));
    let all = format!("connection?window={}&amp;after=50\" target=\"_parent\">Show all", ann.window);
    assert!(page.contains(&all), "{page}");
    let page = ann.stream("&after=50").await.until("You came in").await;
    assert!(page.contains("number 51.") && !page.contains("no longer kept") && !page.contains("Show all"));
    let page = ann.stream("&after=20").await.until("You came in").await;
    assert!(page.contains("no longer kept") && page.contains("number 51."), "{page}");
}

#[tokio::test]
async fn the_page_that_is_not_streamed_ends_and_loads_itself_again() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    bob.say("1", "good evening").await;
    let ann = NoscriptGuest::arrive(&room).await;
    for (asked, seconds) in [("5", 5), ("20", 20), ("86400", 60), ("often", 20)] {
        let mut stream = ann.stream(&format!("&plain={asked}")).await;
        let mut page = String::new();
        while let Some(chunk) = stream.chunk().await {
            page += &chunk;
        }
        assert!(page.contains(&format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">")), "{page}");
        assert!(page.contains("good evening") && page.contains("2 here") && page.contains(">live</a>"));
    }
}

#[tokio::test]
async fn a_silent_room_gives_signs_of_life_and_a_closing_one_says_so() {
    let room = TestRoom::open_with(|settings| settings.listen.idle_ping = Duration::from_millis(50)).await;
    let ann = NoscriptGuest::arrive(&room).await;
    let mut stream = ann.stream("").await;
    stream.until("1 here").await;
    assert_eq!(stream.chunk().await.as_deref(), Some("<i></i>\n"));
    within("closing", room.close()).await;
    let end = stream.until("The room was closed.").await;
    assert!(end.contains("Look now"));
    assert_eq!(stream.chunk().await, None, "a proper end");
}

/// A message every moment does not put the signs of life off: the style shows that the connection may be gone without them.
#[tokio::test]
async fn a_busy_room_gives_signs_of_life_too() {
    let room = TestRoom::open_with(|settings| settings.listen.idle_ping = Duration::from_millis(300)).await;
    let mut bob = room.guest("Bob").await;
    let ann = NoscriptGuest::arrive(&room).await;
    let mut stream = ann.stream("").await;
    let mut page = String::new();
    for number in 0.. {
        bob.say(&number.to_string(), "busy").await;
        page += &stream.chunk().await.unwrap();
        if page.matches("<i></i>").count() >= 3 {
            return;
        }
    }
}

/// A browser that cannot reach the room has both documents that bring the messages again.
#[tokio::test]
async fn what_brings_the_messages_again_comes_from_the_cache() {
    let room = TestRoom::open().await;
    let ann = NoscriptGuest::arrive(&room).await;
    let inside = ann.get("", "").await;
    assert!(
        inside.text().contains("<iframe name=\"messages\" title=\"Messages\" src=\"page/connection?window=")
    );
    for part in ["/connection", "/reconnect"] {
        let answer = ann.get(part, "&after=7").await;
        assert_eq!(answer.header("cache-control"), Some("private, max-age=31536000, immutable"));
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!(answer.body, ann.get(part, "&after=7").await.body, "the same each time");
        assert!(answer.text().contains(&format!("?window={}&amp;after=7", ann.window)), "{}", answer.text());
    }
    let style = ann.get("/reached", "").await;
    assert_eq!((style.status, style.header("content-type")), (200, Some("text/css; charset=utf-8")));
    assert_eq!(
        style.header("cache-control"),
        Some("no-store"),
        "it tells whether the room can be reached now"
    );
    // Of an onion address browsers ask for pictures, sound and video by https, where no room is.
    let connection = ann.get("/connection", "").await;
    for upgraded in ["<img", "<picture", "<audio", "<video", "<source", "<object", "<embed", "<svg"] {
        assert!(!connection.text().contains(upgraded), "{upgraded}");
    }
    let styles = |answer: &Answer| {
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        assert!(!policy.contains("img-src"), "{policy}");
        policy.split(';').find(|part| part.contains("style-src")).unwrap().contains("'self'")
    };
    assert!(styles(&connection), "it loads a style of the room");
    for part in ["", "/say"] {
        assert!(!styles(&ann.get(part, "").await), "{part} loads none");
    }
}

#[tokio::test]
async fn documents_that_end_are_compressed_and_the_messages_are_not() {
    let room = TestRoom::open().await;
    let ann = NoscriptGuest::arrive(&room).await;
    for (part, compressed) in
        [("", true), ("/connection", true), ("/say", true), ("/reconnect", false), ("/reached", false)]
    {
        let line = format!("GET /rooms/main/page{part}?window={}", ann.window);
        let whole = ann.request(&line, &[], "").await;
        let answer = ann.request(&line, &["Accept-Encoding: gzip, deflate"], "").await;
        assert_eq!(answer.header("content-encoding"), compressed.then_some("gzip"), "{part}");
        assert_eq!(answer.header("vary").is_some(), compressed);
        assert_eq!(whole.header("content-encoding"), None);
        assert!(
            !compressed || answer.body.len() < whole.body.len() * 6 / 10,
            "{part}: {}",
            answer.body.len()
        );
    }
}

#[tokio::test]
async fn everything_that_waits_comes_in_one_chunk() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    for number in 1..=50 {
        bob.say(&number.to_string(), "hello").await;
    }
    let ann = NoscriptGuest::arrive(&room).await;
    let first = ann.stream("").await.chunk().await.unwrap();
    assert_eq!(first.matches("<article").count(), 50);
    assert!(first.contains("You came in") && first.contains("2 here"));
}

#[tokio::test]
async fn who_does_not_read_costs_the_others_nothing_is_let_go_and_comes_back() {
    let room = TestRoom::open_with(|settings| settings.listen.write_stall = Duration::from_millis(300)).await;
    let ann = NoscriptGuest::arrive(&room).await;
    let socket = narrow();
    let _stalled = ann.stream_on(socket, "").await;
    let mut bob = room.guest("Bob").await;
    let said = bob.talk_until_away().await;
    assert!(said < 10_000, "the stalled guest was let go");
    bob.send(json!({ "type": "say", "id": "last", "text": "the last one" })).await;
    ann.stream("").await.until("the last one").await;
}
