//! The page of hosts and moderators: a form for each thing that they can do.

mod done;

use maud::{Markup, html};

use super::made_link::made_link;
use super::markup::{Look, badge, begin};
use super::newcomers::Newcomers;
use super::phrases;
use super::switch::{Switch, switch};
use super::words::{Marked, bdi, role_name};
use crate::hub::annotated::Annotated;
use crate::language::Language;
use crate::log::RoomState;
use crate::log::state::By;
use crate::protocol::event::WaitingGuest;
use crate::protocol::{Body, Confirmation, Guest, GuestId, MAIN_ROOM, Record, Role};
use crate::qr::Drawing;

/// The content of the page.
#[derive(Debug, Clone, Copy)]
pub struct HostPage<'a> {
    /// The guest's language.
    pub language: Language,
    /// The guest who asks.
    pub guest: &'a Guest,
    /// The state of the room.
    pub state: &'a RoomState,
    /// The guests who are listed.
    pub guests: &'a [Guest],
    /// The newest messages, oldest first.
    pub messages: &'a [Annotated],
    /// The messages that wait, oldest first.
    pub held: &'a [Record],
    /// The present value of the room's clock.
    pub clock: u64,
    /// The number of the forms.
    pub form: &'a str,
    /// What proves that they are the room's own.
    pub proof: &'a str,
    /// What became of the last form, as a sentence.
    pub note: Option<&'a str>,
    /// The secret of a link that was made.
    pub link: Option<&'a str>,
    /// How long the room has until it wipes itself, if it does.
    pub wipe: Option<Confirmation>,
    /// The QR code of that link, where one was drawn.
    pub drawing: Option<&'a Drawing>,
    /// The room's name in paths.
    pub room: &'a str,
    /// Whether that link is an invitation.
    pub invites: bool,
    /// The guests who wait to be let in.
    pub waiting: &'a [WaitingGuest],
}

/// The page.
pub fn host(page: &HostPage<'_>) -> String {
    let role = page.state.role(page.guest.id);
    let l = page.language;
    let newcomers = Newcomers { language: l, state: page.state, waiting: page.waiting, clock: page.clock };
    let form = |content: &Markup| page.form(content);
    let body = html! {
        main {
            h1 { (l.mark("Keeping the room {0}", &[&bdi(&page.state.title)])) }
            p { (page.who(role)) " " a href="host" { (l.say("Look again")) } }
            @if let Some(note) = page.note { p class="note" role="alert" { (note) } }
            @if let Some(link) = page.link { (made_link(l, link, page.drawing, page.room, page.invites)) }
            @if role == Role::Guest { (page.claim()) }
            @if role >= Role::Moderator {
                (newcomers.waiting(form)) (page.waiting()) (page.people(role)) (page.talk()) (page.order(role)) (newcomers.needs(role, form))
            }
            @if role == Role::Host { (page.texts()) (newcomers.invitations(form)) (page.links()) (page.names()) }
            @if role >= Role::Moderator { (page.kept_out()) (page.log()) }
            @if role == Role::Host && page.room == MAIN_ROOM { (page.end()) }
            (switch(l, &Switch::page("host")))
        }
    };
    begin(Look::Host, l, l.say("Keeping the room"), None) + &body.0
}

/// What a host reads whose room is being wiped.
pub fn wiped(l: Language, address: bool) -> String {
    let body = html! {
        main {
            h1 { (l.say("The room is being wiped")) }
            p role="status" {
                (l.say("It ends now for all, and nothing that was said can be read any more."))
                @if address { " " (l.say("Its address is gone, too.")) }
            }
            p { (l.say("Close this window, so that the browser forgets what it has shown.")) }
        }
    };
    begin(Look::Host, l, l.say("The room is being wiped"), None) + &body.0
}

