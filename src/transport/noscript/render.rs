//! Renders events as HTML, in the order they come.

mod people;
mod private;

use std::collections::HashSet;

use maud::{Markup, html};

use super::acts;
use super::calm::{calm, lines_of};
use super::colours::Colours;
use super::event::{Event, Member, Said};
use super::phrases::{self, CANNOT_WRITE};
use super::said::{Place, Quotes, article};
use super::words::{Marked, bdi};
use crate::language::{Language, english};
use crate::protocol::act::Act;
use crate::protocol::policy::RoleOf;
use crate::protocol::record::HELD;
use crate::protocol::{EventBatch, GuestId, Name, Policy, Role, Welcome};

/// Messages of one guest form a group if they are no further apart than this, in seconds.
const GROUP_SECONDS: u64 = 5 * 60;

/// After so many lines of one guest the name is said again, so that it is always in view; a long message counts as so many.
const NAMED_EVERY: usize = 14;

/// A pause of this many seconds is marked.
const PAUSE_SECONDS: u64 = 10 * 60;

/// Each day of this many seconds is marked while a guest is here.
const DAY_SECONDS: u64 = 86_400;

/// Renders the events of one guest.
#[derive(Debug)]
pub struct Renderer {
    /// The guest's language.
    language: Language,
    me: GuestId,
    members: Vec<Member>,
    /// The number of guests, where only that is told.
    occupancy: Option<usize>,
    /// Whether the members changed since they were rendered.
    members_changed: bool,
    /// When the guest joined, on the room's clock.
    joined: u64,
    /// Whether the document is live or complete.
    live: bool,
    /// Whether the events are from before the guest joined.
    history: bool,
    /// The author of the last message, their name then, and its time.
    last: Option<(GuestId, String, u64)>,
    /// How many lines there are below the last name, with those of the last message.
    below: usize,
    colours: Colours,
    quotes: Quotes,
    /// What hosts have decided.
    policy: Policy,
    /// Whether a message may be shown that was deleted since.
    shows_deleted: bool,
    /// The guests to whom a private message is shown.
    written_to: HashSet<GuestId>,
    /// Whether a private message is shown.
    shows_private: bool,
    /// The name that the guest could not get again.
    lost_name: Option<Name>,
    /// Whether the room could write when the guest joined.
    storage_available: bool,
    /// The last age that was rendered in the history.
    age: String,
    /// The time of the last event, on the room's clock.
    newest: u64,
}

impl Renderer {
    /// For a guest who has just joined; `live` if the document does not end.
    pub fn new(language: Language, welcome: &Welcome, live: bool) -> Self {
        let mut colours = Colours::default();
        colours.give(welcome.guests.iter().map(|guest| guest.id));
        Self {
            language,
            live,
            me: welcome.guest.id,
            members: welcome.guests.iter().map(Member::from).collect(),
            occupancy: (welcome.count > welcome.guests.len()).then_some(welcome.count),
            members_changed: true,
            joined: welcome.clock,
            history: true,
            lost_name: None,
            storage_available: welcome.storage_available,
            last: None,
            below: 0,
            colours,
            quotes: Quotes::default(),
            policy: Policy::clone(&welcome.policy),
            shows_deleted: false,
            written_to: HashSet::new(),
            shows_private: false,
            age: String::new(),
            newest: welcome.clock,
        }
    }

    /// The name that the guest had before and could not get again, which is said where they came in.
    pub fn lost_name(&mut self, name: Option<Name>) {
        self.lost_name = name;
    }

    /// Appends events.
    pub fn events(&mut self, batch: &EventBatch, out: &mut String) {
        for event in batch.iter() {
            match serde_json::from_str(event.json) {
                Ok(event) => self.event(event, out),
                Err(error) => tracing::error!(%error, "an event of the room could not be read back"),
            }
        }
    }

    /// Ends the history: later events are live.
    pub fn end_history(&mut self, out: &mut String) {
        if !std::mem::take(&mut self.history) {
            return;
        }
        let l = self.language;
        match self.last {
            // The style hides it when something has been said.
            None => append(out, &html! { p class="line empty" { (l.say("Nothing has been said yet.")) } }),
            Some(_) if self.live => self.say(out, english("You came in")),
            Some(_) => {}
        }
        if !self.storage_available {
            self.say(out, CANNOT_WRITE);
        }
        if let Some(lost) = self.lost_name.take() {
            let mine =
                self.members.iter().find(|member| member.id == self.me).map(|member| member.name.as_str());
            let line = phrases::lost_name(l, lost.as_str(), mine.unwrap_or("…"));
            self.line(out, &html! { (line) });
        }
    }

