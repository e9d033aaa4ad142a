//! The chat for browsers without JavaScript: who a request is from, what a followed link may do, and which window has the
//! stream.

use crate::kit::noscript::{NoscriptGuest, field};
use crate::kit::raw::Answer;
use crate::kit::{Guest, TestRoom};

/// A link that was followed from another site: what a browser says of it. The cookies are not sent (`SameSite=Strict`).
const FROM_ANOTHER_SITE: [&str; 3] =
    ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];

/// An address that was typed, pasted, or opened by another program. The cookies are sent.
const BY_HAND: [&str; 3] = ["Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];

const IN_A_FRAME: [&str; 3] =
    ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"];

/// Checks that the guests were told of nothing: the next thing that this guest hears is what they say themselves.
async fn nothing_happened(bob: &mut Guest) {
    bob.say("probe", "did anything happen?").await;
    assert_eq!(bob.next().await["text"], "did anything happen?");
}

fn without_cookies(guest: &NoscriptGuest) -> NoscriptGuest {
    NoscriptGuest { cookies: vec![], ..guest.clone() }
}

fn is_entry(answer: &Answer) -> bool {
    answer.status == 200 && answer.text().contains("action=\"page/enter\"")
}

/// No seat is taken before the form of the entry is sent, and the form is all there is.
#[tokio::test]
async fn the_entry_says_what_this_is_and_takes_no_seat() {
    let room = TestRoom::open_with(|settings| settings.room.title = "The <room>".into()).await;
    let mut bob = room.guest("Bob").await;
    let mut ann = NoscriptGuest::stranger(&room);
    let entry = ann.open().await;
    assert!(is_entry(&entry));
    for words in
        ["<h1 dir=\"auto\">The &lt;room&gt;</h1>", "Kept here: the newest", "Your name (optional)", "Enter"]
    {
        assert!(entry.text().contains(words), "{words} in {}", entry.text());
    }
    nothing_happened(&mut bob).await;
    let answer = ann.enter(&entry, "Ann").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("../page")));
    assert_eq!(bob.expect("joined").await["guest"]["name"], "Ann");
    let port = room.address().port();
    for name in ["guest", "name"] {
        assert!(ann.cookies.iter().any(|(kept, _)| *kept == format!("{name}{port}")), "{:?}", ann.cookies);
    }
    let inside = ann.open().await;
    let token = &ann.cookies.iter().find(|(name, _)| name.starts_with("guest")).unwrap().1;
    assert!(!inside.text().contains(token.as_str()), "the token is in no document");
    assert!(!ann.stream("").await.until("You came in").await.contains(token.as_str()));
}

#[tokio::test]
async fn a_name_that_is_refused_stays_in_the_entry_beside_the_reason() {
    let room = TestRoom::open().await;
    let _bob = room.guest("Bob").await;
    let mut ann = NoscriptGuest::stranger(&room);
    let entry = ann.open().await;
    for (name, status, sentence) in [("Bob", 409, "Somebody here is called that"), ("\u{202e}x", 422, "name")]
    {
        let answer = ann.enter(&entry, name).await;
        assert_eq!(answer.status, status, "{name}");
        assert!(
            answer.text().split("role=\"alert\">").nth(1).unwrap().contains(sentence),
            "{}",
            answer.text()
        );
        assert_eq!(field(answer.text(), "name"), name);
        // It is sent from where it leads, so its form leads there again.
        assert!(answer.text().contains("action=\"enter\""));
        assert_eq!(ann.enter(&answer, "Bob").await.status, 409);
    }
}

/// Browsers that block cookies would come back to the entry for ever.
#[tokio::test]
async fn where_cookies_are_blocked_the_entry_says_so_and_takes_no_seat() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ann = NoscriptGuest::stranger(&room);
    let entry = ann.open().await;
    ann.cookies.clear();
    let (form, proof) = (field(entry.text(), "form"), field(entry.text(), "proof"));
    let fields = [("form", form.as_str()), ("proof", &proof), ("name", "Ann")];
    let answer = ann.post_to("/enter", &fields, &["Sec-Fetch-Site: same-origin"]).await;
    assert_eq!(answer.status, 403);
    assert!(
        answer.text().contains("did not keep the room's cookie") && answer.text().contains("value=\"Ann\"")
    );
    nothing_happened(&mut bob).await;
}

