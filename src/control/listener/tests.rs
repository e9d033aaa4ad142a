use tokio::io::Lines;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::*;
use crate::control::answer::Guests;
use crate::control::task::Progress;
use crate::listen::unix::connect;

/// Is never at a loss for an answer.
struct Anything;

impl Host for Anything {
    async fn answer(
        &self,
        _request: Request,
        _told: watch::Sender<Option<Progress>>,
    ) -> Result<Answer, Failed> {
        Ok(Answer::Guests(Guests { guests: Vec::new() }))
    }
}

const ASKED: &[u8] = b"{\"ask\":\"guests\"}\n";
const ANSWERED: &str = "{\"ok\":{\"guests\":[]}}";

/// Is never done with a task, and says when it is given up.
struct Endless(CancellationToken);

impl Host for Endless {
    async fn answer(
        &self,
        _request: Request,
        told: watch::Sender<Option<Progress>>,
    ) -> Result<Answer, Failed> {
        let _given_up = self.0.clone().drop_guard();
        told.send_replace(Some(Progress { step: "copying".into(), done: 1, total: 2 }));
        std::future::pending().await
    }
}

const TASK: &[u8] = b"{\"do\":\"backup\",\"path\":\"/x\",\"passphrase\":\"five words\",\"progress\":true}\n";
const PROGRESS: &str = "{\"progress\":{\"step\":\"copying\",\"done\":1,\"total\":2}}";

struct Place {
    directory: tempfile::TempDir,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Place {
    fn open() -> Self {
        Self::of(Anything)
    }

    fn of(host: impl Host) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (closing, tasks) = (CancellationToken::new(), TaskTracker::new());
        let socket = HostSocket::bind(&directory.path().join("host.sock")).unwrap();
        tasks.spawn(serve(socket, Arc::new(host), tasks.clone(), closing.clone()));
        Self { directory, closing, tasks }
    }

    async fn connect(&self) -> Client {
        let stream = connect(&self.directory.path().join("host.sock")).await.unwrap();
        let (reader, writer) = stream.into_split();
        Client { lines: BufReader::new(reader).lines(), writer }
    }
}

struct Client {
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
}

impl Client {
    async fn answer(&mut self) -> Option<String> {
        self.lines.next_line().await.unwrap_or(None)
    }

    /// The code of the error that is the last answer.
    async fn last(&mut self) -> String {
        let line = self.answer().await.unwrap();
        let Line::Error(failed) = serde_json::from_str::<Line<()>>(&line).unwrap() else { panic!("{line}") };
        assert!(failed.message.ends_with('.'), "a sentence: {failed}");
        assert_eq!(self.answer().await, None);
        failed.code
    }
}

#[tokio::test]
async fn lines_are_answered_in_their_order_also_the_last_one_without_an_end() {
    let place = Place::open();
    let mut client = place.connect().await;
    client.writer.write_all(b"nonsense\n\n{\"ask\":\"guests\"}").await.unwrap();
    client.writer.shutdown().await.unwrap();
    for code in ["not_json", "not_json"] {
        assert!(client.answer().await.unwrap().contains(code));
    }
    assert_eq!(client.answer().await.unwrap(), ANSWERED);
    assert_eq!(client.answer().await, None);
}

#[tokio::test]
async fn a_line_has_a_longest_length() {
    let place = Place::open();
    let mut client = place.connect().await;
    let mut line = ASKED.to_vec();
    line.splice(0..0, std::iter::repeat_n(b' ', LINE_BYTES_MAX + 1 - ASKED.len()));
    client.writer.write_all(&line).await.unwrap();
    assert_eq!(client.answer().await.unwrap(), ANSWERED, "{LINE_BYTES_MAX} bytes");
    line.insert(0, b' ');
    client.writer.write_all(&line).await.unwrap();
    assert_eq!(client.last().await, "line_too_long");
}

#[tokio::test]
async fn one_more_than_there_may_be_takes_the_place_of_the_oldest() {
    let place = Place::open();
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS_MAX + 1 {
        let mut client = place.connect().await;
        client.writer.write_all(ASKED).await.unwrap();
        assert_eq!(client.answer().await.unwrap(), ANSWERED);
        clients.push(client);
    }
    assert_eq!(clients[0].last().await, "busy");
    for client in &mut clients[1..] {
        client.writer.write_all(ASKED).await.unwrap();
        assert_eq!(client.answer().await.unwrap(), ANSWERED);
    }
}

/// It does not read, so its answers fill all buffers, and it has its place no longer than others let it.
#[tokio::test]
async fn those_who_do_not_read_make_way_too() {
    let place = Place::open();
    let mut deaf = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let client = place.connect().await;
        while client.writer.try_write(&ASKED.repeat(1000)).is_ok() {
            tokio::task::yield_now().await;
        }
        deaf.push(client);
    }
    for _ in 0..CONNECTIONS_MAX {
        let mut client = place.connect().await;
        client.writer.write_all(ASKED).await.unwrap();
        assert_eq!(client.answer().await.unwrap(), ANSWERED);
        deaf.push(client);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection() {
    let place = Place::open();
    let (mut silent, mut halting) = (place.connect().await, place.connect().await);
    halting.writer.write_all(b"{\"ask\"").await.unwrap();
    assert_eq!((silent.last().await, halting.last().await), ("silent".to_owned(), "silent".to_owned()));
}

#[tokio::test]
async fn the_end_of_the_room_is_the_end_of_its_connections() {
    let place = Place::open();
    let mut client = place.connect().await;
    client.writer.write_all(ASKED).await.unwrap();
    assert_eq!(client.answer().await.unwrap(), ANSWERED);
    place.closing.cancel();
    assert_eq!(client.last().await, "closing");
    place.tasks.close();
    place.tasks.wait().await;
    assert!(!place.directory.path().join("host.sock").exists());
}

#[tokio::test]
async fn a_task_is_given_up_when_its_connection_ends_or_has_to_make_way() {
    let given_up = CancellationToken::new();
    let place = Place::of(Endless(given_up.clone()));
    let mut client = place.connect().await;
    client.writer.write_all(TASK).await.unwrap();
    for _ in 0..3 {
        assert_eq!(client.answer().await.unwrap(), PROGRESS, "also where it is no further");
    }
    assert!(!given_up.is_cancelled());
    drop(client);
    given_up.cancelled().await;

    let place = Place::of(Endless(CancellationToken::new()));
    let mut first = place.connect().await;
    first.writer.write_all(TASK).await.unwrap();
    assert_eq!(first.answer().await.unwrap(), PROGRESS);
    let mut others = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        others.push(place.connect().await);
    }
    let code = loop {
        let line = first.answer().await.unwrap();
        if line != PROGRESS {
            let Line::Error(failed) = serde_json::from_str::<Line<()>>(&line).unwrap() else {
                panic!("{line}")
            };
            break failed.code;
        }
    };
    assert_eq!(code, "busy");
}

#[tokio::test]
async fn a_room_that_closes_gives_its_tasks_up() {
    let given_up = CancellationToken::new();
    let place = Place::of(Endless(given_up.clone()));
    let mut client = place.connect().await;
    client.writer.write_all(TASK).await.unwrap();
    assert_eq!(client.answer().await.unwrap(), PROGRESS);
    place.closing.cancel();
    given_up.cancelled().await;
    place.tasks.close();
    place.tasks.wait().await;
}
