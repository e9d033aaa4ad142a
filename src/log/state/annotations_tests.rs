//! Edits and reactions in the fold: what counts, what is erased, and that nothing grows.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::annotations::{ANNOTATIONS_MAX, OF_GUEST_MAX};
use super::{Effect, RoomState};
use crate::protocol::act::{Said, Target};
use crate::protocol::{Act, Body, Emoji, GuestId, MessageId, Record, Role};

const HOST: GuestId = GuestId(1);

fn apply(state: &mut RoomState, seq: u64, author: GuestId, act: Act) -> Effect {
    let id = MessageId::parse(&seq.to_string()).unwrap();
    state.apply(&Record { seq, at: seq, author, id, body: Body::Act(act) })
}

fn edit(message: u64) -> Act {
    Act::Edit { message, text: format!("edit of {message}") }
}

fn react(message: u64, emoji: Option<Emoji>) -> Act {
    Act::React { message, emoji }
}

/// Takes what an act erases out of what the log keeps.
fn forget(kept: &mut BTreeSet<u64>, effect: &Effect) {
    for seq in effect.erases.iter().flat_map(|erase| erase.acts()) {
        kept.remove(seq);
    }
}

fn hosted() -> RoomState {
    let mut state = RoomState::new("tea");
    let target = Target { of: HOST, name: None };
    apply(&mut state, 1, GuestId::ROOM, Act::Role { target, role: Role::Host, link: None });
    state
}

#[derive(Debug, Clone)]
enum Step {
    Edit(u64),
    React(u64, u64, Option<Emoji>),
    Delete(Vec<u64>),
    DeleteOwn(Vec<u64>),
    DeleteAll(u64, bool),
    Restart,
}

/// The author of a message of the model.
fn author(message: u64) -> GuestId {
    GuestId(10 + message % 4)
}

fn steps() -> impl Strategy<Value = Step> {
    let emoji = prop::option::of(prop::sample::select(Emoji::ALL.to_vec()));
    prop_oneof![
        4 => (2u64..20).prop_map(Step::Edit),
        6 => (2u64..20, 10u64..16, emoji).prop_map(|(message, guest, emoji)| Step::React(message, guest, emoji)),
        1 => prop::collection::vec(2u64..20, 1..4).prop_map(Step::Delete),
        1 => prop::collection::vec(2u64..20, 1..4).prop_map(Step::DeleteOwn),
        1 => (10u64..16, any::<bool>()).prop_map(|(guest, own)| Step::DeleteAll(guest, own)),
        1 => Just(Step::Restart),
    ]
}

/// What is to follow from the steps, in maps.
#[derive(Default)]
struct Model {
    edits: BTreeMap<u64, u64>,
    reactions: BTreeMap<(u64, GuestId), (u64, Option<Emoji>)>,
    deleted: BTreeSet<u64>,
}

impl Model {
    fn delete(&mut self, message: u64) {
        self.deleted.insert(message);
        self.edits.remove(&message);
        self.reactions.retain(|(of, _), _| *of != message);
    }

    /// The entries that count.
    fn live(&self) -> BTreeSet<u64> {
        self.edits.values().copied().chain(self.reactions.values().map(|(entry, _)| *entry)).collect()
    }
}

