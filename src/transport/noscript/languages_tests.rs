//! Each document in each language: nothing in it is left in English.
//!
//! Seen in the languages of other scripts, in which every word of Latin letters is one too many. All languages take the same way.

use maud::html;
use serde_json::json;

use super::documents::{
    Arrival, Composer, Doors, RoomLink, arrival, composer, held_elsewhere, outside, refused, room, unread,
};
use super::entry::{Entry, Waiting, entry, waiting};
use super::found::{SearchPage, context, search, switch_of};
use super::host::{HostPage, host, wiped};
use super::identity::{IdentityPage, identity};
use super::markup::{Look, Window};
use super::message_page::{MessagePage, message_page};
use super::private::{PrivatePage, private};
use super::{acts, connection};
use crate::hub::annotated::Annotated;
use crate::hub::{Found, History, Needs};
use crate::language::Language;
use crate::log::RoomState;
use crate::log::state::ActLine;
use crate::protocol::act::{Act, Target};
use crate::protocol::event::{Kept, WaitingGuest};
use crate::protocol::policy::RoleOf;
use crate::protocol::{Badge, Body, Confirmation, Guest, GuestId, MessageId, Name, Reactions, Record, Role};

/// The languages of other scripts.
pub(super) const OTHERS: [Language; 4] =
    [Language::Persian, Language::Russian, Language::Arabic, Language::Chinese];

/// Words of Latin letters that stand in every language.
const OF_ALL: [&str; 11] =
    ["JavaScript", "QR", "GET", "rooms", "main", "onionroom", "key", "invite", "host", "cookie", "Cookie"];

/// The words of Latin letters that are shown, and that are read out.
pub(super) fn latin(document: &str) -> Vec<String> {
    let mut rest = document.to_owned();
    for (open, close) in
        [("<style>", "</style>"), ("<form class=\"languages\"", "</form>"), ("<code>", "</code>")]
    {
        while let Some((before, after)) = rest.split_once(open) {
            let after = after.split_once(close).map_or("", |(_, after)| after);
            rest = format!("{before} {after}");
        }
    }
    let mut shown = String::new();
    for (place, part) in rest.split('<').enumerate() {
        let (tag, text) = if place == 0 { ("", part) } else { part.split_once('>').unwrap_or((part, "")) };
        for name in [" aria-label=\"", " title=\"", " placeholder=\"", " alt=\""] {
            shown.extend(
                tag.split(name)
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next())
                    .flat_map(|text| [text, " "]),
            );
        }
        shown.push(' ');
        shown.push_str(text);
    }
    let shown =
        ["&quot;", "&amp;", "&lt;", "&gt;"].iter().fold(shown, |text, entity| text.replace(entity, " "));
    shown
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| word.len() > 1 && word.bytes().all(|letter| letter.is_ascii_alphabetic()))
        .filter(|word| !OF_ALL.contains(word))
        .map(str::to_owned)
        .collect()
}

fn guest(id: u64) -> Guest {
    Guest { id: GuestId(id), name: Name::parse("Аня").unwrap(), away: id > 2, kept: id > 1 }
}

fn message(seq: u64) -> Annotated {
    let (id, name) = (MessageId::parse("1").unwrap(), Name::parse("Аня").unwrap());
    let record = Record {
        seq,
        at: seq * 4000,
        author: GuestId(7),
        id,
        body: Body::Message { name, text: "да".into() },
    };
    Annotated { record, edited: true, reactions: Reactions::default() }
}

fn held() -> Record {
    let (id, name) = (MessageId::parse("1").unwrap(), Name::parse("Аня").unwrap());
    let body = Body::Held { name, text: "да".into(), to: None };
    Record { seq: 9, at: 0, author: GuestId(7), id, body }
}

/// The state of a room in which much was decided, or its opposite.
fn state(much: bool, me: Role) -> RoomState {
    let restricted = json!([{ "of": 7, "name": "Аня", "until": 400 }, { "of": 8 }]);
    let state = json!({
        "title": "Чай", "topic": "да", "rules": "да", "muted": restricted, "banned": restricted,
        "locked": much, "approval": much, "password": much, "invited_only": much, "slow": 3, "cap": 4,
        "identities_required": much, "no_private": much, "typing": much,
    });
    let mut state: RoomState = serde_json::from_value(state).unwrap();
    for (of, role) in [(1, me), (2, Role::Moderator), (3, Role::Host)] {
        state.policy.roles.push(RoleOf { of: GuestId(of), name: Some("Аня".into()), role });
    }
    let acts = super::acts::DONE.iter().map(|(act, _)| ActLine {
        seq: 1,
        at: 100,
        by: GuestId(99),
        act: (*act).to_owned(),
        of: Some(GuestId(7)),
        name: None,
    });
    state.acts = acts.collect();
    state
}

