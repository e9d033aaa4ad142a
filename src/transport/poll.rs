//! Short and long polling: each request is answered with the messages after a cursor, at once or when there are some.
//!
//! Between two requests only the seat is held for a guest. The response is assembled from events that the ring has
//! encoded already.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::hub::{Reader, Room, StatelessJoin};
use crate::listen::budget::{BytesPermit, CircuitBudget};
use crate::protocol::private::EncodedPrivate;
use crate::protocol::request::Cursor;
use crate::protocol::{EventBatch, EventKind, Hello, HistoryRequest, Place, Refusal, Welcome};

/// The longest time that a request may wait for messages.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// About the most bytes of messages in one response, so that many long messages do not fill the memory: after so many no
/// further message is added.
const RESPONSE_BYTES: usize = 64 * 1024;

/// A request for messages.
#[derive(Debug, Clone)]
pub struct PollRequest {
    /// The guest, with their cursor.
    pub hello: Hello,
    /// The most messages to return.
    pub limit: usize,
    /// How long to wait for messages when there are none yet.
    pub wait: Duration,
    /// In place of the messages after the cursor of `hello` those of this place, whose number is of this epoch.
    pub place: Option<(Place, Option<String>)>,
}

/// The messages after a cursor.
#[derive(Debug)]
pub struct PollResponse {
    state: State,
    page: MessagePage,
}

/// The room's state in a response.
#[derive(Debug, Serialize)]
struct State {
    epoch: String,
    /// What the room has of what was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<u64>,
    clock: u64,
    first: u64,
    head: u64,
    /// The cursor that the messages follow.
    after: u64,
    /// What they come before, where that was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<u64>,
    count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    doors: Vec<String>,
    #[serde(skip_serializing_if = "is_true")]
    storage_available: bool,
    #[serde(skip_serializing_if = "is_zero")]
    waiting: usize,
}

/// The member is left out while all is well; serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_true(value: &bool) -> bool {
    *value
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

impl State {
    fn new(join: &StatelessJoin, cursor: Option<u64>, after: u64) -> Self {
        let Welcome { epochs, clock, first, head, count, doors, storage_available, waiting, .. } =
            &join.welcome;
        let (epoch, doors) = (epochs.present().to_owned(), doors.to_vec());
        let (clock, first, head, count) = (*clock, *first, *head, *count);
        let (storage_available, waiting) = (*storage_available, *waiting);
        let before = None;
        Self { epoch, cursor, clock, first, head, after, before, count, doors, storage_available, waiting }
    }
}

impl PollResponse {
    /// The entity tag of the response (RFC 9110, section 8.8.3). It is a weak one, because the clock and the number of
    /// guests change while the messages stay the same.
    pub fn tag(&self) -> String {
        let State { epoch, first, head, .. } = &self.state;
        let private = self.page.private.as_ref().map(|(next, _)| format!("-{next}")).unwrap_or_default();
        format!("W/\"{epoch}-{first}-{head}{private}\"")
    }

    /// What the response holds of the circuit's budget, to be kept until it is written.
    pub fn take_permit(&mut self) -> Option<BytesPermit> {
        self.page.permit.take()
    }

    /// The response as JSON: the members are those that `docs/http.md` names.
    pub fn encode(&self) -> Bytes {
        // Texts and numbers, which serde_json cannot fail to write to memory.
        let mut json = serde_json::to_string(&self.state).unwrap_or_default();
        json.pop();
        if let Some(gap) = &self.page.gap {
            json.push_str(",\"gap\":");
            json.push_str(gap);
        }
        json.push_str(",\"messages\":[");
        json.push_str(&self.page.messages);
        json.push(']');
        if let Some((next, events)) = &self.page.private {
            let events: Vec<_> = events.iter().map(|event| event.json.as_str()).collect();
            json.push_str(&format!(",\"private\":{{\"next\":{next},\"events\":[{}]}}", events.join(",")));
        }
        json.push_str("}\n");
        json.into()
    }
}

