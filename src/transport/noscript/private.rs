//! The page where a guest writes to another one privately. What both write stands among the messages.

use maud::{Markup, html};

use super::markup::{Look, badge, begin};
use super::switch::{Switch, switch};
use super::words::Marked;
use crate::language::Language;
use crate::protocol::{Badge, Guest, GuestId};

/// The content of the page.
#[derive(Debug, Clone, Copy)]
pub struct PrivatePage<'a> {
    /// The guest's language.
    pub language: Language,
    /// The guest who asks.
    pub guest: &'a Guest,
    /// All guests.
    pub guests: &'a [Guest],
    /// The guest who is chosen.
    pub to: Option<GuestId>,
    /// The text that is not sent yet.
    pub text: &'a str,
    /// The number of the form.
    pub form: &'a str,
    /// What proves that it is the room's own.
    pub proof: &'a str,
    /// Why the last form was refused, as a sentence.
    pub note: Option<&'a str>,
    /// Whether hosts have switched private messages off.
    pub is_off: bool,
}

/// A guest with their badge.
fn named(l: Language, guest: &Guest) -> Markup {
    html! { bdi { (guest.name.as_str()) } " " (badge(l, guest.id)) }
}

/// The page.
pub fn private(page: &PrivatePage<'_>) -> String {
    let PrivatePage { language: l, guest, guests, to, text, form, proof, note, is_off } = *page;
    let others = || guests.iter().filter(|other| other.id != guest.id);
    let body = html! {
        main {
            h1 { (l.say("A private message")) }
            p { (l.mark("You are {0}.", &[&named(l, guest)])) }
            @if let Some(note) = note { p class="note" role="alert" { (note) } }
            @if is_off {
                p { (l.say("Guests cannot write to each other privately in this room: a host has switched that off.")) }
            } @else if others().next().is_none() {
                p { (l.say("You are alone here.")) " " a href="private" { (l.say("Look again")) } }
            } @else {
                p {
                    (l.say(
                        "The other guest and you see it among the messages, marked as private; no other guest does, and no host. The \
                         room’s machine keeps it in its memory, and forgets it when one of you two leaves."
                    ))
                }
                form method="post" action="private" {
                    input type="hidden" name="form" value=(form) autocomplete="off";
                    input type="hidden" name="proof" value=(proof) autocomplete="off";
                    label for="to" { (l.say("To")) }
                    " "
                    select id="to" name="to" autocomplete="off" {
                        @for other in others() {
                            option value=(other.id.0) selected[to == Some(other.id)] {
                                (other.name.as_str()) " " (Badge::of(other.id)) @if other.away { " (" (l.say("away")) ")" }
                            }
                        }
                    }
                    // HTML drops the first line break of a textarea (section 13.2.6.4.7).
                    textarea name="text" aria-label=(l.say("Private message")) dir="auto" autofocus { "\n" (text) }
                    div class="row" { button name="do" value="whisper" { (l.say("Send privately")) } " " a href="private" { (l.say("Read the list anew")) } }

                }
            }
            (switch(l, &Switch::page("private")))
        }
    };
    begin(Look::Host, l, l.say("A private message"), None) + &body.0
}
