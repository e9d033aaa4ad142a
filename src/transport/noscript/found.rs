//! The page to search, and the page of a message among those around it.

use maud::{Markup, html};

use super::calm::calm;
use super::markup::{Look, badge, begin};
use super::phrases;
use crate::hub::annotated::Annotated;
use crate::hub::{Found, History};
use crate::protocol::{GuestId, SEARCH_BYTES_MAX};

/// The content of the page to search.
#[derive(Debug, Clone, Copy, Default)]
pub struct SearchPage<'a> {
    /// The room's title.
    pub title: &'a str,
    /// The number of the form.
    pub form: &'a str,
    /// What proves that it is the room's own.
    pub proof: &'a str,
    /// What was searched for.
    pub text: &'a str,
    /// A refusal, as a sentence.
    pub note: Option<&'a str>,
    /// What was found, and the room's clock.
    pub found: Option<(&'a Found, u64)>,
}

/// The page to search.
pub fn search(page: &SearchPage<'_>) -> String {
    let SearchPage { title, text, note, found, .. } = *page;
    let body = html! {
        main {
            h1 { "Search in " bdi { (title) } }
            (page.form(None, html! {
                label for="text" { "What was said" }
                div class="row" {
                    input id="text" name="text" value=(text) maxlength=(SEARCH_BYTES_MAX) required autofocus dir="auto"
                        autocomplete="off" spellcheck="false";
                    button name="do" value="search" { "Search" }
                }
            }))
            @if let Some(note) = note { p class="note" role="alert" { (note) } }
            @match found {
                Some((found, clock)) => (page.found(found, clock)),
                None => p class="quiet" {
                    "All words must be in a message; \"in quotation marks\" they must be as they stand there. Capitals and accents do not \
                     count. What you search for is kept nowhere. " a href="context" { "Read everything that is kept" }
                },
            }
        }
    };
    begin(Look::Host, &format!("Search in {title}"), None) + &body.0
}

impl SearchPage<'_> {
    fn form(&self, before: Option<u64>, content: Markup) -> Markup {
        html! {
            form method="post" action="search" {
                input type="hidden" name="form" value=(self.form) autocomplete="off";
                input type="hidden" name="proof" value=(self.proof) autocomplete="off";
                @if let Some(before) = before { input type="hidden" name="before" value=(before) autocomplete="off"; }
                (content)
            }
        }
    }

    fn found(&self, found: &Found, clock: u64) -> Markup {
        html! {
            section aria-label="What was found" {
                @for line in lines(&found.messages, clock) { (line.article(None)) }
            }
            @if found.after > 0 {
                @if found.messages.is_empty() { p { "Nothing among the newer messages." } }
                // What was searched for is in no address.
                (self.form(Some(found.after + 1), html! {
                    input type="hidden" name="text" value=(self.text) autocomplete="off";
                    button name="do" value="search" { "Search in older messages" }
                }))
            } @else if found.messages.is_empty() {
                p { "Nothing was found" @if found.before > 1 { " here" } "." }
            } @else {
                p class="quiet" { "That is all." }
            }
        }
    }
}

/// A page of messages, around one of them if one is meant.
pub fn context(title: &str, message: Option<u64>, page: &History, head: u64, clock: u64) -> String {
    let lines: Vec<_> = lines(&page.messages, clock).collect();
    let is_there = |seq: u64| lines.iter().any(|line| line.seq == seq);
    let body = html! {
        main {
            h1 { "What was said in " bdi { (title) } }
            p class="quiet" { a href="search" { "Search" } " · " a href="../page" { "To the room" } }
            @if message.is_some_and(|message| !is_there(message)) {
                p class="note" role="alert" { "The message that the link leads to is not kept any more. These were said about then." }
            }
            @if page.after > 0 { p { a href={ "context?before=" (page.after + 1) } { "Older messages" } } }
            @if lines.is_empty() { p { "Nothing is kept of that time." } }
            div role="log" aria-live="off" aria-label="Messages" {
                @for (line, age) in ages(&lines) {
                    @if let Some(age) = age { h2 class="age" { (age) } }
                    (line.article(Some(message == Some(line.seq))))
                }
            }
            @if page.before <= head { p { a href={ "context?after=" (page.before - 1) } { "Newer messages" } } }
            @else { p class="quiet" { "These are the newest. " a href="context" { "Look again" } } }
        }
    };
    begin(Look::Host, &format!("What was said in {title}"), None) + &body.0
}

/// A message in a list.
struct Line<'a> {
    seq: u64,
    guest: GuestId,
    name: &'a str,
    text: &'a str,
    edited: bool,
    /// How long ago it was said.
    age: String,
}

/// Those of these entries that are messages, in their order.
fn lines(messages: &[Annotated], clock: u64) -> impl Iterator<Item = Line<'_>> {
    messages.iter().filter_map(move |Annotated { record, edited, .. }| {
        let (name, text) = record.body.said()?;
        Some(Line {
            seq: record.seq,
            guest: record.author,
            name: name.as_str(),
            text,
            edited: *edited,
            age: phrases::span(clock.saturating_sub(record.at)) + " ago",
        })
    })
}

/// Each line, with its age where that is another one than of the line before.
fn ages<'a>(lines: &'a [Line<'a>]) -> impl Iterator<Item = (&'a Line<'a>, Option<&'a str>)> {
    let before = std::iter::once("").chain(lines.iter().map(|line| line.age.as_str()));
    lines.iter().zip(before).map(|(line, before)| (line, (line.age != before).then_some(line.age.as_str())))
}

impl Line<'_> {
    /// The message, in a list of what was found, or in its place: there the one that is `meant` is marked.
    fn article(&self, meant: Option<bool>) -> Markup {
        let Self { seq, guest, name, text, edited, age } = self;
        let place = format!("context?message={seq}#m{seq}");
        html! {
            article id={ "m" (seq) } class=[(meant == Some(true)).then_some("meant")] {
                h3 {
                    bdi { (name) } " " (badge(*guest)) " "
                    a class="quiet" href=(place) {
                        @if meant.is_none() { (age) ", in its place" } @else { "Link to this" span class="unseen" { " message of " bdi { (name) } } }
                    }
                }
                p class="said" dir="auto" { (calm(text)) @if *edited { " " span class="quiet" { "edited" } } }
            }
        }
    }
}

#[cfg(test)]
#[path = "found_tests.rs"]
mod tests;
