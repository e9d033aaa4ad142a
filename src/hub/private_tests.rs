use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::hub::mailbox::MailboxReader;
use crate::protocol::secret::Secret;
use crate::protocol::{MessageId, Name};

fn guest(number: u64) -> Guest {
    let name = Name::parse(&format!("Guest {number}")).unwrap();
    Guest { id: GuestId(number), name, away: false, kept: false }
}

fn whisper(to: u64, id: u64, text: &str) -> Whisper {
    let (id, text) = (MessageId::parse(&id.to_string()).unwrap(), Secret::new(text.to_owned()));
    Whisper { id, to: GuestId(to), text }
}

/// Some guests with seats.
struct Scene {
    messages: PrivateMessages,
    seats: HashMap<u64, SeatMailbox>,
    next: u64,
}

impl Scene {
    fn new(limits: PrivateLimits, guests: std::ops::Range<u64>) -> Self {
        let messages = PrivateMessages::with(limits);
        let seats = guests.map(|number| (number, messages.open(GuestId(number)))).collect();
        Self { messages, seats, next: 0 }
    }

    /// A message that counts for so many bytes.
    fn send(&mut self, from: u64, to: u64, bytes: usize) -> Option<u64> {
        self.next += 1;
        let whisper = whisper(to, self.next, &"x".repeat(bytes - 256));
        self.messages.deliver(&guest(from), &guest(to), 0, whisper)
    }

    /// How many messages from a guest are in the mailbox of another one.
    fn kept(&self, owner: u64, from: u64) -> usize {
        let messages = self.seats[&owner].mailbox().messages();
        messages.iter().filter(|message| message.from == GuestId(from)).count()
    }

    /// What is counted is what is kept, and each message is in two mailboxes or in none.
    fn check(&self) {
        let limits = self.messages.lock().limits;
        let (mut bytes, mut ids) = (0, Vec::new());
        for (owner, seat) in &self.seats {
            let messages = seat.mailbox().messages();
            assert_eq!(seat.mailbox().bytes(), total(&messages));
            assert!(total(&messages) <= limits.guest);
            let own = messages.iter().filter(|message| message.from == GuestId(*owner));
            bytes += own.map(|message| message.bytes()).sum::<usize>();
            ids.extend(messages.iter().map(|message| message.id.as_str().to_owned()));
            let others: BTreeSet<_> = messages.iter().map(|message| message.other(GuestId(*owner))).collect();
            for other in others {
                let with: Vec<_> = messages
                    .iter()
                    .filter(|message| message.other(GuestId(*owner)) == other)
                    .cloned()
                    .collect();
                assert!(total(&with) <= limits.pair);
            }
        }
        ids.sort();
        assert!(ids.chunks(2).all(|two| two.len() == 2 && two[0] == two[1]), "{ids:?}");
        let mailboxes = self.messages.lock();
        assert_eq!((mailboxes.bytes, mailboxes.sent.values().sum::<usize>()), (bytes, bytes));
        assert!(bytes <= limits.room);
        assert_eq!(mailboxes.of.len(), self.seats.len());
    }
}

#[test]
fn of_two_guests_the_one_who_sends_most_loses_first() {
    let limits = PrivateLimits { pair: 10_000, ..PrivateLimits::default() };
    let mut scene = Scene::new(limits, 1..3);
    for _ in 0..3 {
        scene.send(2, 1, 1000);
    }
    for _ in 0..500 {
        scene.send(1, 2, 1000);
    }
    scene.check();
    assert_eq!((scene.kept(1, 2), scene.kept(2, 1)), (3, 7));
}

