//! The list of who is here.

use maud::{Markup, html};

use super::{Renderer, append};
use crate::language::Language;
use crate::protocol::Role;
use crate::transport::noscript::event::Member;
use crate::transport::noscript::markup::badge;
use crate::transport::noscript::words::role_name;

/// How many guests are here.
fn here(l: Language, count: usize) -> String {
    l.counted(count as u64, "{0} here", "{0} here")
}

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
        let l = self.language;
        self.colours.give(self.members.iter().map(|member| member.id));
        let markup = match self.occupancy {
            Some(count) => html! {
                aside tabindex="0" aria-label=(l.say("People here")) aria-live="off" {
                    label for="people" { (here(l, count)) }
                    p {
                        (l.counted(
                            count as u64,
                            "{0} guest is here, too many to list. Their names stand on what they say.",
                            "{0} guests are here, too many to list. Their names stand on what they say.",
                        ))
                    }
                }
            },
            None => {
                self.members.sort_by_cached_key(|member| member.name.to_lowercase());
                let classes: Vec<_> =
                    self.members.iter().map(|member| self.colours.class(member.id)).collect();
                html! {
                    aside tabindex="0" aria-label=(l.say("People here")) aria-live="off" {
                        label for="people" { (here(l, self.members.len())) }
                        ul { @for (member, class) in self.members.iter().zip(&classes) { (self.member(member, class)) } }
                    }
                }
            }
        };
        append(out, &markup);
    }

    fn member(&self, member: &Member, colour: &str) -> Markup {
        let l = self.language;
        let note = match (member.id == self.me, member.away) {
            (true, _) => Some(l.say("you")),
            (_, true) => Some(l.say("away")),
            _ => None,
        };
        let role = self.policy.role(member.id);
        let role = (role > Role::Guest).then(|| role_name(l, role));
        let away = if member.away { " away" } else { "" };
        html! {
            li class={ (colour) (away) } {
                bdi { (member.name) }
                @if let Some(role) = role { " " span class="role" { (role) } }
                @if member.kept { " " span class="note" { (l.say("reserved name")) } }
                @if let Some(note) = note { " " span class="note" { (note) } }
                " " (badge(l, member.id))
            }
        }
    }
}
