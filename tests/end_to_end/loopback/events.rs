//! Server-sent events: the same as on a WebSocket, resumed by the id of the last event.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::kit::program::Program;
use crate::kit::visitor::Listener;
use crate::kit::{Guest, TestRoom, Visitor, narrow, within};

/// The sequence numbers of the messages up to this one; a gap is told as its two ends.
async fn seqs_until(listener: &mut Listener, last: u64) -> (Vec<u64>, Vec<(u64, u64)>) {
    let (mut seqs, mut gaps) = (Vec::new(), Vec::new());
    while seqs.last() != Some(&last) {
        let event = listener.next().await.expect("more");
        match event["type"].as_str().unwrap() {
            "message" => seqs.push(event["seq"].as_u64().unwrap()),
            "gap" => gaps.push((event["after"].as_u64().unwrap(), event["before"].as_u64().unwrap())),
            _ => {}
        }
    }
    (seqs, gaps)
}

#[tokio::test]
async fn a_listener_hears_what_a_connection_hears() {
    let room = TestRoom::open().await;
    let mut bob = room.guest("Bob").await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let mut listener = ann.listen("", &[]).await;
    let welcome = listener.next().await.unwrap();
    assert_eq!((&welcome["type"], &welcome["guest"]), (&json!("welcome"), &ann.welcome["guest"]));
    assert_eq!(welcome["token"], ann.welcome["token"]);
    assert_eq!(welcome["resumed"], true);

    assert_eq!(ann.say("a1", "one\nline").await, 1);
    assert_eq!(bob.say("b1", "two").await, 2);
    let eve = room.guest("Eve").await;
    let (first, second) = (listener.next().await.unwrap(), listener.next().await.unwrap());
    assert_eq!((&first["text"], &second["text"]), (&json!("one\nline"), &json!("two")));
    assert_eq!(listener.last_id, Some(format!("{}-2", welcome["room"]["epoch"].as_str().unwrap())));
    assert_eq!(listener.next().await.unwrap()["guest"]["id"], eve.id());

    drop(listener);
    assert_eq!(bob.expect("away").await["guest"]["name"], "Ann");
    let _again = ann.listen("", &[]).await;
    assert_eq!(bob.expect("back").await["guest"]["name"], "Ann");
}

#[tokio::test]
async fn everything_that_waits_comes_in_one_chunk() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    for number in 1..=20 {
        ann.say(&number.to_string(), "hello").await;
    }
    let mut listener = ann.listen("", &[]).await;
    assert_eq!(seqs_until(&mut listener, 20).await.0, (1..=20).collect::<Vec<_>>());
    assert_eq!(listener.chunks, 1, "the welcome and what was missed");
}

#[tokio::test]
async fn the_last_events_id_resumes_without_loss_or_repeat() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let bob = Visitor::arrive(&room, "Bob").await;
    let mut seen = Vec::new();
    let mut id: Option<String> = None;
    // Each round something is said before, while and after Ann listens.
    for round in 0..10u64 {
        bob.say(&format!("{round}a"), "before").await;
        let header = id.as_ref().map(|id| format!("Last-Event-ID: {id}"));
        // The cursor in the address is where a browser began, and is old by now.
        let mut listener =
            ann.listen("after=0", &header.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let last = bob.say(&format!("{round}b"), "while").await;
        let (new, gaps) = seqs_until(&mut listener, last).await;
        assert!(gaps.is_empty());
        seen.extend(new);
        id = listener.last_id.clone();
        drop(listener);
        bob.say(&format!("{round}c"), "after").await;
    }
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cursor_counts_with_its_epoch_only() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    for number in 1..=3 {
        ann.say(&number.to_string(), "hello").await;
    }
    let epoch = ann.welcome["room"]["epoch"].as_str().unwrap();
    for (query, header, expected) in [
        (format!("after=2&epoch={epoch}"), String::new(), vec![3]),
        ("after=2".to_owned(), String::new(), vec![3]),
        ("after=2&epoch=another".to_owned(), String::new(), vec![1, 2, 3]),
        (String::new(), format!("Last-Event-ID: {epoch}-1"), vec![2, 3]),
        (String::new(), "Last-Event-ID: another-1".to_owned(), vec![1, 2, 3]),
    ] {
        let headers: Vec<&str> =
            Some(header.as_str()).filter(|header| !header.is_empty()).into_iter().collect();
        let mut listener = ann.listen(&query, &headers).await;
        assert_eq!(seqs_until(&mut listener, 3).await.0, expected, "{query} {header}");
    }
    let answer = ann.request("GET", "/rooms/main/events", &["Last-Event-ID: nonsense"], "").await;
    assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("wrong_kind")));
}