    /// Whether a message may be shown that was deleted since: it cannot be taken back from a document that is sent.
    pub fn shows_deleted(&self) -> bool {
        self.shows_deleted
    }

    /// Whether the events are from before the guest joined.
    pub fn is_history(&self) -> bool {
        self.history
    }

    fn event(&mut self, event: Event, out: &mut String) {
        let l = self.language;
        match event {
            Event::Message(said) => self.message(said, out),
            Event::Title { at, title } => {
                self.moment(at, out);
                self.line(out, &l.mark("The room is now called {0}", &[&bdi(&title)]));
            }
            Event::Act { at, guest, act } => self.act(at, guest, &act, out),
            Event::Policy { policy } => {
                self.policy = policy;
                self.members_changed = true;
            }
            // What waits is its author's alone.
            Event::Unknown { at, guest, kind } if kind == HELD => {
                if guest == self.me {
                    self.moment(at, out);
                    self.say(out, phrases::WAITS);
                }
            }
            Event::Unknown { at, .. } => {
                self.moment(at, out);
                self.say(out, english("Something that this page cannot show."));
            }
            Event::Gap {} => self.say(out, english("Messages that were here are no longer kept.")),
            Event::Joined { guest, at } => {
                if self.insert(guest.clone()) && guest.id != self.me {
                    self.pause(at, out);
                    self.line(out, &l.mark("{0} joined", &[&bdi(&guest.name)]));
                }
            }
            Event::Left { guest, at } => {
                let before = self.members.len();
                self.members.retain(|member| member.id != guest.id);
                if self.members.len() < before {
                    self.members_changed = true;
                    self.pause(at, out);
                    self.line(out, &l.mark("{0} has left", &[&bdi(&guest.name)]));
                }
            }
            Event::Away { guest } | Event::Back { guest } => {
                self.insert(guest);
            }
            Event::Renamed { guest, was, at } => {
                self.pause(at, out);
                let line = match guest.id == self.me {
                    true => l.mark("You are now called {0}", &[&bdi(&guest.name)]),
                    false => l.mark("{0} is now called {1}", &[&bdi(&was), &bdi(&guest.name)]),
                };
                self.line(out, &line);
                self.insert(guest);
            }
            Event::Roster { guests } => {
                (self.members, self.occupancy) = (guests, None);
                self.members_changed = true;
            }
            Event::Occupancy { count } => {
                self.members.clear();
                self.occupancy = Some(count);
                self.members_changed = true;
            }
            Event::Storage { available } => {
                self.say(out, if available { english("The room can write again.") } else { CANNOT_WRITE });
            }
            Event::Other => {}
        }
    }

    fn act(&mut self, at: u64, guest: GuestId, act: &Act, out: &mut String) {
        self.shows_deleted |= !self.history && matches!(act, Act::Delete { .. } | Act::DeleteAll { .. });
        if let Act::Role { target, role, .. } = act {
            self.policy.roles.retain(|entry| entry.of != target.of);
            if *role > Role::Guest {
                self.policy.roles.push(RoleOf { of: target.of, name: target.name.clone(), role: *role });
            }
            self.members_changed = true;
        }
        if !self.history {
            self.keep(guest, act);
        }
        let name = self.name(guest);
        // Messages of the history are shown with what was done to them.
        let l = self.language;
        let line = match self.history {
            true => None,
            false => self.quotes.annotation(l, self.me, guest, name.as_deref(), act),
        };
        if let Some(line) = line {
            self.moment(at, out);
            return self.line(out, &line);
        }
        let of_role = || self.policy.name(guest).map(str::to_owned);
        let by = match name.or_else(of_role) {
            Some(name) => html! { bdi { (name) } },
            None if guest == GuestId::ROOM => html! { (l.say("the host")) },
            None if act.is_own(guest) => html! { (l.say("a guest")) },
            None => html! { (l.say("a host")) },
        };
        if let Some(line) = acts::line(l, act, &by) {
            self.moment(at, out);
            self.line(out, &line);
        }
    }

