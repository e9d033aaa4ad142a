//! One room in memory, in which somebody speaks and everyone listens.

use std::sync::Arc;

use futures_util::future::try_join_all;
use onionroom::config::{HistorySettings, ListenSettings, RoomSettings};
use onionroom::hub::{Entered, Room};
use onionroom::protocol::{CROWD_ABOVE, Hello, MessageId, Refusal, Say};
use onionroom::transport::websocket;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::audience::{Audience, Listener, ending};
use super::numbers::Numbers;
use crate::kit::Outcome;

/// How many listen; with the one who speaks they are no crowd, whose number would be told at times of its own.
pub(crate) const LISTENERS: usize = 99;
const _: () = assert!(LISTENERS < CROWD_ABOVE);

/// What is said before, in rounds of so many messages: more than the ring holds, so that it has its size.
const ROUNDS_BEFORE: usize = 100;
const AT_ONCE_BEFORE: usize = 64;

/// How many bytes the text of a message has, its ending among them.
const TEXT_BYTES: usize = 100;

/// A room that is talked in.
pub(crate) struct Talk {
    room: Room,
    speaker: Entered,
    audience: Arc<Audience>,
    said: u64,
}

impl Talk {
    /// Opens the room, lets everyone in, and talks for a while.
    pub(crate) async fn begin() -> Outcome<Self> {
        let room = open().await?;
        let speaker = room.enter(Hello::default()).await.map_err(told)?;
        let audience = Arc::new(Audience::default());
        for number in 0..LISTENERS {
            tokio::spawn(listen(room.clone(), Listener(Arc::clone(&audience)), number));
        }
        let knock = || Hello { token: Some(speaker.welcome.token.clone()), ..Hello::default() };
        while room.visit(knock()).await.map_err(told)?.welcome.count <= LISTENERS {
            yield_now().await;
        }
        let mut talk = Self { room, speaker, audience, said: 0 };
        talk.go_on(ROUNDS_BEFORE, AT_ONCE_BEFORE).await?;
        Ok(talk)
    }

    /// Says so many messages `at_once` and waits until everyone has them, for so many rounds. Answers with how many
    /// writes that took.
    pub(crate) async fn go_on(&mut self, rounds: usize, at_once: usize) -> Outcome<u64> {
        let before = self.audience.writes();
        for _ in 0..rounds {
            let numbers = self.said..self.said + at_once as u64;
            self.said = numbers.end;
            self.audience.expect(numbers.end - 1, LISTENERS);
            let said = numbers.map(|number| Ok(self.room.say(&self.speaker.seat, say(number)?)));
            try_join_all(said.collect::<Result<Vec<_>, _>>().map_err(told)?).await.map_err(told)?;
            self.audience.complete().await;
        }
        Ok(self.audience.writes() - before)
    }
}

async fn open() -> Outcome<Room> {
    let settings = RoomSettings { messages_per_second: 0, ..Default::default() };
    Ok(Room::open(&settings, &HistorySettings::default(), Arc::new(Numbers::default())).await?)
}

async fn listen(room: Room, listener: Listener, number: usize) {
    let (settings, closing) = (ListenSettings::default(), CancellationToken::new());
    websocket::serve(Box::new(listener), hello(number).into(), room, &settings, &closing).await;
}

/// A guest's first frame (RFC 6455, section 5.2): FIN set, text, masked, with a mask that changes nothing.
fn hello(number: usize) -> Vec<u8> {
    let json = format!(r#"{{"type":"hello","name":"Guest {number}"}}"#);
    let length = 0x80 | json.len() as u8;
    [&[0x81, length, 0, 0, 0, 0], json.as_bytes()].concat()
}

fn say(number: u64) -> Result<Say, Refusal> {
    let id = MessageId::parse(&ending(number))?;
    let text = format!("{:.<1$}", "something to say, ", TEXT_BYTES - id.as_str().len()) + id.as_str();
    Ok(Say { id, text })
}

fn told(refusal: Refusal) -> String {
    refusal.message
}
