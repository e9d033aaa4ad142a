//! One room, five ways in: WebSocket, server-sent events, long and short polling, and the page without script.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::interval;

use crate::kit::noscript_stream::NoscriptStream;
use crate::kit::program::Program;
use crate::kit::raw::Raw;
use crate::kit::{Guest, TestRoom, Visitor, narrow, within};

/// How often whoever polls without waiting asks.
const POLL: Duration = Duration::from_millis(20);

/// What was heard: numbers and texts.
type Heard = Vec<(u64, String)>;

fn heard(message: &Value) -> (u64, String) {
    (message["seq"].as_u64().unwrap(), message["text"].as_str().unwrap().to_owned())
}

/// Asks again and again until `count` messages were heard.
async fn poll(visitor: &Visitor, count: usize, wait: u64) -> Heard {
    let (mut list, mut pause) = (Heard::new(), interval(POLL));
    while list.len() < count {
        if wait == 0 {
            pause.tick().await;
        }
        let after = list.last().map_or(0, |(seq, _)| *seq);
        let answer = visitor.messages(&format!("after={after}&wait={wait}")).await;
        assert_eq!(answer.get("gap"), None);
        list.extend(answer["messages"].as_array().unwrap().iter().map(heard));
    }
    list
}

/// Everyone speaks and listens at once, each in their own way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_guests_on_five_transports_see_one_sequence() {
    const EACH: usize = 100;
    const ALL: usize = 5 * EACH;
    let room = TestRoom::open().await;
    let mut socket = room.guest("Socket").await;
    let listener = Visitor::arrive(&room, "Listener").await;
    let mut events = listener.listen("", &[]).await;
    let waiting = Visitor::arrive(&room, "Waiting").await;
    let polling = Visitor::arrive(&room, "Polling").await;
    let mut page = NoscriptStream::enter_on(TcpSocket::new_v4().unwrap(), room.address(), 5).await;
    let form = NoscriptStream::enter_on(TcpSocket::new_v4().unwrap(), room.address(), 6).await;

    let say = |visitor: Visitor, name: &'static str| async move {
        for number in 0..EACH {
            visitor.say(&number.to_string(), &format!("{name} {number}")).await;
        }
    };
    let by_socket = async {
        let (mut list, mut said) = (Heard::new(), 0);
        while list.len() < ALL {
            if said < EACH {
                let text = format!("socket {said}");
                socket.send(json!({ "type": "say", "id": said.to_string(), "text": text })).await;
                said += 1;
            }
            list.push(heard(&socket.expect("message").await));
        }
        list
    };
    let by_events = async {
        let mut list = Heard::new();
        while list.len() < ALL {
            list.push(heard(&events.expect("message").await));
        }
        list
    };
    let by_page = async {
        let mut list = Vec::new();
        while list.len() < ALL {
            list.push(page.message().await.expect("no gap"));
        }
        list
    };
    let forms = async {
        for number in 0..EACH {
            form.say(&format!("form{number}"), &format!("page {number}")).await;
        }
    };
    let everyone = async {
        tokio::join!(
            by_socket,
            by_events,
            poll(&waiting, ALL, 25),
            poll(&polling, ALL, 0),
            by_page,
            forms,
            say(listener.clone(), "listener"),
            say(waiting.clone(), "waiting"),
            say(polling.clone(), "polling"),
        )
    };
    let (by_socket, by_events, by_waiting, by_polling, by_page, ..) = within("everyone", everyone).await;

    let seqs: Vec<u64> = by_socket.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, (1..=ALL as u64).collect::<Vec<_>>());
    assert_eq!(by_events, by_socket, "server-sent events");
    assert_eq!(by_waiting, by_socket, "long polling");
    assert_eq!(by_polling, by_socket, "short polling");
    let texts: Vec<&String> = by_socket.iter().map(|(_, text)| text).collect();
    assert!(by_page.iter().eq(texts.iter().copied()), "the page without script");
    for name in ["socket", "listener", "waiting", "polling", "page"] {
        let own = texts.iter().filter(|text| text.starts_with(name));
        let expected: Vec<String> = (0..EACH).map(|number| format!("{name} {number}")).collect();
        assert!(own.copied().eq(expected.iter()), "{name}'s own order");
    }
}