    /// Takes account of a name that is reserved now, or not any more.
    fn keep(&mut self, by: GuestId, act: &Act) {
        let (of, reserved) = match act {
            Act::Reserve { name, .. } => (by, name.as_deref()),
            Act::ReleaseName => (by, None),
            Act::Unreserve { target } => (target.of, None),
            _ => return,
        };
        if let Some(member) = self.members.iter_mut().find(|member| member.id == of) {
            // The same text: who has another one that looks like it is told so with the next change.
            member.kept = reserved.is_some_and(|name| name == member.name);
            self.members_changed = true;
        }
    }

    fn message(&mut self, said: Said, out: &mut String) {
        let (at, guest) = (said.at, said.guest);
        self.moment(at, out);
        let lines = lines_of(&calm(&said.text));
        let follows = self.below < NAMED_EVERY
            && said.reply.is_none()
            && self.last.as_ref().is_some_and(|(last, was, when)| {
                *last == guest && *was == said.name && at.saturating_sub(*when) < GROUP_SECONDS
            });
        self.below = lines.min(NAMED_EVERY) + if follows { self.below } else { 0 };
        let (mine, role) = (guest == self.me, self.policy.role(guest));
        // A message that was said while this document was there: the style tells of it, and brings one's own into view.
        let new = !self.history && self.live;
        let classes = [(new, " new"), (mine, " mine"), (follows, " follows")];
        let classes = classes.map(|(is, class)| if is { class } else { "" }).concat();
        let classes = format!("{}{classes}", self.colours.class(guest));
        append(
            out,
            &article(
                &said,
                &Place { language: self.language, classes, mine, follows, role, quotes: &self.quotes },
            ),
        );
        self.quotes.note(&said);
        self.last = Some((guest, said.name, at));
    }

    fn name(&self, guest: GuestId) -> Option<String> {
        self.members.iter().find(|known| known.id == guest).map(|known| known.name.clone())
    }

    /// Appends how long before the join a message was published, where that changes.
    fn age(&mut self, at: u64, out: &mut String) {
        let age = self.how_long_before(at);
        if age != self.age {
            self.line(out, &html! { (age) });
            self.age = age;
        }
        self.newest = self.newest.max(at);
    }

    /// How long before the guest came something was; in a live document "ago" would soon be wrong.
    fn how_long_before(&self, at: u64) -> String {
        let seconds = self.joined.saturating_sub(at);
        if self.live { phrases::before(self.language, seconds) } else { phrases::ago(self.language, seconds) }
    }

    /// Appends when something was, where that is not clear from what stands above it.
    fn moment(&mut self, at: u64, out: &mut String) {
        match self.history {
            true => self.age(at, out),
            false => self.pause(at, out),
        }
    }

    /// Appends how long there was no event, if it was long, and for how many days the guest is here, where that changes.
    fn pause(&mut self, at: u64, out: &mut String) {
        let pause = at.saturating_sub(self.newest);
        let days = |at: u64| at.saturating_sub(self.joined) / DAY_SECONDS;
        let (here, before) = (days(at), days(self.newest));
        if pause >= PAUSE_SECONDS {
            self.line(out, &html! { (phrases::later(self.language, pause)) });
        }
        if here > before {
            let days = self.language.counted(here, "{0} day after you came", "{0} days after you came");
            self.line(out, &html! { (days) });
        }
        self.newest = self.newest.max(at);
    }

    /// Appends a line that is no message; it ends a group of messages.
    fn line(&mut self, out: &mut String, content: &Markup) {
        append(out, &html! { p class="line" { (content) } });
        if let Some((_, name, _)) = &mut self.last {
            name.clear();
        }
    }

    /// Appends such a line of this text alone.
    fn say(&mut self, out: &mut String, english: &'static str) {
        self.line(out, &html! { (self.language.say(english)) });
    }

    /// Inserts or updates a member; returns whether it is new.
    fn insert(&mut self, guest: Member) -> bool {
        self.members_changed = true;
        match self.members.iter_mut().find(|member| member.id == guest.id) {
            Some(member) => {
                *member = guest;
                false
            }
            None => {
                self.members.push(guest);
                true
            }
        }
    }
}

fn append(out: &mut String, markup: &Markup) {
    out.push_str(&markup.0);
    out.push('\n');
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
