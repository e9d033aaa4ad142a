//! Two nodes over a network that loses and delays what it likes, without a server.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::keys::NodeKeys;
use super::own::{Own, OwnGuests};
use super::peer::{GUESTS_MAX, SILENCE};
use super::peers::{PEERS_MAX, Peers};
use super::wire::{Ask, Beat, News, Page, Said};
use crate::hub::cluster::{ClusterEvent, NodeId, Presence, SeatedGuest};
use crate::protocol::{Guest, GuestId, Name};

const NODE: NodeId = NodeId(5);
const SECOND: Duration = Duration::from_secs(1);

fn seated(guest: u64, claim: u64) -> SeatedGuest {
    SeatedGuest {
        guest: Guest { id: GuestId(guest), name: Name::parse("Ann").unwrap(), away: false, kept: false },
        claim,
    }
}

fn present(number: u64, guest: u64) -> News {
    News { node: NODE, said: Said::Change(number, Presence::Present(seated(guest, 1))) }
}

fn beat(node: NodeId, beat: u64, changes: u64) -> News {
    News { node, said: Said::Beat(Beat { beat, changes, lease: 1, guests: 0, door: None }) }
}

/// A receiver, and the roster that its events make.
struct Receiver {
    peers: Peers,
    now: Instant,
    roster: BTreeMap<GuestId, SeatedGuest>,
    /// A request for a page that is under way, and the answer to it.
    asked: Option<(Option<GuestId>, Option<Page>)>,
}

impl Receiver {
    fn new() -> Self {
        Self { peers: Peers::default(), now: Instant::now(), roster: BTreeMap::new(), asked: None }
    }

