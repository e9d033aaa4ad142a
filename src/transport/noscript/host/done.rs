//! The part of the hosts' page that is about what was done: reserved names, who is kept out, and the list of acts.

use maud::{Markup, html};

use super::HostPage;
use crate::log::state::{ActLine, Restriction};
use crate::protocol::GuestId;
use crate::protocol::act::Target;
use crate::transport::noscript::acts;
use crate::transport::noscript::markup::badge;
use crate::transport::noscript::phrases;

impl HostPage<'_> {
    pub(super) fn names(&self) -> Markup {
        let l = self.language;
        html! {
            @if !self.state.reserved.is_empty() {
                h2 { (l.say("Reserved names")) }
                @for own in self.state.reserved.iter() {
                    (self.form(&html! {
                        div class="row" {
                            span {
                                bdi { (own.name.as_str()) } " " (badge(l, own.of)) " · "
                                (l.fill("used {0}", &[&phrases::ago(l, self.clock.saturating_sub(own.used))]))
                            }
                            button name="do" value={ "unreserve " (own.of.0) } { (l.say("Take it back")) }
                        }
                    }))
                }
            }
        }
    }

    pub(super) fn kept_out(&self) -> Markup {
        let l = self.language;
        let list = |title: &str, list: &[Restriction], act: &str, button: &str| {
            let now: Vec<_> = list.iter().filter(|one| one.counts(self.clock)).collect();
            html! {
                @if !now.is_empty() {
                    h2 { (title) }
                    @for one in now {
                        (self.form(&html! {
                            div class="row" {
                                span {
                                    bdi { (one.name.as_deref().unwrap_or(l.say("a guest"))) } " " (badge(l, one.of))
                                    @if let Some(until) = one.until {
                                        " · " (phrases::more(l, until.saturating_sub(self.clock)))
                                    }
                                }
                                button name="do" value={ (act) " " (one.of.0) } { (button) }
                            }
                        }))
                    }
                }
            }
        };
        html! {
            (list(l.say("Muted"), &self.state.muted, "unmute", l.say("Let them write")))
            (list(l.say("Banned"), &self.state.banned, "unban", l.say("Let them come back")))
        }
    }

    pub(super) fn log(&self) -> Markup {
        let l = self.language;
        let by = |line: &ActLine| {
            let otherwise = if line.by == GuestId::ROOM { l.say("the terminal") } else { l.say("a host") };
            self.state.policy.name(line.by).unwrap_or(otherwise)
        };
        html! {
            h2 { (l.say("What was done")) }
            ul {
                @for line in self.state.acts.iter().rev() {
                    li {
                        (phrases::ago(l, self.clock.saturating_sub(line.at))) " · " bdi { (by(line)) } ": "
                        (acts::done(l, &line.act))
                        @if let Some(of) = line.of {
                            " " (acts::name(l, &Target { of, name: line.name.clone() }))
                        }
                    }
                }
            }
        }
    }
}
