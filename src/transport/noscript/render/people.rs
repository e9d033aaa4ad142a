//! The list of who is here.

use maud::{Markup, html};

use super::{Renderer, append};
use crate::protocol::Role;
use crate::transport::noscript::event::Member;
use crate::transport::noscript::markup::badge;

impl Renderer {
    /// The number of listed members: the cost of [`Renderer::members`] grows with it.
    pub fn listed(&self) -> usize {
        self.members.len()
    }

    /// Whether the members changed since [`Renderer::members`].
    pub fn members_changed(&self) -> bool {
        self.members_changed
    }

    /// Appends the list of members, which covers the one before.
    pub fn members(&mut self, out: &mut String) {
        self.members_changed = false;
        self.colours.give(self.members.iter().map(|member| member.id));
        let markup = match self.occupancy {
            Some(count) => html! {
                aside tabindex="0" aria-label="People here" aria-live="off" {
                    label for="people" { (count) " here" }
                    p {
                        (count) " people are here, too many to list. Their names stand on what they say."
                    }
                }
            },
            None => {
                self.members.sort_by_cached_key(|member| member.name.to_lowercase());
                let classes: Vec<_> =
                    self.members.iter().map(|member| self.colours.class(member.id)).collect();
                html! {
                    aside tabindex="0" aria-label="People here" aria-live="off" {
                        label for="people" { (self.members.len()) " here" }
                        ul { @for (member, class) in self.members.iter().zip(&classes) { (self.member(member, class)) } }
                    }
                }
            }
        };
        append(out, &markup);
    }

    fn member(&self, member: &Member, colour: &str) -> Markup {
        let note = match (member.id == self.me, member.away) {
            (true, _) => Some("you"),
            (_, true) => Some("away"),
            _ => None,
        };
        let role = (self.policy.role(member.id) > Role::Guest).then(|| self.policy.role(member.id).as_str());
        let away = if member.away { " away" } else { "" };
        html! {
            li class={ (colour) (away) } {
                bdi { (member.name) }
                @if let Some(role) = role { " " span class="role" { (role) } }
                @if member.kept { " " span class="note" { "reserved name" } }
                @if let Some(note) = note { " " span class="note" { (note) } }
                " " (badge(member.id))
            }
        }
    }
}
