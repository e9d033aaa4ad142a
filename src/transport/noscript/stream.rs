//! The document of messages, which is written on for as long as the guest stays.
//!
//! Everything from the cursor to the head becomes one chunk, which is all that is held for a guest: the next one is
//! rendered when the connection has taken it.

use std::collections::VecDeque;
use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use maud::{Markup, html};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::connection::{self, RETRY_SECONDS};
use super::markup::{Look, Window, begin, elsewhere};
use super::phrases;
use super::refresh::REFRESH_SECONDS;
use super::render::Renderer;
use super::windows::Claim;
use super::words::{Marked, bdi};
use crate::hub::{Join, Reader, Room, Seat, StatelessJoin};
use crate::language::{Language, english};
use crate::protocol::{Code, EventBatch, EventKind, HistoryRequest, Name, Policy, Refusal, Welcome};

/// After how long a live document ends that shows a message which was deleted since: the browser loads it again, without it. Not at
/// once, because a host deletes several.
const DELETED_AFTER: Duration = Duration::from_secs(2);

/// About how many bytes of the history are rendered at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// How many of the newest messages are shown at first.
const SHOWN: u64 = 200;

/// The list of members is rendered anew after a change, but not more often than this for each of them: its length grows
/// with their number.
const MEMBERS_EVERY: Duration = Duration::from_millis(50);

/// What is written every [`Live::heartbeat`], so that a broken circuit is noticed. The style starts to count when it comes, and
/// shows [`SILENT`] after 75 s.
const HEARTBEAT: &str = "<i></i>\n";

/// The longest time between two heartbeats: two may be late before the document says so.
const HEARTBEAT_MAX: Duration = Duration::from_secs(30);

/// Shown when there was no heartbeat for long.
const SILENT: &str =
    english("Nothing has come from the room for more than a minute. The connection may be gone.");

/// The document of messages, in parts.
pub struct Stream {
    /// The language in which the document was begun.
    language: Language,
    reader: Reader,
    renderer: Renderer,
    /// Events of the history that were read and are not rendered yet.
    earlier: VecDeque<(EventKind, Option<u64>, String)>,
    /// The next chunk.
    out: String,
    /// The newest message when the guest joined.
    head: u64,
    /// When the list of members may be rendered again; the first time at once.
    members_due: Instant,
    /// When the next heartbeat is due.
    heartbeat_due: Instant,
    /// When the document ends because it shows a deleted message.
    ends_at: Option<Instant>,
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
    /// How often something is written at least; not less often than every 30 seconds.
    pub heartbeat: Duration,
    /// The name that the guest had and could not get again, because the room was restarted.
    pub lost_name: Option<Name>,
    /// Cancelled when the room closes.
    pub closing: CancellationToken,
}

impl Stream {
    /// A live document for a guest who has just joined. It ends when the room closes or the seat is lost. `after` is the
    /// cursor to begin at.
    pub fn live(language: Language, room: &Room, join: Join, after: Option<u64>, live: Live) -> Self {
        let reader = Reader::new(room, &join, Some(beginning(&join.welcome, after)));
        let mut live = Box::new(live);
        live.heartbeat = live.heartbeat.min(HEARTBEAT_MAX);
        let window = live.window.number.clone();
        let (lost, heartbeat) = (live.lost_name.take(), live.heartbeat);
        let mut stream = Self::new(
            language,
            &join.welcome,
            reader,
            (after, &window),
            None,
            Mode::Live { seat: join.seat, live },
        );
        stream.renderer.lost_name(lost);
        stream.heartbeat_due += heartbeat;
        stream
    }

    /// A document that ends, and that the browser loads again every `seconds`, for the window with this number.
    pub fn once(
        l: Language,
        room: &Room,
        join: &StatelessJoin,
        after: Option<u64>,
        seconds: u32,
        window: &str,
    ) -> Self {
        let reader = Reader::stateless(room, join, Some(beginning(&join.welcome, after)));
        let (live, plain) =
            (connection::address(l, window, None), format!("messages?window={window}{}", connection::of(l)));
        let foot = html! {
            p class="line" {
                (l.counted(seconds.into(), "Loads again every {0} second", "Loads again every {0} seconds"))
                @for other in REFRESH_SECONDS {
                    " · " a href={ (plain) "&plain=" (other) } { (l.fill("{0}\u{a0}s", &[&other])) }
                }
                " · " a href=(live) { (l.say("live")) }
            }
        };
        let mode = Mode::Once { foot };
        Self::new(l, &join.welcome, reader, (after, window), Some(&seconds.to_string()), mode)
    }