fn host_pages(language: Language) -> Vec<String> {
    let wipe = |overdue| {
        Some(Confirmation { after_days: 9, seconds_left: 7200, soon: true, overdue, address: false })
    };
    let (messages, held, guests) = ([message(1)], [held()], [guest(1), guest(2), guest(3), guest(4)]);
    let waiting = [None, Some(Name::parse("Аня").unwrap())].map(|name| WaitingGuest {
        id: GuestId(5),
        badge: Badge::of(GuestId(5)),
        name,
        seconds: 90,
    });
    let (me, link) = (guest(1), "1".repeat(43));
    let mut pages = Vec::new();
    for (much, role) in
        [(true, Role::Host), (false, Role::Host), (true, Role::Moderator), (true, Role::Guest)]
    {
        let state = state(much, role);
        pages.push(host(&HostPage {
            language,
            guest: &me,
            state: &state,
            guests: if much { &guests } else { &[] },
            messages: &messages,
            held: &held,
            clock: 200,
            form: "1",
            proof: "2",
            note: None,
            link: Some(link.as_str()),
            wipe: wipe(much),
            drawing: None,
            room: "main",
            invites: much,
            waiting: if much { &waiting } else { &[] },
        }));
    }
    pages.extend([wiped(language, true), wiped(language, false)]);
    pages
}

fn entries(language: Language) -> Vec<String> {
    let doors = ["http://1.2".to_owned()];
    let mut pages = Vec::new();
    for (some, kept) in [(true, (0, 0)), (false, (5, 0)), (false, (5, 3))] {
        let needs = Needs { password: some, invitation: some, approval: some };
        pages.push(entry(&Entry {
            language,
            title: "Чай",
            kept: Kept { messages: kept.0, days: kept.1 },
            action: "page/enter",
            form: "1",
            proof: "2",
            name: "Аня",
            note: None,
            doors: &doors,
            needs,
        }));
        for guest in [Some(GuestId(7)), None] {
            let name = if some { "Аня" } else { "" };
            pages.push(waiting(&Waiting {
                language,
                title: "Чай",
                guest,
                name,
                note: "",
                form: "1",
                proof: "2",
            }));
        }
        let (name, note) = (if some { "Аня" } else { "" }, None);
        let (form, proof, token) = ("1", "2", "3");
        pages.push(arrival(&Arrival {
            language,
            title: "Чай",
            form,
            proof,
            token,
            name,
            note,
            doors: &doors,
        }));
    }
    pages
}

fn rooms(language: Language) -> Vec<String> {
    let window = Window { number: "1".into(), proof: "2".into() };
    let origins = ["http://1.2".to_owned()];
    let doors = Doors { origins: &origins, path: "/", token: "3", name: "Аня" };
    let link =
        |here, unread| RoomLink { address: "1".into(), title: "Чай".into(), guests: 3, unread, here };
    let looks = [Look::Room, Look::Messages, Look::Composer, Look::Host];
    let mut pages = vec![
        room(language, "Чай", &window, &[link(true, 0), link(false, 2)], &doors),
        room(language, "Чай", &window, &[link(true, 0), link(false, 0)], &Doors::default()),
        composer(&Composer { language, guest: Some(GuestId(7)), name: "Аня", ..Composer::default() }),
        composer(&Composer { language, wanted: Some("Аня"), ..Composer::default() }),
        held_elsewhere(language, &window),
        connection::connection(language, "1", Some(2)),
        connection::reconnect(language, "1", None),
    ];
    for look in looks {
        pages.extend([refused(language, look, ""), unread(language, look, ""), outside(language, look, "")]);
    }
    pages
}

