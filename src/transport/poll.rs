//! A guest who asks for messages, again and again: short polling, and long polling when they are willing to wait.
//!
//! Between two questions nothing is held for them but their seat. The answer is put together from what the ring
//! has encoded already.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::hub::{Reader, Room, Visit};
use crate::protocol::{Hello, Refusal, Welcome, event, frame};

/// How many messages one answer has unless asked for fewer or more.
pub const LIMIT_DEFAULT: usize = 200;

/// How many messages one answer may have.
pub const LIMIT_MAX: usize = 1000;

/// The longest that a question may wait for its answer.
pub const WAIT_MAX: Duration = Duration::from_secs(60);

/// About how many bytes of messages one answer may have, so that many long ones do not fill the memory.
const ANSWER_BYTES: usize = 256 * 1024;

/// A question for messages.
#[derive(Debug, Clone)]
pub struct Question {
    /// Who asks, with their cursor.
    pub hello: Hello,
    /// How many messages to answer with at most.
    pub limit: usize,
    /// How long to wait when there are none yet.
    pub wait: Duration,
}

/// The messages after a cursor.
#[derive(Debug)]
pub struct Answer {
    state: State,
    found: Found,
}

/// Where the room stands.
#[derive(Debug, Serialize)]
struct State {
    epoch: String,
    clock: u64,
    first: u64,
    head: u64,
    count: usize,
}

impl From<&Visit> for State {
    fn from(visit: &Visit) -> Self {
        let Welcome { epoch, clock, first, head, count, .. } = &visit.welcome;
        Self { epoch: epoch.clone(), clock: *clock, first: *first, head: *head, count: *count }
    }
}

impl Answer {
    /// What tells this answer from others to the same question, as an entity tag (RFC 9110, section 8.8.3). It is
    /// a weak one, because the clock in the answer goes on and guests come and go, while what was said stays as it
    /// was.
    pub fn tag(&self) -> String {
        let State { epoch, first, head, .. } = &self.state;
        format!("W/\"{epoch}-{first}-{head}\"")
    }

    /// The answer as JSON: the members are those that `docs/http.md` names.
    pub fn encode(&self) -> Bytes {
        // Texts and numbers, which serde_json cannot fail to write to memory.
        let mut json = serde_json::to_string(&self.state).unwrap_or_default();
        json.pop();
        if let Some(gap) = &self.found.gap {
            json.push_str(",\"gap\":");
            json.push_str(gap);
        }
        json.push_str(",\"messages\":[");
        json.push_str(&self.found.messages);
        json.push_str("]}\n");
        json.into()
    }
}

/// Answers a question: at once if there is something after the cursor, otherwise as soon as there is, or the
/// time is over, or `closing` is told.
///
/// # Errors
/// What [`Room::visit`] says, or `not_kept` when the log cannot be read.
pub async fn answer(
    room: &Room,
    mut question: Question,
    closing: &CancellationToken,
) -> Result<Answer, Refusal> {
    let until = Instant::now() + question.wait;
    let cursor = question.hello.cursor.take();
    let visit = room.visit(question.hello).await?;
    let after = cursor.and_then(|cursor| cursor.within(&visit.welcome.epoch));
    let mut reader = Reader::of_visit(room, &visit, after);
    let mut found = Found::new(question.limit);
    found.read(&mut reader).await?;
    if !found.is_empty() || question.wait.is_zero() {
        return Ok(Answer { state: State::from(&visit), found }.up_to_date());
    }
    wait(room, &visit, &mut reader, &mut found, until, closing).await?;
    Ok(match room.keep(&visit.welcome.token).await? {
        Some(visit) => Answer { state: State::from(&visit), found }.up_to_date(),
        // Nobody reads unseen: who left while they were waiting gets nothing any more.
        None => Answer { state: State::from(&visit), found: Found::new(0) },
    })
}

