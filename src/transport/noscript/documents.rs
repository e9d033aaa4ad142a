//! The documents that end: the room with its frames, the form, and the refusal.

use maud::{Markup, html};

use super::connection;
use super::markup::{Look, Window, badge, begin, elsewhere};
use super::refresh::REFRESH_SECONDS;
use super::switch::{Switch, switch};
use super::theme::Theme;
use super::words::{Marked, bdi};
use crate::language::Language;
use crate::protocol::GuestId;

/// After how many seconds a browser that was refused asks again.
const RETRY_SECONDS: &str = "15";

/// Where a room that is full here has places, perhaps.
pub(super) fn elsewhere_links(l: Language, doors: &[String]) -> Markup {
    html! {
        @if !doors.is_empty() {
            p { (l.say("The same room is also at:")) }
            ul { @for door in doors { li { a href={ (door) "/" } target="_top" rel="noreferrer" { (host(door)) } } } }
        }
    }
}

/// An origin as it is shown.
fn host(origin: &str) -> &str {
    origin.strip_prefix("http://").unwrap_or(origin)
}

/// The content of the page for a guest who comes from another door.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The guest's language.
    pub language: Language,
    /// The room's title.
    pub title: &'a str,
    /// The number of the form.
    pub form: &'a str,
    /// What proves that the form is the room's own.
    pub proof: &'a str,
    /// The token that the other door's form had.
    pub token: &'a str,
    /// The name that it had; empty if it is none.
    pub name: &'a str,
    /// A refusal, as a sentence.
    pub note: Option<&'a str>,
    /// Where else the guest can go on, if the room is full here.
    pub doors: &'a [String],
}

/// The page for a guest who comes from another door: who would go on here, and the form that does it.
pub fn arrival(arrival: &Arrival<'_>) -> String {
    let Arrival { language: l, title, form, proof, token, name, note, doors } = *arrival;
    let body = html! {
        main {
            h1 dir="auto" { (title) }
            p { (l.say("You come from another address of this room.")) }
            form method="post" action="arrive" {
                input type="hidden" name="form" value=(form) autocomplete="off";
                input type="hidden" name="proof" value=(proof) autocomplete="off";
                input type="hidden" name="token" value=(token) autocomplete="off";
                input type="hidden" name="name" value=(name) autocomplete="off";
                @if let Some(note) = note { p class="note" role="alert" { (note) } }
                (elsewhere_links(l, doors))
                button autofocus {
                    @if name.is_empty() { (l.say("Go on here")) } @else { (l.mark("Go on here as {0}", &[&bdi(name)])) }
                }
            }
            p class="quiet" {
                (l.say("If that is not you, or you did not come from another address of this room, come in as a new guest:"))
                " " a href="../page" { (l.say("Come in as a new guest")) }
            }
        }
    };
    begin(Look::Entry, l, title, None) + &body.0
}

/// The other doors of the room, and what a guest takes along to one of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Doors<'a> {
    /// Their origins.
    pub origins: &'a [String],
    /// Where the form leads there.
    pub path: &'a str,
    /// The guest's token.
    pub token: &'a str,
    /// The guest's name; empty if it is not known.
    pub name: &'a str,
}

impl Doors<'_> {
    /// A form for each. A form and not a link: what it sends is in no address and in no history.
    fn forms(&self, l: Language) -> Markup {
        let Self { origins, path, token, name } = *self;
        html! {
            @if !origins.is_empty() {
                details {
                    summary { (l.say("If this address does not answer")) }
                    p {
                        (l.say(
                            "The same room is also at these addresses. You go on there as the same guest, and the messages are all \
                             there. What you have written and not sent stays here: copy it first."
                        ))
                    }
                    @for origin in origins {
                        form method="post" action={ (origin) (path) } target="_top" {
                            input type="hidden" name="token" value=(token) autocomplete="off";
                            input type="hidden" name="name" value=(name) autocomplete="off";
                            button class="link" { (host(origin)) }
                        }
                    }
                }
            }
        }
    }
}