#[test]
fn three_hundred_strangers_leave_half_of_a_mailbox_to_those_whom_its_guest_talks_to() {
    let limits = PrivateLimits::default();
    let mut scene = Scene::new(limits, 1..303);
    // Ann and Bob talk; all the others write to Ann as much as they can.
    for _ in 0..15 {
        scene.send(1, 2, 2000);
        scene.send(2, 1, 2000);
    }
    for _ in 0..20 {
        for stranger in 3..303 {
            scene.send(stranger, 1, 1000);
        }
    }
    scene.check();
    assert_eq!((scene.kept(1, 1), scene.kept(1, 2)), (15, 15));
    // One more stranger who writes once is heard, too.
    scene.send(302, 1, 300);
    assert!(scene.kept(1, 302) >= 1);
}

#[test]
fn who_writes_to_all_loses_their_own_messages_and_no_other_ones() {
    let mut scene = Scene::new(PrivateLimits::default(), 1..303);
    for number in (2..302).step_by(2) {
        scene.send(number, number + 1, 2000);
        scene.send(number + 1, number, 2000);
    }
    for _ in 0..10 {
        for number in 2..303 {
            scene.send(1, number, 1000);
        }
    }
    scene.check();
    let own = scene.seats[&1].mailbox().messages();
    assert_eq!(own.len(), 131, "128 KiB of them");
    for number in (2..302).step_by(2) {
        assert_eq!((scene.kept(number, number + 1), scene.kept(number + 1, number)), (1, 1));
    }
}

#[test]
fn in_a_full_room_who_has_sent_most_loses_first() {
    let limits = PrivateLimits { room: 100_000, ..PrivateLimits::default() };
    let mut scene = Scene::new(limits, 1..200);
    scene.send(1, 2, 2000);
    for _ in 0..100 {
        scene.send(3, 4, 1000);
    }
    for number in 10..150 {
        scene.send(number, number + 1, 300);
    }
    scene.check();
    assert_eq!((scene.kept(2, 1), scene.kept(11, 10)), (1, 1));
    assert!(scene.kept(4, 3) < 64);
}

#[test]
fn the_longest_messages_are_kept_at_least_until_the_next() {
    let mut scene = Scene::new(PrivateLimits::default(), 1..40);
    for from in 2..40 {
        scene.send(from, 1, 33_000);
        assert_eq!(scene.kept(1, from), 1);
        scene.check();
    }
}

#[test]
fn a_message_is_delivered_once_whatever_its_id_is_sent_again_with() {
    let scene = Scene::new(PrivateLimits::default(), 1..3);
    let number = scene.messages.deliver(&guest(1), &guest(2), 0, whisper(2, 7, "psst"));
    assert_eq!(scene.messages.sent(GuestId(1), &whisper(2, 7, "psst")), number);
    assert_eq!(scene.messages.sent(GuestId(1), &whisper(2, 8, "psst")), None);
    assert_eq!(scene.messages.sent(GuestId(2), &whisper(1, 7, "psst")), None, "ids are each guest's own");
    assert_eq!(scene.messages.deliver(&guest(1), &guest(9), 0, whisper(9, 9, "psst")), None);
}

/// A guest as they know their private messages.
struct Model {
    seat: Option<SeatMailbox>,
    reader: Option<MailboxReader>,
    /// The newest number of this seat, and where its numbers begin.
    cursor: u64,
    base: u64,
    /// What each number of this seat is: a message, or an end.
    given: Vec<String>,
}

impl Model {
    fn enter(messages: &PrivateMessages, number: u64) -> Self {
        let seat = messages.open(GuestId(number));
        let reader = MailboxReader::new(seat.mailbox(), 0);
        let base = reader.after();
        Self { seat: Some(seat), reader: Some(reader), cursor: base, base, given: Vec::new() }
    }

