//! What hosts and moderators have done, in words.

use maud::{Markup, html};

use super::words::{Marked, bdi};
use crate::language::{Language, english, plurals};
use crate::protocol::act::{Act, Target};
use crate::protocol::{Badge, Role};

/// The line for an act that `by` has done; `None` for one that guests need not read of.
pub(super) fn line(l: Language, act: &Act, by: &Markup) -> Option<Markup> {
    let said = |text| html! { (l.say(text)) };
    let name = |target: &Target| name(l, target);
    Some(match act {
        Act::Role { target, role, .. } => match role {
            Role::Host => l.mark("{0} is a host now", &[&name(target)]),
            Role::Moderator => l.mark("{0} is a moderator now", &[&name(target)]),
            Role::Guest => l.mark("{0} is a guest like the others now", &[&name(target)]),
        },
        Act::Link { .. } | Act::RevokeLinks | Act::Release { .. } => return None,
        Act::Kick { target } => l.mark("{0} was put out by {1}", &[&name(target), by]),
        Act::Mute { target, .. } => l.mark("{0} was muted by {1}", &[&name(target), by]),
        Act::Unmute { target } => l.mark("{0} may write again", &[&name(target)]),
        Act::Ban { target, .. } => l.mark("{0} was banned by {1}", &[&name(target), by]),
        Act::Unban { target } => l.mark("{0} may come back", &[&name(target)]),
        Act::Delete { messages, .. } if messages.len() == 1 => l.mark("A message was deleted by {0}", &[by]),
        Act::Delete { messages, .. } => {
            let count = messages.len();
            let [one, many] = plurals("{0} message was deleted by {1}", "{0} messages were deleted by {1}");
            l.mark_plural(count as u64, one, many, &[&count, by])
        }
        Act::DeleteAll { target } => l.mark("The messages of {0} were deleted by {1}", &[&name(target), by]),
        Act::Lock { locked: true } => {
            said(english("The room is locked: only guests who are in it can come back"))
        }
        Act::Lock { locked: false } => said(english("The room is open again")),
        Act::Approval { approval: true, .. } => {
            said(english("Newcomers wait now until a host or a moderator lets them in"))
        }
        Act::Approval { approval: false, .. } => said(english("Newcomers need not wait any more")),
        // That the room itself let a guest in is told by their arrival.
        Act::Admit { by: Some(_), .. } | Act::Invite { .. } | Act::RevokeInvite { .. } => return None,
        Act::Admit { target, .. } => l.mark("{0} was let in by {1}", &[&name(target), by]),
        Act::Reject { target, .. } => l.mark("{0} was turned away by {1}", &[&name(target), by]),
        Act::Password { password: true, .. } => said(english("The room has a new password")),
        Act::Password { password: false, .. } => said(english("The room has no password any more")),
        Act::InvitedOnly { invited_only: true, .. } => said(english("Newcomers need an invitation now")),
        Act::InvitedOnly { invited_only: false, .. } => {
            said(english("Newcomers need no invitation any more"))
        }
        Act::Slow { seconds: 0 } => said(english("Slow mode is off")),
        Act::Slow { seconds } => l.mark_plural(
            *seconds,
            "Slow mode: each guest can write once in {0} second",
            "Slow mode: each guest can write once in {0} seconds",
            &[seconds],
        ),
        Act::Cap { guests: 0 } => said(english("As many guests can come as there are seats")),
        Act::Cap { guests } => l.mark_plural(
            *guests,
            "At most {0} guest can come in",
            "At most {0} guests can come in",
            &[guests],
        ),
        Act::Topic { text } if text.is_empty() => said(english("The topic was removed")),
        Act::Topic { text } => l.mark("The topic is now: {0}", &[&bdi(text)]),
        Act::Title { text } => l.mark("The room is now called {0}", &[&bdi(text)]),
        Act::Rules { text } if text.is_empty() => said(english("The rules were removed")),
        Act::Rules { text } => l.mark("The rules are now: {0}", &[&rules(text)]),
        Act::Pin { said: Some(said), .. } => {
            l.mark("Pinned by {0}: {1}: {2}", &[by, &bdi(&said.name), &bdi(&said.text)])
        }
        Act::Pin { said: None, .. } => return None,
        Act::Unpin => said(english("No message is pinned any more")),
        Act::Words { count: Some(0), .. } => said(english("No words are kept out any more")),
        Act::Words { .. } => said(english(
            "Messages with certain words wait now until a host or a moderator lets them be said",
        )),
        // Its guest shows it beside the name.
        Act::Reserve { .. } | Act::ReleaseName => return None,
        // Shown with their messages.
        Act::Edit { .. } | Act::React { .. } => return None,
        Act::Unreserve { target } => {
            l.mark("The reserved name of {0} was taken back by {1}", &[&name(target), by])
        }
        Act::Private { private: true } => said(english("Guests may write to each other privately again")),
        Act::Private { private: false } => {
            said(english("Guests may not write to each other privately any more"))
        }
        Act::Typing { typing: true } => {
            said(english("Guests with scripts are told now who is writing something"))
        }
        Act::Typing { typing: false } => {
            said(english("Guests are not told any more who is writing something"))
        }
        Act::Identities { required: true } => said(english("Only guests with an identity can come in now")),
        Act::Identities { required: false } => said(english("Guests without an identity can come in again")),
        Act::Announce { text } => html! { b { (l.say("The host says:")) " " } (rules(text)) },
    })
}

