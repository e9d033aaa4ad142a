//! The beginning of a document, and its Content-Security-Policy.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

use data_encoding::BASE64;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::theme::Theme;
use crate::language::Language;
use crate::protocol::{Badge, GuestId};

/// The style that all documents share.
const BASE: &str = include_str!("../../../web/noscript/base.css");

/// The style of badges.
const BADGE: &str = include_str!("../../../web/noscript/badge.css");

/// The colours of guests.
const COLOURS: &str = include_str!("../../../web/colours.css");

/// The style of a document, beside the one they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The room with its frames.
    Room,
    /// What holds the messages, and brings them again when their connection broke.
    Connection,
    /// The messages.
    Messages,
    /// The form.
    Composer,
    /// The page before the room.
    Entry,
    /// The page of hosts and moderators.
    Host,
}

impl Look {
    const ALL: [Self; 6] =
        [Self::Room, Self::Connection, Self::Messages, Self::Composer, Self::Entry, Self::Host];

    /// The styles of the document, in order. That of the messages has a text in it.
    fn styles(self, language: Language) -> impl Iterator<Item = Cow<'static, str>> {
        let badges = matches!(self, Self::Messages | Self::Composer | Self::Host).then_some(BADGE);
        let colours = (self == Self::Messages).then_some(COLOURS);
        let own = match self {
            Self::Messages => self.style().replace("New message", language.say("New message")).into(),
            _ => Cow::Borrowed(self.style()),
        };
        [BASE].into_iter().chain(badges).chain(colours).map(Cow::Borrowed).chain([own])
    }

    fn style(self) -> &'static str {
        match self {
            Self::Room => include_str!("../../../web/noscript/room.css"),
            Self::Connection => include_str!("../../../web/noscript/connection.css"),
            Self::Messages => include_str!("../../../web/noscript/messages.css"),
            Self::Composer => include_str!("../../../web/noscript/composer.css"),
            Self::Entry => include_str!("../../../web/noscript/entry.css"),
            Self::Host => include_str!("../../../web/noscript/host.css"),
        }
    }
}

/// The policies of the documents in each language, in the order of [`Look::ALL`], which is that of the enumeration.
static POLICIES: LazyLock<[[String; Look::ALL.len()]; Language::ALL.len()]> =
    LazyLock::new(|| Language::ALL.map(|language| Look::ALL.map(|look| policy(look, language))));

/// The Content-Security-Policy ([CSP 3](https://www.w3.org/TR/CSP3/)) of a document: no script, nothing from anywhere else; the
/// styles that it holds, frames and forms of the room itself. What holds the messages also loads a style of the room.
pub fn content_security_policy(look: Look, language: Language) -> &'static str {
    &POLICIES[language as usize][look as usize]
}

/// The policy of an answer without a document.
pub const REDIRECT_SECURITY_POLICY: &str = "default-src 'none'";

fn policy(look: Look, language: Language) -> String {
    let mut policy = "default-src 'none'; style-src".to_owned();
    if look == Look::Connection {
        policy.push_str(" 'self'");
    }
    for style in look.styles(language) {
        let _ = write!(policy, " 'sha256-{}'", BASE64.encode(&Sha256::digest(style.as_bytes())));
    }
    policy + "; form-action 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'"
}

/// The beginning of a document, up to the open body. It is not closed: HTML lets the end tags of `body` and `html` be
/// omitted, and the document of messages is written on.
///
/// With `refresh`, as HTML defines it (section 4.2.5.3): the browser loads the document again that many seconds after its
/// *end*, or goes to the address beside them. Browsers start counting when a document and its frames are complete.
pub fn begin(look: Look, language: Language, title: &str, refresh: Option<&str>) -> String {
    let head = html! {
        head {
            meta charset="utf-8";
            title { (title) }
            meta name="viewport" content="width=device-width, initial-scale=1";
            @if let Some(refresh) = refresh { meta http-equiv="refresh" content=(refresh); }
            @for style in look.styles(language) { style { (PreEscaped(style)) } }
        }
    };
    format!("{}{}\n<body>\n", begin_html(language), head.0)
}

/// The very beginning of a document: its language, and the direction in which that is written.
pub(super) fn begin_html(language: Language) -> String {
    let (code, direction) = (language.code(), language.direction());
    format!("<!doctype html>\n<html lang=\"{code}\" dir=\"{direction}\"{}>\n", Theme::now().attribute())
}

/// A guest's badge, beside their name, in the colour that they have there. The style shows the characters, so that no text of a
/// name can be like it.
pub(super) fn badge(language: Language, guest: GuestId) -> Markup {
    let badge = Badge::of(guest);
    html! {
        span class="badge" role="img" aria-label=(language.fill("badge {0}", &[&badge])) data-badge=(badge) {
            svg viewBox="0 -.5 5 5" aria-hidden="true" { path d=(badge.path()) {} }
        }
    }
}

/// A window with a stream of messages, and what proves that a form for it is the room's own.
#[derive(Debug, Clone)]
pub struct Window {
    /// The window's number, of letters and digits.
    pub number: String,
    /// The proof that goes into its forms.
    pub proof: String,
}

/// The line in place of the messages where something else has the guest's seat, with the button to take it over. A button
/// and no link, because what is done by GET could be linked to. It stands in the document of messages, and its answer
/// takes the place of what holds that.
pub fn elsewhere(language: Language, sentence: &str, window: &Window) -> Markup {
    html! {
        form class="line" method="post" action="continue" target="_parent" {
            (sentence) " "
            input type="hidden" name="form" value=(window.number) autocomplete="off";
            input type="hidden" name="proof" value=(window.proof) autocomplete="off";
            button class="link" { (language.say("Continue here")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_is_escaped() {
        let document = begin(Look::Room, Language::English, "a<b> & \"c\"", None);
        assert!(document.contains("<title>a&lt;b&gt; &amp; &quot;c&quot;</title>"), "{document}");
    }

    #[test]
    fn the_policy_allows_the_styles_of_the_document_and_nothing_unsafe() {
        for (look, language) in
            Look::ALL.into_iter().flat_map(|look| Language::ALL.map(|language| (look, language)))
        {
            let policy = content_security_policy(look, language);
            assert!(!policy.contains("unsafe"));
            assert!(policy.starts_with("default-src 'none'; "));
            assert_eq!(policy.contains("style-src 'self'"), look == Look::Connection);
            assert_eq!(policy.matches("'sha256-").count(), look.styles(language).count());
            let document = begin(look, language, "x", None);
            for style in look.styles(language) {
                assert!(document.contains(&format!("<style>{style}</style>")));
                assert!(policy.contains(&BASE64.encode(&Sha256::digest(style.as_bytes()))));
                assert!(!style.contains(['<', '\\']) && !style.contains("url("));
            }
        }
    }

    /// The text in the style stands between quotation marks there.
    #[test]
    fn the_text_in_a_style_cannot_end_it() {
        assert_eq!(Look::Messages.style().matches("\"New message\"").count(), 1);
        for language in Language::ALL {
            let text = language.say("New message");
            assert!(!text.contains(['"', '\\', '\n', '<']), "{text}");
        }
    }

    #[test]
    fn a_document_says_its_language_and_its_direction() {
        let arabic = begin(Look::Entry, Language::Arabic, "x", None);
        assert!(arabic.starts_with("<!doctype html>\n<html lang=\"ar\" dir=\"rtl\">\n<head>"), "{arabic}");
        let chinese = begin(Look::Entry, Language::Chinese, "x", None);
        assert!(chinese.contains("<html lang=\"zh-Hans\" dir=\"ltr\">"), "{chinese}");
    }
}
