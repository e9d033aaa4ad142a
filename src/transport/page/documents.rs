//! The documents that end: the room with its frames, the form, and a word when there is no way in.

use std::fmt::Write;

use super::REFRESH_SECONDS;
use super::markup::{Escaped, Look, begin};
use crate::protocol::Welcome;

/// After how many seconds a browser that was turned away asks again.
const AGAIN_SECONDS: u32 = 15;

/// The room with its frames, for a guest who has a seat.
pub fn room(welcome: &Welcome) -> String {
    let token = welcome.token.encode();
    let (title, token) = (Escaped(&welcome.title), Escaped(&token));
    let plain = REFRESH_SECONDS[1];
    let mut page = begin(Look::Room, &welcome.title, None);
    let _ = write!(
        page,
        "<header><h1 dir=\"auto\">{title}</h1>\n<nav>\
         <a href=\"page/messages?token={token}\" target=\"messages\">Reconnect</a>\n\
         <a href=\"page/messages?token={token}&amp;plain={plain}\" target=\"messages\">Without streaming</a>\
         </nav></header>\n\
         <iframe name=\"messages\" title=\"Messages\" src=\"page/messages?token={token}\"></iframe>\n\
         <iframe name=\"say\" title=\"Say something\" src=\"page/say?token={token}\"></iframe>\n"
    );
    page
}

/// What a form is filled with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Composer<'a> {
    /// The guest's token, as it stands on the wire.
    pub token: &'a str,
    /// What the guest is called; empty if that is not known.
    pub name: &'a str,
    /// The wanted name that was refused.
    pub wanted: Option<&'a str>,
    /// The number of the form: a text that is sent twice from the same one is one message.
    pub form: &'a str,
    /// What was written and is not said yet.
    pub text: &'a str,
    /// What is wrong, as a sentence.
    pub note: Option<&'a str>,
}

/// The form to say something, and to change one's name. Both are one form, so that changing the name does not
/// lose what was being written; the first button is the one that Enter in the name's field presses.
pub fn composer(form: &Composer<'_>) -> String {
    let Composer { token, name, wanted, form, text, note } = *form;
    let checked = if wanted.is_some() { " checked" } else { "" };
    let mut page = begin(Look::Composer, "Say something", None);
    let _ = write!(
        page,
        "<form method=\"post\" action=\"say?token={}#text\">\n\
         <input type=\"hidden\" name=\"form\" value=\"{}\" autocomplete=\"off\">\n\
         <input type=\"checkbox\" id=\"naming\" autocomplete=\"off\" aria-label=\"Change your name\"{checked}>\n",
        Escaped(token),
        Escaped(form)
    );
    if let Some(note) = note {
        let _ = writeln!(page, "<p class=\"note\" role=\"alert\">{}</p>", Escaped(note));
    }
    let _ = write!(
        page,
        "<div class=\"row\"><span class=\"now quiet\">You are</span> <b class=\"now\"><bdi>{}</bdi></b> \
         <label class=\"now\" for=\"naming\">change</label>\n\
         <input class=\"new\" name=\"name\" value=\"{}\" aria-label=\"Your name\" autocomplete=\"off\" \
         spellcheck=\"false\" dir=\"auto\">\n\
         <button class=\"new\" name=\"do\" value=\"rename\">Save name</button>\
         <label class=\"new\" for=\"naming\">cancel</label></div>\n\
         <div class=\"say\"><textarea id=\"text\" name=\"text\" aria-label=\"Message\" placeholder=\"Message\" \
         dir=\"auto\" autofocus>\n{}</textarea>\n<button name=\"do\" value=\"say\">Send</button></div>\n</form>\n",
        Escaped(name),
        Escaped(wanted.unwrap_or(name)),
        Escaped(text)
    );
    page
}

/// A word to somebody who is not let in, with a way to try again.
pub fn turned_away(look: Look, sentence: &str) -> String {
    let mut page = begin(look, "Not in the room", Some(AGAIN_SECONDS));
    let _ = writeln!(page, "<p class=\"line note\">{} <a href=\"\">Try again</a></p>", Escaped(sentence));
    page
}