/// Answers a request: at once if there are messages after the cursor, otherwise as soon as there are, the time is
/// over, or `closing` is cancelled. Messages are read when `budget` has place for the response.
///
/// # Errors
/// As [`Room::join_stateless`], or `not_kept` when the log cannot be read.
pub async fn poll(
    room: &Room,
    mut request: PollRequest,
    budget: &CircuitBudget,
    closing: &CancellationToken,
) -> Result<PollResponse, Refusal> {
    let until = Instant::now() + request.wait;
    let (cursor, newest) = (request.hello.cursor.take(), request.hello.newest.take());
    let private = request.hello.private.take();
    room.catch_up(cursor.as_ref()).await?;
    let mut join = room.join_stateless(request.hello).await?;
    let mut page = MessagePage::new(request.limit);
    if let Some((place, epoch)) = request.place {
        // As of a cursor: what the log never had of this epoch, or has no more, must not be taken for what the guest means.
        let seq = match place {
            Place::Before(before) => before - 1,
            Place::After(seq) | Place::Around(seq) => seq,
        };
        let read = epoch.map(|epoch| Cursor { after: seq.min(join.welcome.head), epoch: Some(epoch) });
        let cursor = join.welcome.resume(read.as_ref());
        let known = if read.is_some() { cursor.unwrap_or(0) } else { seq };
        let place = match place {
            Place::Before(_) => Place::Before(known + 1),
            Place::After(_) => Place::After(known),
            Place::Around(_) => Place::Around(known.max(1)),
        };
        let (after, before) = page.read_place(room, place, budget).await?;
        let before = matches!(place, Place::Around(_)).then_some(before);
        let state = State { before, ..State::new(&join, cursor, after) };
        return Ok(PollResponse { state, page }.up_to_date());
    }
    let cursor = join.welcome.resume(cursor.as_ref());
    let mut reader = Reader::stateless(room, &join, cursor);
    if let Some(newest) = newest {
        reader.pass_to_newest(newest).await?;
    }
    private.iter().for_each(|cursor| reader.follow_private(*cursor));
    let after = reader.after();
    page.read(&mut reader, budget).await?;
    if !page.is_empty() || request.wait.is_zero() {
        return Ok(PollResponse { state: State::new(&join, cursor, after), page }.up_to_date());
    }
    wait(room, &join, &mut reader, &mut page, budget, until, closing).await?;
    Ok(match room.touch(&join.welcome.token).await? {
        Some(join) => PollResponse { state: State::new(&join, cursor, after), page }.up_to_date(),
        // A guest who left while the request was waiting must not go on reading.
        None => PollResponse { state: State::new(&join, cursor, after), page: MessagePage::new(0) },
    })
}

/// Waits until there are messages, and holds the seat meanwhile.
async fn wait(
    room: &Room,
    join: &StatelessJoin,
    reader: &mut Reader,
    page: &mut MessagePage,
    budget: &CircuitBudget,
    until: Instant,
    closing: &CancellationToken,
) -> Result<(), Refusal> {
    let touch_every = room.stateless_grace() / 2;
    let mut touch_at = Instant::now() + touch_every;
    while page.is_empty() {
        tokio::select! {
            biased;
            () = closing.cancelled() => break,
            open = reader.wait() => {
                if !open {
                    break;
                }
                page.read(reader, budget).await?;
            }
            () = sleep_until(until) => break,
            () = sleep_until(touch_at) => {
                if room.touch(&join.welcome.token).await?.is_none() {
                    break;
                }
                touch_at = Instant::now() + touch_every;
            }
        }
    }
    Ok(())
}

impl PollResponse {
    /// Raises the head to the newest message of the page, which may be newer than the join.
    fn up_to_date(mut self) -> Self {
        self.state.head = self.state.head.max(self.page.newest);
        self
    }
}

/// The messages read so far, as the elements of a JSON array.
#[derive(Debug, Default)]
struct MessagePage {
    gap: Option<String>,
    messages: String,
    /// The cursor among the private messages after these, and what is told of them; `None` where they are not asked for.
    private: Option<(u64, Vec<EncodedPrivate>)>,
    newest: u64,
    count: usize,
    limit: usize,
    /// What is not empty holds its bytes of the circuit's budget.
    permit: Option<BytesPermit>,
}