impl HostPage<'_> {
    /// A form with what proves that it is the room's own.
    fn form(&self, content: &Markup) -> Markup {
        html! {
            form method="post" action="host" {
                input type="hidden" name="form" value=(self.form) autocomplete="off";
                input type="hidden" name="proof" value=(self.proof) autocomplete="off";
                (content)
            }
        }
    }

    /// Who asks, and what they are in the room.
    fn who(&self, role: Role) -> Markup {
        let l = self.language;
        let guest = html! { bdi { (self.guest.name.as_str()) } " " (badge(l, self.guest.id)) };
        match role {
            Role::Guest => l.mark("You are {0}, a guest of this room.", &[&guest]),
            Role::Moderator => l.mark("You are {0}, a moderator of this room.", &[&guest]),
            Role::Host => l.mark("You are {0}, a host of this room.", &[&guest]),
        }
    }

    fn claim(&self) -> Markup {
        let l = self.language;
        let hosts = self.state.policy.roles.iter();
        html! {
            p { (l.say("Hosts and moderators keep order here. A guest with a link from one of them can become one, too.")) }
            (self.form(&html! {
                label for="link" { (l.say("The link, or what follows the last = in it")) }
                input id="link" name="text" autocomplete="off" spellcheck="false";
                button name="do" value="claim" { (l.say("Use the link")) }
            }))
            ul {
                @for entry in hosts {
                    li {
                        bdi { (entry.name.as_deref().unwrap_or(l.say("a guest"))) } " " (badge(l, entry.of)) " · "
                        (role_name(l, entry.role))
                    }
                }
            }
        }
    }

    fn people(&self, role: Role) -> Markup {
        let l = self.language;
        let of = |guest: GuestId, act: &str| format!("{act} {}", guest.0);
        let others: Vec<_> = self.guests.iter().filter(|guest| guest.id != self.guest.id).collect();
        html! {
            h2 { (l.say("Guests")) }
            @if others.is_empty() { p class="quiet" { (l.say("No other guest is listed here now.")) } }
            @for guest in others {
                @let theirs = self.state.role(guest.id);
                (self.form(&html! {
                    p {
                        bdi { (guest.name.as_str()) } " " (badge(l, guest.id))
                        @if guest.kept { " · " (l.say("reserved name")) }
                        @if theirs > Role::Guest { " · " (role_name(l, theirs)) }
                    }
                    div class="row" {
                        @if theirs < role {
                            button name="do" value=(of(guest.id, "kick")) { (l.say("Put out")) }
                            button name="do" value=(of(guest.id, "mute10")) { (l.say("Mute for 10 minutes")) }
                            button name="do" value=(of(guest.id, "mute")) { (l.say("Mute")) }
                            button name="do" value=(of(guest.id, "ban")) { (l.say("Ban")) }
                            @if let Some(By::Invitation(_)) = self.state.gate.admitted(guest.id) {
                                button name="do" value=(of(guest.id, "ban_invitation")) { (l.say("Ban all of this invitation")) }
                                button name="do" value=(of(guest.id, "mute_invitation")) { (l.say("Mute all of this invitation")) }
                            }
                        }
                        @if role == Role::Host {
                            @if theirs != Role::Moderator {
                                button name="do" value=(of(guest.id, "moderator")) { (l.say("Make a moderator")) }
                            }
                            @if theirs != Role::Host { button name="do" value=(of(guest.id, "host")) { (l.say("Make a host")) } }
                            @if theirs > Role::Guest { button name="do" value=(of(guest.id, "guest")) { (l.say("Take the role back")) } }
                        }
                    }
                    details { summary { (l.say("Delete everything")) }
                        button name="do" value=(of(guest.id, "delete_all")) { (l.say("Delete all messages of this guest")) }
                    }
                }))
            }
        }
    }

    /// What waits because of a word that is kept out; nothing where nothing does.
    fn waiting(&self) -> Markup {
        let messages = self.held.iter().filter_map(|record| match &record.body {
            Body::Held { name, text, .. } => Some((record.seq, record.author, name, text)),
            _ => None,
        });
        let l = self.language;
        html! {
            @if !self.held.is_empty() { h2 { (l.say("Messages that wait")) } }
            @for (seq, author, name, text) in messages {
                (self.form(&html! {
                    p class="said" dir="auto" { bdi { (name.as_str()) } " " (badge(l, author)) ": " (text) }
                    div class="row" {
                        button name="do" value={ "release " (seq) } { (l.say("Release")) }
                        button name="do" value={ "delete " (seq) } { (l.say("Delete")) }
                    }
                }))
            }
        }
    }

    fn talk(&self) -> Markup {
        let messages = self.messages.iter().rev().filter_map(|message| {
            message.record.body.said().map(|(name, text)| (message.record.seq, name, text))
        });
        let l = self.language;
        html! {
            h2 { (l.say("The newest messages")) }
            @for (seq, name, text) in messages {
                (self.form(&html! {
                    p class="said" dir="auto" { bdi { (name.as_str()) } ": " (text) }
                    div class="row" {
                        button name="do" value={ "delete " (seq) } { (l.say("Delete")) }
                        button name="do" value={ "pin " (seq) } { (l.say("Pin")) }
                    }
                }))
            }
        }
    }

    fn order(&self, role: Role) -> Markup {
        let (l, policy) = (self.language, &self.state.policy);
        html! {
            h2 { (l.say("The room")) }
            (self.form(&html! {
                div class="row" {
                    @if policy.locked { button name="do" value="unlock" { (l.say("Open the room")) } }
                    @else { button name="do" value="lock" { (l.say("Lock the room")) } }
                    @if role == Role::Host {
                        @if policy.identities_required { button name="do" value="identities_off" { (l.say("Ask for no identity")) } }
                        @else { button name="do" value="identities_on" { (l.say("Ask newcomers for an identity")) } }
                        @if policy.no_private { button name="do" value="private_on" { (l.say("Let guests write privately")) } }
                        @else { button name="do" value="private_off" { (l.say("No private messages")) } }
                        @if policy.typing { button name="do" value="typing_off" { (l.say("Do not show who is writing")) } }
                        @else { button name="do" value="typing_on" { (l.say("Show who is writing")) } }
                    }
                    @if policy.pinned.is_some() { button name="do" value="unpin" { (l.say("Unpin the message")) } }
                }
            }))
            (self.amount("slow", l.say("Seconds between two messages of a guest (0: no slow mode)"), policy.slow))
        }
    }

    fn amount(&self, act: &str, label: &str, value: u64) -> Markup {
        let l = self.language;
        self.form(&html! {
            label for=(act) { (label) }
            div class="row" {
                input id=(act) name="text" value=(value) inputmode="numeric" autocomplete="off";
                button name="do" value=(act) { (l.say("Set")) }
            }
        })
    }

    fn texts(&self) -> Markup {
        let (l, policy) = (self.language, &self.state.policy);
        let line = |act: &str, label: &str, value: &str| {
            self.form(&html! {
                label for=(act) { (label) }
                div class="row" {
                    input id=(act) name="text" value=(value) autocomplete="off" dir="auto";
                    button name="do" value=(act) { (l.say("Set")) }
                }
            })
        };
        let long = |act: &str, label: &str, value: &str, button: &str| {
            self.form(&html! {
                label for=(act) { (label) }
                textarea id=(act) name="text" rows="3" dir="auto" { "\n" (value) }
                button name="do" value=(act) { (button) }
            })
        };
        html! {
            (self.amount("cap", l.say("The most guests at once (0: as many as there are seats)"), policy.cap))
            (line("title", l.say("Title"), &self.state.title))
            (line("topic", l.say("Topic"), &policy.topic))
            (long("rules", l.say("Rules, which newcomers read first"), &policy.rules, l.say("Set the rules")))
            (long("announce", l.say("Announcement"), "", l.say("Announce")))
            (long(
                "words",
                l.say("Words to keep out, one on each line: messages with one of them wait here"),
                &self.state.words.join("\n"),
                l.say("Set the words"),
            ))
        }
    }

    fn links(&self) -> Markup {
        let l = self.language;
        html! {
            h2 { (l.say("Links that give a role")) }
            (self.form(&html! {
                div class="row" {
                    button name="do" value="link_moderator" { (l.say("A link for a moderator")) }
                    button name="do" value="link_host" { (l.say("A link for a host")) }
                    button name="do" value="revoke_links" { (l.say("Take unused links back")) }
                }
            }))
        }
    }

    fn end(&self) -> Markup {
        let l = self.language;
        html! {
            h2 { (l.say("The end of the room")) }
            @if let Some(wipe) = self.wipe {
                @let note = (wipe.soon || wipe.overdue).then_some("note");
                p class=[note] {
                    @let (days, left) = (wipe.after_days, phrases::within(l, wipe.seconds_left));
                    @if wipe.overdue {
                        (l.fill_plural(
                            days,
                            "No host has given a sign for {0} day: the room wipes itself {1}.",
                            "No host has given a sign for {0} days: the room wipes itself {1}.",
                            &[&days, &left],
                        ))
                    } @else {
                        (l.fill_plural(
                            days,
                            "The room wipes itself when no host gives a sign for {0} day. As things are, that is {1}.",
                            "The room wipes itself when no host gives a sign for {0} days. As things are, that is {1}.",
                            &[&days, &left],
                        ))
                    }
                    " " (l.say("Whatever you do on this page as a host is a sign."))
                }
            }
            details { summary { (l.say("Wipe the room")) }
                p {
                    (l.say(
                        "The room ends for all, with all other rooms of this address, and everything that was kept in them is made \
                         unreadable for ever. With the address, no room can be under it again."
                    ))
                }
                (self.form(&html! {
                    label for="wipe" { (l.say("The title of the room, to confirm it")) }
                    input id="wipe" name="text" autocomplete="off" spellcheck="false" dir="auto";
                    div class="row" {
                        button name="do" value="wipe" { (l.say("Wipe the room")) }
                        button name="do" value="wipe_address" { (l.say("Wipe the room and its address")) }
                    }
                }))
            }
        }
    }
}