/// Checks that numbers go up by one except where a gap is told; answers with how many gaps there were.
fn unbroken(events: &[Value]) -> usize {
    let (mut after, mut gaps) = (0, 0);
    for event in events {
        match event["type"].as_str().unwrap() {
            "message" => {
                assert_eq!(event["seq"], after + 1, "{after} was the last");
                after += 1;
            }
            "gap" => {
                assert_eq!(event["after"], after);
                after = event["before"].as_u64().unwrap() - 1;
                gaps += 1;
            }
            _ => {}
        }
    }
    gaps
}

/// Whoever does not read costs little memory and nobody else's time, whichever way they came; later they get
/// what is kept and are told of the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_readers_on_every_transport() {
    const STALLED: u8 = 6;
    const BEFORE: u64 = 400; // as many as fill the ring
    const SAID: u64 = 1500;
    let alone = ["--no-onion", "--ephemeral", "--local", "open", "--listen", "127.0.0.1:0"];
    let words = [&alone[..], &["--keep-messages", "100"]].concat();
    let mut program = Program::start(&words);
    let url = program.told("local").await;
    let address: SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();

    let (mut sockets, mut events, mut pages, mut polls) = (vec![], vec![], vec![], vec![]);
    for number in 0..STALLED {
        let io = narrow().connect(address).await.unwrap();
        let mut socket = Guest::connect(io, &address.to_string()).await;
        socket.hello(&format!("Socket {number}")).await;
        sockets.push(socket);
        let visitor = Visitor::stranger_at(address).seated(&format!("Listener {number}")).await;
        events.push(visitor.listen_on(narrow(), "", &[]).await);
        pages.push(NoscriptStream::enter_on(narrow(), address, number).await);
        let visitor = Visitor::stranger_at(address).seated(&format!("Waiting {number}")).await;
        let mut raw = Raw::new(narrow().connect(address).await.unwrap());
        let question = format!(
            "GET /rooms/main/messages?after=0&wait=25 HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
            visitor.token()
        );
        // Two questions on one connection: the second answer is as large as answers become.
        raw.write(question.repeat(2).as_bytes()).await;
        polls.push((visitor, raw));
    }

    let connect =
        async || Guest::connect(TcpStream::connect(address).await.unwrap(), &address.to_string()).await;
    let (mut ann, mut bob) = (connect().await, connect().await);
    ann.hello("Ann").await;
    bob.hello("Bob").await;
    let mut measured = 0;
    let said = async {
        for number in 1..=SAID {
            // The last one says so, for those who see no numbers.
            let text = if number == SAID { "the last".to_owned() } else { "x".repeat(4096) };
            assert_eq!(ann.say(&number.to_string(), &text).await, number);
            if number == BEFORE {
                measured = program.resident_bytes();
            }
        }
    };
    let others = async {
        for seq in 1..=SAID {
            assert_eq!(bob.expect("message").await["seq"], seq);
        }
    };
    within("those who read", async { tokio::join!(said, others) }).await;
    let grown = program.resident_bytes().saturating_sub(measured);
    let queues = 4 * u64::from(STALLED) * (SAID - BEFORE) * 4096;
    println!("stalled: {} KiB more, queues would be {} KiB", grown / 1024, queues / 1024);
    assert!(grown < queues / 8, "{grown} bytes more; queues would be {queues}");

    for mut socket in sockets {
        let mut list = vec![socket.next().await];
        while list.last().unwrap()["seq"] != SAID {
            list.push(socket.next().await);
        }
        assert!(unbroken(&list) > 0, "WebSocket: a gap is told");
    }
    for mut events in events {
        let mut list = vec![events.next().await.unwrap()];
        while list.last().unwrap()["seq"] != SAID {
            list.push(events.next().await.unwrap());
        }
        assert!(unbroken(&list) > 0, "server-sent events: a gap is told");
    }
    for mut page in pages {
        let (mut gaps, mut shown) = (0, 0);
        loop {
            match page.message().await {
                None => gaps += 1,
                Some(text) if text == "the last" => break,
                Some(_) => shown += 1,
            }
        }
        assert!(gaps > 0 && shown >= 99, "the page: {gaps} gaps, {shown} messages");
    }
    for (visitor, mut raw) in polls {
        let mut list = Vec::new();
        for _ in 0..2 {
            let answer = raw.answer().await;
            assert_eq!(answer.status, 200);
        }
        loop {
            let after = list.last().map_or(0, |event: &Value| event["seq"].as_u64().unwrap());
            let answer = visitor.messages(&format!("after={after}")).await;
            list.extend(answer.get("gap").cloned());
            list.extend(answer["messages"].as_array().unwrap().clone());
            if after == SAID {
                break;
            }
        }
        assert_eq!(unbroken(&list), 1, "polling: a gap is told");
    }
}