impl MessagePage {
    fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        let private = self.private.as_ref().is_some_and(|(_, events)| !events.is_empty());
        self.count == 0 && self.gap.is_none() && !private
    }

    /// Reads all new messages, up to the limit, when `budget` has place for them.
    async fn read(&mut self, reader: &mut Reader, budget: &CircuitBudget) -> Result<(), Refusal> {
        let mut permit = budget.hold(RESPONSE_BYTES).await;
        loop {
            let mut batch = EventBatch::default();
            reader.read_events(&mut batch).await?;
            if batch.is_empty() || !self.take(&batch) {
                break;
            }
        }
        // At a full page there are messages before them still, or they are in the next response.
        let private = if self.count < self.limit { reader.take_private() } else { Vec::new() };
        let private_bytes: usize = private.iter().map(|event| event.json.len()).sum();
        self.private = reader.after_private().map(|next| (next, private));
        if !self.is_empty() {
            permit.shrink(self.messages.len() + private_bytes);
            self.permit = Some(permit);
        }
        Ok(())
    }

    /// Reads the messages of a place, up to the limit, when `budget` has place for them; returns the cursor that they follow, and
    /// what they come before.
    async fn read_place(
        &mut self,
        room: &Room,
        place: Place,
        budget: &CircuitBudget,
    ) -> Result<(u64, u64), Refusal> {
        let mut permit = budget.hold(RESPONSE_BYTES).await;
        let history = room.history(HistoryRequest { place, limit: self.limit }).await?;
        let mut batch = EventBatch::default();
        history.messages.iter().for_each(|message| batch.push(&message.event()));
        let taken: Vec<_> = batch.iter().map(|event| event.json).collect();
        self.messages = taken.join(",");
        self.count = taken.len();
        self.newest = history.messages.last().map_or(0, |message| message.record.seq);
        permit.shrink(self.messages.len());
        self.permit = Some(permit);
        Ok((history.after, history.before))
    }

    /// Takes the messages of a batch; false when the page is full.
    fn take(&mut self, batch: &EventBatch) -> bool {
        for event in batch.iter() {
            if let Some(seq) = event.seq {
                if self.count >= self.limit || self.messages.len() >= RESPONSE_BYTES {
                    return false;
                }
                if self.count > 0 {
                    self.messages.push(',');
                }
                self.messages.push_str(event.json);
                self.count += 1;
                self.newest = seq;
            } else if event.kind == EventKind::Gap {
                // A gap after messages begins the next response.
                if !self.is_empty() {
                    return false;
                }
                self.gap = Some(event.json.to_owned());
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::protocol::{Body, Event, GuestId, MessageId, Name, Record};

    fn batch(events: &[Event<'_>]) -> EventBatch {
        let mut batch = EventBatch::default();
        events.iter().for_each(|event| batch.push(event));
        batch
    }

    fn message(seq: u64) -> Record {
        let (name, id) = (Name::parse("Ann").unwrap(), MessageId::parse("a").unwrap());
        Record { seq, at: 1, author: GuestId(7), id, body: Body::Message { name, text: "text".into() } }
    }

    fn encoded(page: MessagePage) -> Value {
        let (epoch, doors, storage_available) = ("e".into(), Vec::new(), true);
        let state = State {
            epoch,
            cursor: None,
            clock: 1,
            first: 1,
            head: 0,
            after: 0,
            before: None,
            count: 1,
            doors,
            storage_available,
            waiting: 0,
        };
        serde_json::from_slice(&PollResponse { state, page }.up_to_date().encode()).unwrap()
    }

    #[test]
    fn messages_and_a_gap_before_them_and_nothing_else() {
        let (gap, presence) = (Event::Gap { after: 0, before: 1 }, Event::Occupancy { count: 3 });
        let mut page = MessagePage::new(5);
        assert!(page.take(&batch(&[gap, presence, message(1).event(), message(2).event()])));
        let answer = encoded(page);
        assert_eq!(answer["gap"]["before"], 1);
        assert_eq!(answer["messages"].as_array().unwrap().len(), 2);
        assert_eq!(answer["head"], 2);
    }

    #[test]
    fn a_gap_in_the_middle_ends_the_answer() {
        let gap = Event::Gap { after: 1, before: 9 };
        let mut page = MessagePage::new(5);
        assert!(!page.take(&batch(&[message(1).event(), gap, message(2).event()])));
        let answer = encoded(page);
        assert_eq!(answer.get("gap"), None);
        assert_eq!(answer["messages"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn the_limit_is_kept() {
        let mut page = MessagePage::new(1);
        assert!(!page.take(&batch(&[message(1).event(), message(2).event()])));
        assert_eq!(encoded(page)["messages"][0]["seq"], 1);
    }
}