/// `…/page?token=T` made a visitor who followed it speak as the guest of the linker.
#[tokio::test]
async fn a_followed_link_with_a_token_makes_nobody_that_guest() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let eve = "A".repeat(43);
    let (ann, stranger) = (NoscriptGuest::arrive(&room).await, NoscriptGuest::stranger(&room));
    bob.expect("joined").await;
    for headers in [&FROM_ANOTHER_SITE[..], &BY_HAND, &[]] {
        let linked = |part: &str| format!("GET /rooms/main/page{part}?token={eve}&name=Eve");
        assert!(is_entry(&stranger.request(&linked(""), headers, "").await));
        for part in ["/messages", "/say"] {
            let answer = stranger.request(&linked(part), headers, "").await;
            assert_eq!((answer.status, answer.header("location")), (303, Some("../page")), "{part}");
            assert_eq!(answer.header("set-cookie"), None);
        }
    }
    // Who is in the room stays who they are.
    let answer = ann.request(&format!("GET /rooms/main/page/say?token={eve}&name=Eve"), &BY_HAND, "").await;
    assert!(!answer.text().contains("Eve") && !answer.text().contains(&eve), "{}", answer.text());
    nothing_happened(&mut bob).await;
}

/// Every address, followed from another site, and by hand, where the cookies are sent: nothing is published, no name
/// changed, no guest comes, goes, or loses their stream.
#[tokio::test]
async fn a_followed_link_acts_nowhere() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = NoscriptGuest::arrive_as(&room, "Ann").await;
    let mut stream = ann.stream("").await;
    stream.until("2 here").await;
    bob.expect("joined").await;
    let query = "?window=1&do=say&text=linked&form=1&name=Eve&proof=x&plain=5";
    for (guest, headers) in [(&without_cookies(&ann), FROM_ANOTHER_SITE), (&ann, BY_HAND)] {
        for part in ["", "/enter", "/messages", "/continue", "/say", "/leave"] {
            let answer = guest.request(&format!("GET /rooms/main/page{part}{query}"), &headers, "").await;
            assert!(matches!(answer.status, 200 | 303 | 405), "{part}: {}", answer.status);
        }
        let answer = guest.request("GET /rooms/main/page/messages?window=1", &headers, "").await;
        let elsewhere = answer.text().contains("This chat is open in another window.");
        assert_eq!(
            (answer.status, elsewhere),
            if guest.cookies.is_empty() { (303, false) } else { (200, true) }
        );
        for path in ["/rooms/main", "/rooms/main/messages", "/rooms/main/events", "/chat"] {
            assert_eq!(guest.request(&format!("GET {path}"), &headers, "").await.status, 403, "{path}");
        }
    }
    nothing_happened(&mut bob).await;
    stream.until("did anything happen?").await;
}

/// A form of another site is refused by what the browser says of it; where it says nothing, by the proof, which another
/// site cannot know. A browser that knows no `SameSite` sends the cookies.
#[tokio::test]
async fn a_form_of_another_site_acts_nowhere() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = NoscriptGuest::arrive_as(&room, "Ann").await;
    let eve = NoscriptGuest::arrive_as(&room, "Eve").await;
    let mut stream = ann.stream("").await;
    bob.expect("joined").await;
    bob.expect("joined").await;
    let entry = NoscriptGuest::stranger(&room).open().await;
    let eves = eve.get("/say", "").await;
    let token = "A".repeat(43);
    let forms = [("1".to_owned(), String::new()), (field(eves.text(), "form"), field(eves.text(), "proof"))];
    let forms = [&forms[..], &[(field(entry.text(), "form"), field(entry.text(), "proof"))]].concat();
    for (form, proof) in &forms {
        for headers in [
            &[][..],
            &["Origin: null"],
            &["Sec-Fetch-Site: none"],
            &["Sec-Fetch-Site: cross-site"],
            &["Origin: http://evil.example"],
            &FROM_ANOTHER_SITE,
        ] {
            for part in ["/enter", "/say", "/continue", "/leave"] {
                for action in ["say", "rename"] {
                    let fields =
                        [("form", form.as_str()), ("proof", proof), ("do", action), ("name", "Mallory")];
                    let fields = [&fields[..], &[("text", "forged"), ("token", token.as_str())]].concat();
                    let answer = ann.post_to(part, &fields, headers).await;
                    assert_eq!(answer.status, 403, "{part} {headers:?}");
                    assert_eq!(answer.header("set-cookie"), None);
                }
            }
        }
    }
    nothing_happened(&mut bob).await;
    stream.until("did anything happen?").await;
}