#[tokio::test]
async fn what_is_beyond_the_ring_comes_from_the_log_and_what_was_trimmed_is_a_gap() {
    let room = TestRoom::open_with(|settings| settings.history.messages = 500).await;
    let mut ann = room.guest("Ann").await;
    let bob = Visitor::arrive(&room, "Bob").await;
    // The ring holds a mebibyte: some 250 of these.
    let text = "x".repeat(4096);
    for number in 1..=600u64 {
        assert_eq!(ann.say(&number.to_string(), &text).await, number);
    }
    let epoch = bob.welcome["room"]["epoch"].as_str().unwrap();
    let kept = format!("Last-Event-ID: {epoch}-150");
    let (seqs, gaps) = seqs_until(&mut bob.listen("", &[&kept]).await, 600).await;
    assert_eq!((seqs, gaps), ((151..=600).collect(), vec![]));
    let trimmed = format!("Last-Event-ID: {epoch}-50");
    let (seqs, gaps) = seqs_until(&mut bob.listen("", &[&trimmed]).await, 600).await;
    assert_eq!((seqs, gaps), ((101..=600).collect(), vec![(50, 101)]));
}

#[tokio::test]
async fn a_newer_connection_takes_over() {
    let room = TestRoom::open().await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let mut old = ann.listen("", &[]).await;
    old.expect("welcome").await;
    let mut new = ann.listen("", &[]).await;
    new.expect("welcome").await;
    assert_eq!(old.next().await.unwrap()["code"], "taken_over");
    assert_eq!(old.next().await, None);
    let mut socket = room.stranger().await;
    socket.hello_as(json!({ "token": ann.token() })).await;
    assert_eq!(new.expect("error").await["code"], "taken_over");
    assert_eq!(ann.request("HEAD", "/rooms/main/events", &[], "").await.status, 200);
    assert_eq!(socket.say("1", "still here").await, 1);
}

#[tokio::test]
async fn a_full_room_says_so() {
    let room = TestRoom::open_with(|settings| settings.room.guests = 1).await;
    let _bob = room.guest("Bob").await;
    let mut ann = Visitor::stranger(&room);
    ann.welcome = json!({ "token": "A".repeat(43) });
    let answer = ann.get("/rooms/main/events").await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("room_full")));
}

