//! Private messages on every transport: both guests get them, no other guest does, and no file and no log has them.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};

use crate::kit::noscript::{NoscriptGuest, PageStream, field};
use crate::kit::program::Program;
use crate::kit::visitor::Listener;
use crate::kit::{Guest, TestRoom, Visitor};

/// What no guest but two may ever get, and what all get at the end.
const SECRET: &str = "quokka at midnight";
const ALOUD: &str = "good night to all";

/// A guest on each transport, who reads what it brings them.
struct Everywhere {
    socket: Guest,
    listener: (Visitor, Listener),
    waiting: Visitor,
    page: (NoscriptGuest, PageStream),
    text: String,
}

impl Everywhere {
    async fn enter(address: SocketAddr, name: &str) -> Self {
        let mut socket = connect(address).await;
        socket.hello_as(json!({ "name": format!("{name} One"), "private": 0 })).await;
        let listener = Visitor::stranger_at(address).seated(&format!("{name} Two")).await;
        let events = listener.listen("private=0", &[]).await;
        let waiting = Visitor::stranger_at(address).seated(&format!("{name} Three")).await;
        let mut page = NoscriptGuest::stranger_at(address);
        let entry = page.open().await;
        page.enter(&entry, &format!("{name} Four")).await;
        page.open().await;
        let mut stream = page.stream("").await;
        let text = stream.until("aside").await;
        Self { socket, listener: (listener, events), waiting, page: (page, stream), text }
    }

    /// The numbers of the four, as one of them knows them who sees all.
    async fn numbers(&self, name: &str) -> [u64; 4] {
        let roster = self.waiting.get("/rooms/main").await.json();
        ["One", "Two", "Three", "Four"].map(|last| {
            let wanted = format!("{name} {last}");
            let mut guests = roster["guests"].as_array().unwrap().iter();
            guests.find(|guest| guest["name"] == *wanted).unwrap()["id"].as_u64().unwrap()
        })
    }

    /// All that is sent to the four up to what all are told.
    async fn hears(mut self) -> String {
        loop {
            let event = self.socket.next().await;
            self.text += &event.to_string();
            if event["text"] == ALOUD {
                break;
            }
        }
        loop {
            let event = self.listener.1.next().await.unwrap();
            self.text += &event.to_string();
            if event["text"] == ALOUD {
                break;
            }
        }
        for query in ["after=0&private=0", "after=0&private=0&wait=5", "newest=100", "before=100"] {
            self.text += &self.waiting.messages(query).await.to_string();
        }
        self.text += self.waiting.get("/rooms/main").await.text();
        self.text += &self.page.1.until(ALOUD).await;
        for part in ["/say", "/private", "/messages"] {
            let query = if part == "/messages" { "&plain=30" } else { "" };
            self.text += self.page.0.get(part, query).await.text();
        }
        self.text
    }
}

async fn connect(address: SocketAddr) -> Guest {
    Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await
}

