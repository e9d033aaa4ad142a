//! Honest guests. They behave as the page does (`web/connection.js`): a heartbeat, and after a broken connection the same
//! token, the cursor, and everything again that was not acknowledged.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_socks::tcp::Socks5Stream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::CancellationToken;

use crate::ledger::{Ledger, Period, since};
use crate::route::Route;

/// How long a guest may take from the first packet to the welcome.
const WELCOME_DEADLINE: Duration = Duration::from_secs(60);
/// After how long without a frame a ping is sent.
const QUIET: Duration = Duration::from_secs(25);
/// How long its answer may take.
const PONG_DEADLINE: Duration = Duration::from_secs(20);
/// The longest wait before a guest comes back.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The shortest wait before a guest comes back to a full room.
const FULL_WAIT: Duration = Duration::from_secs(15);
/// How long a newcomer tries.
const JOIN_DEADLINE: Duration = Duration::from_secs(30);
/// How long a newcomer stays.
const VISIT: Duration = Duration::from_secs(3);
/// Between two messages of a guest, on average: half of what the rate limit allows.
const PACE: Duration = Duration::from_secs(4);

/// With it a message is 150 to 160 bytes on the wire.
const TEXT: &str = "so we meet at the old mill, and bring the tea";

type Socket = WebSocketStream<Socks5Stream<TcpStream>>;

/// One guest of the crowd that talks.
pub(crate) struct Guest {
    number: u32,
    name: Option<String>,
    token: String,
    route: Route,
    /// The circuit: C Tor isolates streams by SOCKS user.
    user: String,
    ledger: Ledger,
    ending: CancellationToken,
    /// The guest's number in the room and the run of sequence numbers, since the first welcome.
    known_as: Option<(u64, String)>,
    cursor: u64,
    next_due: Option<Instant>,
    thought: u64,
    /// Said and not acknowledged: the frame, and when to send it on this connection.
    unacknowledged: BTreeMap<u64, (String, Option<Instant>)>,
}

/// Why a connection ended.
struct Broken(String);

#[derive(Deserialize)]
struct Event {
    r#type: String,
    seq: Option<u64>,
    id: Option<String>,
    code: Option<String>,
    guest: Option<serde_json::Value>,
    room: Option<Welcomed>,
    after: Option<u64>,
    before: Option<u64>,
}

#[derive(Deserialize)]
struct Welcomed {
    epoch: String,
}

impl Guest {
    pub(crate) fn new(number: u32, route: Route, ledger: Ledger, ending: CancellationToken) -> Self {
        Self {
            number,
            name: Some(format!("Guest {:02}", number + 1)),
            token: token(),
            user: route.new_circuit(),
            route,
            ledger,
            ending,
            known_as: None,
            cursor: 0,
            next_due: None,
            thought: 0,
            unacknowledged: BTreeMap::new(),
        }
    }

    /// Stays in the room until the end. `entered` is told of the first welcome.
    pub(crate) async fn talk(mut self, entered: tokio::sync::mpsc::Sender<()>) {
        let (mut failures, mut entered) = (0, Some(entered));
        loop {
            let welcome = timeout(WELCOME_DEADLINE, self.enter()).await;
            let ended = match welcome.unwrap_or_else(|_| Err(Broken("no welcome in time".into()))) {
                Ok(socket) => {
                    failures = 0;
                    if let Some(entered) = entered.take() {
                        let _ = entered.send(()).await;
                    }
                    let stayed = self.stay(socket).await;
                    let Err(broken) = stayed else { return };
                    self.ledger.note(self.ledger.period(), |figures| figures.put_out += 1);
                    broken
                }
                Err(broken) => broken,
            };
            self.ledger.reason(self.ledger.period(), &format!("guest: {}", ended.0));
            // A name that was given to another guest meanwhile: the room suggests one.
            if ended.0.starts_with("name_") {
                self.name = None;
            }
            let longest = LONGEST_WAIT.min(Duration::from_secs(2) * 2u32.pow(failures.min(6)));
            failures += 1;
            let least = if ended.0 == "room_full" { FULL_WAIT } else { Duration::from_secs(1) };
            tokio::select! {
                () = sleep(least.max(longest.mul_f64(0.5 + chance() / 2.0))) => {}
                () = self.ending.cancelled() => return,
            }
        }
    }

