//! The document of one message: to answer it, to react to it, to edit and to delete it.

use maud::{Markup, html};

use super::markup::{Look, badge, begin};
use super::switch::{Switch, switch};
use super::words::Marked;
use crate::hub::annotated::Annotated;
use crate::language::Language;
use crate::protocol::{Emoji, Guest};

/// The content of the page.
#[derive(Debug, Clone, Copy)]
pub struct MessagePage<'a> {
    /// The guest's language.
    pub language: Language,
    /// The guest who asks.
    pub guest: &'a Guest,
    /// The number of the message.
    pub of: u64,
    /// The message as it is now; `None` if there is none any more.
    pub message: Option<&'a Annotated>,
    /// Whether the guest may edit it.
    pub may_edit: bool,
    /// Whether the guest may delete it.
    pub may_delete: bool,
    /// The number of the forms.
    pub form: &'a str,
    /// What proves that they are the room's own.
    pub proof: &'a str,
    /// What the last form has done, as a sentence.
    pub done: Option<&'a str>,
    /// Why it was refused, as a sentence.
    pub note: Option<&'a str>,
    /// An answer that was not said.
    pub reply: &'a str,
    /// A text that was not put in the place of that of the message.
    pub edit: Option<&'a str>,
}

/// The page.
pub fn message_page(page: &MessagePage<'_>) -> String {
    let l = page.language;
    let body = html! {
        main {
            h1 { (l.say("A message")) }
            @if let Some(done) = page.done { p class="quiet" role="status" { (done) } }
            @if let Some(note) = page.note { p class="note" role="alert" { (note) } }
            @match page.message.and_then(|message| message.record.body.said().map(|said| (message, said))) {
                Some((message, (name, text))) => {
                    p class="said" dir="auto" {
                        bdi { (name.as_str()) } " " (badge(l, message.record.author)) ": " (text)
                    }
                    p class="quiet" {
                        @if message.edited { (l.say("edited")) " " }
                        @for (emoji, guests) in message.reactions.iter() { (emoji.as_str()) "\u{a0}" (guests.len()) " " }
                        @if let Some(to) = message.record.body.reply().filter(|to| *to < page.of) {
                            a href={ "message?of=" (to) } { (l.say("What it answers")) }
                        }
                    }
                    (page.forms(message, text))
                }
                None => p { (l.say("There is no such message any more: it was deleted, or the room does not keep it.")) },
            }
            p class="quiet" { (l.say("The chat is in the window that this one was opened from.")) }
            (switch(l, &Switch::message(page.of)))
        }
    };
    begin(Look::Host, l, l.say("A message"), None) + &body.0
}

impl MessagePage<'_> {
    fn forms(&self, message: &Annotated, text: &str) -> Markup {
        let mine = message.reactions.iter().find(|(_, guests)| guests.contains(&self.guest.id));
        let (mine, l) = (mine.map(|(emoji, _)| emoji), self.language);
        html! {
            (self.form(&html! {
                div class="row" {
                    @for emoji in Emoji::ALL {
                        @if mine == Some(emoji) {
                            button name="do" value="react " { (l.mark("Take back {0}", &[&emoji.as_str()])) }
                        } @else {
                            button name="do" value={ "react " (emoji.as_str()) } { (emoji.as_str()) }
                        }
                    }
                }
            }))
            (self.form(&html! {
                label for="reply" { (l.say("Answer it")) }
                textarea id="reply" name="text" rows="3" dir="auto" autofocus { "\n" (self.reply) }
                button name="do" value="reply" { (l.say("Send")) }
            }))
            @if self.may_edit {
                (self.form(&html! {
                    label for="edit" { (l.say("Say it in other words")) }
                    textarea id="edit" name="text" rows="3" dir="auto" { "\n" (self.edit.unwrap_or(text)) }
                    button name="do" value="edit" { (l.say("Save")) }
                }))
            }
            @if self.may_delete {
                (self.form(&html! {
                    details {
                        summary { (l.say("Delete it")) }
                        button name="do" value="delete" { (l.say("Delete it for everyone")) }
                    }
                }))
            }
        }
    }

    fn form(&self, content: &Markup) -> Markup {
        html! {
            form method="post" action="message" {
                input type="hidden" name="form" value=(self.form) autocomplete="off";
                input type="hidden" name="proof" value=(self.proof) autocomplete="off";
                input type="hidden" name="of" value=(self.of) autocomplete="off";
                (content)
            }
        }
    }
}