#[tokio::test]
async fn a_room_that_closes_ends_the_streams_also_of_those_who_do_not_read() {
    let room = TestRoom::open().await;
    let mut ann = Visitor::arrive(&room, "Ann").await.listen("", &[]).await;
    let socket = narrow();
    let _stalled = Visitor::arrive(&room, "Bob").await.listen_on(socket, "", &[]).await;
    let mut eve = room.guest("Eve").await;
    let text = "x".repeat(4096);
    for number in 0..600 {
        eve.say(&number.to_string(), &text).await;
    }
    seqs_until(&mut ann, 600).await;
    // Much sooner than a write to somebody who does not read is given up.
    within("closing", room.close()).await;
    assert_eq!(ann.next().await, None, "a proper end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_costs_the_others_nothing_and_goes_on_later() {
    const SAID: u64 = 3000;
    let room = TestRoom::open_with(|settings| {
        settings.history.messages = 100;
        settings.listen.write_stall = Duration::from_secs(600);
    })
    .await;
    let socket = narrow();
    let mut stalled = Visitor::arrive(&room, "Stalled").await.listen_on(socket, "", &[]).await;
    let mut ann = room.guest("Ann").await;
    let mut bob = Visitor::arrive(&room, "Bob").await.listen("", &[]).await;
    // More than the ring, the log and the sockets' buffers hold: 3,000 x 4 KiB.
    let text = "x".repeat(4096);
    let (_, (heard, gaps)) = tokio::join!(
        async {
            for number in 0..SAID {
                ann.say(&number.to_string(), &text).await;
            }
        },
        seqs_until(&mut bob, SAID)
    );
    assert_eq!((heard, gaps), ((1..=SAID).collect(), vec![]));
    let mut events: Vec<Value> = Vec::new();
    within("the rest", async {
        while events.last().is_none_or(|event| event["seq"] != SAID) {
            events.push(stalled.next().await.unwrap());
        }
    })
    .await;
    let gap = events.iter().find(|event| event["type"] == "gap").expect("a gap is told");
    let seqs: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
    for pair in seqs.windows(2) {
        let told = gap["after"] == pair[0] && gap["before"] == pair[1];
        assert!(pair[1] == pair[0] + 1 || told, "{pair:?} beside {gap}");
    }
}

#[tokio::test]
async fn those_who_do_not_read_are_held_in_little_memory() {
    const STALLED: u64 = 30;
    const SAID: u64 = 1500;
    let words = ["--no-onion", "--ephemeral", "--local", "open", "--listen", "127.0.0.1:0"];
    let mut program = Program::start(&words);
    let url = program.told("local").await;
    let address: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let mut stalled = Vec::new();
    for number in 0..STALLED {
        let socket = narrow();
        let visitor = Visitor::stranger_at(address).seated(&format!("Stalled {number}")).await;
        stalled.push(visitor.listen_on(socket, "", &[]).await);
    }
    let mut ann = Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await;
    ann.hello("Ann").await;
    let text = "x".repeat(4096);
    let mut say = async |numbers: std::ops::Range<u64>| {
        for number in numbers.clone() {
            ann.send(json!({ "type": "say", "id": number.to_string(), "text": text })).await;
        }
        for _ in numbers {
            ann.expect("acknowledged").await;
        }
    };
    // The ring is full before it is measured.
    for hundred in 0..4 {
        say(hundred * 100..(hundred + 1) * 100).await;
    }
    let before = program.resident_bytes();
    for hundred in 4..SAID / 100 {
        say(hundred * 100..(hundred + 1) * 100).await;
    }
    let (grown, queues) = (program.resident_bytes().saturating_sub(before), STALLED * (SAID - 400) * 4096);
    assert!(grown < queues / 8, "{grown} bytes more for {STALLED} who do not read; queues would be {queues}");
}

#[tokio::test]
async fn who_never_reads_again_is_let_go_and_resumes() {
    let room = TestRoom::open_with(|settings| settings.listen.write_stall = Duration::from_millis(300)).await;
    let ann = Visitor::arrive(&room, "Ann").await;
    let socket = narrow();
    let _stalled = ann.listen_on(socket, "", &[]).await;
    let mut bob = room.guest("Bob").await;
    let said = bob.talk_until_away().await;
    let mut again = ann.listen(&format!("after={}", said - 2), &[]).await;
    assert_eq!(again.expect("message").await["seq"], said - 1);
}

#[tokio::test]
async fn every_transport_sees_the_same() {
    const SAID: u64 = 200;
    let room = TestRoom::open().await;
    let mut socket = room.guest("Socket").await;
    let speaker = Visitor::arrive(&room, "Speaker").await;
    let polling = Visitor::arrive(&room, "Polling").await;
    let waiting = Visitor::arrive(&room, "Waiting").await;
    let mut listener = Visitor::arrive(&room, "Listener").await.listen("", &[]).await;
    let poll = |visitor: Visitor, wait: &'static str| async move {
        let mut messages: Vec<Value> = Vec::new();
        while messages.len() < SAID as usize {
            let after = messages.last().map_or(0, |message| message["seq"].as_u64().unwrap());
            let answer = visitor.messages(&format!("after={after}&wait={wait}")).await;
            messages.extend(answer["messages"].as_array().unwrap().clone());
        }
        messages
    };
    let (_, by_socket, by_events, by_polling, by_waiting) = tokio::join!(
        async {
            for number in 1..=SAID {
                speaker.say(&number.to_string(), &format!("text {number}")).await;
            }
        },
        async {
            let mut messages = Vec::new();
            while messages.len() < SAID as usize {
                messages.push(socket.expect("message").await);
            }
            messages
        },
        async {
            let mut messages = Vec::new();
            while messages.len() < SAID as usize {
                messages.push(listener.expect("message").await);
            }
            messages
        },
        poll(polling, "0"),
        poll(waiting, "25"),
    );
    assert_eq!(by_socket, by_events);
    assert_eq!(by_socket, by_polling);
    assert_eq!(by_socket, by_waiting);
}
