//! A link that a host has made, as the page of hosts shows it once.

use maud::{Markup, html};

use crate::protocol::link_fragment;
use crate::qr::Drawing;

/// Whether an address leads to this room from other machines, too.
fn leads_here(origin: &str) -> bool {
    let host = origin.split_once("//").map_or("", |(_, host)| host);
    !host.is_empty() && !["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local))
}

/// The link that was made, to be given on.
pub(super) fn made_link(secret: &str, origin: &str, room: &str, invites: bool) -> Markup {
    let fragment = link_fragment(room, if invites { "invite" } else { "host" }, secret);
    html! {
        p role="status" {
            @if invites {
                "This is the invitation. Put the address of the room before it, and give it to that person in private; it is shown \
                 once:"
            } @else {
                "This is the link, which works once. Put the address of the room before it, and give it to one guest in private:"
            }
        }
        p { code { "/#" (fragment) } }
        @if let Some(Drawing { size, path }) = Drawing::of(&format!("{origin}/#{fragment}")).filter(|_| leads_here(origin)) {
            svg class="qr" viewBox={ "0 -.5 " (size) " " (size) } role="img" aria-label="The whole link as a QR code" { path d=(path) {} }
        }
        p class="quiet" {
            "Where there is no JavaScript, what follows the last = is pasted on the "
            @if invites { "entry of the room." } @else { "page " i { "Host" } " of the room, or on its entry." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_drawn_where_it_leads_to_this_room() {
        let secret = "w".repeat(43);
        let shown = |origin, invites| made_link(&secret, origin, "main", invites).0;
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