/// A text that may have several lines.
fn rules(text: &str) -> Markup {
    html! { bdi class="rules" { (text) } }
}

/// A guest: their name then, or their badge where the room knew none.
pub(super) fn name(l: Language, target: &Target) -> Markup {
    match &target.name {
        Some(name) => bdi(name),
        None => l.mark("the guest {0}", &[&bdi(&Badge::of(target.of).to_string())]),
    }
}

/// What was done, as the list of what was done says it: the names of acts.
pub(super) const DONE: [(&str, &str); 36] = [
    ("role", english("role")),
    ("link", english("link")),
    ("revoke_links", english("revoke links")),
    ("kick", english("kick")),
    ("mute", english("mute")),
    ("unmute", english("unmute")),
    ("ban", english("ban")),
    ("unban", english("unban")),
    ("delete", english("delete")),
    ("delete_all", english("delete all")),
    ("lock", english("lock")),
    ("approval", english("approval")),
    ("admit", english("admit")),
    ("reject", english("reject")),
    ("password", english("password")),
    ("invited_only", english("invited only")),
    ("invite", english("invite")),
    ("revoke_invite", english("revoke invite")),
    ("slow", english("slow")),
    ("cap", english("cap")),
    ("topic", english("topic")),
    ("title", english("title")),
    ("rules", english("rules")),
    ("pin", english("pin")),
    ("unpin", english("unpin")),
    ("announce", english("announce")),
    ("words", english("words")),
    ("release", english("release")),
    ("unreserve", english("unreserve")),
    ("private", english("private")),
    ("identities", english("identities")),
    ("edit", english("edit")),
    ("react", english("react")),
    ("reserve", english("reserve")),
    ("release_name", english("release name")),
    ("typing", english("typing")),
];

/// The word for what was done.
pub(super) fn done(l: Language, act: &str) -> String {
    match DONE.iter().find(|(name, _)| *name == act) {
        Some((_, word)) => l.say(word).to_owned(),
        None => act.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::GuestId;

    #[test]
    fn an_act_is_a_line_and_its_texts_are_escaped() {
        let by = html! { bdi { "Hanna" } };
        let target = |name: Option<&str>| Target { of: GuestId(7), name: name.map(Into::into) };
        for (act, expected) in [
            (
                Act::Kick { target: target(Some("<b>")) },
                "<bdi>&lt;b&gt;</bdi> was put out by <bdi>Hanna</bdi>",
            ),
            (Act::Unban { target: target(None) }, "the guest <bdi>0007</bdi> may come back"),
            (Act::Delete { messages: vec![1, 2], own: false }, "2 messages were deleted by <bdi>Hanna</bdi>"),
            (Act::Topic { text: "a & b".into() }, "The topic is now: <bdi>a &amp; b</bdi>"),
        ] {
            assert_eq!(line(Language::English, &act, &by).unwrap().0, expected);
        }
        assert!(line(Language::English, &Act::Link { role: Role::Host, link: None }, &by).is_none());
    }
}
