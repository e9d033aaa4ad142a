//! The part of the hosts' page that is about newcomers: who waits, what they need, and who is invited.

use maud::{Markup, html};

use super::markup::badge;
use super::phrases;
use crate::language::Language;
use crate::log::RoomState;
use crate::log::state::Invitation;
use crate::protocol::Role;
use crate::protocol::event::WaitingGuest;

/// What this part shows.
pub(super) struct Newcomers<'a> {
    pub(super) language: Language,
    pub(super) state: &'a RoomState,
    /// The guests who wait at this node.
    pub(super) waiting: &'a [WaitingGuest],
    /// The present value of the room's clock.
    pub(super) clock: u64,
}

impl Newcomers<'_> {
    /// Who waits, with buttons; `form` makes a form of its content.
    pub(super) fn waiting(&self, form: impl Fn(&Markup) -> Markup) -> Markup {
        let l = self.language;
        html! {
            @if self.state.policy.approval || !self.waiting.is_empty() {
                h2 { (l.say("Waiting to be let in")) }
                @if self.waiting.is_empty() { p class="quiet" { (l.say("No guest waits at this address now.")) } }
            }
            @for guest in self.waiting {
                (form(&html! {
                    p {
                        bdi { (guest.name.as_ref().map_or(l.say("a guest without a name"), |name| name.as_str())) } " "
                        (badge(l, guest.id)) " · " (phrases::since(l, guest.seconds))
                    }
                    div class="row" {
                        button name="do" value={ "admit " (guest.id.0) } { (l.say("Let in")) }
                        button name="do" value={ "not_now " (guest.id.0) } { (l.say("Not now")) }
                        button name="do" value={ "reject " (guest.id.0) } { (l.say("Turn away")) }
                    }
                }))
            }
        }
    }

    /// What newcomers need, with buttons.
    pub(super) fn needs(&self, role: Role, form: impl Fn(&Markup) -> Markup) -> Markup {
        let (l, policy) = (self.language, &self.state.policy);
        html! {
            (form(&html! {
                div class="row" {
                    @if policy.approval { button name="do" value="approval_off" { (l.say("Let newcomers in without waiting")) } }
                    @else { button name="do" value="approval_on" { (l.say("Let newcomers wait until they are let in")) } }
                    @if role == Role::Host {
                        @if policy.invited_only { button name="do" value="invited_off" { (l.say("Let newcomers in without an invitation")) } }
                        @else { button name="do" value="invited_on" { (l.say("Let newcomers in only with an invitation")) } }
                    }
                }
            }))
            @if role == Role::Host {
                (form(&html! {
                    label for="password" { (l.say("Password for newcomers (at least 8 characters)")) }
                    div class="row" {
                        input id="password" name="password" type="password" autocomplete="new-password";
                        button name="do" value="password" { (l.say("Set")) }
                        @if policy.password { button name="do" value="password_off" { (l.say("No password any more")) } }
                    }
                }))
            }
        }
    }

    /// Who is invited, and the form that invites: for hosts.
    pub(super) fn invitations(&self, form: impl Fn(&Markup) -> Markup) -> Markup {
        let l = self.language;
        let state = |one: &Invitation| match one.counts(self.clock) {
            true if one.single_use => Some(l.say("for one guest")),
            true => None,
            false if one.single_use && one.used => Some(l.say("used")),
            false => Some(l.say("ended")),
        };
        html! {
            h2 { (l.say("Invitations")) }
            (form(&html! {
                label for="invitee" { (l.say("For whom (guests do not see it)")) }
                input id="invitee" name="name" autocomplete="off" dir="auto" maxlength="64";
                label { input type="checkbox" name="once" value="1" checked; " " (l.say("Lets in one guest alone")) }
                label for="days" { (l.say("For how many days (empty: until it is taken back)")) }
                div class="row" {
                    input id="days" name="days" inputmode="numeric" autocomplete="off";
                    button name="do" value="invite" { (l.say("Make a link")) }
                }
            }))
            @for one in self.state.gate.invitations() {
                (form(&html! {
                    div class="row" {
                        span {
                            bdi { (one.name) }
                            @if let Some(state) = state(one) { " · " (state) }
                            @if let Some(until) = one.until.filter(|until| *until > self.clock) {
                                " · " (phrases::more(l, until - self.clock))
                            }
                            @let guests = self.state.gate.came_by(one.id());
                            @if guests > 0 {
                                " · " (l.counted(guests as u64, "{0} guest came by it", "{0} guests came by it"))
                            }
                        }
                        button name="do" value={ "revoke_invite " (one.id()) } { (l.say("Take it back")) }
                    }
                }))
            }
        }
    }
}
