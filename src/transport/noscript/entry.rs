//! The documents before the room: the entry, and the page of a guest who waits to be let in.

use maud::{Markup, html};

use super::documents::elsewhere_links;
use super::markup::{Look, begin};
use super::phrases;
use super::switch::{Switch, switch};
use super::words::{Marked, bdi};
use crate::hub::Needs;
use crate::language::Language;
use crate::protocol::event::Kept;
use crate::protocol::{Badge, GuestId};

/// After how many seconds a guest who waits asks again.
const ASK_AGAIN_SECONDS: &str = "5";

/// The content of the page before the room.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The visitor's language.
    pub language: Language,
    /// The room's title.
    pub title: &'a str,
    /// The room's retention.
    pub kept: Kept,
    /// Where the form leads.
    pub action: &'a str,
    /// The number of the form.
    pub form: &'a str,
    /// What proves that the form is the room's own.
    pub proof: &'a str,
    /// The name that was entered.
    pub name: &'a str,
    /// A refusal, as a sentence.
    pub note: Option<&'a str>,
    /// Where else the room can be entered, if it is full here.
    pub doors: &'a [String],
    /// What newcomers need.
    pub needs: Needs,
}

/// The page before the room: what this is, and the form that takes a seat.
pub fn entry(entry: &Entry<'_>) -> String {
    let Entry { language: l, title, kept, action, form, proof, name, note, doors, needs } = *entry;
    let body = html! {
        main {
            h1 dir="auto" { (title) }
            @if needs == Needs::default() {
                p { (l.say("A chat room. Everyone who has its address can come in and read what is said.")) }
            } @else { p { (l.say("A chat room.")) } }
            p { (phrases::kept(l, kept)) }
            form method="post" action=(action) {
                input type="hidden" name="form" value=(form) autocomplete="off";
                input type="hidden" name="proof" value=(proof) autocomplete="off";
                @if let Some(note) = note { p class="note" role="alert" { (note) } }
                (elsewhere_links(l, doors))
                label for="name" { (l.say("Your name (optional)")) }
                input id="name" name="name" value=(name) placeholder=(l.say("empty: a suggested one")) autocomplete="off"
                    spellcheck="false" dir="auto";
                @if needs.password {
                    label for="password" { (l.say("The room's password")) }
                    input id="password" name="password" type="password" autocomplete="off";
                }
                @if needs.invitation { (invitation(l)) }
                @if needs.approval { p class="quiet" { (l.say("A host or a moderator lets newcomers in.")) } }
                (same_guest(l, note.is_some()))
                button { (l.say("Enter")) }
                @if !needs.invitation { details { summary { (l.say("I have a link with an invitation")) } (invitation(l)) } }
            }
            p class="quiet" {
                (l.say(
                    "Your browser keeps a cookie until it is closed, or until you leave: it is how the room knows that \
                     you are you."
                ))
            }
            (switch(l, &Switch::entry(action)))
        }
    };
    begin(Look::Entry, l, title, None) + &body.0
}

/// The fields of an identity.
fn same_guest(l: Language, open: bool) -> Markup {
    html! {
        details open[open] {
            summary { (l.say("Be the same guest each time")) }
            p {
                (l.say(
                    "With a passphrase your name is reserved for you, and the same name and passphrase bring you back as the same \
                     guest, from anywhere. It cannot be changed, and if you forget it, it is lost."
                ))
            }
            label for="passphrase" { (l.say("Passphrase, at least 8 characters")) }
            input id="passphrase" name="passphrase" type="password" autocomplete="off";
            label for="key" { (l.say("Or what is in your key file")) }
            textarea id="key" name="key" rows="3" autocomplete="off" spellcheck="false" {}
        }
    }
}

/// The field for an invitation.
fn invitation(l: Language) -> Markup {
    html! {
        label for="invite" { (l.say("The link that you were given, or what follows the last = in it")) }
        input id="invite" name="invite" autocomplete="off" spellcheck="false";
    }
}

/// The content of the page of a guest who waits to be let in.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    /// The guest's language.
    pub language: Language,
    /// The room's title.
    pub title: &'a str,
    /// The guest, if they are listed.
    pub guest: Option<GuestId>,
    /// The name that they ask for; empty for none.
    pub name: &'a str,
    /// What they wait for, as a sentence.
    pub note: &'a str,
    /// The number of the form.
    pub form: &'a str,
    /// What proves that the form is the room's own.
    pub proof: &'a str,
}

/// Who asks to come in.
fn asks(l: Language, name: &str, guest: Option<GuestId>) -> Markup {
    let badge = guest.map(|guest| html! { b { bdi { (Badge::of(guest)) } } });
    match (name.is_empty(), badge) {
        (true, None) => html! { (l.say("You ask to come in.")) },
        (true, Some(badge)) => l.mark("You ask to come in, with the badge {0}.", &[&badge]),
        (false, None) => l.mark("You ask to come in as {0}.", &[&bdi(name)]),
        (false, Some(badge)) => {
            l.mark("You ask to come in as {0}, with the badge {1}.", &[&bdi(name), &badge])
        }
    }
}

/// The page of a guest who waits: it loads itself again.
pub fn waiting(waiting: &Waiting<'_>) -> String {
    let Waiting { language: l, title, guest, name, note, form, proof } = *waiting;
    let body = html! {
        main {
            h1 dir="auto" { (title) }
            p role="status" { (note) }
            p { (asks(l, name, guest)) }
            p { a href="waiting" { (l.say("Ask again now")) } }
            form method="post" action="leave" {
                input type="hidden" name="form" value=(form) autocomplete="off";
                input type="hidden" name="proof" value=(proof) autocomplete="off";
                button { (l.say("Do not wait")) }
            }
            (switch(l, &Switch::page("waiting")))
        }
    };
    begin(Look::Entry, l, title, Some(ASK_AGAIN_SECONDS)) + &body.0
}