proptest! {
    #[test]
    fn the_fold_is_what_the_acts_say(steps in prop::collection::vec(steps(), 0..80)) {
        let (mut state, mut model) = (hosted(), Model::default());
        // The messages are 2 to 19.
        let (mut seq, mut entries, mut erased) = (20, BTreeSet::new(), BTreeSet::new());
        let mut refused = BTreeSet::new();
        for step in steps {
            seq += 1;
            let effect = match step {
                Step::Edit(message) => {
                    entries.insert(seq);
                    let effect = apply(&mut state, seq, author(message), edit(message));
                    prop_assert_eq!(effect.refused, model.deleted.contains(&message));
                    if !effect.refused {
                        model.edits.insert(message, seq);
                    }
                    effect
                }
                Step::React(message, guest, emoji) => {
                    entries.insert(seq);
                    let effect = apply(&mut state, seq, GuestId(guest), react(message, emoji));
                    if !effect.refused {
                        model.reactions.insert((message, GuestId(guest)), (seq, emoji));
                    }
                    effect
                }
                Step::Delete(messages) => {
                    messages.iter().for_each(|message| model.delete(*message));
                    apply(&mut state, seq, HOST, Act::Delete { messages, own: false })
                }
                Step::DeleteOwn(messages) => {
                    messages.iter().for_each(|message| model.delete(*message));
                    apply(&mut state, seq, GuestId(10), Act::Delete { messages, own: true })
                }
                Step::DeleteAll(guest, own) => {
                    let guest = GuestId(guest);
                    let of: Vec<u64> = (2..20).filter(|message| author(*message) == guest).collect();
                    of.iter().for_each(|message| {
                        model.deleted.insert(*message);
                        model.edits.remove(message);
                    });
                    model.reactions.retain(|(_, by), _| *by != guest);
                    let target = Target { of: guest, name: None };
                    apply(&mut state, seq, if own { guest } else { HOST }, Act::DeleteAll { target })
                }
                Step::Restart => {
                    let again = RoomState::decode(&state.encode()).unwrap();
                    prop_assert_eq!(&again, &state);
                    state = again;
                    continue;
                }
            };
            if effect.refused {
                refused.insert(seq);
            }
            erased.extend(effect.erases.iter().flat_map(|erase| erase.acts()).copied());
            let live: BTreeSet<u64> = entries.difference(&erased).copied().collect();
            prop_assert_eq!(live, model.live(), "what the log keeps is what counts");
            for message in 2..20 {
                prop_assert_eq!(state.annotations.edit(message), model.edits.get(&message).copied());
                let told: BTreeMap<_, _> = state.annotations.reactions(message).iter()
                    .flat_map(|(emoji, guests)| guests.iter().map(move |guest| (*guest, emoji)).collect::<Vec<_>>())
                    .collect();
                let expected: BTreeMap<_, _> = model.reactions.iter()
                    .filter(|((of, _), _)| *of == message)
                    .filter_map(|((_, guest), (_, emoji))| emoji.map(|emoji| (*guest, emoji)))
                    .collect();
                prop_assert_eq!(told, expected);
            }
        }
        let gone: Vec<u64> = entries.intersection(&erased).copied().filter(|seq| !refused.contains(seq)).collect();
        for entry in gone {
            prop_assert!(state.annotations.is_quiet(entry - 1, entry + 1), "who misses {} misses nothing", entry);
        }
        for entry in model.live() {
            prop_assert!(!state.annotations.is_quiet(entry - 1, entry + 1));
        }
    }
}

/// Guards against a guest who toggles: neither the log nor the state may grow.
#[test]
fn what_is_done_over_and_over_again_does_not_grow() {
    let mut state = hosted();
    let (mut kept, mut sizes) = (BTreeSet::new(), Vec::new());
    for round in 0..1000_u64 {
        let entry = 100 + 2 * round;
        let emoji = (round % 2 == 0).then_some(Emoji::Good);
        for (seq, act) in [(entry, react(3, emoji)), (entry + 1, edit(4))] {
            kept.insert(seq);
            let effect = apply(&mut state, seq, GuestId(8), act);
            forget(&mut kept, &effect);
        }
        assert!(kept.len() <= 2, "{kept:?}");
        sizes.push(state.encode().len());
    }
    // Numbers have more digits later, and one more run is remembered.
    assert!(sizes[999] <= sizes[0] + 40, "{} {}", sizes[0], sizes[999]);
    assert_eq!(state.erased.iter().count(), 0, "deletions are not pushed out of what is remembered");
}

/// A number as long as those of guests are.
fn guest_number(guest: u64) -> GuestId {
    GuestId(200_560_490_130_000 + guest)
}

