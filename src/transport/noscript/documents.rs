//! The documents that end: the room with its frames, the form, and the refusal.

use maud::html;

use super::markup::{Look, badge, begin};
use super::refresh::REFRESH_SECONDS;
use crate::protocol::{GuestId, Welcome};

/// After how many seconds a browser that was refused asks again.
const RETRY_SECONDS: u32 = 15;

/// The room with its frames, for a guest who has a seat.
pub fn room(welcome: &Welcome) -> String {
    let messages = format!("page/messages?token={}", welcome.token.encode());
    let say = format!("page/say?token={}", welcome.token.encode());
    let refreshing = format!("{messages}&plain={}", REFRESH_SECONDS[1]);
    let body = html! {
        header {
            h1 dir="auto" { (welcome.title) }
            nav {
                a href=(messages) target="messages" { "Reconnect" }
                " "
                a href=(refreshing) target="messages" { "Without streaming" }
            }
        }
        iframe name="messages" title="Messages" src=(messages) {}
        iframe name="say" title="Say something" src=(say) {}
    };
    begin(Look::Room, &welcome.title, None) + &body.0
}

/// The content of the form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Composer<'a> {
    /// The guest's token, as it stands on the wire.
    pub token: &'a str,
    /// The guest's name; empty if it is not known.
    pub name: &'a str,
    /// The guest whose badge stands beside the name.
    pub guest: Option<GuestId>,
    /// The requested name that was refused.
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
    let Composer { token, name, guest, wanted, form, text, note } = *form;
    let body = html! {
        form method="post" action={ "say?token=" (token) "#text" } {
            input type="hidden" name="form" value=(form) autocomplete="off";
            input type="checkbox" id="naming" autocomplete="off" aria-label="Change your name"
                checked[wanted.is_some()];
            @if let Some(note) = note { p class="note" role="alert" { (note) } }
            div class="row" {
                span class="now quiet" { "You are" }
                " "
                b class="now" { bdi { (name) } }
                @if let Some(guest) = guest { " " span class="now" { (badge(guest)) } }
                " "
                label class="now" for="naming" { "change" }
                " "
                input class="new" name="name" value=(wanted.unwrap_or(name)) aria-label="Your name"
                    autocomplete="off" spellcheck="false" dir="auto";
                " "
                button class="new" name="do" value="rename" { "Save name" }
                label class="new" for="naming" { "cancel" }
            }
            div class="say" {
                textarea id="text" name="text" aria-label="Message" placeholder="Message" dir="auto" autofocus {
                    // HTML drops the first line break of a textarea (section 13.2.6.4.7).
                    "\n" (text)
                }
                " "
                button name="do" value="say" { "Send" }
            }
        }
    };
    begin(Look::Composer, "Say something", None) + &body.0
}

/// A refusal in place of a document, with a link to try again.
pub fn refused(look: Look, sentence: &str) -> String {
    let body = html! { p class="line note" { (sentence) " " a href="" { "Try again" } } };
    begin(look, "Not in the room", Some(RETRY_SECONDS)) + &body.0
}