/// Another site sends the entry's form to make a visitor act as the linker's guest: the form has no token to give.
#[tokio::test]
async fn the_entry_takes_no_token_from_the_request() {
    let room = TestRoom::open().await;
    let mut ann = NoscriptGuest::stranger(&room);
    let (entry, eve) = (ann.open().await, "A".repeat(43));
    let (form, proof) = (field(entry.text(), "form"), field(entry.text(), "proof"));
    let fields = [("form", form.as_str()), ("proof", &proof), ("token", &eve), ("guest", &eve)];
    let answer = ann.post_to(&format!("/enter?token={eve}"), &fields, &[]).await;
    assert_eq!(answer.status, 303);
    ann.keep(&answer);
    assert!(ann.cookies.iter().all(|(_, value)| *value != eve));
    // With a cookie, from a second window that was opened by a link, it is the same guest.
    let before = ann.cookies.clone();
    let answer = ann.enter(&entry, "").await;
    assert_eq!(answer.status, 303);
    assert_eq!(
        ann.cookies.iter().find(|(name, _)| name.starts_with("guest")),
        before.iter().find(|(name, _)| name.starts_with("guest"))
    );
}

#[tokio::test]
async fn without_the_cookie_a_frame_says_so_and_a_window_goes_to_the_entry() {
    let room = TestRoom::open().await;
    let ann = without_cookies(&NoscriptGuest::arrive(&room).await);
    for (part, target) in [("/connection", "_parent"), ("/messages", "_top"), ("/say", "_parent")] {
        let framed = ann.request(&format!("GET /rooms/main/page{part}"), &IN_A_FRAME, "").await;
        assert_eq!(framed.status, 403);
        assert!(
            framed.text().contains(&format!("href=\"../page\" target=\"{target}\""))
                && !framed.text().contains("refresh")
        );
        let window = ann.request(&format!("GET /rooms/main/page{part}"), &BY_HAND, "").await;
        assert_eq!((window.status, window.header("location")), (303, Some("../page")));
    }
    let answer = ann.post(&[("form", "1"), ("text", "x"), ("do", "say")]).await;
    assert_eq!(answer.status, 403);
}

/// A taken-over stream was held open for ever, so one token could hold every connection there is.
#[tokio::test]
async fn of_a_hundred_streams_of_one_guest_one_is_left() {
    let room = TestRoom::open().await;
    let ann = NoscriptGuest::arrive(&room).await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(ann.stream("").await);
    }
    let mut last = streams.pop().unwrap();
    for stream in streams {
        assert!(stream.rest().await.ends_with("<button class=\"link\">Continue here</button></form>"));
    }
    ann.say("one is left").await;
    last.until("one is left").await;
    // And of other windows, none: they are told so, and their connections are closed.
    for number in 0..5 {
        let other = NoscriptGuest { window: format!("other{number}"), ..ann.clone() };
        let answer = other.get("/messages", "").await;
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        assert!(answer.text().contains("open in another window") && !answer.text().contains("refresh"));
    }
    ann.say("and still is").await;
    last.until("and still is").await;
}

/// Two windows do not take the seat from each other in turns: what loads itself again takes nothing over, a button does.
#[tokio::test]
async fn a_second_window_takes_over_by_its_button_and_the_first_one_back() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let first = NoscriptGuest::arrive(&room).await;
    bob.expect("joined").await;
    let mut second = first.clone();
    second.open().await;
    assert_ne!(first.window, second.window);
    let mut windows = [(first, None), (second, None)];
    windows[0].1 = Some(windows[0].0.stream("").await);
    for _ in 0..2 {
        let [(old, stream), (new, _)] = &mut windows;
        stream.as_mut().unwrap().until(" here</label>").await;
        let refused = new.get("/messages", "").await;
        assert!(refused.text().contains("This chat is open in another window."), "{}", refused.text());
        let (form, proof) = (field(refused.text(), "form"), field(refused.text(), "proof"));
        let answer = new.post_to("/continue", &[("form", form.as_str()), ("proof", &proof)], &[]).await;
        assert_eq!(answer.status, 303);
        assert_eq!(answer.header("location"), Some(format!("connection?window={}", new.window).as_str()));
        let taken = new.stream("").await;
        let rest = stream.take().unwrap().rest().await;
        assert!(rest.contains("This chat went on in another window."), "{rest}");
        // What the browser does by itself ten seconds later.
        let refreshed = old.get("/messages", "").await;
        assert!(refreshed.text().contains("open in another window") && !refreshed.text().contains("refresh"));
        windows[1].1 = Some(taken);
        windows.swap(0, 1);
    }
    nothing_happened(&mut bob).await;
    // When the window that has it is closed, the other one goes on.
    let [(_, stream), (other, _)] = windows;
    drop(stream);
    bob.expect("away").await;
    other.stream("").await.until("did anything happen?").await;
    assert_eq!(bob.expect("back").await["type"], "back");
}

