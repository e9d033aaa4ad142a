//! What brings the messages again after their connection broke, for as long as that takes.
//!
//! ```text
//! connection    from the browser's cache: a frame for the messages, and "go to reconnect in 10 s"
//! ├─ messages   from the room; does not end
//! ├─ reconnect  in a sandbox: puts it into the cache, while the room can be reached
//! └─ reached    from the room; a style that takes the words about the outage away
//! reconnect     from the browser's cache: "go to connection#again now"
//! ```
//!
//! A document that loads itself again from a room that cannot be reached is replaced by the browser's own page about the
//! failure, which does not load itself again. So what loads itself again comes from the browser's cache, and only the frame in
//! it can fail. A browser counts the seconds of a `refresh` when the document *and its frames* are complete: while messages
//! are streamed it waits, however long that is.
//!
//! There are two documents that lead to each other because a browser asks the server about a document that leads to itself,
//! as for a reload. The fragment is of the second try and all later ones: the style shows the words about the outage at once
//! then, over whatever the browser puts into the frame.
//!
//! Only frames and a style are loaded here. Tor Browser takes an onion address for a secure context, and there Firefox asks for
//! pictures, sound and video by `https`, at port 443, where no room is
//! ([Mixed Content Level 2, section 4.1](https://www.w3.org/TR/mixed-content/#upgrade-algorithm)). It does not do so with frames
//! and styles. At the level Safest its extension NoScript also blocks media, fonts and `object`, and lets frames and styles
//! through.

use maud::html;

use super::markup::{Look, begin, begin_html};
use crate::language::{Language, english};

/// How long after the end of the messages they are loaded again, in seconds. Not more than 15: Firefox takes a slower
/// `refresh` for a reload, asks the server about it, and keeps both documents in the history.
pub const RETRY_SECONDS: u32 = 10;

/// How long the browser may keep the two documents, in seconds: a year, which is how long a response can be fresh
/// ([RFC 9111, section 5.2.2.1](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1) sets no limit, but caches do).
/// Their addresses have the number of a window in them and are not used in another.
pub const KEPT_SECONDS: u32 = 31_536_000;

/// The style that comes only from a room that can be reached: nothing is to be said of an outage.
pub const REACHED: &str = "#again { display: none; }\n";

/// Shown while the room cannot be reached.
const AWAY: &str = english(
    "There is no connection to the room at the moment. This page tries again by itself, every few seconds. If you \
                    have just sent something and the form is gone: your browser's Back brings it again, with what you wrote.",
);

/// The address of the document that holds the messages of a window, relative to the others. `window` is of letters and
/// digits, `after` the cursor to begin at. The language is in the address, so that all these documents are in the one in which
/// the window was opened, and that the browser's cache need not look at cookies, which change.
pub fn address(language: Language, window: &str, after: Option<u64>) -> String {
    format!("connection?{}", query(language, window, after))
}

/// The document that holds the messages.
pub fn connection(language: Language, window: &str, after: Option<u64>) -> String {
    let query = query(language, window, after);
    let (messages, reconnect) = (format!("messages?{query}"), format!("reconnect?{query}"));
    let body = html! {
        main aria-label=(language.say("Connection")) {
            div id="again" role="status" {
                p class="first" { (language.say("Connecting to the room…")) }
                p class="away" { (language.say(AWAY)) }
            }
            iframe class="stream" name="stream" title=(language.say("Messages")) src=(messages) {}
            // A document in a sandbox goes nowhere by itself (HTML, section 7.1.5, "automatic features").
            iframe hidden sandbox title=(language.say("For the next try")) src=(reconnect) {}
            link rel="stylesheet" href="reached";
        }
    };
    let refresh = format!("{RETRY_SECONDS};url={reconnect}");
    begin(Look::Connection, language, language.say("Messages"), Some(&refresh)) + &body.0
}

/// The document that leads back to [`connection`], at once.
pub fn reconnect(language: Language, window: &str, after: Option<u64>) -> String {
    let refresh = format!("0;url={}#again", address(language, window, after));
    let head = html! {
        meta charset="utf-8";
        title { (language.say("Messages")) }
        meta http-equiv="refresh" content=(refresh);
    };
    format!("{}{}\n", begin_html(language), head.0)
}

/// What follows the `?` of the addresses of the documents of a window.
fn query(language: Language, window: &str, after: Option<u64>) -> String {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    format!("window={window}{after}{}", of(language))
}

/// The language in an address; nothing for English, which is that of an address without one.
pub fn of(language: Language) -> String {
    match language {
        Language::English => String::new(),
        _ => format!("&in={}", language.code()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_documents_lead_to_each_other_and_keep_the_cursor() {
        let en = Language::English;
        let there = connection(en, "1a", Some(7));
        assert!(there.contains("content=\"10;url=reconnect?window=1a&amp;after=7\""), "{there}");
        assert!(there.contains("src=\"messages?window=1a&amp;after=7\""), "{there}");
        assert!(
            there.contains("src=\"reconnect?window=1a&amp;after=7\""),
            "the cache has it before it is needed"
        );
        assert!(
            reconnect(en, "1a", Some(7)).contains("content=\"0;url=connection?window=1a&amp;after=7#again\"")
        );
        assert!(reconnect(en, "1a", None).contains("url=connection?window=1a#again\""));
        let arabic = connection(Language::Arabic, "1a", Some(7));
        assert!(arabic.contains("src=\"messages?window=1a&amp;after=7&amp;in=ar\""), "{arabic}");
    }
}
