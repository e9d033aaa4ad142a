//! The page where guests reserve their name, and save their key file.

use maud::html;

use super::markup::{Look, badge, begin};
use super::switch::{Switch, switch};
use super::words::{Marked, bdi};
use crate::language::Language;
use crate::protocol::{Guest, Name};

/// The content of the page.
#[derive(Debug, Clone, Copy)]
pub struct IdentityPage<'a> {
    /// The guest's language.
    pub language: Language,
    /// The guest who asks.
    pub guest: &'a Guest,
    /// The name that is reserved for them.
    pub reserved: Option<&'a Name>,
    /// The number of the form.
    pub form: &'a str,
    /// What proves that it is the room's own.
    pub proof: &'a str,
    /// Why the last form was refused, as a sentence.
    pub note: Option<&'a str>,
}

/// The page.
pub fn identity(page: &IdentityPage<'_>) -> String {
    let IdentityPage { language: l, guest, reserved, form, proof, note } = *page;
    let body = html! {
        main {
            h1 { (l.say("Your name")) }
            p { (l.mark("You are {0}.", &[&html! { bdi { (guest.name.as_str()) } " " (badge(l, guest.id)) }])) }
            @if let Some(note) = note { p class="note" role="alert" { (note) } }
            @match reserved {
                Some(name) => p {
                    (l.mark(
                        "The name {0} is reserved for you: no other guest of this room can have it, or one that looks like it, also \
                         while you are away.",
                        &[&bdi(name.as_str())],
                    ))
                },
                None => p { (l.say("No name is reserved for you. While you are away, another guest can take yours.")) },
            }
            form method="post" action="identity" {
                input type="hidden" name="form" value=(form) autocomplete="off";
                input type="hidden" name="proof" value=(proof) autocomplete="off";
                div class="row" {
                    @if !guest.kept { button name="do" value="reserve" { (l.mark("Reserve the name {0}", &[&bdi(guest.name.as_str())])) } }
                    @if reserved.is_some() { button name="do" value="release" { (l.say("Give it up")) } }
                }
                h2 { (l.say("To come back as the same guest")) }
                p {
                    (l.say(
                        "Your browser forgets you when it is closed. The key file brings you back: save it, keep it secret, and paste \
                         what is in it at the entry. To come in with it is to be you."
                    ))
                }
                button name="do" value="key" { (l.say("Save the key file")) }
                p {
                    (l.say(
                        "If you came in with a passphrase, that brings you back as well. To get one, leave and enter with a name and \
                         a passphrase: you are another guest then, with another badge."
                    ))
                }
            }
            (switch(l, &Switch::page("identity")))
        }
    };
    begin(Look::Host, l, l.say("Your name"), None) + &body.0
}