    /// Reads everything, and holds it against what was given.
    fn read(&mut self, number: usize) {
        let (Some(reader), Some(seat)) = (&mut self.reader, &self.seat) else { return };
        let kept: BTreeSet<String> =
            seat.mailbox().messages().iter().map(|message| message.id.as_str().to_owned()).collect();
        let mut after = reader.after();
        for event in reader.take(usize::MAX) {
            let json: Value = serde_json::from_str(&event.json).unwrap();
            let given = |number: u64| self.given[(number - self.base - 1) as usize].as_str();
            match event.kind {
                "private" => {
                    assert_eq!(json["number"], after + 1, "once, and in order: {number}");
                    assert_eq!(json["id"], given(after + 1));
                    after += 1;
                }
                "private_gap" => {
                    assert_eq!(json["after"], after);
                    let before = json["before"].as_u64().unwrap();
                    assert!(
                        (after + 1..before).all(|lost| !kept.contains(given(lost))),
                        "what is kept is told"
                    );
                    after = before - 1;
                }
                "private_end" if json["guest"].is_null() => after = json["number"].as_u64().unwrap(),
                _ => {
                    assert_eq!((&json["number"], given(after + 1)), (&Value::from(after + 1), "end"));
                    after += 1;
                }
            }
            assert_eq!(event.cursor, after);
        }
        assert_eq!(after, self.base + self.given.len() as u64, "nothing is left out at the end");
        self.cursor = after;
    }
}

#[derive(Debug, Clone)]
enum Step {
    Send(usize, usize, usize),
    Read(usize),
    /// The circuit breaks; with how much of the cursor the guest comes back.
    Resume(usize, Option<bool>),
    /// The guest leaves, and comes in again.
    Leave(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0..4usize;
    let step = prop_oneof![
        12 => (who(), who(), 300usize..2000).prop_map(|(from, to, bytes)| Step::Send(from, to, bytes)),
        4 => who().prop_map(Step::Read),
        3 => (who(), prop::option::of(any::<bool>())).prop_map(|(who, cursor)| Step::Resume(who, cursor)),
        1 => who().prop_map(Step::Leave),
    ];
    prop::collection::vec(step, 1..150)
}

proptest! {
    /// However often circuits break, each private message reaches both guests once and in order, or they are told that it is
    /// not kept any more.
    #[test]
    fn each_message_reaches_both_once_or_is_told_to_be_lost(steps in steps()) {
        let limits = PrivateLimits { pair: 4000, guest: 6000, room: 9000 };
        let mut scene = Scene::new(limits, 0..0);
        let mut guests: Vec<Model> = (0..4).map(|number| Model::enter(&scene.messages, number)).collect();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Send(from, to, bytes) if from != to => {
                    next += 1;
                    let id = next.to_string();
                    let whisper = whisper(to as u64, next, &"x".repeat(bytes - 256));
                    let number = scene
                        .messages
                        .deliver(&guest(from as u64), &guest(to as u64), 0, whisper)
                        .unwrap();
                    [from, to].into_iter().for_each(|who| guests[who].given.push(id.clone()));
                    let author = &guests[from];
                    assert_eq!(number, author.base + author.given.len() as u64);
                }
                Step::Send(..) => {}
                Step::Read(who) => guests[who].read(who),
                Step::Resume(who, cursor) => {
                    let known = &mut guests[who];
                    let cursor = match cursor {
                        Some(true) => known.cursor,
                        Some(false) => 3,
                        None => 0,
                    };
                    known.reader = Some(MailboxReader::new(known.seat.as_ref().unwrap().mailbox(), cursor));
                }
                Step::Leave(who) => {
                    let others: BTreeSet<_> = guests[who]
                        .seat
                        .as_ref()
                        .unwrap()
                        .mailbox()
                        .messages()
                        .iter()
                        .map(|message| message.other(GuestId(who as u64)).0 as usize)
                        .collect();
                    guests[who].seat = None;
                    others.into_iter().for_each(|other| guests[other].given.push("end".to_owned()));
                    guests[who] = Model::enter(&scene.messages, who as u64);
                }
            }
            scene.seats = guests
                .iter_mut()
                .enumerate()
                .map(|(number, known)| (number as u64, known.seat.take().unwrap()))
                .collect();
            scene.check();
            for (number, seat) in scene.seats.drain() {
                guests[number as usize].seat = Some(seat);
            }
        }
        for (number, known) in guests.iter_mut().enumerate() {
            known.read(number);
        }
    }
}
