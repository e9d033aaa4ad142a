//! Private messages, apart from all others by a frame and by words.

use maud::{Markup, html};
use serde::Deserialize;

use super::{Renderer, append};
use crate::language::english;
use crate::protocol::GuestId;
use crate::protocol::private::EncodedPrivate;
use crate::transport::noscript::calm::{calm, is_long, lines_of};
use crate::transport::noscript::markup::badge;
use crate::transport::noscript::words::{Marked, bdi};

/// What is told of private messages, as it is read back to be rendered.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum Told {
    #[serde(rename = "private")]
    Message { at: u64, guest: GuestId, name: String, to: GuestId, to_name: String, text: String },
    #[serde(rename = "private_gap")]
    Gap {},
    #[serde(rename = "private_end")]
    End { guest: Option<GuestId> },
}

impl Renderer {
    /// Appends what is told of private messages.
    pub fn private(&mut self, events: &[EncodedPrivate], out: &mut String) {
        for event in events {
            match serde_json::from_str(&event.json) {
                Ok(event) => self.private_event(event, out),
                Err(error) => {
                    tracing::error!(%error, "an event about private messages could not be read back")
                }
            }
        }
    }

    fn private_event(&mut self, event: Told, out: &mut String) {
        match event {
            Told::Message { at, guest, name, to, to_name, text } => {
                let mine = guest == self.me;
                if mine {
                    self.written_to.insert(to);
                }
                if !std::mem::replace(&mut self.shows_private, true) && self.history {
                    self.say(out, english("Private messages that are still kept"));
                }
                if !self.history {
                    self.pause(at, out);
                }
                let other = if mine { (to, to_name) } else { (guest, name) };
                self.private_message(at, mine, &other, &text, out);
            }
            Told::Gap {} => {
                self.say(out, english("Private messages that were here are no longer kept."));
            }
            Told::End { guest: Some(guest) } => {
                // Only for a guest whom this one talks with: others could make the document load again as often as they like.
                self.shows_deleted |= self.written_to.remove(&guest);
                if !self.history && self.shows_private {
                    let line = self.language.mark(
                        "The guest {0} has left. The private messages with them are forgotten, and go from here when this page loads \
                         again.",
                        &[&badge(self.language, guest)],
                    );
                    self.line(out, &line);
                }
            }
            Told::End { guest: None } => {}
        }
    }

    fn private_message(
        &mut self,
        at: u64,
        mine: bool,
        (other, name): &(GuestId, String),
        text: &str,
        out: &mut String,
    ) {
        let text = calm(text);
        let (new, long) = (!self.history && self.live, is_long(lines_of(&text)));
        let age = self.history.then(|| self.how_long_before(at));
        let l = self.language;
        let other_guest = html! { (bdi(name)) " " (badge(l, *other)) };
        let whose = match mine {
            true => l.mark("Private, from you to {0}", &[&other_guest]),
            false => l.mark("Private, to you from {0}", &[&other_guest]),
        };
        let markup: Markup = html! {
            article class={ (self.colours.class(*other)) " private" @if mine { " mine" } @if new { " new" } } {
                h2 {
                    // One element, because those of a heading are apart from each other.
                    span { (whose) }
                    @if let Some(age) = age { " " span class="note" { (age) } }
                }
                @if long {
                    p class="long" tabindex="0" dir="auto" { (text) }
                } @else {
                    p dir="auto" { (text) }
                }
            }
        };
        append(out, &markup);
        // The next message says again whose it is.
        self.last.iter_mut().for_each(|(_, name, _)| name.clear());
    }
}
