//! A room in memory with one sender and many listeners.

use std::sync::Arc;

use futures_util::future::join_all;
use onionroom::config::{HistorySettings, ListenSettings, RoomSettings, Settings};
use onionroom::hub::{Join, PublishBatch, Room};
use onionroom::listen::ConnectionLimiter;

use onionroom::protocol::{CircuitId, Hello, MessageId, OCCUPANCY_ABOVE, Refusal, Say};
use onionroom::rooms::Rooms;
use onionroom::transport::websocket;
use onionroom_bench::Outcome;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Shared, digits};
use super::log::NullLog;

/// Listeners; with the sender they are as many as have their presence announced, so that no occupancy events come
/// between.
pub(crate) const LISTENERS: usize = 99;
const _: () = assert!(LISTENERS < OCCUPANCY_ABOVE);

/// Rounds of the warm-up and messages in each: more than the ring holds, so that it has reached its size.
const WARM_UP: (usize, usize) = (100, 64);

/// Bytes of the text of a message.
const TEXT_BYTES: usize = 100;

/// The room, warmed up.
pub(crate) struct Fanout {
    room: Room,
    sender: Join,
    connections: Arc<Shared>,
    sent: u64,
}

impl Fanout {
    /// Opens the room, lets all listeners join and sends the warm-up.
    pub(crate) async fn start() -> Outcome<Self> {
        let settings = RoomSettings {
            messages_per_minute: 0,
            room_messages_per_minute: 0,
            joins_per_minute: 0,
            ..Default::default()
        };
        let room = Room::open(&settings, &HistorySettings::default(), Arc::new(NullLog::default())).await?;
        let sender = room.join(Hello::default()).await.map_err(message)?;
        let connections = Arc::new(Shared::default());
        for number in 0..LISTENERS {
            tokio::spawn(listen(room.clone(), Connection::new(&connections), number));
        }
        while connections.welcomed() < LISTENERS {
            yield_now().await;
        }
        let mut fanout = Self { room, sender, connections, sent: 0 };
        fanout.run(WARM_UP.0, WARM_UP.1).await?;
        Ok(fanout)
    }

    /// Sends `batch` messages at once and waits until all listeners have received them, `rounds` times. Returns the
    /// number of writes.
    pub(crate) async fn run(&mut self, rounds: usize, batch: usize) -> Outcome<u64> {
        let before = self.connections.writes();
        for _ in 0..rounds {
            let numbers = self.sent..self.sent + batch as u64;
            self.sent = numbers.end;
            self.connections.expect(numbers.end - 1, LISTENERS);
            // One request for each message, as from as many guests.
            let requests = numbers.map(|number| Ok(self.room.publish(&self.sender.seat, vec![say(number)?])));
            let requests = requests.collect::<Result<Vec<_>, _>>().map_err(message)?;
            for PublishBatch { results, .. } in join_all(requests).await {
                results.into_iter().try_for_each(|result| result.map(drop)).map_err(message)?;
            }
            self.connections.complete().await;
        }
        Ok(self.connections.writes() - before)
    }
}

async fn listen(room: Room, connection: Connection, number: usize) {
    let (settings, closing) = (ListenSettings::default(), CancellationToken::new());
    let (limiter, _accepted) = ConnectionLimiter::new(1, settings.requests_per_second);
    let Some(permit) = limiter.try_acquire(CircuitId(1)) else { return };
    let rooms = Rooms::only(room.clone(), &Settings::default());
    websocket::serve(Box::new(connection), hello(number).into(), rooms, room, &settings, &permit, &closing)
        .await;
}

/// A guest's first frame (RFC 6455, section 5.2): FIN, text, with a mask of zeros.
fn hello(number: usize) -> Vec<u8> {
    let json = format!(r#"{{"type":"hello","name":"Guest {number}"}}"#);
    let length = 0x80 | json.len() as u8;
    [&[0x81, length, 0, 0, 0, 0], json.as_bytes()].concat()
}

fn say(number: u64) -> Result<Say, Refusal> {
    let id = MessageId::parse(&digits(number))?;
    let text = format!("{:.<1$}", "something to say, ", TEXT_BYTES - id.as_str().len()) + id.as_str();
    Ok(Say { id, text, reply: None })
}

fn message(refusal: Refusal) -> String {
    refusal.message
}