    fn new(
        language: Language,
        welcome: &Welcome,
        mut reader: Reader,
        (after, window): (Option<u64>, &str),
        refresh: Option<&str>,
        mode: Mode,
    ) -> Self {
        let l = language;
        let mut out = begin(Look::Messages, l, &l.fill("Messages in {0}", &[&welcome.title]), refresh);
        let live = matches!(mode, Mode::Live { .. });
        let earlier = welcome.first.saturating_sub(1);
        let (again, all) =
            (connection::address(l, window, None), connection::address(l, window, Some(earlier)));
        // A live document is in the frame of the one at that address.
        let target = live.then_some("_parent");
        let head = html! {
            // What is written on comes last; the style puts this after it.
            a class="newest" href="#newest" { (l.say("To the newest")) }
            div id="newest" {}
            @if live { p class="silent" role="status" { (l.say(SILENT)) " " a href=(again) target="_parent" { (l.say("Reconnect")) } } }
        };
        let lines = html! {
            h1 class="unseen" { (l.say("Messages")) }
            p class="line" { (phrases::kept(l, welcome.kept)) }
            (head_of(l, &welcome.policy))
            @if after.is_none() && reader.after() > earlier {
                p class="line" { (l.say("Earlier messages are not shown.")) " " a href=(all) target=[target] { (l.say("Show all")) } }
            }
        };
        // What is left open cannot be markup of its own.
        let people = html! { input type="checkbox" id="people" aria-label=(l.say("Show who is here")); };
        let labelled = |label: &'static str| html! { (l.say(label)) }.0.replace('"', "&quot;");
        let main = labelled(english("Conversation"));
        let log = labelled(english("Messages"));
        let _ = write!(
            out,
            "{}\n<div class=\"flow\">\n{}\n<main aria-label=\"{main}\">\n{}",
            people.0, head.0, lines.0
        );
        let _ = write!(out, "\n<div role=\"log\" aria-live=\"polite\" aria-label=\"{log}\">\n");
        reader.follow_private(0);
        let head = if welcome.first > welcome.head { 0 } else { welcome.head };
        let members_due = Instant::now();
        let renderer = Renderer::new(l, welcome, live);
        let earlier = VecDeque::new();
        Self {
            language,
            reader,
            renderer,
            earlier,
            out,
            head,
            members_due,
            heartbeat_due: members_due,
            ends_at: None,
            mode,
        }
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
        if let Err(refusal) = self.render().await {
            self.out.push_str(&html! { p class="line" { (self.language.translated(&refusal.message)) } }.0);
            self.mode = Mode::Ended;
            return;
        }
        // Below the messages from before.
        if self.earlier.is_empty() {
            let private = self.reader.take_private();
            self.renderer.private(&private, &mut self.out);
        }
        if self.ends_at.is_none() && self.renderer.shows_deleted() {
            self.ends_at = Some(Instant::now() + DELETED_AFTER);
        }
        if self.reader.after() >= self.head && self.earlier.is_empty() {
            self.renderer.end_history(&mut self.out);
            if self.renderer.members_changed() && self.members_due <= Instant::now() {
                self.renderer.members(&mut self.out);
                let listed = u32::try_from(self.renderer.listed()).unwrap_or(u32::MAX);
                self.members_due = Instant::now() + MEMBERS_EVERY * listed;
            }
        }
    }

    /// Renders what is new, or a chunk of the history, whose messages are shown as they are now.
    async fn render(&mut self) -> Result<(), Refusal> {
        let mut batch = EventBatch::default();
        if self.earlier.is_empty() {
            self.reader.read_events(&mut batch).await?;
        }
        if !self.renderer.is_history() {
            self.renderer.events(&batch, &mut self.out);
            return Ok(());
        }
        self.earlier.extend(batch.iter().map(|event| (event.kind, event.seq, event.json.to_owned())));
        let full = self.out.len() + CHUNK_BYTES;
        while self.out.len() < full
            && let Some((kind, seq, json)) = self.earlier.pop_front()
        {
            let mut one = EventBatch::default();
            match seq.filter(|_| kind == EventKind::Message) {
                Some(seq) => self.push_now(seq, &json, &mut one).await?,
                None => one.push_parts(kind, seq, [json.as_bytes(), b""]),
            }
            self.renderer.events(&one, &mut self.out);
        }
        Ok(())
    }

