//! What hosts and moderators have done, in words.

use maud::{Markup, html};

use crate::protocol::act::{Act, Target};
use crate::protocol::{Badge, Role};

/// The line for an act that `by` has done; `None` for one that guests need not read of.
pub(super) fn line(act: &Act, by: &Markup) -> Option<Markup> {
    let by = html! { " by " (by) };
    Some(match act {
        Act::Role { target, role, .. } => match role {
            Role::Host => html! { (name(target)) " is a host now" },
            Role::Moderator => html! { (name(target)) " is a moderator now" },
            Role::Guest => html! { (name(target)) " is a guest like the others now" },
        },
        Act::Link { .. } | Act::RevokeLinks | Act::Release { .. } => return None,
        Act::Kick { target } => html! { (name(target)) " was put out" (by) },
        Act::Mute { target, .. } => html! { (name(target)) " was muted" (by) },
        Act::Unmute { target } => html! { (name(target)) " may write again" },
        Act::Ban { target, .. } => html! { (name(target)) " was banned" (by) },
        Act::Unban { target } => html! { (name(target)) " may come back" },
        Act::Delete { messages, .. } if messages.len() == 1 => html! { "A message was deleted" (by) },
        Act::Delete { messages, .. } => html! { (messages.len()) " messages were deleted" (by) },
        Act::DeleteAll { target } => html! { "The messages of " (name(target)) " were deleted" (by) },
        Act::Lock { locked: true } => html! { "The room is locked: only guests who are in it can come back" },
        Act::Lock { locked: false } => html! { "The room is open again" },
        Act::Approval { approval: true, .. } => {
            html! { "Newcomers wait now until a host or a moderator lets them in" }
        }
        Act::Approval { approval: false, .. } => html! { "Newcomers need not wait any more" },
        // That the room itself let a guest in is told by their arrival.
        Act::Admit { by: Some(_), .. } | Act::Invite { .. } | Act::RevokeInvite { .. } => return None,
        Act::Admit { target, .. } => html! { (name(target)) " was let in" (by) },
        Act::Reject { target, .. } => html! { (name(target)) " was turned away" (by) },
        Act::Password { password: true, .. } => html! { "The room has a new password" },
        Act::Password { password: false, .. } => html! { "The room has no password any more" },
        Act::InvitedOnly { invited_only: true, .. } => html! { "Newcomers need an invitation now" },
        Act::InvitedOnly { invited_only: false, .. } => html! { "Newcomers need no invitation any more" },
        Act::Slow { seconds: 0 } => html! { "Slow mode is off" },
        Act::Slow { seconds } => html! { "Slow mode: each guest can write once in " (seconds) " seconds" },
        Act::Cap { guests: 0 } => html! { "As many guests can come as there are seats" },
        Act::Cap { guests } => html! { "At most " (guests) " guests can come in" },
        Act::Topic { text } if text.is_empty() => html! { "The topic was removed" },
        Act::Topic { text } => html! { "The topic is now: " bdi { (text) } },
        Act::Title { text } => html! { "The room is now called " bdi { (text) } },
        Act::Rules { text } if text.is_empty() => html! { "The rules were removed" },
        Act::Rules { text } => html! { "The rules are now: " bdi class="rules" { (text) } },
        Act::Pin { said: Some(said), .. } => {
            html! { "Pinned" (by) ": " bdi { (said.name) } ": " bdi { (said.text) } }
        }
        Act::Pin { said: None, .. } => return None,
        Act::Unpin => html! { "No message is pinned any more" },
        Act::Words { count: Some(0), .. } => html! { "No words are kept out any more" },
        Act::Words { .. } => {
            html! { "Messages with certain words wait now until a host or a moderator lets them be said" }
        }
        // Its guest shows it beside the name.
        Act::Reserve { .. } | Act::ReleaseName => return None,
        // Shown with their messages.
        Act::Edit { .. } | Act::React { .. } => return None,
        Act::Unreserve { target } => html! { "The reserved name of " (name(target)) " was taken back" (by) },
        Act::Private { private: true } => html! { "Guests may write to each other privately again" },
        Act::Private { private: false } => html! { "Guests may not write to each other privately any more" },
        Act::Typing { typing: true } => html! { "Guests with scripts are told now who is writing something" },
        Act::Typing { typing: false } => html! { "Guests are not told any more who is writing something" },
        Act::Identities { required: true } => html! { "Only guests with an identity can come in now" },
        Act::Identities { required: false } => html! { "Guests without an identity can come in again" },
        Act::Announce { text } => html! { b { "The host says: " } bdi class="rules" { (text) } },
    })
}

/// A guest: their name then, or their badge where the room knew none.
pub(super) fn name(target: &Target) -> Markup {
    match &target.name {
        Some(name) => html! { bdi { (name) } },
        None => html! { "the guest " (Badge::of(target.of)) },
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
            (Act::Unban { target: target(None) }, "the guest 0007 may come back"),
            (Act::Delete { messages: vec![1, 2], own: false }, "2 messages were deleted by <bdi>Hanna</bdi>"),
            (Act::Topic { text: "a & b".into() }, "The topic is now: <bdi>a &amp; b</bdi>"),
        ] {
            assert_eq!(line(&act, &by).unwrap().0, expected);
        }
        assert!(line(&Act::Link { role: Role::Host, link: None }, &by).is_none());
    }
}
