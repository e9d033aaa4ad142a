//! The part of the hosts' page that is about newcomers: who waits, what they need, and who is invited.

use maud::{Markup, html};

use super::markup::badge;
use super::phrases;
use crate::log::RoomState;
use crate::log::state::Invitation;
use crate::protocol::Role;
use crate::protocol::event::WaitingGuest;

/// What this part shows.
pub(super) struct Newcomers<'a> {
    pub(super) state: &'a RoomState,
    /// The guests who wait at this node.
    pub(super) waiting: &'a [WaitingGuest],
    /// The present value of the room's clock.
    pub(super) clock: u64,
}

impl Newcomers<'_> {
    /// Who waits, with buttons; `form` makes a form of its content.
    pub(super) fn waiting(&self, form: impl Fn(&Markup) -> Markup) -> Markup {
        html! {
            @if self.state.policy.approval || !self.waiting.is_empty() {
                h2 { "Waiting to be let in" }
                @if self.waiting.is_empty() { p class="quiet" { "No guest waits at this address now." } }
            }
            @for guest in self.waiting {
                (form(&html! {
                    p {
                        bdi { (guest.name.as_ref().map_or("a guest without a name", |name| name.as_str())) } " "
                        (badge(guest.id)) ", for " (phrases::span(guest.seconds))
                    }
                    div class="row" {
                        button name="do" value={ "admit " (guest.id.0) } { "Let in" }
                        button name="do" value={ "not_now " (guest.id.0) } { "Not now" }
                        button name="do" value={ "reject " (guest.id.0) } { "Turn away" }
                    }
                }))
            }
        }
    }

    /// What newcomers need, with buttons.
    pub(super) fn needs(&self, role: Role, form: impl Fn(&Markup) -> Markup) -> Markup {
        let policy = &self.state.policy;
        html! {
            (form(&html! {
                div class="row" {
                    @if policy.approval { button name="do" value="approval_off" { "Let newcomers in without waiting" } }
                    @else { button name="do" value="approval_on" { "Let newcomers wait until they are let in" } }
                    @if role == Role::Host {
                        @if policy.invited_only { button name="do" value="invited_off" { "Let newcomers in without an invitation" } }
                        @else { button name="do" value="invited_on" { "Let newcomers in only with an invitation" } }
                    }
                }
            }))
            @if role == Role::Host {
                (form(&html! {
                    label for="password" { "Password for newcomers (at least 8 characters)" }
                    div class="row" {
                        input id="password" name="password" type="password" autocomplete="new-password";
                        button name="do" value="password" { "Set" }
                        @if policy.password { button name="do" value="password_off" { "No password any more" } }
                    }
                }))
            }
        }
    }

    /// Who is invited, and the form that invites: for hosts.
    pub(super) fn invitations(&self, form: impl Fn(&Markup) -> Markup) -> Markup {
        let state = |one: &Invitation| match one.counts(self.clock) {
            true if one.single_use => ", for one guest",
            true => "",
            false if one.single_use && one.used => ", used",
            false => ", ended",
        };
        html! {
            h2 { "Invitations" }
            (form(&html! {
                label for="invitee" { "For whom (guests do not see it)" }
                input id="invitee" name="name" autocomplete="off" dir="auto" maxlength="64";
                label { input type="checkbox" name="once" value="1" checked; " Lets in one guest alone" }
                label for="days" { "For how many days (empty: until it is taken back)" }
                div class="row" {
                    input id="days" name="days" inputmode="numeric" autocomplete="off";
                    button name="do" value="invite" { "Make a link" }
                }
            }))
            @for one in self.state.gate.invitations() {
                (form(&html! {
                    div class="row" {
                        span {
                            bdi { (one.name) } (state(one))
                            @if let Some(until) = one.until.filter(|until| *until > self.clock) {
                                ", for " (phrases::span(until - self.clock)) " more"
                            }
                            @let guests = self.state.gate.came_by(one.id());
                            @if guests > 0 { ", " (guests) @if guests == 1 { " guest came by it" } @else { " guests came by it" } }
                        }
                        button name="do" value={ "revoke_invite " (one.id()) } { "Take it back" }
                    }
                }))
            }
        }
    }
}
