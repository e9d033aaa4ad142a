//! Events as markup, in the order they come.

use std::fmt::Write;

use serde::Deserialize;

use super::markup::Escaped;
use super::words;
use crate::protocol::{EventBatch, Guest, GuestId, Welcome};

/// Messages of one guest stand together if they are not further apart than this, in seconds.
const TOGETHER: u64 = 5 * 60;

/// A silence of this many seconds is told.
const SILENCE: u64 = 10 * 60;

/// How many colours guests have in the style.
const HUES: u64 = 12;

/// An event as the room encoded it, as far as it is shown.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Event {
    Message {
        at: u64,
        guest: GuestId,
        name: String,
        text: String,
    },
    Gap {},
    Joined {
        guest: Person,
        at: u64,
    },
    Left {
        guest: Person,
        at: u64,
    },
    Away {
        guest: Person,
    },
    Back {
        guest: Person,
    },
    Renamed {
        guest: Person,
        was: String,
        at: u64,
    },
    Roster {
        guests: Vec<Person>,
    },
    Crowd {
        count: usize,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Deserialize)]
struct Person {
    id: GuestId,
    name: String,
    #[serde(default)]
    away: bool,
}

impl From<&Guest> for Person {
    fn from(guest: &Guest) -> Self {
        Self { id: guest.id, name: guest.name.as_str().to_owned(), away: guest.away }
    }
}

/// Turns one guest's events into markup.
#[derive(Debug)]
pub struct Renderer {
    me: GuestId,
    people: Vec<Person>,
    /// How many are here, if they are too many to be listed.
    crowd: Option<usize>,
    /// Whether who is here changed since it was told.
    people_changed: bool,
    /// When the guest came in, on the room's clock.
    came: u64,
    /// Whether the guest stays to hear what comes, or reads what there is.
    stays: bool,
    /// Whether what is told was said before they came.
    before: bool,
    /// The last message: who said it, under which name, and when.
    last: Option<(GuestId, String, u64)>,
    /// How long ago the last message was said that was told to be so.
    ago: String,
    /// When the last event was, on the room's clock.
    heard: u64,
}

impl Renderer {
    /// For a guest who just came in, to stay or for one look.
    pub fn new(welcome: &Welcome, stays: bool) -> Self {
        Self {
            stays,
            me: welcome.guest.id,
            people: welcome.guests.iter().map(Person::from).collect(),
            crowd: (welcome.count > welcome.guests.len()).then_some(welcome.count),
            people_changed: true,
            came: welcome.clock,
            before: true,
            last: None,
            ago: String::new(),
            heard: welcome.clock,
        }
    }

    /// Appends the markup of events.
    pub fn events(&mut self, batch: &EventBatch, page: &mut String) {
        for event in batch.iter() {
            match serde_json::from_str(event.json) {
                Ok(event) => self.event(event, page),
                Err(error) => tracing::error!(%error, "an event of the room could not be read back"),
            }
        }
    }

    /// What was said before the guest came is told; from now on it is live.
    pub fn now(&mut self, page: &mut String) {
        if !std::mem::take(&mut self.before) {
            return;
        }
        match self.last {
            None => self.line(page, "Nothing has been said yet."),
            Some(_) if self.stays => self.line(page, "You came in"),
            Some(_) => {}
        }
    }

    /// How many are listed: what [`Renderer::people`] costs grows with it.
    pub fn listed(&self) -> usize {
        self.people.len()
    }

    /// Whether [`Renderer::people`] would tell something new.
    pub fn people_changed(&self) -> bool {
        self.people_changed
    }

    /// Appends who is here, in place of what was told before.
    pub fn people(&mut self, page: &mut String) {
        self.people_changed = false;
        if let Some(count) = self.crowd {
            let _ = writeln!(
                page,
                "<aside><label for=\"people\">{count} here</label><p>{count} people are here, too many to list. \
                 Their names stand on what they say.</p></aside>"
            );
            return;
        }
        self.people.sort_by_cached_key(|person| person.name.to_lowercase());
        let _ = write!(page, "<aside><label for=\"people\">{} here</label><ul>", self.people.len());
        for person in &self.people {
            let away = if person.away { " away" } else { "" };
            let note = match (person.id == self.me, person.away) {
                (true, _) => " <span>you</span>",
                (_, true) => " <span>away</span>",
                _ => "",
            };
            let (hue, name) = (hue(person.id), Escaped(&person.name));
            let _ = write!(page, "<li class=\"h{hue}{away}\"><bdi>{name}</bdi>{note}</li>");
        }
        page.push_str("</ul></aside>\n");
    }