    fn note(&mut self, events: Vec<ClusterEvent>) {
        for event in events {
            match event {
                ClusterEvent::Present(NODE, seated) => {
                    let before = self.roster.insert(seated.guest.id, seated.clone());
                    assert_ne!(before, Some(seated), "nothing has changed");
                }
                ClusterEvent::Absent(NODE, guest) => {
                    assert!(self.roster.remove(&guest).is_some(), "was not there")
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn hear(&mut self, news: News) {
        let mut events = Vec::new();
        self.peers.hear(news, self.now, Duration::ZERO, &mut events);
        self.note(events);
    }

    fn ask(&mut self) {
        if self.peers.due(self.now, 8) == [NODE] {
            assert!(self.asked.is_none(), "one at a time");
            self.asked = Some((None, None));
        }
    }

    /// The other node makes the page that was asked for.
    fn serve(&mut self, own: &Own) {
        if let Some((after, page @ None)) = &mut self.asked {
            *page = Some(own.page(&Ask::new(*after).unwrap(), 3));
        }
    }

    fn take_page(&mut self) {
        if let Some((after, Some(page))) = self.asked.take_if(|(_, page)| page.is_some()) {
            let mut events = Vec::new();
            let next = self.peers.page(NODE, after, page, self.now, &mut events);
            self.note(events);
            self.asked = next.map(|next| (Some(next), None));
        }
    }

    fn fail(&mut self) {
        if self.asked.take().is_some() {
            self.peers.not_answered(NODE, self.now);
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        let mut events = Vec::new();
        self.peers.expire(self.now, &mut events);
        self.note(events);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Present(u64),
    Absent(u64),
    Beat,
    Deliver,
    Lose,
    Ask,
    Serve,
    Page,
    Fail,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..12_u64).prop_map(Step::Present),
        3 => (0..12_u64).prop_map(Step::Absent),
        2 => Just(Step::Beat),
        8 => Just(Step::Deliver),
        2 => Just(Step::Lose),
        3 => Just(Step::Ask),
        3 => Just(Step::Serve),
        4 => Just(Step::Page),
        1 => Just(Step::Fail),
        1 => (1..9_u64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Whatever was lost or came late: one heartbeat and one snapshot later both know the same.
    #[test]
    fn rosters_become_equal(steps in proptest::collection::vec(step(), 1..200)) {
        let (guests, mut waiting) = OwnGuests::new(NODE);
        let mut receiver = Receiver::new();
        let mut network = VecDeque::new();
        let mut claim = 0;
        for step in steps {
            match step {
                Step::Present(guest) => {
                    claim += 1;
                    guests.tell(Presence::Present(seated(guest, claim)));
                }
                Step::Absent(guest) => guests.tell(Presence::Absent(GuestId(guest))),
                Step::Beat => network.push_back(guests.own().beat(1)),
                Step::Deliver => network.pop_front().into_iter().for_each(|news| receiver.hear(news)),
                Step::Lose => drop(network.pop_front()),
                Step::Ask => receiver.ask(),
                Step::Serve => receiver.serve(&guests.own()),
                Step::Page => receiver.take_page(),
                Step::Fail => receiver.fail(),
                Step::Wait(seconds) => receiver.wait(SECOND * u32::try_from(seconds).unwrap()),
            }
            while let Ok(news) = waiting.try_recv() {
                network.push_back(news);
            }
        }
        network.into_iter().for_each(|news| receiver.hear(news));
        let last = guests.own().beat(1);
        receiver.hear(last);
        for _ in 0..30 {
            receiver.ask();
            receiver.serve(&guests.own());
            receiver.take_page();
        }
        let own = guests.own().page(&Ask::new(None).unwrap(), 100);
        let own: BTreeMap<_, _> = own.guests.into_iter().map(|(seated, _)| (seated.guest.id, seated)).collect();
        prop_assert_eq!(receiver.roster, own);
    }

    #[test]
    fn what_is_malformed_is_no_message(bytes in proptest::collection::vec(any::<u8>(), 0..200), json in ".{0,80}") {
        let keys = NodeKeys::for_test(1);
        let ask = Ask::new(None).unwrap();
        prop_assert!(News::open(&keys, &bytes).is_none());
        let page = format!("page {} {:?}", ask.nonce, ask.after);
        for context in ["news", "ask", page.as_str()] {
            for plain in [bytes.as_slice(), json.as_bytes()] {
                let sealed = keys.seal(context, plain).unwrap();
                let _ = (News::open(&keys, &sealed), Ask::open(&keys, &sealed), Page::open(&keys, &ask, &sealed));
            }
        }
    }
}

/// A change that comes after a page which knew of it, while the next page is under way.
#[test]
fn what_comes_late_does_not_undo_what_a_page_said() {
    for leaves in [false, true] {
        let (guests, mut waiting) = OwnGuests::new(NODE);
        let mut receiver = Receiver::new();
        for guest in 1..=5 {
            guests.tell(Presence::Present(seated(guest, guest)));
            receiver.hear(waiting.try_recv().unwrap());
        }
        receiver.ask();
        guests.tell(Presence::Present(seated(2, 11)));
        guests.tell(match leaves {
            true => Presence::Absent(GuestId(2)),
            false => Presence::Present(seated(2, 12)),
        });
        receiver.serve(&guests.own());
        receiver.take_page();
        receiver.hear(waiting.try_recv().unwrap());
        receiver.serve(&guests.own());
        receiver.take_page();
        receiver.hear(waiting.try_recv().unwrap());
        let expected = (!leaves).then(|| seated(2, 12));
        assert_eq!(receiver.roster.get(&GuestId(2)), expected.as_ref());
    }
}

#[test]
fn what_is_said_comes_through() {
    let keys = NodeKeys::for_test(1);
    let (guests, _waiting) = OwnGuests::new(NODE);
    guests.tell(Presence::Present(seated(1, 1)));
    guests.own().open_door("http://one.onion".into(), 9);
    let beat = guests.own().beat(7);
    let goodbye = guests.own().goodbye();
    for news in [beat, present(1, 1), goodbye] {
        let sealed = news.seal(&keys).unwrap();
        assert_eq!(News::open(&keys, &sealed), Some(news));
        assert_eq!(News::open(&NodeKeys::for_test(2), &sealed), None);
    }
    let (ask, other) = (Ask::new(None).unwrap(), Ask::new(None).unwrap());
    let page = guests.own().page(&ask, 10);
    let sealed = page.seal(&keys, &ask).unwrap();
    assert_eq!(Page::open(&keys, &ask, &sealed), Some(page));
    assert_eq!(Page::open(&keys, &other, &sealed), None, "an answer to another request");
    assert_eq!(Ask::open(&keys, &ask.seal(&keys).unwrap()), Some(ask));
}

#[test]
fn a_page_that_does_not_go_on_is_refused() {
    let keys = NodeKeys::for_test(1);
    let ask = Ask::new(Some(GuestId(5))).unwrap();
    for guests in [vec![], vec![5], vec![4, 6], vec![7, 6], vec![6, 6]] {
        let guests = guests.into_iter().map(|guest| (seated(guest, 1), 1)).collect();
        let page = Page { changes: 9, guests, more: true };
        assert_eq!(Page::open(&keys, &ask, &page.seal(&keys, &ask).unwrap()), None, "{page:?}");
    }
}

/// What was recorded of a node that is gone, or of one that lives, shows nothing when it is sent again.
#[test]
fn what_is_replayed_shows_nothing() {
    let mut receiver = Receiver::new();
    for number in 1..9 {
        receiver.hear(present(number, number));
        receiver.hear(beat(NODE, number, number));
    }
    receiver.ask();
    receiver.fail();
    assert!(receiver.roster.is_empty(), "it never answered");
    // It answers: there are no guests any more.
    receiver.ask();
    receiver.asked = Some((None, Some(Page { changes: 20, guests: Vec::new(), more: false })));
    receiver.take_page();
    for number in 1..9 {
        receiver.hear(present(number, number));
        receiver.hear(beat(NODE, number, number));
    }
    assert!(receiver.roster.is_empty());
    // Replayed heartbeats do not keep a silent node present.
    receiver.hear(present(21, 1));
    assert_eq!(receiver.roster.len(), 1);
    for _ in 0..8 {
        receiver.wait(SECOND);
        receiver.hear(beat(NODE, 8, 20));
    }
    assert!(receiver.roster.is_empty());
}

#[test]
fn what_others_send_takes_no_more_than_its_room() {
    let mut receiver = Receiver::new();
    for number in 1..=GUESTS_MAX as u64 + 100 {
        receiver.hear(present(number, number));
    }
    let mut events = Vec::new();
    assert_eq!(receiver.peers.dropped, 100);
    for node in 0..2 * PEERS_MAX as u64 {
        receiver.peers.hear(beat(NodeId(100 + node), 1, 0), receiver.now, Duration::ZERO, &mut events);
    }
    assert_eq!(receiver.peers.leases().count(), PEERS_MAX - 1, "the first node told no lease");
    assert_eq!(receiver.peers.dropped as usize, 100 + PEERS_MAX + 1);
    // Those that are silent make room for others.
    receiver.now += SILENCE + SECOND;
    receiver.peers.hear(beat(NodeId(1), 1, 0), receiver.now, Duration::ZERO, &mut events);
    assert!(receiver.peers.leases().any(|(node, _)| node == NodeId(1)));
}