    async fn enter(&mut self) -> Result<Socket, Broken> {
        let mut hello = json!({ "type": "hello", "token": self.token });
        if let Some(name) = &self.name {
            hello["name"] = name.as_str().into();
        }
        if let Some((_, epoch)) = &self.known_as {
            hello["after"] = self.cursor.into();
            hello["epoch"] = epoch.as_str().into();
        }
        let (socket, welcome) = join(&self.route, &self.user, &hello.to_string()).await?;
        let number = welcome.guest.as_ref().and_then(|guest| guest["id"].as_u64());
        let now = (number.unwrap_or_default(), welcome.room.map(|room| room.epoch).unwrap_or_default());
        if self.known_as.replace(now.clone()).is_some_and(|before| before != now) {
            self.ledger.note(self.ledger.period(), |figures| figures.forgotten += 1);
        }
        let now = Instant::now();
        self.unacknowledged.values_mut().for_each(|(_, send_at)| *send_at = Some(now));
        // Guests begin at different times.
        self.next_due.get_or_insert(now + PACE.mul_f64(chance()));
        Ok(socket)
    }

    /// One connection after its welcome; returns without an error at the end.
    async fn stay(&mut self, mut socket: Socket) -> Result<(), Broken> {
        let (mut heard, mut asked) = (Instant::now(), false);
        let ending = self.ending.clone();
        loop {
            self.think();
            let waiting = self.unacknowledged.values().filter_map(|(_, send_at)| *send_at).min();
            let next = waiting.into_iter().chain(self.next_due).min();
            let silence = heard + if asked { QUIET + PONG_DEADLINE } else { QUIET };
            tokio::select! {
                received = event(&mut socket) => {
                    (heard, asked) = (Instant::now(), false);
                    self.hear(received?)?;
                }
                () = sleep_until(next.unwrap_or(silence)), if next.is_some() => {
                    self.say(&mut socket).await?;
                }
                () = sleep_until(silence) => {
                    if asked {
                        return Err(Broken("no pong".into()));
                    }
                    asked = true;
                    send(&mut socket, r#"{"type":"ping"}"#).await?;
                }
                () = ending.cancelled() => {
                    let _ = send(&mut socket, r#"{"type":"leave"}"#).await;
                    return Ok(());
                }
            }
        }
    }

    /// Composes what has become due, also while there was no connection.
    fn think(&mut self) {
        while let Some(due) = self.next_due.filter(|due| *due <= Instant::now()) {
            let number = self.thought;
            self.thought += 1;
            let id = format!("h{}-{number}", self.number);
            self.ledger.said(&id, self.number, due);
            let say = json!({ "type": "say", "id": id, "text": TEXT }).to_string();
            self.unacknowledged.insert(number, (say, Some(due)));
            self.next_due = Some(due + PACE.mul_f64(0.75 + chance() / 2.0));
        }
    }

    /// Sends what is due.
    async fn say(&mut self, socket: &mut Socket) -> Result<(), Broken> {
        self.think();
        let now = Instant::now();
        for (say, send_at) in self.unacknowledged.values_mut() {
            if send_at.is_some_and(|at| at <= now) {
                *send_at = None;
                send(socket, say).await?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: Event) -> Result<(), Broken> {
        match (event.r#type.as_str(), &event.id) {
            ("message", Some(id)) => {
                self.cursor = self.cursor.max(event.seq.unwrap_or_default());
                self.ledger.seen(id, self.number);
            }
            ("acknowledged", Some(id)) => {
                self.ledger.acknowledged(id);
                if let Some(number) = number_of(id) {
                    self.unacknowledged.remove(&number);
                }
            }
            ("error", Some(id)) => {
                let code = event.code.as_deref().unwrap_or("error");
                self.ledger.reason(self.ledger.period(), &format!("message: {code}"));
                if let Some((_, send_at)) = number_of(id).and_then(|n| self.unacknowledged.get_mut(&n)) {
                    *send_at = Some(Instant::now() + Duration::from_secs(2));
                }
            }
            ("error", None) => return Err(Broken(event.code.unwrap_or_default())),
            ("gap", _) if self.known_as.is_some() && event.after.is_some_and(|after| after > 0) => {
                self.cursor = self.cursor.max(event.before.unwrap_or(1) - 1);
                self.ledger.note(self.ledger.period(), |figures| figures.forgotten += 1);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A newcomer on a new circuit: tries as the page does until the deadline, stays for a moment, and leaves.
pub(crate) async fn newcomer(route: Route, ledger: Ledger, period: Period) {
    let (user, begin) = (route.new_circuit(), Instant::now());
    let hello = json!({ "type": "hello", "token": token() }).to_string();
    ledger.note(period, |figures| figures.joins += 1);
    for attempt in 0.. {
        let left = JOIN_DEADLINE.saturating_sub(begin.elapsed());
        let reason = match timeout(left, join(&route, &user, &hello)).await {
            Ok(Ok((mut socket, _))) => {
                ledger.note(period, |figures| {
                    figures.joined += 1;
                    figures.joined_at_once += u64::from(attempt == 0);
                    figures.joining.record(since(begin));
                });
                // Read, so that the room is not held up by this guest.
                let _ = timeout(VISIT, async { while event(&mut socket).await.is_ok() {} }).await;
                let _ = send(&mut socket, r#"{"type":"leave"}"#).await;
                return;
            }
            Ok(Err(Broken(reason))) => reason,
            Err(_) => "no welcome in time".into(),
        };
        ledger.reason(period, &format!("newcomer: {reason}"));
        let wait = if reason == "room_full" { FULL_WAIT } else { Duration::from_secs(2) };
        if begin.elapsed() + wait >= JOIN_DEADLINE {
            return;
        }
        sleep(wait).await;
    }
}

/// Connects, says hello, and waits for the welcome.
async fn join(route: &Route, user: &str, hello: &str) -> Result<(Socket, Event), Broken> {
    let broken = |what: &str| Broken(what.to_owned());
    let mut request =
        format!("ws://{}/chat", route.onion).into_client_request().map_err(|_| broken("request"))?;
    let origin = format!("http://{}", route.onion).parse().map_err(|_| broken("request"))?;
    request.headers_mut().insert("Origin", origin);
    request.headers_mut().insert("Sec-WebSocket-Protocol", "chat".parse().map_err(|_| broken("request"))?);
    let stream = route.connect(user).await.map_err(|error| Broken(format!("Tor: {error}")))?;
    let (mut socket, _) = client_async(request, stream).await.map_err(|_| broken("no handshake"))?;
    send(&mut socket, hello).await?;
    loop {
        let event = event(&mut socket).await?;
        match event.r#type.as_str() {
            "welcome" => return Ok((socket, event)),
            "error" => return Err(Broken(event.code.unwrap_or_default())),
            _ => {}
        }
    }
}

async fn send(socket: &mut Socket, json: &str) -> Result<(), Broken> {
    let sent = timeout(QUIET, socket.send(Message::text(json))).await;
    sent.map_err(|_| Broken("nothing could be sent".into()))?.map_err(|_| Broken("connection lost".into()))
}

/// The next event; WebSocket pings are answered meanwhile.
async fn event(socket: &mut Socket) -> Result<Event, Broken> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                return serde_json::from_str(&text).map_err(|_| Broken("not JSON".into()));
            }
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or_else(|| "none".to_owned(), |frame| u16::from(frame.code).to_string());
                return Err(Broken(format!("closed with {code}")));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(Broken("connection lost".into())),
        }
    }
}

/// The number of a message in its id.
fn number_of(id: &str) -> Option<u64> {
    id.split_once('-')?.1.parse().ok()
}

/// From 0 to 1.
fn chance() -> f64 {
    (random() >> 11) as f64 / (1u64 << 53) as f64
}

/// The standard library's seed for hash tables is the operating system's randomness.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}

/// A new session token: 43 characters of base64url; the last one has two bits that must be 0.
pub(crate) fn token() -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let random = std::iter::repeat_with(|| char::from(DIGITS[random() as usize % 64])).take(42);
    random.chain(['A']).collect()
}