#[tokio::test]
async fn who_left_is_forgotten_and_not_brought_back_by_a_refresh() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ann = NoscriptGuest::arrive_as(&room, "Ann").await;
    bob.expect("joined").await;
    let (other, inside) = (ann.clone(), ann.open().await);
    let stream = other.stream("").await;
    let (form, proof) = (field(inside.text(), "form"), field(inside.text(), "proof"));
    let answer = ann.post_to("/leave", &[("form", form.as_str()), ("proof", &proof)], &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("../page")));
    ann.keep(&answer);
    assert_eq!(ann.cookies, [], "nothing is left that ties the next guest in this browser to Ann");
    assert_eq!(bob.expect("left").await["guest"]["name"], "Ann");
    assert!(stream.rest().await.contains("This guest left, or went on elsewhere."));
    assert!(is_entry(&ann.open().await));
    // Where the cookie is still there, as in a request that was under way, the refresh does not take a seat either.
    assert!(other.get("/messages", "").await.text().contains("Continue here"));
    nothing_happened(&mut bob).await;
}

/// The wanted name is in a cookie beside the token: a room that was restarted knows neither.
#[tokio::test]
async fn a_changed_name_outlives_the_seat_and_is_never_set_by_a_get() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let mut ann = NoscriptGuest::arrive_as(&room, "Ann").await;
    bob.expect("joined").await;
    let answer = ann.post(&[("form", "1"), ("name", "Anna"), ("do", "rename")]).await;
    assert_eq!(answer.status, 303);
    ann.keep(&answer);
    bob.expect("renamed").await;

    // Another room does not know her, as one that was restarted.
    let other = TestRoom::open().await;
    let mut eve = other.guest("Eve").await;
    let there = NoscriptGuest { window: ann.window.clone(), ..NoscriptGuest::stranger(&other) };
    let there = NoscriptGuest { cookies: at(&other, &ann), ..there };
    assert!(there.get("/say", "").await.text().contains("<bdi>Anna</bdi>"));
    assert_eq!(eve.expect("joined").await["guest"]["name"], "Anna");
    there.stream("").await.until("<bdi>Anna</bdi>").await;

    // A name that was changed elsewhere meanwhile stays what it is.
    let old = NoscriptGuest { cookies: ann.cookies.clone(), ..ann.clone() };
    ann.post(&[("form", "2"), ("name", "Annika"), ("do", "rename")]).await;
    bob.expect("renamed").await;
    old.stream("").await.until("<bdi>Annika</bdi>").await;
}

/// The form, the roster and what is published say one name, whichever comes first after a restart, and a guest who could not
/// have theirs again is told so before anything is published under another.
#[tokio::test]
async fn a_name_that_was_taken_meanwhile_is_said_to_be_gone() {
    let room = TestRoom::open().await;
    let ann = NoscriptGuest::arrive_as(&room, "Dora").await;
    for first in ["/say", "/messages", "post"] {
        let other = TestRoom::open().await;
        let mut dora = other.guest("Dora").await;
        let there = NoscriptGuest { window: ann.window.clone(), ..NoscriptGuest::stranger(&other) };
        let there = NoscriptGuest { cookies: at(&other, &ann), ..there };
        let (note, stream) = match first {
            "/say" => (there.get("/say", "").await.text().to_owned(), None),
            "post" => {
                (there.post(&[("form", "1"), ("text", "hello"), ("do", "say")]).await.text().to_owned(), None)
            }
            _ => {
                let mut stream = there.stream("").await;
                (stream.until("could not be had again").await, Some(stream))
            }
        };
        let name = dora.expect("joined").await["guest"]["name"].as_str().unwrap().to_owned();
        assert_ne!(name, "Dora");
        let sentence = format!("The name Dora could not be had again, so you are {name} now.");
        assert!(note.contains(&sentence), "{first}: {note}");
        if first == "post" {
            assert!(note.contains("hello</textarea>"), "{note}");
        }
        assert!(there.get("/say", "").await.text().contains(&format!("<bdi>{name}</bdi>")), "{first}");
        there.say("hello").await;
        let said = dora.expect("message").await;
        assert_eq!((&said["name"], &said["text"]), (&name.into(), &"hello".into()), "{first}");
        drop(stream);
    }
}

/// The cookies of a guest, as a room at another port calls them.
fn at(room: &TestRoom, guest: &NoscriptGuest) -> Vec<(String, String)> {
    let bare = |name: &str| name.trim_end_matches(|last: char| last.is_ascii_digit()).to_owned();
    let renamed =
        |(name, value): &(String, String)| (bare(name) + &room.address().port().to_string(), value.clone());
    guest.cookies.iter().map(renamed).collect()
}
