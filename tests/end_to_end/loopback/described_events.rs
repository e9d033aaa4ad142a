//! The events of `docs/asyncapi.json` against the running room: each that it sends is described, and each that is described
//! it sends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use onionroom::log::sqlite::Synchronous;
use onionroom::log::{Entry, Log, Retention, SqliteLog};
use onionroom::protocol::epochs::Epochs;
use onionroom::protocol::event::{Kept, Limits};
use onionroom::protocol::{
    Body, Code, Event, GuestId, MessageId, Name, OCCUPANCY_ABOVE, Refusal, Role, Token, Welcome,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::kit::description::Description;
use crate::kit::{Guest, TestRoom, Visitor, narrow};

/// What is described but cannot be provoked from outside: there would have to be other nodes, a disk that is full, or a guest
/// who reads too slowly at the right moment.
const OUT_OF_REACH: [&str; 4] = ["doors", "storage", "deleted", "private_gap"];

/// A guest whose events are held against the description.
struct Witness<'a> {
    description: &'a Description,
    seen: BTreeSet<String>,
}

impl Witness<'_> {
    async fn expect(&mut self, guest: &mut Guest, kind: &str) -> Value {
        loop {
            let event = guest.next().await;
            self.saw(&event);
            if event["type"] == kind {
                return event;
            }
        }
    }

    fn saw(&mut self, event: &Value) {
        self.description.check_event(event);
        self.seen.insert(event["type"].as_str().unwrap().to_owned());
    }

    fn example(&self, kind: &str) -> Value {
        self.description.asyncapi["components"]["messages"][kind]["examples"][0]["payload"].clone()
    }
}

