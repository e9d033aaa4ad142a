//! What is said, as one document that is written on for as long as the guest stays.
//!
//! Everything from the cursor to the head becomes one chunk, which is the only thing held for a guest: the next
//! one is made when the connection has taken it.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::markup::{Escaped, Look, begin};
use super::render::Renderer;
use super::{REFRESH_SECONDS, words};
use crate::hub::{Join, Reader, Room, Seat, StatelessJoin};
use crate::protocol::{EventBatch, Welcome};

/// How long after the end of a stream the browser begins it again, in seconds. Not less: a room that was closed
/// needs a moment to be opened again, and the browser's own words about it would take the messages' place.
const AGAIN_SECONDS: u32 = 10;

/// How many of the newest messages are shown at first.
const SHOWN: u64 = 200;

/// Who is here is told anew after a change, but not more often than this for each guest: the list is as long as
/// they are many.
const PEOPLE_EVERY: Duration = Duration::from_millis(50);

/// What stands after a line break of its own, so that a dead circuit is noticed.
const SIGN_OF_LIFE: &[u8] = b"\n";

/// The document of messages, in parts.
pub struct Stream {
    reader: Reader,
    renderer: Renderer,
    /// What is to be written next.
    page: String,
    /// The newest message that was there when the guest came.
    head: u64,
    /// When a change of who is here may be told; the first time at once.
    people_due: Instant,
    way: Way,
}

/// How the messages reach the guest.
enum Way {
    /// As they come.
    Live { seat: Seat, heartbeat: Duration, closing: CancellationToken },
    /// Once; what stands at the end.
    Once { foot: String },
    /// Nothing more comes, but the end would be taken for a broken circuit.
    Held { heartbeat: Duration, closing: CancellationToken },
    /// The document has ended.
    Ended,
}

impl Stream {
    /// For a guest who stays; a sign of life is written after each `heartbeat` without one. Ends when `closing`
    /// is told. `after` is the cursor to begin at.
    pub fn live(
        room: &Room,
        entered: Join,
        after: Option<u64>,
        heartbeat: Duration,
        closing: CancellationToken,
    ) -> Self {
        let reader = Reader::new(room, &entered, Some(beginning(&entered.welcome, after)));
        let way = Way::Live { seat: entered.seat, heartbeat, closing };
        Self::new(&entered.welcome, reader, after, Some(AGAIN_SECONDS), way)
    }

    /// For a visitor whose browser asks again every `seconds`.
    pub fn once(room: &Room, visit: &StatelessJoin, after: Option<u64>, seconds: u32) -> Self {
        let reader = Reader::stateless(room, visit, Some(beginning(&visit.welcome, after)));
        let token = visit.welcome.token.encode();
        let mut foot = format!("<p class=\"line\">Loads again every {seconds} seconds");
        for other in REFRESH_SECONDS {
            let _ =
                write!(foot, " · <a href=\"messages?token={token}&amp;plain={other}\">{other}&nbsp;s</a>");
        }
        let _ = writeln!(foot, " · <a href=\"messages?token={token}\">live</a></p>");
        Self::new(&visit.welcome, reader, after, Some(seconds), Way::Once { foot })
    }

    fn new(welcome: &Welcome, reader: Reader, after: Option<u64>, refresh: Option<u32>, way: Way) -> Self {
        let mut page = begin(Look::Messages, &format!("Messages in {}", welcome.title), refresh);
        page.push_str("<input type=\"checkbox\" id=\"people\" aria-label=\"Show who is here\">\n<main>\n");
        let _ = writeln!(page, "<p class=\"line\">{}</p>", words::kept(welcome.kept));
        let earlier = welcome.first.saturating_sub(1);
        if after.is_none() && reader.after() > earlier {
            let token = welcome.token.encode();
            let token = Escaped(&token);
            let _ = writeln!(
                page,
                "<p class=\"line\">Earlier messages are not shown. <a href=\"messages?token={token}&amp;after={earlier}\">Show all</a></p>"
            );
        }
        let stays = matches!(way, Way::Live { .. });
        let head = if welcome.first > welcome.head { 0 } else { welcome.head };
        let people_due = Instant::now();
        Self { reader, renderer: Renderer::new(welcome, stays), page, head, people_due, way }
    }

    /// The next part, when there is one; `None` at the end.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            match &self.way {
                Way::Ended => return None,
                Way::Held { .. } => {}
                Way::Live { .. } | Way::Once { .. } => self.read().await,
            }
            if !self.page.is_empty() {
                return Some(std::mem::take(&mut self.page).into());
            }
            if let Some(sign) = self.wait().await {
                return Some(sign);
            }
        }
    }

    /// Puts everything from the cursor to the head on the page.
    async fn read(&mut self) {
        let mut batch = EventBatch::default();
        if let Err(refusal) = self.reader.read_events(&mut batch).await {
            let _ = writeln!(self.page, "<p class=\"line\">{}</p>", Escaped(&refusal.message));
            self.way = Way::Ended;
            return;
        }
        self.renderer.events(&batch, &mut self.page);
        if self.reader.after() >= self.head {
            self.renderer.now(&mut self.page);
            if self.renderer.people_changed() && self.people_due <= Instant::now() {
                self.renderer.people(&mut self.page);
                let listed = u32::try_from(self.renderer.listed()).unwrap_or(u32::MAX);
                self.people_due = Instant::now() + PEOPLE_EVERY * listed;
            }
        }
    }

    /// Waits until there may be something to read; gives what is to be written meanwhile.
    async fn wait(&mut self) -> Option<Bytes> {
        let due = self.people_due;
        let people_due = async {
            match self.renderer.people_changed() {
                true => sleep_until(due).await,
                false => std::future::pending().await,
            }
        };
        match &mut self.way {
            Way::Live { seat, heartbeat, closing } => {
                tokio::select! {
                    biased;
                    () = closing.cancelled() => {}
                    () = seat.replaced() => {
                        self.page.push_str(
                            "<p class=\"line\">This chat went on in another window. \
                             <a href=\"\">Continue here</a></p>\n",
                        );
                        // An end would make the browser open it again and take the seat back, for ever in turns.
                        let (heartbeat, closing) = (*heartbeat, closing.clone());
                        self.way = Way::Held { heartbeat, closing };
                        return None;
                    }
                    open = self.reader.wait() => if open { return None },
                    () = people_due => return None,
                    () = tokio::time::sleep(*heartbeat) => return Some(Bytes::from_static(SIGN_OF_LIFE)),
                }
            }
            Way::Held { heartbeat, closing } => {
                tokio::select! {
                    () = closing.cancelled() => {}
                    () = tokio::time::sleep(*heartbeat) => return Some(Bytes::from_static(SIGN_OF_LIFE)),
                }
            }
            Way::Once { foot } => {
                self.page = std::mem::take(foot);
                self.way = Way::Ended;
                return Some(std::mem::take(&mut self.page).into());
            }
            Way::Ended => return None,
        }
        self.way = Way::Ended;
        Some(Bytes::from(format!(
            "<p class=\"line\">The room was closed. This page looks for it again in {AGAIN_SECONDS} seconds. \
             <a href=\"\">Look now</a></p>\n"
        )))
    }
}

/// The cursor to begin at: the guest's own, or the one before the newest messages.
fn beginning(welcome: &Welcome, after: Option<u64>) -> u64 {
    let newest = welcome.head.saturating_sub(SHOWN).max(welcome.first.saturating_sub(1));
    after.unwrap_or(newest).min(welcome.head)
}
