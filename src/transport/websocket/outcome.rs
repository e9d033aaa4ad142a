//! What a session asks of the room, and what comes of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::sleep;

use crate::hub::{Done, Join, PublishBatch, Reader, Room, Seat};
use crate::language::Language;
use crate::protocol::text::check_text;
use crate::protocol::{
    Act, CircuitId, Code, Hello, MAIN_ROOM, MessageId, Name, Refusal, Request, Say, Whisper,
};
use crate::rooms::Rooms;

/// The room's answer to a request.
pub(super) enum Outcome {
    Joined(Result<Box<(Room, Join, Reader)>, Refusal>),
    Published(Vec<MessageId>, PublishBatch),
    Whispered(Whisper, Result<u64, Refusal>),
    Acted(MessageId, Act, Result<Done, Refusal>),
    Renamed(Name, Result<Option<String>, Refusal>),
    /// The event that answers a question.
    Answered(Result<String, Refusal>),
}

/// Joins the room that the hello names when the rate limit allows it, and begins to read; `moves` says that the guest gives up a
/// seat in another room for it.
pub(super) async fn join(
    rooms: &Arc<Rooms>,
    (circuit, language): (CircuitId, Language),
    hello: Hello,
    moves: bool,
) -> Result<(Room, Join, Reader), Refusal> {
    let name = hello.room.as_deref().unwrap_or(MAIN_ROOM);
    let room = retry_rate_limited(|| rooms.find(name, circuit)).await?.in_language(language);
    let mut hello = retry_rate_limited(|| room.identify(hello.clone())).await?;
    room.enter(&mut hello).await?;
    let mut join = retry_rate_limited(|| room.join_moving(hello.clone(), moves)).await?;
    let reader = Reader::begin(&room, &mut join, &hello).await?;
    Ok((room, join, reader))
}

/// Asks something.
pub(super) fn answer(
    event: impl Future<Output = Result<String, Refusal>> + Send + 'static,
) -> BoxFuture<'static, Outcome> {
    event.map(Outcome::Answered).boxed()
}

/// Publishes messages after a pause.
pub(super) fn publish(
    room: &Room,
    seat: &Seat,
    says: Vec<Say>,
    pause: Duration,
) -> BoxFuture<'static, Outcome> {
    let ids = says.iter().map(|say| say.id.clone()).collect();
    let published = room.publish(seat, says);
    after(pause, async { Outcome::Published(ids, published.await) })
}

/// Sends a private message after a pause.
pub(super) fn whisper(
    room: &Room,
    seat: &Seat,
    message: Whisper,
    pause: Duration,
) -> BoxFuture<'static, Outcome> {
    let sent = room.whisper(seat, message.clone());
    after(pause, async { Outcome::Whispered(message, sent.await) })
}

/// Does something as a host or a moderator after a pause.
pub(super) fn do_act(
    room: &Room,
    seat: &Seat,
    id: MessageId,
    act: Act,
    pause: Duration,
) -> BoxFuture<'static, Outcome> {
    let done = room.act(seat, id.clone(), act.clone());
    after(pause, async { Outcome::Acted(id, act, done.await) })
}

/// Changes the name after a pause.
pub(super) fn rename(room: &Room, seat: &Seat, name: Name, pause: Duration) -> BoxFuture<'static, Outcome> {
    let renamed = room.rename(seat, name.clone());
    after(pause, async { Outcome::Renamed(name, renamed.await) })
}

fn after<T: Future + Send + 'static>(pause: Duration, then: T) -> BoxFuture<'static, T::Output> {
    match pause {
        Duration::ZERO => then.boxed(),
        pause => sleep(pause).then(|()| then).boxed(),
    }
}

/// Repeats a request until the rate limit allows it.
async fn retry_rate_limited<T, A>(mut ask: impl FnMut() -> A) -> Result<T, Refusal>
where
    A: Future<Output = Result<T, Refusal>>,
{
    loop {
        match ask().await {
            Err(Refusal { code: Code::TooFast, retry_after: Some(wait), .. }) => sleep(wait).await,
            answer => return answer,
        }
    }
}

/// Refuses what was received under the limit of the room before, and is too long for this one.
pub(super) fn check_received(received: &mut VecDeque<Result<Request, Refusal>>, message_bytes: usize) {
    for request in received {
        let (id, text) = match request {
            Ok(Request::Say(say)) => (&say.id, say.text.as_str()),
            Ok(Request::Whisper(message)) => (&message.id, message.text.text()),
            _ => continue,
        };
        if let Err(refusal) = check_text(text, message_bytes) {
            *request = Err(refusal.about(Some(id.clone())));
        }
    }
}

/// Whether a hello that was refused for this is to be sent again, after a while or with something that is missing.
pub(super) fn asks_again(code: Code) -> bool {
    matches!(
        code,
        Code::Waiting
            | Code::PasswordNeeded
            | Code::PasswordWrong
            | Code::InvitationNeeded
            | Code::IdentityNeeded
            | Code::IdentityWrong
            | Code::TooFast
    )
}

/// The refusal for what comes before the hello.
pub(super) fn hello_first() -> Refusal {
    Refusal::new(Code::HelloFirst, "The first frame is a \"hello\"; nothing else counts before it.")
}