fn entry(body: Body) -> Entry {
    Entry { at: 0, author: GuestId(9), id: MessageId::parse("a").unwrap(), body }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_described_and_every_described_event_occurs() {
    let description = Description::read();
    let mut witness = Witness { description: &description, seen: BTreeSet::new() };
    // Its log has what an earlier host and a newer program left there.
    let data = TempDir::new().unwrap();
    let path = data.path().join("room");
    let before = path.clone();
    TestRoom::open_with(|settings| settings.data_dir = Some(before)).await.close().await;
    let keep = Retention { messages: 10, bytes: 0, age: None };
    let log = SqliteLog::open(&path.join("messages.sqlite"), keep, Synchronous::Normal).unwrap();
    log.append(vec![entry(Body::Unknown { kind: "pin".into(), data: Vec::new() })]).await.unwrap();
    drop(log);
    let room = TestRoom::open_with(|settings| {
        settings.data_dir = Some(path);
        settings.room.title = "Tea at five".into();
        settings.room.message_bytes = 32_000;
        settings.room.away = Duration::from_secs(1);
        settings.history.messages = 10;
        settings.rooms.push(settings.extra_room("tea", None, true).unwrap());
    })
    .await;
    // A guest sends what the description gives as examples.
    let mut ann = room.stranger().await;
    for (kind, answer) in [
        ("hello", "welcome"),
        ("say", "acknowledged"),
        ("rename", "renamed"),
        ("older", "history"),
        ("searching", "search"),
        ("ping", "pong"),
    ] {
        ann.send(witness.example(kind)).await;
        witness.expect(&mut ann, answer).await;
    }
    for kind in ["unknown", "title"] {
        assert!(witness.seen.contains(kind), "{kind}");
    }
    let mut tea = room.stranger().await;
    tea.hello_as(json!({ "room": "tea" })).await;
    witness.expect(&mut ann, "rooms").await;
    // A host governs, by a link and by each kind of act.
    let mut claim = witness.example("claim");
    claim["link"] = room.link(Role::Host).await.into();
    ann.send(claim).await;
    witness.expect(&mut ann, "acknowledged").await;
    ann.send(witness.example("doing")).await;
    witness.expect(&mut ann, "acknowledged").await;
    let (said, other) = (ann.say("pinned", "a message").await, 9);
    // The pins first: of ten entries the oldest of the author who keeps most go.
    for (number, act) in [
        json!({ "act": "pin", "message": said }),
        json!({ "act": "unpin" }),
        json!({ "act": "pin", "message": said }),
        json!({ "act": "edit", "message": said, "text": "another text" }),
        json!({ "act": "react", "message": said, "emoji": "👍" }),
        json!({ "act": "react", "message": said, "emoji": "" }),
        json!({ "act": "kick", "of": other }),
        json!({ "act": "mute", "of": other, "seconds": 60 }),
        json!({ "act": "unmute", "of": other }),
        json!({ "act": "ban", "of": other }),
        json!({ "act": "unban", "of": other }),
        json!({ "act": "lock", "locked": true }),
        json!({ "act": "lock", "locked": false }),
        json!({ "act": "approval", "approval": true }),
        json!({ "act": "admit", "of": other }),
        json!({ "act": "reject", "of": other, "seconds": 60 }),
        json!({ "act": "approval", "approval": false }),
        json!({ "act": "password", "text": "five o'clock tea" }),
        json!({ "act": "password", "text": "" }),
        json!({ "act": "invited_only", "invited_only": true }),
        json!({ "act": "invited_only", "invited_only": false }),
        json!({ "act": "invite", "name": "Eve", "single_use": true, "seconds": 60 }),
        json!({ "act": "revoke_invite", "invite": "Eve" }),
        json!({ "act": "slow", "seconds": 1 }),
        json!({ "act": "cap", "guests": 10_000 }),
        json!({ "act": "topic", "text": "tea" }),
        json!({ "act": "title", "text": "Tea at six" }),
        json!({ "act": "rules", "text": "Be kind." }),
        json!({ "act": "role", "of": other, "role": "moderator" }),
        json!({ "act": "link", "role": "moderator" }),
        json!({ "act": "revoke_links" }),
        json!({ "act": "delete_all", "of": other }),
        json!({ "act": "delete", "messages": [100_000] }),
        json!({ "act": "words", "words": ["scam", "free money"] }),
        json!({ "act": "reserve" }),
        json!({ "act": "release_name" }),
        json!({ "act": "private", "private": false }),
        json!({ "act": "private", "private": true }),
        json!({ "act": "typing", "typing": true }),
        json!({ "act": "identities", "required": true }),
        json!({ "act": "identities", "required": false }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut frame = act;
        (frame["type"], frame["id"]) = ("act".into(), format!("act-{number}").into());
        description.check("asyncapi.json", &json!({ "$ref": "#/components/schemas/doing" }), &frame);
        ann.send(frame).await;
        witness.expect(&mut ann, "acknowledged").await;
    }
    assert!(witness.seen.contains("act"));
    // A message waits, and is released.
    let mut gus = room.guest("Gus").await;
    gus.send(json!({ "type": "say", "id": "scam", "text": "No ѕсаm." })).await;
    let waits = witness.expect(&mut gus, "acknowledged").await;
    assert_eq!(waits["held"], true);
    ann.send(witness.example("holding")).await;
    let held = witness.expect(&mut ann, "held").await;
    assert_eq!((&held["messages"][0]["seq"], &held["words"][1]), (&waits["seq"], &json!("free money")));
    let release =
        json!({ "type": "act", "id": "release", "act": "release", "messages": [waits["seq"].clone()] });
    description.check("asyncapi.json", &json!({ "$ref": "#/components/schemas/doing" }), &release);
    ann.send(release).await;
    let released = witness.expect(&mut gus, "message").await;
    assert_eq!((&released["id"], &released["text"]), (&json!("scam"), &json!("No ѕсаm.")));
    witness.expect(&mut ann, "acknowledged").await;
    drop(gus);
    witness.expect(&mut ann, "away").await;
    ann.send(witness.example("asking")).await;
    witness.expect(&mut ann, "waiting").await;
    ann.send(json!({ "type": "say", "id": "no", "text": "" })).await;
    witness.expect(&mut ann, "error").await;

    // Something is said privately, and one of the two leaves.
    let mut eve = room.guest("Eve").await;
    witness.expect(&mut ann, "joined").await;
    let mut whisper = witness.example("whisper");
    whisper["to"] = eve.id().into();
    ann.send(whisper).await;
    witness.expect(&mut ann, "private").await;
    eve.send(witness.example("writing")).await;
    witness.expect(&mut ann, "typing").await;
    eve.send(witness.example("leave")).await;
    witness.expect(&mut ann, "private_end").await;

    // Others come, drop off, come back, go.
    let bob = room.guest("Bob").await;
    witness.expect(&mut ann, "joined").await;
    let token = bob.welcome["token"].clone();
    drop(bob);
    witness.expect(&mut ann, "away").await;
    let mut bob = room.stranger().await;
    bob.hello_as(json!({ "token": token })).await;
    witness.expect(&mut ann, "back").await;
    bob.send(witness.example("leave")).await;
    witness.expect(&mut ann, "left").await;

    // Somebody reads too slowly: the ring and the log have gone on without them. A listener to server-sent events
    // gets the same events, and a message is one among them.
    let mut listener = Visitor::arrive(&room, "Lea").await.listen("", &[]).await;
    let socket = narrow();
    let mut slow = Guest::connect(socket.connect(room.address()).await.unwrap(), &room.host()).await;
    slow.hello("Slow").await;
    let text = "x".repeat(32_000);
    for number in 0..400 {
        ann.send(json!({ "type": "say", "id": number.to_string(), "text": text })).await;
        witness.expect(&mut ann, "acknowledged").await;
    }
    witness.expect(&mut slow, "roster").await;
    witness.expect(&mut slow, "policy").await;
    witness.expect(&mut slow, "gap").await;
    witness.expect(&mut slow, "message").await;
    witness.saw(&listener.next().await.unwrap());
    witness.saw(&listener.expect("message").await);

    // So many come that they are told their number, and nobody is named in the welcome but whoever comes.
    let mut crowd = Vec::new();
    for _ in 0..=OCCUPANCY_ABOVE {
        let mut guest = room.stranger().await;
        guest.hello_as(json!({})).await;
        witness.saw(&guest.welcome);
        crowd.push(guest);
    }
    witness.expect(&mut ann, "crowd").await;

    let sent = &description.asyncapi["operations"]["events"]["messages"];
    for message in sent.as_array().unwrap() {
        let kind = message["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(
            witness.seen.contains(kind) || OUT_OF_REACH.contains(&kind),
            "{kind} is described and never came"
        );
    }
}

/// What the test above cannot provoke, and what several doors and a full disk add to other events.
#[test]
fn what_a_single_room_does_not_say_is_described() {
    let description = Description::read();
    let doors = ["http://two.onion".to_owned(), "https://room.example:8443".to_owned()];
    let full = Refusal { doors: doors.to_vec().into(), ..Refusal::new(Code::RoomFull, "Go elsewhere.") };
    let guest = onionroom::protocol::Guest {
        id: GuestId(7),
        name: Name::parse("Ann").unwrap(),
        away: false,
        kept: false,
    };
    let welcome = Welcome {
        replaced: vec![(2, 3)],
        guest: guest.clone(),
        token: Token::random().unwrap(),
        resumed: false,
        room: "main".into(),
        title: "Tea".into(),
        epochs: Arc::new(Epochs::first("5d0c".into())),
        cursor: None,
        guests: Arc::from([guest]),
        count: 1,
        head: 0,
        said: 0,
        first: 1,
        after: Some(0),
        clock: 1,
        limits: Limits { message_bytes: 1, name_characters: 1, guests: 1, edit_seconds: 0 },
        kept: Kept { messages: 1, days: 1 },
        doors: Arc::from(doors.clone()),
        storage_available: false,
        waiting: 2,
        rooms: Arc::default(),
        policy: Arc::default(),
    };
    let events = [
        Event::Doors { doors: &doors },
        Event::Doors { doors: &[] },
        Event::Storage { available: false },
        Event::Storage { available: true },
        full.event(),
        welcome.event(),
    ];
    for event in events {
        let json = serde_json::from_str::<Value>(&event.encode()).unwrap();
        description.check_event(&json);
        if let Event::Welcome { .. } = event {
            assert_eq!((&json["doors"][0], &json["storage_available"]), (&json!(doors[0]), &json!(false)));
        }
    }
}
