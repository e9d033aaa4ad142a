//! What brings the messages again after their connection broke, for as long as that takes.
//!
//! ```text
//! connection   from the browser's cache: a frame for the messages, and "go to reconnect in 10 s"
//! ├─ messages  from the room; does not end
//! └─ reached   from the room; a picture whose text shows when it does not come
//! reconnect    from the browser's cache: "go to connection now"
//! ```
//!
//! A document that loads itself again from a room that cannot be reached is replaced by the browser's own page about the
//! failure, which does not load itself again. So what loads itself again comes from the browser's cache, and only the frame in
//! it can fail. A browser counts the seconds of a `refresh` when the document *and its frames* are complete: while messages
//! are streamed it waits, however long that is.
//!
//! There are two documents that lead to each other because a browser asks the server about a document that leads to itself,
//! as for a reload.

use maud::html;

use super::markup::{Look, begin};

/// How long after the end of the messages they are loaded again, in seconds. Not more than 15: Firefox takes a slower
/// `refresh` for a reload, asks the server about it, and keeps both documents in the history.
pub const RETRY_SECONDS: u32 = 10;

/// How long the browser may keep the two documents, in seconds: a year, which is how long a response can be fresh
/// ([RFC 9111, section 5.2.2.1](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1) sets no limit, but caches do).
/// Their addresses have the number of a window in them and are not used in another.
pub const KEPT_SECONDS: u32 = 31_536_000;

/// A transparent picture of one point, in [GIF89a](https://www.w3.org/Graphics/GIF/spec-gif89a.txt).
pub const POINT: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x01D\0;";

/// Shown while the room cannot be reached.
const AWAY: &str = "The room cannot be reached at the moment. This page tries again by itself, every few seconds. If you have \
                    just sent something and the form is gone: your browser's Back brings it again, with what you wrote.";

/// The address of the document that holds the messages of a window, relative to the others. `window` is of letters and
/// digits, `after` the cursor to begin at.
pub fn address(window: &str, after: Option<u64>) -> String {
    format!("connection?{}", query(window, after))
}

/// The document that holds the messages.
pub fn connection(window: &str, after: Option<u64>) -> String {
    let query = query(window, after);
    let (messages, reconnect) = (format!("messages?{query}"), format!("reconnect?{query}"));
    let body = html! {
        main aria-label="Connection" {
            p class="line" { "Connecting to the room…" }
            iframe name="stream" title="Messages" src=(messages) {}
            img class="reached" src="reached" alt=(AWAY);
            // It is no picture. This puts it into the cache, while the room can be reached.
            img hidden src=(reconnect) alt="";
        }
    };
    begin(Look::Connection, "Messages", Some(&format!("{RETRY_SECONDS};url={reconnect}"))) + &body.0
}

/// The document that leads back to [`connection`], at once.
pub fn reconnect(window: &str, after: Option<u64>) -> String {
    let refresh = format!("0;url={}", address(window, after));
    let head = html! { meta http-equiv="refresh" content=(refresh); };
    format!("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Messages</title>{}\n", head.0)
}

fn query(window: &str, after: Option<u64>) -> String {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    format!("window={window}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_documents_lead_to_each_other_and_keep_the_cursor() {
        let there = connection("1a", Some(7));
        assert!(there.contains("content=\"10;url=reconnect?window=1a&amp;after=7\""), "{there}");
        assert!(there.contains("src=\"messages?window=1a&amp;after=7\""), "{there}");
        assert!(
            there.contains("src=\"reconnect?window=1a&amp;after=7\""),
            "the cache has it before it is needed"
        );
        assert!(reconnect("1a", Some(7)).contains("content=\"0;url=connection?window=1a&amp;after=7\""));
        assert!(reconnect("1a", None).contains("url=connection?window=1a\""));
    }
}