/// Sends it by the form of the page.
async fn by_form(page: &NoscriptGuest, to: u64, text: &str) {
    let form = page.get("/private", "").await;
    let (number, proof, to) = (field(form.text(), "form"), field(form.text(), "proof"), to.to_string());
    let fields =
        [("form", number.as_str()), ("proof", &proof), ("to", &to), ("text", text), ("do", "whisper")];
    // The second time as after an answer that was lost.
    for _ in 0..2 {
        let answer = page.post_to("/private", &fields, &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        assert_eq!(answer.header("location"), Some(format!("private?to={to}").as_str()));
    }
}

fn files(directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push((path.display().to_string(), fs::read(&path).unwrap_or_default())),
        }
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_guests_get_it_on_every_transport_and_no_other_bytes_have_it() {
    let data = TempDir::new().unwrap();
    let place = data.path().join("room");
    let words = ["--no-onion", "--local", "open", "--listen", "127.0.0.1:0", "--log", "debug"];
    let words = [&["serve"], &words[..], &["--data-dir", place.to_str().unwrap()]].concat();
    let mut program = Program::start(&words);
    let url = program.told("local").await;
    let address: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();

    let (mut ann, mut bob) =
        (Everywhere::enter(address, "Ann").await, Everywhere::enter(address, "Bob").await);
    let eve = Everywhere::enter(address, "Eve").await;
    let (anns, bobs) = (ann.numbers("Ann").await, ann.numbers("Bob").await);
    let mut own = Vec::new();
    // Each of the four ways to send, to each of the four ways to receive.
    for (way, to) in bobs.into_iter().enumerate() {
        let text = |by: &str| format!("{SECRET} {by} {way}");
        for _ in 0..2 {
            let id = format!("socket{way}");
            ann.socket.send(json!({ "type": "whisper", "id": id, "to": to, "text": text("socket") })).await;
            // The message itself may come before the answer.
            loop {
                let event = ann.socket.next().await;
                match event["type"].as_str().unwrap() {
                    "private" => own.push(event["text"].as_str().unwrap().to_owned()),
                    "acknowledged" => {
                        assert!(event["number"].is_u64() && event.get("seq").is_none());
                        break assert_eq!(event["id"], *id);
                    }
                    _ => {}
                }
            }
        }
        for (visitor, by) in [(&ann.listener.0, "listener"), (&ann.waiting, "waiting")] {
            let body = json!({ "id": format!("{by}{way}"), "to": to, "text": text(by) });
            let mut numbers = Vec::new();
            for _ in 0..2 {
                let answer = visitor.post("/rooms/main/private", body.clone()).await;
                assert_eq!(answer.status, 201, "{}", answer.text());
                numbers.push(answer.json()["number"].clone());
            }
            assert_eq!(numbers[0], numbers[1], "once");
        }
        by_form(&ann.page.0, to, &text("form")).await;
    }
    let expected =
        |way: usize| ["socket", "listener", "waiting", "form"].map(|by| format!("{SECRET} {by} {way}"));
    // Each receiver has all four, in the order in which they were sent, once; and so have those who sent them.
    let mut heard = Vec::new();
    while heard.len() < 4 {
        heard.push(bob.socket.expect("private").await);
    }
    assert_eq!(heard.iter().map(|event| event["text"].as_str().unwrap()).collect::<Vec<_>>(), expected(0));
    assert_eq!(heard.iter().map(|event| event["guest"].as_u64().unwrap()).collect::<Vec<_>>(), anns);
    let mut heard = Vec::new();
    while heard.len() < 4 {
        heard.push(bob.listener.1.expect("private").await);
    }
    assert_eq!(heard.iter().map(|event| event["text"].as_str().unwrap()).collect::<Vec<_>>(), expected(1));
    let polled = bob.waiting.messages("after=0&private=0&wait=20").await;
    let texts = |polled: &Value| -> Vec<String> {
        let events = polled["private"]["events"].as_array().unwrap();
        events.iter().map(|event| event["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&polled), expected(2));
    let next = polled["private"]["next"].as_u64().unwrap();
    assert!(texts(&bob.waiting.messages(&format!("after=1&private={next}")).await).is_empty());
    assert!(bob.waiting.messages("after=0").await.get("private").is_none(), "nothing to who does not ask");
    let page = bob.page.1.until(&expected(3)[3]).await;
    let places = expected(3).map(|text| {
        assert_eq!(page.matches(&text).count(), 1, "{page}");
        page.find(&text).unwrap()
    });
    assert!(places.is_sorted() && page.contains("Private, to you from <bdi>Ann One</bdi>"), "{page}");
    let polled = ann.waiting.messages("after=0&private=0").await;
    assert_eq!(texts(&polled), [0, 1, 2, 3].map(|way| format!("{SECRET} waiting {way}")));
    while own.len() < 4 {
        own.push(ann.socket.expect("private").await["text"].as_str().unwrap().to_owned());
    }
    assert_eq!(own, [0, 1, 2, 3].map(|way| format!("{SECRET} socket {way}")));
    for way in 0..4 {
        assert_eq!(ann.listener.1.expect("private").await["text"], format!("{SECRET} listener {way}"));
    }
    ann.page.1.until(&format!("{SECRET} form 3")).await;

    // A stream that broke goes on where it was, and a question that waits ends with what comes.
    let last = bob.listener.1.last_id.clone().unwrap();
    let psst = |id: &str, to: u64| json!({ "id": id, "to": to, "text": format!("{SECRET} {id}") });
    assert_eq!(ann.waiting.post("/rooms/main/private", psst("later", bobs[1])).await.status, 201);
    let again = format!("Last-Event-ID: {last}");
    bob.listener.1 = bob.listener.0.listen("private=0", &[&again]).await;
    assert_eq!(bob.listener.1.expect("private").await["text"], format!("{SECRET} later"));
    let question = format!("after=1&private={next}&wait=20");
    let (polled, sent) = tokio::join!(
        bob.waiting.messages(&question),
        ann.waiting.post("/rooms/main/private", psst("waited", bobs[2]))
    );
    assert_eq!((texts(&polled), sent.status), (vec![format!("{SECRET} waited")], 201));

    // The third guest, on every transport, and every file and line of the program.
    assert!(ann.waiting.say("aloud", ALOUD).await > 0);
    let text = eve.hears().await;
    assert!(text.contains(ALOUD) && !text.contains("quokka"), "{text}");
    let mut found = Vec::new();
    files(data.path(), &mut found);
    program.signal("TERM").await;
    let log = program.rest_of_err().await;
    assert!(program.ended().await.success());
    files(data.path(), &mut found);
    files(program.home(), &mut found);
    found.push(("the log".to_owned(), log.into_bytes()));
    assert!(found.iter().any(|(path, _)| path.ends_with("messages.sqlite")));
    for (path, bytes) in &found {
        assert!(!has(bytes, "quokka"), "{path}");
    }
}

/// With the seat of one of the two, what was said goes at both ends, on the page without JavaScript, too.
#[tokio::test]
async fn what_was_said_goes_when_one_of_the_two_leaves() {
    let room = TestRoom::open().await;
    let mut ann = room.stranger().await;
    ann.hello_as(json!({ "name": "Ann", "private": 0 })).await;
    let page = NoscriptGuest::arrive_as(&room, "Pam").await;
    let mut stream = page.stream("").await;
    let pam = Visitor::arrive(&room, "Una").await.get("/rooms/main").await.json();
    let pam =
        pam["guests"].as_array().unwrap().iter().find(|guest| guest["name"] == "Pam").unwrap()["id"].clone();
    ann.send(json!({ "type": "whisper", "id": "1", "to": pam, "text": SECRET })).await;
    ann.expect("private").await;
    stream.until(SECRET).await;
    by_form(&page, ann.id(), "and you?").await;
    let answer = ann.expect("private").await;
    assert_eq!((&answer["text"], &answer["to"]), (&json!("and you?"), &json!(ann.id())));
    ann.send(json!({ "type": "leave" })).await;
    // The document says so, and ends, so that the browser loads it without them.
    let rest = stream.rest().await;
    assert!(rest.contains("This page loads again without them."), "{rest}");
    let again = page.get("/messages", "&plain=30").await;
    assert!(!again.text().contains("quokka") && !again.text().contains("and you?"), "{}", again.text());
}

/// A token is one guest in each room, and what is said privately in one room is not in another.
#[tokio::test]
async fn another_room_has_other_private_messages() {
    let room = TestRoom::open_with(|settings| {
        settings.rooms.push(settings.extra_room("tea", None, true).unwrap());
    })
    .await;
    let (mut ann, mut bob) = (room.stranger().await, room.stranger().await);
    ann.hello_as(json!({ "name": "Ann", "private": 0 })).await;
    bob.hello_as(json!({ "name": "Bob", "private": 0 })).await;
    bob.send(json!({ "type": "whisper", "id": "1", "to": ann.id(), "text": SECRET })).await;
    let number = ann.expect("private").await["number"].clone();
    // With the cursor of the room before, which the other room does not know.
    ann.hello_as(json!({ "name": "Ann", "room": "tea", "private": number })).await;
    let end = ann.expect("private_end").await;
    assert!(end.get("guest").is_none());
    assert!(bob.expect("private_end").await["guest"].is_u64(), "she has left");
    ann.send(json!({ "type": "whisper", "id": "2", "to": bob.id(), "text": SECRET })).await;
    assert_eq!(ann.expect("error").await["code"], "not_here", "he is in the other room");
}

/// Who sends to three hundred guests who never read costs the room no more than its bounds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_to_three_hundred_guests_is_bounded_and_disturbs_no_conversation() {
    const GUESTS: usize = 300;
    let words =
        ["--no-onion", "--ephemeral", "--local", "open", "--listen", "127.0.0.1:0", "--guests", "400"];
    let mut program = Program::start(&words);
    let url = program.told("local").await;
    let address: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let mut crowd = Vec::new();
    for number in 0..GUESTS {
        // They never read, with sockets that hold little.
        let io = TcpSocket::new_v4().unwrap();
        io.set_recv_buffer_size(4096).unwrap();
        let mut guest = Guest::connect(io.connect(address).await.unwrap(), &address.to_string()).await;
        guest.hello_as(json!({ "name": format!("Guest {number}"), "private": 0 })).await;
        crowd.push(guest);
    }
    let (mut ann, mut bob) = (connect(address).await, connect(address).await);
    ann.hello_as(json!({ "name": "Ann", "private": 0 })).await;
    bob.hello_as(json!({ "name": "Bob", "private": 0 })).await;
    let mut mallory = connect(address).await;
    mallory.hello_as(json!({ "name": "Mallory" })).await;
    let before = program.resident_bytes();
    let text = "x".repeat(4000);
    let mut numbers: Vec<u64> = crowd.iter().map(Guest::id).collect();
    numbers.extend([ann.id(), bob.id()]);
    for round in 0..4 {
        for to in &numbers {
            let id = format!("{to}-{round}");
            mallory.send(json!({ "type": "whisper", "id": id, "to": to, "text": text })).await;
            mallory.expect("acknowledged").await;
        }
        let id = format!("ours{round}");
        ann.send(json!({ "type": "whisper", "id": id, "to": bob.id(), "text": "still there?" })).await;
        ann.expect("acknowledged").await;
    }
    let mut heard = 0;
    while heard < 4 {
        heard += usize::from(bob.expect("private").await["text"] == "still there?");
    }
    let grown = program.resident_bytes().saturating_sub(before);
    println!("a flood of {} private messages: {} KiB more", 4 * numbers.len(), grown / 1024);
    assert!(grown < 32 * 1024 * 1024, "{grown}");
    // Who comes back with nothing gets what is kept of Mallory's, and all of the conversation.
    let token = bob.welcome["token"].clone();
    drop(bob);
    let mut bob = connect(address).await;
    bob.hello_as(json!({ "token": token, "private": 0 })).await;
    let mut ours = 0;
    while ours < 4 {
        ours += usize::from(bob.expect("private").await["text"] == "still there?");
    }
    drop(crowd);
}
