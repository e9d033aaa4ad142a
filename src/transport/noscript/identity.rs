//! The page where guests reserve their name, and save their key file.

use maud::html;

use super::markup::{Look, badge, begin};
use crate::protocol::{Guest, Name};

/// The content of the page.
#[derive(Debug, Clone, Copy)]
pub struct IdentityPage<'a> {
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
    let IdentityPage { guest, reserved, form, proof, note } = *page;
    let body = html! {
        main {
            h1 { "Your name" }
            p { "You are " bdi { (guest.name.as_str()) } " " (badge(guest.id)) "." }
            @if let Some(note) = note { p class="note" role="alert" { (note) } }
            @match reserved {
                Some(name) => p {
                    "The name " bdi { (name.as_str()) } " is reserved for you: no other guest of this room can have it, or one that \
                     looks like it, also while you are away."
                },
                None => p { "No name is reserved for you. While you are away, another guest can take yours." },
            }
            form method="post" action="identity" {
                input type="hidden" name="form" value=(form) autocomplete="off";
                input type="hidden" name="proof" value=(proof) autocomplete="off";
                div class="row" {
                    @if !guest.kept { button name="do" value="reserve" { "Reserve the name " bdi { (guest.name.as_str()) } } }
                    @if reserved.is_some() { button name="do" value="release" { "Give it up" } }
                }
                h2 { "To come back as the same guest" }
                p {
                    "Your browser forgets you when it is closed. The key file brings you back: save it, keep it secret, and paste what \
                     is in it at the entry. To come in with it is to be you."
                }
                button name="do" value="key" { "Save the key file" }
                p {
                    "If you came in with a passphrase, that brings you back as well. To get one, leave and enter with a name and a \
                     passphrase: you are another guest then, with another badge."
                }
            }
        }
    };
    begin(Look::Host, "Your name", None) + &body.0
}
