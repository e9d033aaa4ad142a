//! The page of hosts and moderators: a form for each thing that they can do.

use maud::{Markup, html};

use super::acts;
use super::made_link::made_link;
use super::markup::{Look, badge, begin};
use super::newcomers::Newcomers;
use super::phrases;
use crate::hub::annotated::Annotated;
use crate::log::RoomState;
use crate::log::state::{ActLine, By, Restriction};
use crate::protocol::event::WaitingGuest;
use crate::protocol::{Body, Confirmation, Guest, GuestId, MAIN_ROOM, Record, Role};
use crate::qr::Drawing;

/// The content of the page.
#[derive(Debug, Clone, Copy)]
pub struct HostPage<'a> {
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
    let newcomers = Newcomers { state: page.state, waiting: page.waiting, clock: page.clock };
    let form = |content: &Markup| page.form(content);
    let body = html! {
        main {
            h1 { "Keeping the room " bdi { (page.state.title) } }
            p { "You are " bdi { (page.guest.name.as_str()) } " " (badge(page.guest.id)) ", a " (role.as_str()) " of this room. "
                a href="host" { "Look again" } }
            @if let Some(note) = page.note { p class="note" role="alert" { (note) } }
            @if let Some(link) = page.link { (made_link(link, page.drawing, page.room, page.invites)) }
            @if role == Role::Guest { (page.claim()) }
            @if role >= Role::Moderator {
                (newcomers.waiting(form)) (page.waiting()) (page.people(role)) (page.talk()) (page.order(role)) (newcomers.needs(role, form))
            }
            @if role == Role::Host { (page.texts()) (newcomers.invitations(form)) (page.links()) (page.names()) }
            @if role >= Role::Moderator { (page.kept_out()) (page.log()) }
            @if role == Role::Host && page.room == MAIN_ROOM { (page.end()) }
        }
    };
    begin(Look::Host, "Keeping the room", None) + &body.0
}

