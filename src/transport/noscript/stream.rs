//! The document of messages, which is written on for as long as the guest stays.
//!
//! Everything from the cursor to the head becomes one chunk, which is all that is held for a guest: the next one is
//! rendered when the connection has taken it.

use std::time::Duration;

use bytes::Bytes;
use maud::{Markup, html};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::markup::{Look, Window, begin, elsewhere};
use super::phrases;
use super::refresh::REFRESH_SECONDS;
use super::render::Renderer;
use super::windows::Claim;
use crate::hub::{Join, Reader, Room, Seat, StatelessJoin};
use crate::protocol::{Code, EventBatch, Welcome};

/// How long after the end of a stream the browser loads it again, in seconds. Not less: a restart of the room takes a
/// moment, and the browser's own error page would replace the messages.
const RETRY_SECONDS: u32 = 10;

/// How many of the newest messages are shown at first.
const SHOWN: u64 = 200;

/// The list of members is rendered anew after a change, but not more often than this for each of them: its length grows
/// with their number.
const MEMBERS_EVERY: Duration = Duration::from_millis(50);

/// What is written while there are no events, so that a broken circuit is noticed.
const HEARTBEAT: &[u8] = b"\n";

/// The document of messages, in parts.
pub struct Stream {
    reader: Reader,
    renderer: Renderer,
    /// The next chunk.
    out: String,
    /// The newest message when the guest joined.
    head: u64,
    /// When the list of members may be rendered again; the first time at once.
    members_due: Instant,
    mode: Mode,
}

/// How the document goes on.
enum Mode {
    /// New messages are appended.
    Live { seat: Seat, live: Box<Live> },
    /// The document ends after the present messages, with this line.
    Once { foot: Markup },
    /// The document has ended.
    Ended,
}

/// What a live document has.
pub struct Live {
    /// The window that it is in.
    pub window: Window,
    /// That window's right to be the guest's stream.
    pub claim: Claim,
    /// After so long without events a line break is written.
    pub heartbeat: Duration,
    /// Cancelled when the room closes.
    pub closing: CancellationToken,
}

impl Stream {
    /// A live document for a guest who has just joined. It ends when the room closes or the seat is lost. `after` is the
    /// cursor to begin at.
    pub fn live(room: &Room, join: Join, after: Option<u64>, live: Live) -> Self {
        let reader = Reader::new(room, &join, Some(beginning(&join.welcome, after)));
        let window = live.window.number.clone();
        let mode = Mode::Live { seat: join.seat, live: Box::new(live) };
        Self::new(&join.welcome, reader, (after, &window), Some(RETRY_SECONDS), mode)
    }

    /// A document that ends, and that the browser loads again every `seconds`, for the window with this number.
    pub fn once(room: &Room, join: &StatelessJoin, after: Option<u64>, seconds: u32, window: &str) -> Self {
        let reader = Reader::stateless(room, join, Some(beginning(&join.welcome, after)));
        let live = format!("messages?window={window}");
        let foot = html! {
            p class="line" {
                "Loads again every " (seconds) " seconds"
                @for other in REFRESH_SECONDS {
                    " · " a href={ (live) "&plain=" (other) } { (other) "\u{a0}s" }
                }
                " · " a href=(live) { "live" }
            }
        };
        let mode = Mode::Once { foot };
        Self::new(&join.welcome, reader, (after, window), Some(seconds), mode)
    }

    fn new(
        welcome: &Welcome,
        reader: Reader,
        (after, window): (Option<u64>, &str),
        refresh: Option<u32>,
        mode: Mode,
    ) -> Self {
        let mut out = begin(Look::Messages, &format!("Messages in {}", welcome.title), refresh);
        out.push_str("<input type=\"checkbox\" id=\"people\" aria-label=\"Show who is here\">\n<main>\n");
        let earlier = welcome.first.saturating_sub(1);
        let all = format!("messages?window={window}&after={earlier}");
        let lines = html! {
            p class="line" { (phrases::kept(welcome.kept)) }
            @if after.is_none() && reader.after() > earlier {
                p class="line" { "Earlier messages are not shown. " a href=(all) { "Show all" } }
            }
        };
        out.push_str(&lines.0);
        let live = matches!(mode, Mode::Live { .. });
        let head = if welcome.first > welcome.head { 0 } else { welcome.head };
        let members_due = Instant::now();
        Self { reader, renderer: Renderer::new(welcome, live), out, head, members_due, mode }
    }

    /// The next chunk, when there is one; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            if matches!(self.mode, Mode::Ended) {
                return None;
            }
            self.read().await;
            if !self.out.is_empty() {
                return Some(std::mem::take(&mut self.out).into());
            }
            if let Some(chunk) = self.wait().await {
                return Some(chunk);
            }
        }
    }

    /// Renders everything from the cursor to the head.
    async fn read(&mut self) {
        let mut batch = EventBatch::default();
        if let Err(refusal) = self.reader.read_events(&mut batch).await {
            self.out.push_str(&html! { p class="line" { (refusal.message) } }.0);
            self.mode = Mode::Ended;
            return;
        }
        self.renderer.events(&batch, &mut self.out);
        if self.reader.after() >= self.head {
            self.renderer.end_history(&mut self.out);
            if self.renderer.members_changed() && self.members_due <= Instant::now() {
                self.renderer.members(&mut self.out);
                let listed = u32::try_from(self.renderer.listed()).unwrap_or(u32::MAX);
                self.members_due = Instant::now() + MEMBERS_EVERY * listed;
            }
        }
    }

    /// Waits until there may be events; returns a chunk to write meanwhile.
    async fn wait(&mut self) -> Option<Bytes> {
        let due = self.members_due;
        let members_due = async {
            match self.renderer.members_changed() {
                true => sleep_until(due).await,
                false => std::future::pending().await,
            }
        };
        match &mut self.mode {
            Mode::Live { seat, live } => {
                tokio::select! {
                    biased;
                    () = live.closing.cancelled() => {}
                    () = seat.lost() => {
                        // The document ends, and the connection with it. The browser loads it again, but this window gets the
                        // seat back only if no other has it.
                        let sentence = match live.claim.lose() {
                            _ if seat.loss().code == Code::RoomFull => "The room is full, and your seat went to another guest.",
                            true => "This chat went on in another window.",
                            false => "This guest left, or went on elsewhere.",
                        };
                        let line = elsewhere(sentence, &live.window);
                        self.mode = Mode::Ended;
                        return Some(line.0.into());
                    }
                    open = self.reader.wait() => if open { return None },
                    () = members_due => return None,
                    () = tokio::time::sleep(live.heartbeat) => return Some(Bytes::from_static(HEARTBEAT)),
                }
            }
            Mode::Once { foot } => {
                let foot = std::mem::take(&mut foot.0);
                self.mode = Mode::Ended;
                return Some(foot.into());
            }
            Mode::Ended => return None,
        }
        self.mode = Mode::Ended;
        let line = html! {
            p class="line" {
                "The room was closed. This page looks for it again in " (RETRY_SECONDS) " seconds. "
                a href="" { "Look now" }
            }
        };
        Some(line.0.into())
    }
}

/// The cursor to begin at: the requested one, or the one before the newest messages.
fn beginning(welcome: &Welcome, after: Option<u64>) -> u64 {
    let newest = welcome.head.saturating_sub(SHOWN).max(welcome.first.saturating_sub(1));
    after.unwrap_or(newest).min(welcome.head)
}