/// A room of the address, in the list on the page of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomLink {
    /// Where its page is, from the one that has the list.
    pub address: String,
    /// Its title.
    pub title: String,
    /// How many guests are in it.
    pub guests: usize,
    /// How many entries are new since the guest has looked at it.
    pub unread: u64,
    /// Whether it is the room of this page.
    pub here: bool,
}

/// The list of rooms.
fn room_links(l: Language, rooms: &[RoomLink]) -> Markup {
    let unread: u64 = rooms.iter().filter(|room| !room.here).map(|room| room.unread).sum();
    html! {
        @if !rooms.is_empty() {
            details {
                summary {
                    @if unread > 0 { (l.counted(unread, "Rooms ({0} unread)", "Rooms ({0} unread)")) } @else { (l.say("Rooms")) }
                }
                ul {
                    @for room in rooms {
                        li {
                            @if room.here {
                                (l.mark("{0}, where you are", &[&html! { b { bdi { (room.title) } } }]))
                            } @else {
                                a href=(room.address) { bdi { (room.title) } }
                                @if room.unread > 0 { " · " b { (l.counted(room.unread, "{0} unread", "{0} unread")) } }
                                " · " (l.counted(room.guests as u64, "guest", "guests"))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The room with its frames, for a guest who has entered. `rooms` are those of the address. `window` is this window, with a proof for its forms.
pub fn room(l: Language, title: &str, window: &Window, rooms: &[RoomLink], doors: &Doors<'_>) -> String {
    let messages = format!("page/{}", connection::address(l, &window.number, None));
    let refreshing =
        format!("page/messages?window={}&plain={}{}", window.number, REFRESH_SECONDS[1], connection::of(l));
    let body = html! {
        header {
            h1 dir="auto" { (title) }
            nav {
                a href=(messages) target="messages" { (l.say("Reconnect")) }
                " "
                a href=(refreshing) target="messages" { (l.say("Without streaming")) }
                " "
                a href="page/search" target="search" rel="noopener" { (l.say("Search")) }
                " "
                a href="page/private" target="private" rel="noopener" { (l.say("Private message")) }
                " "
                a href="page/identity" target="identity" rel="noopener" { (l.say("Your name")) }
                " "
                a href="page/host" target="host" rel="noopener" { (l.say("Host")) }
                " "
                form method="post" action="page/leave" {
                    input type="hidden" name="form" value=(window.number) autocomplete="off";
                    input type="hidden" name="proof" value=(window.proof) autocomplete="off";
                    button class="link" { (l.say("Leave")) }
                }
            }
            (room_links(l, rooms))
            (doors.forms(l))
            details {
                summary { (l.say("Look")) }
                form method="post" action="page/look" {
                    input type="hidden" name="form" value=(window.number) autocomplete="off";
                    input type="hidden" name="proof" value=(window.proof) autocomplete="off";
                    @for (word, label, on) in Theme::now().choices(l) {
                        button class="link" name="do" value=(word) aria-pressed=(on) { @if on { "✓ " } (label) } " "
                    }
                }
            }
            details {
                summary { (l.say("Leave and erase")) }
                p { (l.say("All that you have said here is deleted for everyone, and cannot be brought back.")) }
                form method="post" action="page/leave" {
                    input type="hidden" name="form" value=(window.number) autocomplete="off";
                    input type="hidden" name="proof" value=(window.proof) autocomplete="off";
                    button class="link" name="do" value="erase" { (l.say("Erase my messages and leave")) }
                }
            }
            details {
                summary { (l.say("Language")) }
                (switch(l, &Switch::room()))
            }
        }
        main aria-label=(l.say("Chat")) {
            iframe name="messages" title=(l.say("Messages")) src=(messages) {}
            // The fragment focuses what is to be written in: "autofocus" does not count in a window where the entry had the
            // focus before.
            iframe name="say" title=(l.say("Say something")) src="page/say#here" {}
        }
    };
    begin(Look::Room, l, title, None) + &body.0
}

/// The content of the form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Composer<'a> {
    /// The guest's language.
    pub language: Language,
    /// What proves that the form is the room's own.
    pub proof: &'a str,
    /// The guest's name; empty if it is not known.
    pub name: &'a str,
    /// The guest whose badge stands beside the name.
    pub guest: Option<GuestId>,
    /// The requested name that was refused. Its field has the focus then.
    pub wanted: Option<&'a str>,
    /// The number of the form: a text that is sent twice from the same form is one message.
    pub form: &'a str,
    /// The text that is not published yet.
    pub text: &'a str,
    /// A refusal, as a sentence.
    pub note: Option<&'a str>,
}

/// The form to publish a message and to change the name. Both are one form, so that changing the name does not lose
/// the text; the first button is the one that Enter in the name's field presses.
pub fn composer(form: &Composer<'_>) -> String {
    let Composer { language: l, proof, name, guest, wanted, form, text, note } = *form;
    // What the fragment of the address focuses.
    let here = |this: bool| this.then_some("here");
    let body = html! {
        main aria-label=(l.say("Say something")) { form method="post" action="say#here" {
            h1 class="unseen" { (l.say("Say something")) }
            input type="hidden" name="form" value=(form) autocomplete="off";
            input type="hidden" name="proof" value=(proof) autocomplete="off";
            input type="checkbox" id="naming" autocomplete="off" aria-label=(l.say("Change your name"))
                checked[wanted.is_some()];
            @if let Some(note) = note { p class="note" role="alert" { (note) } }
            div class="row" {
                span class="now quiet" { (l.say("You are")) }
                " "
                b class="now" { bdi { (name) } }
                @if let Some(guest) = guest { " " span class="now" { (badge(l, guest)) } }
                " "
                label class="now" for="naming" { (l.say("change")) }
                " "
                input class="new" name="name" value=(wanted.unwrap_or(name)) aria-label=(l.say("Your name"))
                    autocomplete="off" spellcheck="false" dir="auto" id=[here(wanted.is_some())]
                    autofocus[wanted.is_some()];
                " "
                button class="new" name="do" value="rename" { (l.say("Save name")) }
                label class="new" for="naming" { (l.say("cancel")) }
            }
            div class="say" {
                // Browsers keep what is written over a reload, and over Back after a form that did not get through.
                textarea id=[here(wanted.is_none())] name="text" aria-label=(l.say("Message")) placeholder=(l.say("Message")) dir="auto"
                    autofocus[wanted.is_none()] {
                    // HTML drops the first line break of a textarea (section 13.2.6.4.7).
                    "\n" (text)
                }
                " "
                button name="do" value="say" { (l.say("Send")) }
            }
        } }
    };
    begin(Look::Composer, l, l.say("Say something"), None) + &body.0
}

/// A refusal in place of a document, with a link to try again.
pub fn refused(l: Language, look: Look, sentence: &str) -> String {
    let body = html! { main { p class="line note" { (sentence) " " a href="" { (l.say("Try again")) } } } };
    begin(look, l, l.say("Not in the room"), Some(RETRY_SECONDS)) + &body.0
}

/// In place of a form that could not be read. It does not load itself again: that would take what was written out of reach.
pub fn unread(l: Language, look: Look, sentence: &str) -> String {
    let body = html! {
        main {
            p class="line note" role="alert" {
                (sentence) " " (l.say("Your browser's Back brings the form again, with what you wrote."))
            }
        }
    };
    begin(look, l, l.say("Not sent"), None) + &body.0
}

/// In place of the messages where another window, or another transport, has the seat.
pub fn held_elsewhere(l: Language, window: &Window) -> String {
    let body = html! { main { (elsewhere(l, l.say("This chat is open in another window."), window)) } };
    begin(Look::Messages, l, l.say("Open in another window"), None) + &body.0
}

/// A refusal with the way to the entry, in place of the whole page where this is the document of messages, which is two
/// frames deep. It does not load itself again.
pub fn outside(l: Language, look: Look, sentence: &str) -> String {
    let target = if look == Look::Messages { "_top" } else { "_parent" };
    let link = html! { a href="../page" target=(target) { (l.say("Go to the entry")) } };
    let body = html! { main { p class="line note" { (sentence) " " (link) } } };
    begin(look, l, l.say("Not in the room"), None) + &body.0
}