#[test]
fn both_are_bounded_for_each_guest_and_for_all() {
    let mut state = hosted();
    let (mut seq, mut kept) = (10_000, BTreeSet::new());
    for guest in 0..15 {
        for message in 0..300 {
            seq += 1;
            kept.insert(seq);
            let effect = apply(&mut state, seq, guest_number(guest), react(2 + message, Some(Emoji::Heart)));
            forget(&mut kept, &effect);
            assert!(kept.len() <= ANNOTATIONS_MAX);
        }
        assert_eq!(kept.len(), (OF_GUEST_MAX * (guest as usize + 1)).min(ANNOTATIONS_MAX));
    }
    assert_eq!(
        state.annotations.reaction_of(guest_number(14), 2),
        None,
        "of the guest's own the oldest went"
    );
    assert!(state.annotations.reaction_of(guest_number(14), 301).is_some());
    assert_eq!(state.annotations.reaction_of(guest_number(0), 301), None, "and of all");
    let bytes = state.encode().len();
    assert!(bytes < 80_000, "2,000 reactions are {bytes} bytes");
}

#[test]
fn a_pinned_message_has_the_newest_text() {
    let mut state = hosted();
    let said = Said { by: GuestId(8), name: "Ann".into(), text: "tea?".into() };
    apply(&mut state, 6, HOST, Act::Pin { message: 5, said: Some(said) });
    apply(&mut state, 7, GuestId(8), edit(5));
    assert_eq!(state.policy.pinned.as_ref().unwrap().said.text, "edit of 5");
    let erases = apply(&mut state, 8, HOST, Act::Delete { messages: vec![5], own: false }).erases.unwrap();
    assert_eq!((erases.messages, erases.pins), (vec![5], vec![6, 7]));
    assert!(state.policy.pinned.is_none());
    let refused = apply(&mut state, 9, GuestId(8), edit(5));
    assert!(refused.refused && refused.erases.unwrap().pins == [9], "edited at the moment of the deletion");
    assert!(!String::from_utf8(state.encode()).unwrap().contains("edit of"));
}

#[test]
fn a_log_that_is_set_back_gives_the_numbers_again() {
    let mut state = hosted();
    apply(&mut state, 6, GuestId(8), edit(5));
    apply(&mut state, 7, GuestId(8), react(4, Some(Emoji::Sad)));
    apply(&mut state, 8, GuestId(9), react(4, Some(Emoji::Good)));
    apply(&mut state, 9, GuestId(9), react(4, Some(Emoji::Sad)));
    state.set_back(8);
    assert_eq!(state.annotations.edit(5), Some(6));
    assert_eq!(state.annotations.reactions(4).iter().map(|(_, guests)| guests.len()).sum::<usize>(), 1);
    assert!(!state.annotations.is_quiet(7, 9));
    state.set_back(1);
    assert!(state.annotations.is_empty());
}

#[test]
fn the_room_itself_neither_edits_nor_reacts() {
    let mut state = hosted();
    assert!(apply(&mut state, 6, GuestId::ROOM, edit(5)).refused);
    assert!(apply(&mut state, 7, GuestId::ROOM, react(5, None)).refused);
    let own = Act::Delete { messages: vec![5], own: true };
    assert!(apply(&mut state, 8, GuestId::ROOM, own).refused);
    assert!(apply(&mut state, 9, GuestId(8), Act::Delete { messages: vec![5], own: false }).refused);
    assert!(state.annotations.is_empty() && state.acts.len() == 1);
}

/// What a log gives again, because it was read twice, is not counted twice.
#[test]
fn what_is_no_message_is_counted_once() {
    let mut state = hosted();
    let announcement = Act::Announce { text: "tea is ready".into() };
    for _ in 0..2 {
        apply(&mut state, 3, GuestId(7), react(2, Some(Emoji::Good)));
        apply(&mut state, 4, GuestId(7), react(2, None));
        apply(&mut state, 5, HOST, announcement.clone());
    }
    assert_eq!(state.said(5), 2, "one message and the announcement");
    let mut again = RoomState::decode(&state.encode()).unwrap();
    assert_eq!(again, state);
    again.set_back(4);
    apply(&mut again, 4, GuestId(7), react(2, None));
    assert_eq!((again.said(4), again.said(1)), (0, 0), "never below nothing");
}