    /// Adds a message as it is now: one that was edited, or that guests have put something to, is read again.
    async fn push_now(&self, seq: u64, json: &str, out: &mut EventBatch) -> Result<(), Refusal> {
        let (room, known) = (self.reader.room(), self.reader.room().annotations());
        if known.edit(seq).is_none() && known.reactions(seq).is_empty() {
            out.push_parts(EventKind::Message, Some(seq), [json.as_bytes(), b""]);
            return Ok(());
        }
        let page = room.history(HistoryRequest::before(seq + 1, 1)).await?;
        // One that was deleted since is left out.
        page.messages
            .iter()
            .filter(|message| message.record.seq == seq)
            .for_each(|message| out.push(&message.event()));
        Ok(())
    }

    /// Waits until there may be events; returns a chunk to write meanwhile.
    async fn wait(&mut self) -> Option<Bytes> {
        let (due, ends_at) = (self.members_due, self.ends_at);
        let ended = async {
            match ends_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let members_due = async {
            match self.renderer.members_changed() {
                true => sleep_until(due).await,
                false => std::future::pending().await,
            }
        };
        let l = self.language;
        match &mut self.mode {
            Mode::Live { seat, live } => {
                tokio::select! {
                    biased;
                    () = live.closing.cancelled() => {}
                    () = seat.lost() => {
                        // The document ends, and the connection with it. The browser loads it again, but this window gets the
                        // seat back only if no other has it.
                        let loss = seat.loss();
                        if loss.code == Code::Banned {
                            self.mode = Mode::Ended;
                            return Some(html! { p class="line note" { (l.translated(&loss.message)) } }.0.into());
                        }
                        let sentence = match live.claim.lose() {
                            _ if loss.code == Code::RoomFull => english("The room is full, and your seat went to another guest."),
                            true => english("This chat went on in another window."),
                            false => english("This guest left, or went on elsewhere."),
                        };
                        let line = elsewhere(l, l.say(sentence), &live.window);
                        self.mode = Mode::Ended;
                        return Some(line.0.into());
                    }
                    () = ended => {
                        self.mode = Mode::Ended;
                        let line = html! { p class="line" { (l.say("Messages were deleted. This page loads again without them.")) } };
                        return Some(line.0.into());
                    }
                    () = sleep_until(self.heartbeat_due) => {
                        self.heartbeat_due = Instant::now() + live.heartbeat;
                        return Some(Bytes::from_static(HEARTBEAT.as_bytes()));
                    }
                    open = self.reader.wait() => if open { return None },
                    () = members_due => return None,
                }
            }
            Mode::Once { foot } => {
                let foot = std::mem::take(&mut foot.0);
                self.mode = Mode::Ended;
                return Some(foot.into());
            }
            Mode::Ended => return None,
        }
        let Mode::Live { live, .. } = std::mem::replace(&mut self.mode, Mode::Ended) else { return None };
        let window = &live.window.number;
        let line = html! {
            p class="line" {
                (l.counted(
                    RETRY_SECONDS.into(),
                    "The room was closed. This page looks for it again in {0} second.",
                    "The room was closed. This page looks for it again in {0} seconds.",
                ))
                " " a href=(connection::address(l, window, None)) target="_parent" { (l.say("Look now")) }
            }
        };
        Some(line.0.into())
    }
}

/// What hosts have decided, above the messages.
fn head_of(l: Language, policy: &Policy) -> Markup {
    let Policy { topic, rules, pinned, locked, slow, .. } = policy;
    html! {
        @if !topic.is_empty() { p class="line" { (l.mark("Topic: {0}", &[&bdi(topic)])) } }
        @if !rules.is_empty() {
            details class="line" open { summary { (l.say("Rules of this room")) } p class="rules" dir="auto" { (rules) } }
        }
        @if let Some(pinned) = pinned {
            p class="line" {
                (l.mark(
                    "Pinned: {0}: {1}",
                    &[&bdi(&pinned.said.name), &html! { bdi class="rules" { (pinned.said.text) } }],
                ))
            }
        }
        @if *locked { p class="line" { (l.say("The room is locked: only guests who are in it can come back.")) } }
        @if *slow > 0 {
            p class="line" {
                (l.counted(
                    *slow,
                    "Slow mode: each guest can write once in {0} second.",
                    "Slow mode: each guest can write once in {0} seconds.",
                ))
            }
        }
    }
}

/// The cursor to begin at: the requested one, or the one before the newest messages.
fn beginning(welcome: &Welcome, after: Option<u64>) -> u64 {
    let newest = welcome.head.saturating_sub(SHOWN).max(welcome.first.saturating_sub(1));
    after.unwrap_or(newest).min(welcome.head)
}
