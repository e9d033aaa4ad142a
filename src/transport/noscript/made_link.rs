//! A link that a host has made, as the page of hosts shows it once.

use maud::{Markup, html};

use super::words::Marked;
use crate::language::Language;
use crate::protocol::link_fragment;
use crate::qr::Drawing;

/// Whether an address leads to this room from other machines, too.
fn leads_here(origin: &str) -> bool {
    let host = origin.split_once("//").map_or("", |(_, host)| host);
    !host.is_empty() && !["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// What the QR code of a link says: the whole link; `None` where it does not lead to this room from other machines.
pub fn whole(origin: &str, room: &str, secret: &str, invites: bool) -> Option<String> {
    leads_here(origin).then(|| format!("{origin}/#{}", link_fragment(room, kind(invites), secret)))
}

fn kind(invites: bool) -> &'static str {
    if invites { "invite" } else { "host" }
}

/// The link that was made, to be given on, and its QR code.
pub(super) fn made_link(
    l: Language,
    secret: &str,
    drawing: Option<&Drawing>,
    room: &str,
    invites: bool,
) -> Markup {
    html! {
        p role="status" {
            @if invites {
                (l.say(
                    "This is the invitation. Put the address of the room before it, and give it to that person in private; it is \
                     shown once:"
                ))
            } @else {
                (l.say("This is the link, which works once. Put the address of the room before it, and give it to one guest in private:"))
            }
        }
        p { code { "/#" (link_fragment(room, kind(invites), secret)) } }
        @if let Some(Drawing { size, path }) = drawing {
            svg class="qr" viewBox={ "0 -.5 " (size) " " (size) } role="img" aria-label=(l.say("The whole link as a QR code")) { path d=(path) {} }
        }
        p class="quiet" {
            @if invites {
                (l.say("Where there is no JavaScript, what follows the last = is pasted on the entry of the room."))
            } @else {
                (l.mark(
                    "Where there is no JavaScript, what follows the last = is pasted on the page {0} of the room, or on its entry.",
                    &[&html! { i { (l.say("Host")) } }],
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_drawn_where_it_leads_to_this_room() {
        let secret = "w".repeat(43);
        let shown = |origin, invites| {
            let drawing = whole(origin, "main", &secret, invites).and_then(|link| Drawing::of(&link));
            made_link(Language::English, &secret, drawing.as_ref(), "main", invites).0
        };
        let page = shown("http://room.onion", true);
        assert!(page.contains(&format!("<code>/#invite={secret}</code>")));
        let drawn = Drawing::of(&format!("http://room.onion/#invite={secret}")).unwrap();
        assert!(page.contains(&format!("<path d=\"{}\">", drawn.path)), "{page}");
        assert!(shown("https://room.example", false).contains("<svg class=\"qr\""));
        for local in ["", "http://127.0.0.1:8646", "http://localhost:81", "http://[::1]:81"] {
            assert!(!shown(local, true).contains("<svg"), "{local}");
        }
    }
}