/// Waits until something is found, keeping the seat meanwhile.
async fn wait(
    room: &Room,
    visit: &Visit,
    reader: &mut Reader,
    found: &mut Found,
    until: Instant,
    closing: &CancellationToken,
) -> Result<(), Refusal> {
    let keep_every = room.visit_grace() / 2;
    let mut keep = Instant::now() + keep_every;
    while found.is_empty() {
        tokio::select! {
            biased;
            () = closing.cancelled() => break,
            open = reader.wait() => {
                if !open {
                    break;
                }
                found.read(reader).await?;
            }
            () = sleep_until(until) => break,
            () = sleep_until(keep) => {
                if room.keep(&visit.welcome.token).await?.is_none() {
                    break;
                }
                keep = Instant::now() + keep_every;
            }
        }
    }
    Ok(())
}

impl Answer {
    /// What was said between the visit and the reading is no newer than the head.
    fn up_to_date(mut self) -> Self {
        self.state.head = self.state.head.max(self.found.newest);
        self
    }
}

/// The messages found so far, as they stand in a list.
#[derive(Debug, Default)]
struct Found {
    gap: Option<String>,
    messages: String,
    newest: u64,
    count: usize,
    limit: usize,
}

impl Found {
    fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.count == 0 && self.gap.is_none()
    }

    /// Reads what there is, up to the limit.
    async fn read(&mut self, reader: &mut Reader) -> Result<(), Refusal> {
        let mut frames = BytesMut::new();
        loop {
            frames.clear();
            reader.read(&mut frames).await?;
            if frames.is_empty() || !self.take(&frames) {
                return Ok(());
            }
        }
    }

    /// Takes the messages out of encoded frames; false when there is no room for more.
    fn take(&mut self, frames: &[u8]) -> bool {
        for json in frame::payloads(frames) {
            if let Some(seq) = event::sequence_number(json) {
                if self.count >= self.limit || self.messages.len() >= ANSWER_BYTES {
                    return false;
                }
                if self.count > 0 {
                    self.messages.push(',');
                }
                self.messages.push_str(json);
                self.count += 1;
                self.newest = seq;
            } else if event::kind(json) == Some("gap") {
                // One in the middle is told at the beginning of the next answer.
                if !self.is_empty() {
                    return false;
                }
                self.gap = Some(json.to_owned());
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::protocol::event::Event;

    fn frames(events: &[&str]) -> BytesMut {
        let mut frames = BytesMut::new();
        events.iter().for_each(|event| frame::text(event, &mut frames));
        frames
    }

    fn encoded(found: Found) -> Value {
        let state = State { epoch: "e".into(), clock: 1, first: 1, head: 0, count: 1 };
        serde_json::from_slice(&Answer { state, found }.up_to_date().encode()).unwrap()
    }

    const ONE: &str = r#"{"type":"message","seq":1,"text":"a"}"#;
    const TWO: &str = r#"{"type":"message","seq":2,"text":"b"}"#;

    #[test]
    fn messages_and_a_gap_before_them_and_nothing_else() {
        let gap = Event::Gap { after: 0, before: 1 }.encode();
        let mut found = Found::new(5);
        assert!(found.take(&frames(&[&gap, r#"{"type":"joined"}"#, ONE, TWO])));
        let answer = encoded(found);
        assert_eq!(answer["gap"]["before"], 1);
        assert_eq!(answer["messages"].as_array().unwrap().len(), 2);
        assert_eq!(answer["head"], 2);
    }

    #[test]
    fn a_gap_in_the_middle_ends_the_answer() {
        let gap = Event::Gap { after: 1, before: 9 }.encode();
        let mut found = Found::new(5);
        assert!(!found.take(&frames(&[ONE, &gap, TWO])));
        let answer = encoded(found);
        assert_eq!(answer.get("gap"), None);
        assert_eq!(answer["messages"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn the_limit_is_kept() {
        let mut found = Found::new(1);
        assert!(!found.take(&frames(&[ONE, TWO])));
        assert_eq!(encoded(found)["messages"][0]["seq"], 1);
    }
}
