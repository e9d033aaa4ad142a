//! The page to search, and the page of a message among those around it.

use maud::{Markup, html};

use super::calm::calm;
use super::markup::{Look, badge, begin};
use super::phrases;
use super::switch::{Switch, switch};
use super::words::{Marked, bdi};
use crate::hub::annotated::Annotated;
use crate::hub::{Found, History};
use crate::language::Language;
use crate::protocol::{GuestId, SEARCH_BYTES_MAX};

/// The content of the page to search.
#[derive(Debug, Clone, Copy, Default)]
pub struct SearchPage<'a> {
    /// The guest's language.
    pub language: Language,
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
    let SearchPage { language: l, title, text, note, found, .. } = *page;
    let body = html! {
        main {
            h1 { (l.mark("Search in {0}", &[&bdi(title)])) }
            (page.form(None, html! {
                label for="text" { (l.say("What was said")) }
                div class="row" {
                    input id="text" name="text" value=(text) maxlength=(SEARCH_BYTES_MAX) required autofocus dir="auto"
                        autocomplete="off" spellcheck="false";
                    button name="do" value="search" { (l.say("Search")) }
                }
            }))
            @if let Some(note) = note { p class="note" role="alert" { (note) } }
            @match found {
                Some((found, clock)) => (page.found(found, clock)),
                None => p class="quiet" {
                    (l.say(
                        "All words must be in a message; \"in quotation marks\" they must be as they stand there. Capitals and accents \
                         do not count. What you search for is kept nowhere."
                    ))
                    " " a href="context" { (l.say("Read everything that is kept")) }
                },
            }
            (switch(l, &Switch::page("search")))
        }
    };
    begin(Look::Host, l, &l.fill("Search in {0}", &[&title]), None) + &body.0
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
        let l = self.language;
        html! {
            section aria-label=(l.say("What was found")) {
                @for line in lines(l, &found.messages, clock) { (line.article(l, None)) }
            }
            @if found.after > 0 {
                @if found.messages.is_empty() { p { (l.say("Nothing among the newer messages.")) } }
                // What was searched for is in no address.
                (self.form(Some(found.after + 1), html! {
                    input type="hidden" name="text" value=(self.text) autocomplete="off";
                    button name="do" value="search" { (l.say("Search in older messages")) }
                }))
            } @else if found.messages.is_empty() {
                p { (if found.before > 1 { l.say("Nothing was found here.") } else { l.say("Nothing was found.") }) }
            } @else {
                p class="quiet" { (l.say("That is all.")) }
            }
        }
    }
}

/// A page of messages, around one of them if one is meant.
pub fn context(
    l: Language,
    title: &str,
    message: Option<u64>,
    page: &History,
    (head, clock): (u64, u64),
    foot: &Markup,
) -> String {
    let lines: Vec<_> = lines(l, &page.messages, clock).collect();
    let is_there = |seq: u64| lines.iter().any(|line| line.seq == seq);
    let body = html! {
        main {
            h1 { (l.mark("What was said in {0}", &[&bdi(title)])) }
            p class="quiet" { a href="search" { (l.say("Search")) } " · " a href="../page" { (l.say("To the room")) } }
            @if message.is_some_and(|message| !is_there(message)) {
                p class="note" role="alert" {
                    (l.say("The message that the link leads to is not kept any more. These were said about then."))
                }
            }
            @if page.after > 0 { p { a href={ "context?before=" (page.after + 1) } { (l.say("Older messages")) } } }
            @if lines.is_empty() { p { (l.say("Nothing is kept of that time.")) } }
            div role="log" aria-live="off" aria-label=(l.say("Messages")) {
                @for (line, age) in ages(&lines) {
                    @if let Some(age) = age { h2 class="age" { (age) } }
                    (line.article(l, Some(message == Some(line.seq))))
                }
            }
            @if page.before <= head { p { a href={ "context?after=" (page.before - 1) } { (l.say("Newer messages")) } } }
            @else { p class="quiet" { (l.say("These are the newest.")) " " a href="context" { (l.say("Look again")) } } }
            (foot)
        }
    };
    begin(Look::Host, l, &l.fill("What was said in {0}", &[&title]), None) + &body.0
}

/// The switch between languages on the page of messages that [`context`] makes, for the address that it has.
pub fn switch_of(l: Language, message: Option<u64>, before: Option<u64>, after: Option<u64>) -> Markup {
    let query = [("message", message), ("before", before), ("after", after)];
    let query = query.into_iter().find_map(|(name, number)| Some((name, number?)));
    switch(l, &Switch::context(query))
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
fn lines(l: Language, messages: &[Annotated], clock: u64) -> impl Iterator<Item = Line<'_>> {
    messages.iter().filter_map(move |Annotated { record, edited, .. }| {
        let (name, text) = record.body.said()?;
        Some(Line {
            seq: record.seq,
            guest: record.author,
            name: name.as_str(),
            text,
            edited: *edited,
            age: phrases::ago(l, clock.saturating_sub(record.at)),
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
    fn article(&self, l: Language, meant: Option<bool>) -> Markup {
        let Self { seq, guest, name, text, edited, age } = self;
        let place = format!("context?message={seq}#m{seq}");
        html! {
            article id={ "m" (seq) } class=[(meant == Some(true)).then_some("meant")] {
                h3 {
                    bdi { (name) } " " (badge(l, *guest)) " "
                    a class="quiet" href=(place) {
                        @if meant.is_none() { (l.mark("{0}, in its place", &[age])) }
                        @else { (l.say("Link to this")) " " span class="unseen" { (l.mark("message of {0}", &[&bdi(name)])) } }
                    }
                }
                p class="said" dir="auto" { (calm(text)) @if *edited { " " span class="quiet" { (l.say("edited")) } } }
            }
        }
    }
}

#[cfg(test)]
#[path = "found_tests.rs"]
mod tests;