/// What a host reads whose room is being wiped.
pub fn wiped(address: bool) -> String {
    let body = html! {
        main {
            h1 { "The room is being wiped" }
            p role="status" {
                "It ends now for all, and nothing that was said can be read any more."
                @if address { " Its address is gone, too." }
            }
            p { "Close this window, so that the browser forgets what it has shown." }
        }
    };
    begin(Look::Host, "The room is being wiped", None) + &body.0
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

    fn claim(&self) -> Markup {
        let hosts = self.state.policy.roles.iter();
        html! {
            p { "Hosts and moderators keep order here. A guest with a link from one of them can become one, too." }
            (self.form(&html! {
                label for="link" { "The link, or what follows the last = in it" }
                input id="link" name="text" autocomplete="off" spellcheck="false";
                button name="do" value="claim" { "Use the link" }
            }))
            ul {
                @for entry in hosts {
                    li { bdi { (entry.name.as_deref().unwrap_or("a guest")) } " " (badge(entry.of)) ", " (entry.role.as_str()) }
                }
            }
        }
    }

    fn people(&self, role: Role) -> Markup {
        let of = |guest: GuestId, act: &str| format!("{act} {}", guest.0);
        let others: Vec<_> = self.guests.iter().filter(|guest| guest.id != self.guest.id).collect();
        html! {
            h2 { "Guests" }
            @if others.is_empty() { p class="quiet" { "No other guest is listed here now." } }
            @for guest in others {
                @let theirs = self.state.role(guest.id);
                (self.form(&html! {
                    p { bdi { (guest.name.as_str()) } " " (badge(guest.id)) @if guest.kept { ", reserved name" } @if theirs > Role::Guest { ", " (theirs.as_str()) } }
                    div class="row" {
                        @if theirs < role {
                            button name="do" value=(of(guest.id, "kick")) { "Put out" }
                            button name="do" value=(of(guest.id, "mute10")) { "Mute for 10 minutes" }
                            button name="do" value=(of(guest.id, "mute")) { "Mute" }
                            button name="do" value=(of(guest.id, "ban")) { "Ban" }
                            @if let Some(By::Invitation(_)) = self.state.gate.admitted(guest.id) {
                                button name="do" value=(of(guest.id, "ban_invitation")) { "Ban all of this invitation" }
                                button name="do" value=(of(guest.id, "mute_invitation")) { "Mute all of this invitation" }
                            }
                        }
                        @if role == Role::Host {
                            @if theirs != Role::Moderator {
                                button name="do" value=(of(guest.id, "moderator")) { "Make a moderator" }
                            }
                            @if theirs != Role::Host { button name="do" value=(of(guest.id, "host")) { "Make a host" } }
                            @if theirs > Role::Guest { button name="do" value=(of(guest.id, "guest")) { "Take the role back" } }
                        }
                    }
                    details { summary { "Delete everything" }
                        button name="do" value=(of(guest.id, "delete_all")) { "Delete all messages of this guest" }
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
        html! {
            @if !self.held.is_empty() { h2 { "Messages that wait" } }
            @for (seq, author, name, text) in messages {
                (self.form(&html! {
                    p class="said" dir="auto" { bdi { (name.as_str()) } " " (badge(author)) ": " (text) }
                    div class="row" {
                        button name="do" value={ "release " (seq) } { "Release" }
                        button name="do" value={ "delete " (seq) } { "Delete" }
                    }
                }))
            }
        }
    }

    fn talk(&self) -> Markup {
        let messages = self.messages.iter().rev().filter_map(|message| {
            message.record.body.said().map(|(name, text)| (message.record.seq, name, text))
        });
        html! {
            h2 { "The newest messages" }
            @for (seq, name, text) in messages {
                (self.form(&html! {
                    p class="said" dir="auto" { bdi { (name.as_str()) } ": " (text) }
                    div class="row" {
                        button name="do" value={ "delete " (seq) } { "Delete" }
                        button name="do" value={ "pin " (seq) } { "Pin" }
                    }
                }))
            }
        }
    }

    fn order(&self, role: Role) -> Markup {
        let policy = &self.state.policy;
        html! {
            h2 { "The room" }
            (self.form(&html! {
                div class="row" {
                    @if policy.locked { button name="do" value="unlock" { "Open the room" } }
                    @else { button name="do" value="lock" { "Lock the room" } }
                    @if role == Role::Host {
                        @if policy.identities_required { button name="do" value="identities_off" { "Ask for no identity" } }
                        @else { button name="do" value="identities_on" { "Ask newcomers for an identity" } }
                        @if policy.no_private { button name="do" value="private_on" { "Let guests write privately" } }
                        @else { button name="do" value="private_off" { "No private messages" } }
                        @if policy.typing { button name="do" value="typing_off" { "Do not show who is writing" } }
                        @else { button name="do" value="typing_on" { "Show who is writing" } }
                    }
                    @if policy.pinned.is_some() { button name="do" value="unpin" { "Unpin the message" } }
                }
            }))
            (self.amount("slow", "Seconds between two messages of a guest (0: no slow mode)", policy.slow))
        }
    }

    fn amount(&self, act: &str, label: &str, value: u64) -> Markup {
        self.form(&html! {
            label for=(act) { (label) }
            div class="row" {
                input id=(act) name="text" value=(value) inputmode="numeric" autocomplete="off";
                button name="do" value=(act) { "Set" }
            }
        })
    }

    fn texts(&self) -> Markup {
        let policy = &self.state.policy;
        let line = |act: &str, label: &str, value: &str| {
            self.form(&html! {
                label for=(act) { (label) }
                div class="row" {
                    input id=(act) name="text" value=(value) autocomplete="off" dir="auto";
                    button name="do" value=(act) { "Set" }
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
            (self.amount("cap", "The most guests at once (0: as many as there are seats)", policy.cap))
            (line("title", "Title", &self.state.title))
            (line("topic", "Topic", &policy.topic))
            (long("rules", "Rules, which newcomers read first", &policy.rules, "Set the rules"))
            (long("announce", "Announcement", "", "Announce"))
            (long("words", "Words to keep out, one on each line: messages with one of them wait here", &self.state.words.join("\n"), "Set the words"))
        }
    }

    fn links(&self) -> Markup {
        html! {
            h2 { "Links that give a role" }
            (self.form(&html! {
                div class="row" {
                    button name="do" value="link_moderator" { "A link for a moderator" }
                    button name="do" value="link_host" { "A link for a host" }
                    button name="do" value="revoke_links" { "Take unused links back" }
                }
            }))
        }
    }

    fn end(&self) -> Markup {
        html! {
            h2 { "The end of the room" }
            @if let Some(wipe) = self.wipe {
                @let note = (wipe.soon || wipe.overdue).then_some("note");
                p class=[note] {
                    @if wipe.overdue { "No host has given a sign for " (wipe.after_days) " days: the room wipes itself in " }
                    @else { "The room wipes itself when no host gives a sign for " (wipe.after_days) " days. They are over in " }
                    (phrases::span(wipe.seconds_left)) ". Whatever you do on this page as a host is a sign."
                }
            }
            details { summary { "Wipe the room" }
                p {
                    "The room ends for all, with all other rooms of this address, and everything that was kept in them is made \
                     unreadable for ever. With the address, no room can be under it again."
                }
                (self.form(&html! {
                    label for="wipe" { "The title of the room, to confirm it" }
                    input id="wipe" name="text" autocomplete="off" spellcheck="false" dir="auto";
                    div class="row" {
                        button name="do" value="wipe" { "Wipe the room" }
                        button name="do" value="wipe_address" { "Wipe the room and its address" }
                    }
                }))
            }
        }
    }

    fn names(&self) -> Markup {
        html! {
            @if !self.state.reserved.is_empty() {
                h2 { "Reserved names" }
                @for own in self.state.reserved.iter() {
                    (self.form(&html! {
                        div class="row" {
                            span {
                                bdi { (own.name.as_str()) } " " (badge(own.of)) ", used "
                                (phrases::span(self.clock.saturating_sub(own.used))) " ago"
                            }
                            button name="do" value={ "unreserve " (own.of.0) } { "Take it back" }
                        }
                    }))
                }
            }
        }
    }

    fn kept_out(&self) -> Markup {
        let list = |title: &str, list: &[Restriction], act: &str, button: &str| {
            let now: Vec<_> = list.iter().filter(|one| one.counts(self.clock)).collect();
            html! {
                @if !now.is_empty() {
                    h2 { (title) }
                    @for one in now {
                        (self.form(&html! {
                            div class="row" {
                                span {
                                    bdi { (one.name.as_deref().unwrap_or("a guest")) } " " (badge(one.of))
                                    @if let Some(until) = one.until {
                                        ", for " (phrases::span(until.saturating_sub(self.clock))) " more"
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
            (list("Muted", &self.state.muted, "unmute", "Let them write"))
            (list("Banned", &self.state.banned, "unban", "Let them come back"))
        }
    }

    fn log(&self) -> Markup {
        let by = |line: &ActLine| {
            let otherwise = if line.by == GuestId::ROOM { "the terminal" } else { "a host" };
            self.state.policy.name(line.by).unwrap_or(otherwise)
        };
        html! {
            h2 { "What was done" }
            ul {
                @for line in self.state.acts.iter().rev() {
                    li {
                        (phrases::span(self.clock.saturating_sub(line.at))) " ago, " bdi { (by(line)) } ": "
                        (line.act.replace('_', " "))
                        @if let Some(of) = line.of {
                            " " (acts::name(&crate::protocol::act::Target { of, name: line.name.clone() }))
                        }
                    }
                }
            }
        }
    }
}
