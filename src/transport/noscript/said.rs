//! A message as it stands in the document of messages: what it answers, its text, and what was done to it.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::calm::{calm, is_long, lines_of};
use super::event::Said;
use super::markup::badge;
use super::words::{Marked, bdi, role_name};
use crate::language::Language;
use crate::protocol::{Act, Emoji, GuestId, Role};

/// How many of the newest messages are remembered to be quoted.
const QUOTED_MAX: usize = 500;

/// The most characters of a quote.
const QUOTE_CHARACTERS: usize = 60;

/// The beginnings of the messages that the document shows.
#[derive(Debug, Default)]
pub(super) struct Quotes(BTreeMap<u64, Quote>);

#[derive(Debug)]
struct Quote {
    guest: GuestId,
    name: String,
    begins: String,
}

impl Quotes {
    /// Remembers a message that is shown.
    pub(super) fn note(&mut self, said: &Said) {
        let quote = Quote { guest: said.guest, name: said.name.clone(), begins: quoted(&said.text) };
        self.0.insert(said.seq, quote);
        if self.0.len() > QUOTED_MAX {
            self.0.pop_first();
        }
    }

    /// Takes account of an edit.
    fn edit(&mut self, message: u64, text: &str) {
        if let Some(quote) = self.0.get_mut(&message) {
            quote.begins = quoted(text);
        }
    }

    /// Whether this guest said the message, as far as it is remembered.
    fn is_of(&self, message: u64, guest: GuestId) -> bool {
        self.0.get(&message).is_some_and(|quote| quote.guest == guest)
    }

    /// What was done to a message that stands above, because it cannot be changed there: of edits all, of reactions those to messages of
    /// the reader, `me`. Of the others they are told when the document is loaded again; in a full room there are many.
    pub(super) fn annotation(
        &mut self,
        l: Language,
        me: GuestId,
        by: GuestId,
        name: Option<&str>,
        act: &Act,
    ) -> Option<Markup> {
        let name = name.unwrap_or(l.say("A guest"));
        match act {
            Act::Edit { message, text } => {
                let now = html! { bdi class="rules" { (calm(text)) } };
                let line =
                    l.mark("{0} edited {1} It is now: {2}", &[&bdi(name), &self.quote(l, *message), &now]);
                self.edit(*message, text);
                Some(line)
            }
            Act::React { message, emoji: Some(emoji) } if by != me && self.is_of(*message, me) => {
                Some(html! { bdi { (name) } " " (emoji.as_str()) " " (self.quote(l, *message)) })
            }
            _ => None,
        }
    }

    /// A message by its beginning, with a link to where it stands; or to the document that has it by itself.
    pub(super) fn quote(&self, l: Language, message: u64) -> Markup {
        match self.0.get(&message) {
            Some(Quote { name, begins, .. }) => {
                html! { a href={ "#m" (message) } dir="auto" { bdi { (name) } ": " bdi { (begins) } } }
            }
            None => html! { a href=(address(message)) target="message" { (l.say("an earlier message")) } },
        }
    }
}

/// The document of one message, from that of all.
fn address(message: u64) -> String {
    format!("message?of={message}")
}

/// The beginning of a text, in one line.
pub(super) fn quoted(text: &str) -> String {
    let line: String = calm(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTE_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// How a message stands among the others.
pub(super) struct Place<'a> {
    pub(super) language: Language,
    /// The classes of its element.
    pub(super) classes: String,
    /// Whether it is the reader's own.
    pub(super) mine: bool,
    /// Whether it goes on where the one above it ends.
    pub(super) follows: bool,
    pub(super) role: Role,
    pub(super) quotes: &'a Quotes,
}

/// The element of a message.
pub(super) fn article(said: &Said, place: &Place<'_>) -> Markup {
    let Place { language: l, classes, mine, follows, role, quotes } = place;
    let (l, text) = (*l, calm(&said.text));
    html! {
        article class=(classes) id={ "m" (said.seq) } {
            h2 {
                @if *mine { (l.say("You")) } @else { bdi { (said.name) } }
                @if !follows && *role > Role::Guest { " " span class="role" { (role_name(l, *role)) } }
                @if !mine && !follows { " " (badge(l, said.guest)) }
            }
            @if let Some(to) = said.reply { div class="marks" { (l.mark("In reply to {0}", &[&quotes.quote(l, to)])) } }
            @if is_long(lines_of(&text)) {
                p class="long" tabindex="0" dir="auto" { (text) }
            } @else {
                p dir="auto" { (text) }
            }
            @if said.edited || !said.reactions.is_empty() {
                div class="marks" {
                    @if said.edited { (l.say("edited")) " " }
                    @for (emoji, count) in counts(said) { span { (emoji) "\u{a0}" (count) } " " }
                }
            }
            // One link, because each message has it.
            a href=(address(said.seq)) target="message" { (l.say("more")) }
        }
    }
}

/// The reactions to a message: how many guests have put each emoji to it.
fn counts(said: &Said) -> impl Iterator<Item = (&'static str, usize)> {
    Emoji::ALL.into_iter().filter_map(|emoji| {
        let guests = said.reactions.get(emoji.as_str())?;
        Some((emoji.as_str(), guests.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_short_and_in_one_line() {
        assert_eq!(quoted("one\n\n two\tthree"), "one two three");
        let long = quoted(&"ä".repeat(100));
        assert_eq!((long.chars().count(), long.ends_with('…')), (61, true));
    }

    #[test]
    fn what_is_not_shown_is_linked_to_its_own_document() {
        let mut quotes = Quotes::default();
        assert!(quotes.quote(Language::English, 7).0.contains("href=\"message?of=7\""));
        let said = Said {
            seq: 7,
            at: 0,
            guest: GuestId(2),
            name: "<b>".into(),
            text: "a & b".into(),
            reply: None,
            edited: false,
            reactions: BTreeMap::new(),
        };
        quotes.note(&said);
        let expected = "<a href=\"#m7\" dir=\"auto\"><bdi>&lt;b&gt;</bdi>: <bdi>a &amp; b</bdi></a>";
        assert_eq!(quotes.quote(Language::English, 7).0, expected);
        quotes.edit(7, "other");
        assert!(quotes.quote(Language::English, 7).0.ends_with("<bdi>other</bdi></a>"));
        assert!(quotes.is_of(7, GuestId(2)) && !quotes.is_of(7, GuestId(3)) && !quotes.is_of(8, GuestId(2)));
    }
}