    fn event(&mut self, event: Event, page: &mut String) {
        match event {
            Event::Message { at, guest, name, text } => self.message(at, guest, name, &text, page),
            Event::Gap {} => self.line(page, "Messages that were here are no longer kept."),
            Event::Joined { guest, at } => {
                if self.put(guest.clone()) && guest.id != self.me {
                    self.silence(at, page);
                    self.line(page, &format!("<bdi>{}</bdi> joined", Escaped(&guest.name)));
                }
            }
            Event::Left { guest, at } => {
                let here = self.people.len();
                self.people.retain(|person| person.id != guest.id);
                if self.people.len() < here {
                    self.people_changed = true;
                    self.silence(at, page);
                    self.line(page, &format!("<bdi>{}</bdi> left", Escaped(&guest.name)));
                }
            }
            Event::Away { guest } | Event::Back { guest } => {
                self.put(guest);
            }
            Event::Renamed { guest, was, at } => {
                self.silence(at, page);
                let name = Escaped(&guest.name);
                let line = match guest.id == self.me {
                    true => format!("You are now called <bdi>{name}</bdi>"),
                    false => format!("<bdi>{}</bdi> is now called <bdi>{name}</bdi>", Escaped(&was)),
                };
                self.line(page, &line);
                self.put(guest);
            }
            Event::Roster { guests } => {
                (self.people, self.crowd) = (guests, None);
                self.people_changed = true;
            }
            Event::Crowd { count } => {
                self.people.clear();
                self.crowd = Some(count);
                self.people_changed = true;
            }
            Event::Other => {}
        }
    }

    fn message(&mut self, at: u64, guest: GuestId, name: String, text: &str, page: &mut String) {
        match self.before {
            true => self.distance(at, page),
            false => self.silence(at, page),
        }
        let follows = self.last.as_ref().is_some_and(|(last, was, when)| {
            *last == guest && *was == name && at.saturating_sub(*when) < TOGETHER
        });
        let (mine, who) = match guest == self.me {
            true => (" mine", "You".to_owned()),
            false => ("", format!("<bdi>{}</bdi>", Escaped(&name))),
        };
        let follows = if follows { " follows" } else { "" };
        let (hue, text) = (hue(guest), Escaped(text));
        let _ = writeln!(
            page,
            "<article class=\"h{hue}{mine}{follows}\"><h2>{who}</h2><p dir=\"auto\">{text}</p></article>"
        );
        self.last = Some((guest, name, at));
    }

    /// Tells how long before the guest came in something was said, where that changes.
    fn distance(&mut self, at: u64, page: &mut String) {
        let ago = words::span(self.came.saturating_sub(at));
        if ago != self.ago {
            // On a page that stays, "ago" would soon be wrong.
            let from = if self.stays { "before you came" } else { "ago" };
            self.line(page, &format!("{ago} {from}"));
            self.ago = ago;
        }
        self.heard = self.heard.max(at);
    }

    /// Tells how long nothing was heard, if it was long.
    fn silence(&mut self, at: u64, page: &mut String) {
        let silent = at.saturating_sub(self.heard);
        if silent >= SILENCE {
            self.line(page, &format!("{} later", words::span(silent)));
        }
        self.heard = self.heard.max(at);
    }

    /// A quiet line; `markup` is escaped already. What follows does not belong to what was said before it.
    fn line(&mut self, page: &mut String, markup: &str) {
        let _ = writeln!(page, "<p class=\"line\">{markup}</p>");
        if let Some((_, name, _)) = &mut self.last {
            name.clear();
        }
    }

    /// Puts somebody among those who are here; tells whether they were not.
    fn put(&mut self, guest: Person) -> bool {
        self.people_changed = true;
        match self.people.iter_mut().find(|person| person.id == guest.id) {
            Some(person) => {
                *person = guest;
                false
            }
            None => {
                self.people.push(guest);
                true
            }
        }
    }
}

/// The class of a guest's colour: as in the page with JavaScript (`hueOf`), in steps.
fn hue(guest: GuestId) -> u64 {
    let degrees = (guest.0 as f64 * 137.508 + 285.0) % 360.0;
    (degrees / 360.0 * HUES as f64) as u64 % HUES
}
