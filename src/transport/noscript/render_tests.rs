//! What the page of messages shows.

use proptest::prelude::*;

use super::*;
use crate::protocol;
use crate::transport::noscript::languages_tests::{OTHERS, latin};
use crate::transport::noscript::markup::badge;

fn renderer() -> Renderer {
    Renderer {
        language: Language::English,
        me: GuestId(1),
        members: Vec::new(),
        occupancy: None,
        members_changed: false,
        joined: 0,
        live: true,
        history: false,
        lost_name: None,
        storage_available: true,
        last: None,
        below: 0,
        colours: Colours::default(),
        quotes: Quotes::default(),
        policy: Policy::default(),
        shows_deleted: false,
        written_to: HashSet::new(),
        shows_private: false,
        age: String::new(),
        newest: 0,
    }
}

fn said(at: u64, name: String, text: &str) -> Said {
    let (reactions, text) = (std::collections::BTreeMap::new(), text.to_owned());
    Said { seq: at + 1, at, guest: GuestId(2), name, text, reply: None, edited: false, reactions }
}

/// What a guest is shown of private messages; the guest is number 1.
fn private(renderer: &mut Renderer, events: &[protocol::private::PrivateEvent<'_>]) -> String {
    let mut out = String::new();
    let events: Vec<_> = events.iter().map(protocol::private::PrivateEvent::encoded).collect();
    renderer.private(&events, &mut out);
    out
}

fn whispered<'a>(guest: u64, to: u64, name: &'a Name, text: &'a str) -> protocol::private::PrivateEvent<'a> {
    let (guest, to) = (GuestId(guest), GuestId(to));
    protocol::private::PrivateEvent::Private {
        number: 7,
        at: 0,
        guest,
        name,
        to,
        to_name: name,
        id: "a",
        text,
    }
}

#[test]
fn private_messages_are_marked_and_their_end_makes_the_document_end_only_where_the_guest_wrote_too() {
    let (mut renderer, bob) = (renderer(), Name::parse("Bob").unwrap());
    let end = protocol::private::PrivateEvent::PrivateEnd { number: 9, guest: Some(GuestId(2)) };
    let shown = private(&mut renderer, &[whispered(2, 1, &bob, "<b>psst</b>")]);
    assert!(
        shown.contains("Private, to you from <bdi>Bob</bdi>") && shown.contains("&lt;b&gt;psst"),
        "{shown}"
    );
    assert!(private(&mut renderer, &[end]).contains("has left"));
    assert!(!renderer.shows_deleted(), "a stranger cannot make it load again");
    let shown = private(&mut renderer, &[whispered(1, 2, &bob, "psst"), end]);
    assert!(shown.contains("Private, from you to <bdi>Bob</bdi>") && renderer.shows_deleted());
}

proptest! {
    /// Names and texts are escaped: they can be restored, and add no tag.
    #[test]
    fn names_and_texts_stay_text(name in any::<String>(), text in any::<String>()) {
        let mut out = String::new();
        renderer().message(said(0, name.clone(), &text), &mut out);
        let rest = out.strip_prefix("<article class=\"h").and_then(|rest| rest.split_once("\" id=\"m1\"><h2><bdi>"));
        let between = format!("</bdi> {}</h2><p dir=\"auto\">", badge(Language::English, GuestId(2)).0);
        let (shown, rest) = rest.unwrap().1.split_once(&between).unwrap();
        let shown = [shown, rest.split_once("</p><a href=").unwrap().0];
        for (shown, original) in shown.into_iter().zip([name, calm(&text).into_owned()]) {
            prop_assert!(!shown.contains(['<', '>', '"']));
            let restored = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            prop_assert_eq!(restored.replace("&amp;", "&"), original);
        }
    }
}

#[test]
fn the_page_says_that_the_room_cannot_write_and_that_it_can_again() {
    let mut renderer = Renderer { storage_available: false, history: true, ..renderer() };
    let (mut out, mut batch) = (String::new(), EventBatch::default());
    renderer.end_history(&mut out);
    assert_eq!(out.matches(CANNOT_WRITE).count(), 1, "{out}");
    for available in [true, false] {
        batch.push(&protocol::Event::Storage { available });
    }
    batch.push(&protocol::Event::Doors { doors: &["http://two.onion".into()] });
    renderer.events(&batch, &mut out);
    let lines = "<p class=\"line\">The room can write again.</p>\n<p class=\"line\">The room cannot write at the moment.</p>\n";
    assert!(out.ends_with(lines), "{out}");
}

/// The name of who speaks is said again in each screen, as often as the other page says it.
#[test]
fn a_long_run_says_its_name_again() {
    let named = |text: &str, messages: u64| {
        let (mut out, mut renderer) = (String::new(), renderer());
        (0..messages).for_each(|at| renderer.message(said(at, "Ann".to_owned(), text), &mut out));
        out.split("</article>").map(|each| u8::from(each.contains("class=\"badge"))).collect::<Vec<_>>()
    };
    let one = named("one line", 40);
    assert_eq!(one.iter().sum::<u8>(), 3, "{one:?}");
    assert_eq!((one[0], one[14], one[28]), (1, 1, 1));
    assert_eq!(named(&"a line\n".repeat(10), 5), [1, 0, 1, 0, 1, 0]);
    assert_eq!(named(&"a line\n".repeat(200), 3), [1, 1, 1, 0], "each fills a screen");
}

/// A document that stays open for days says so between their messages. There is no time of day.
#[test]
fn each_day_is_marked_while_a_guest_is_here() {
    let (mut out, mut renderer) = (String::new(), Renderer { joined: 1000, newest: 1000, ..renderer() });
    for hours in [1, 23, 24, 24, 47, 49, 120] {
        renderer.message(said(1000 + hours * 3600, "Ann".to_owned(), "said"), &mut out);
    }
    let days: Vec<_> =
        ["1 day after", "2 days after", "5 days after"].map(|day| out.matches(day).count()).into();
    assert_eq!((days, out.matches("after you came").count()), (vec![1, 1, 1], 3), "{out}");
}

/// All that is said between the messages, in languages in which no word is of Latin letters.
#[test]
fn what_stands_between_messages_is_in_the_guests_language() {
    for language in OTHERS {
        let (mut out, ann) = (String::new(), Name::parse("Аня").unwrap());
        let mut renderer = Renderer { language, storage_available: false, history: true, ..renderer() };
        renderer.lost_name(Some(ann.clone()));
        renderer.message(said(9000, "Аня".to_owned(), "да"), &mut out);
        renderer.end_history(&mut out);
        let guest = |id| protocol::Guest { id: GuestId(id), name: ann.clone(), away: id == 3, kept: id == 3 };
        let other = Name::parse("Оля").unwrap();
        let mut batch = EventBatch::default();
        batch.push(&protocol::Event::Joined { guest: &guest(2), at: 9000 });
        batch.push(&protocol::Event::Joined { guest: &guest(3), at: 90_000 });
        batch.push(&protocol::Event::Renamed { guest: &guest(2), was: &other, at: 90_000 });
        batch.push(&protocol::Event::Renamed { guest: &guest(1), was: &other, at: 90_000 });
        batch.push(&protocol::Event::Gap { after: 1, before: 3 });
        batch.push(&protocol::Event::Storage { available: true });
        renderer.events(&batch, &mut out);
        let role = Act::Role {
            target: crate::protocol::act::Target { of: GuestId(3), name: None },
            role: Role::Host,
            link: None,
        };
        renderer.act(90_000, GuestId(2), &role, &mut out);
        renderer.act(90_000, GuestId(8), &Act::Edit { message: 9001, text: "нет".into() }, &mut out);
        let answer = Said { reply: Some(4), edited: true, ..said(90_000, "Аня".to_owned(), "да") };
        renderer.message(answer, &mut out);
        renderer.members(&mut out);
        batch = EventBatch::default();
        batch.push(&protocol::Event::Left { guest: &guest(2), at: 180_000 });
        batch.push(&protocol::Event::Occupancy { count: 300 });
        renderer.events(&batch, &mut out);
        renderer.members(&mut out);
        let end = protocol::private::PrivateEvent::PrivateEnd { number: 9, guest: Some(GuestId(2)) };
        out += &private(&mut renderer, &[whispered(2, 1, &ann, "да"), whispered(1, 2, &ann, "да"), end]);
        assert!(latin(&out).is_empty(), "{}: {:?} in {out}", language.code(), latin(&out));
    }
}