fn others(language: Language) -> Vec<String> {
    let (me, all, name) = (guest(1), [guest(1), guest(3)], Name::parse("Аня").unwrap());
    let mut pages = Vec::new();
    for (is_off, guests) in [(true, &all[..]), (false, &all[..]), (false, &all[..1])] {
        let (to, text, form, proof, note) = (None, "", "1", "2", None);
        pages.push(private(&PrivatePage {
            language,
            guest: &me,
            guests,
            to,
            text,
            form,
            proof,
            note,
            is_off,
        }));
    }
    for reserved in [None, Some(&name)] {
        let (form, proof, note) = ("1", "2", None);
        pages.push(identity(&IdentityPage { language, guest: &me, reserved, form, proof, note }));
    }
    let said = message(7);
    for message in [None, Some(&said)] {
        let (may_edit, may_delete, form, proof, done, note, reply, edit) =
            (true, true, "1", "2", None, None, "", None);
        let guest = &me;
        pages.push(message_page(&MessagePage {
            language,
            guest,
            of: 9,
            message,
            may_edit,
            may_delete,
            form,
            proof,
            done,
            note,
            reply,
            edit,
        }));
    }
    let found = |after, before, messages| Found { before, after, messages };
    let all = [
        found(3, 9, vec![message(4)]),
        found(3, 9, vec![]),
        found(0, 9, vec![]),
        found(0, 1, vec![]),
        found(0, 9, vec![message(4)]),
    ];
    for found in &all {
        let found = Some((found, 90_000));
        pages.push(search(&SearchPage { language, title: "Чай", found, ..SearchPage::default() }));
    }
    pages.push(search(&SearchPage { language, title: "Чай", ..SearchPage::default() }));
    for (meant, messages, head) in
        [(Some(4), vec![message(4)], 9), (Some(5), vec![message(4)], 4), (None, vec![], 0)]
    {
        let page = History { before: 8, after: 3, messages };
        let foot = switch_of(language, meant, None, None);
        pages.push(context(language, "Чай", meant, &page, (head, 90_000), &foot));
    }
    pages
}

#[test]
fn every_document_is_in_its_language_altogether() {
    for language in OTHERS {
        let pages = [entries(language), rooms(language), others(language), host_pages(language)].concat();
        for page in pages {
            let begins = format!("<html lang=\"{}\" dir=\"{}\">", language.code(), language.direction());
            assert!(page.contains(&begins), "{page}");
            let left = latin(&page);
            assert!(left.is_empty(), "{}: {left:?} in {page}", language.code());
        }
    }
}

#[test]
fn every_act_is_told_in_the_guests_language() {
    let target = || Target { of: GuestId(7), name: None };
    let (present, name) = (Vec::new, Some("Аня".to_owned()));
    let on = |on| {
        [
            Act::Lock { locked: on },
            Act::Approval { approval: on, present: present() },
            Act::Password { password: on, text: None, hash: None, present: present() },
            Act::InvitedOnly { invited_only: on, present: present() },
            Act::Private { private: on },
            Act::Typing { typing: on },
            Act::Identities { required: on },
            Act::Slow { seconds: u64::from(on) },
            Act::Cap { guests: 7 * u64::from(on) },
            Act::Topic { text: if on { "да".into() } else { String::new() } },
            Act::Rules { text: if on { "да".into() } else { String::new() } },
            Act::Words { words: None, count: Some(usize::from(on)) },
            Act::Delete { messages: if on { vec![1] } else { vec![1, 2, 3] }, own: false },
        ]
    };
    let about = [
        Act::Role { target: Target { of: GuestId(7), name }, role: Role::Host, link: None },
        Act::Role { target: target(), role: Role::Moderator, link: None },
        Act::Role { target: target(), role: Role::Guest, link: None },
        Act::Kick { target: target() },
        Act::Mute { target: target(), seconds: None, invitation: false },
        Act::Unmute { target: target() },
        Act::Ban { target: target(), seconds: None, invitation: false },
        Act::Unban { target: target() },
        Act::DeleteAll { target: target() },
        Act::Admit { target: target(), by: None },
        Act::Reject { target: target(), seconds: None },
        Act::Unreserve { target: target() },
        Act::Title { text: "Чай".into() },
        Act::Announce { text: "да".into() },
        Act::Unpin,
    ];
    let all: Vec<_> = about.into_iter().chain(on(true)).chain(on(false)).collect();
    for language in OTHERS {
        for act in &all {
            let line = acts::line(language, act, &html! { "Аня" }).unwrap().0;
            assert!(latin(&line).is_empty(), "{line}");
        }
    }
}
