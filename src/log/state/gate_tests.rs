use super::super::{Effect, Hurdle, RoomState};
use super::*;
use crate::protocol::act::{Act, Target};
use crate::protocol::{Body, MessageId, Record, Role, Token};

const HOST: GuestId = GuestId(1);
const MODERATOR: GuestId = GuestId(2);
const ANN: GuestId = GuestId(3);
const BOB: GuestId = GuestId(4);

fn act(state: &mut RoomState, seq: u64, author: GuestId, act: Act) -> Effect {
    let id = MessageId::parse("a").unwrap();
    state.apply(&Record { seq, at: seq * 10, author, id, body: Body::Act(act) })
}

fn target(of: GuestId) -> Target {
    Target { of, name: None }
}

fn governed() -> RoomState {
    let mut state = RoomState::new("tea");
    for (of, role) in [(HOST, Role::Host), (MODERATOR, Role::Moderator)] {
        act(&mut state, 1, GuestId::ROOM, Act::Role { target: target(of), role, link: None });
    }
    state
}

fn approval(present: &[GuestId]) -> Act {
    Act::Approval { approval: true, present: present.to_vec() }
}

fn secret() -> LinkHash {
    LinkHash::of(&Token::random().unwrap())
}

fn invite(name: &str, link: &LinkHash, single_use: bool, seconds: Option<u64>) -> Act {
    Act::Invite { name: Some(name.into()), single_use, seconds, link: Some(link.clone()) }
}

fn by(of: GuestId, proof: Proof) -> Act {
    Act::Admit { target: target(of), by: Some(proof) }
}

fn password(hash: &str) -> Act {
    Act::Password { password: true, text: None, hash: Some(hash.into()), present: vec![] }
}

#[test]
fn who_is_here_is_let_in_and_newcomers_wait() {
    let mut state = governed();
    assert_eq!(state.hurdle(ANN), None);
    assert!(act(&mut state, 2, MODERATOR, approval(&[HOST, ANN, ANN])).changed);
    assert_eq!((state.hurdle(ANN), state.hurdle(BOB)), (None, Some(Hurdle::Approval)));
    assert!(act(&mut state, 3, ANN, Act::Admit { target: target(BOB), by: None }).refused);
    assert!(act(&mut state, 4, MODERATOR, Act::Admit { target: target(BOB), by: None }).changed);
    let again = RoomState::decode(&state.encode()).unwrap();
    assert_eq!(again, state);
    assert_eq!(
        (again.hurdle(ANN), again.hurdle(BOB), again.hurdle(GuestId(5))),
        (None, None, Some(Hurdle::Approval))
    );
    let effect = act(&mut state, 5, MODERATOR, Act::Reject { target: target(BOB), seconds: Some(60) });
    assert_eq!(effect.put_out, [BOB]);
    assert!(state.ban(BOB, 109).is_some() && state.ban(BOB, 110).is_none());
    assert_eq!(state.hurdle(BOB), Some(Hurdle::Approval));
    assert!(act(&mut state, 6, MODERATOR, Act::Reject { target: target(HOST), seconds: None }).refused);
}

#[test]
fn a_new_password_does_not_count_for_those_who_gave_the_old_one() {
    let mut state = governed();
    assert!(act(&mut state, 2, MODERATOR, password("$a")).refused, "hosts only");
    act(&mut state, 3, HOST, password("$a"));
    let (_, first) = state.gate.password().unwrap();
    assert_eq!(state.hurdle(ANN), Some(Hurdle::Password));
    assert!(act(&mut state, 4, ANN, by(ANN, Proof::Password(first))).refused, "only the room says so");
    act(&mut state, 5, GuestId::ROOM, by(ANN, Proof::Password(first)));
    act(&mut state, 6, HOST, Act::Admit { target: target(BOB), by: None });
    assert_eq!((state.hurdle(ANN), state.hurdle(BOB)), (None, None));
    assert_eq!(state.acts.len(), 2 + 2, "that a guest gave it is no act of a host");
    act(&mut state, 7, HOST, password("$b"));
    assert_eq!((state.hurdle(ANN), state.hurdle(BOB)), (Some(Hurdle::Password), None));
    assert!(
        act(&mut state, 8, GuestId::ROOM, by(ANN, Proof::Password(first))).refused,
        "another password by then"
    );
    let off = Act::Password { password: false, text: None, hash: None, present: vec![] };
    act(&mut state, 9, HOST, off);
    assert_eq!((state.hurdle(ANN), state.gate.password()), (None, None));
}

#[test]
fn a_password_is_not_enough_where_guests_are_let_in() {
    let mut state = governed();
    act(&mut state, 2, HOST, password("$a"));
    act(&mut state, 3, HOST, approval(&[]));
    assert_eq!(state.hurdle(ANN), Some(Hurdle::Password), "the password first");
    let (_, number) = state.gate.password().unwrap();
    act(&mut state, 4, GuestId::ROOM, by(ANN, Proof::Password(number)));
    assert_eq!(state.hurdle(ANN), Some(Hurdle::Approval));
    act(&mut state, 5, MODERATOR, Act::Admit { target: target(ANN), by: None });
    act(&mut state, 6, GuestId::ROOM, by(ANN, Proof::Password(number)));
    assert_eq!(state.hurdle(ANN), None, "a password takes nothing away");
}

#[test]
fn a_single_invitation_is_for_one_guest() {
    let (mut state, link) = (governed(), secret());
    assert!(act(&mut state, 2, MODERATOR, invite("Ann", &link, true, None)).refused);
    act(&mut state, 3, HOST, Act::InvitedOnly { invited_only: true, present: vec![] });
    act(&mut state, 4, HOST, invite("Ann", &link, true, None));
    assert!(act(&mut state, 5, HOST, invite("Ann", &secret(), true, None)).refused, "one of each name");
    assert_eq!(state.hurdle(ANN), Some(Hurdle::Invitation));
    let proof = Proof::Invite(link);
    assert!(act(&mut state, 6, GuestId::ROOM, by(ANN, proof.clone())).changed);
    assert!(act(&mut state, 7, GuestId::ROOM, by(BOB, proof)).refused, "of two at the same moment the first");
    assert_eq!((state.hurdle(ANN), state.hurdle(BOB)), (None, Some(Hurdle::Invitation)));
    let encoded = String::from_utf8(state.encode()).unwrap();
    assert_eq!(RoomState::decode(encoded.as_bytes()).unwrap(), state);
    assert_eq!(state.gate.came_by(state.gate.invitations()[0].id()), 1);
    act(&mut state, 8, HOST, Act::Admit { target: target(ANN), by: None });
    let effect =
        act(&mut state, 8, HOST, Act::RevokeInvite { invite: Some(InvitationRef::Name("Ann".into())) });
    assert_eq!(effect.put_out, [ANN]);
    assert_eq!((state.hurdle(ANN), state.gate.invitations().len()), (Some(Hurdle::Invitation), 0));
    assert!(act(&mut state, 9, HOST, Act::RevokeInvite { invite: Some(InvitationRef::Id(7)) }).refused);
}

#[test]
fn an_invitation_ends_when_it_says_so() {
    let (mut state, link) = (governed(), secret());
    act(&mut state, 2, HOST, Act::InvitedOnly { invited_only: true, present: vec![] });
    act(&mut state, 3, HOST, invite("all", &link, false, Some(50)));
    for (seq, guest, counts) in [(6, ANN, true), (7, BOB, true), (8, GuestId(5), false)] {
        assert_eq!(
            act(&mut state, seq, GuestId::ROOM, by(guest, Proof::Invite(link.clone()))).changed,
            counts
        );
    }
    assert_eq!(state.hurdle(ANN), None, "who came stays let in");
}

#[test]
fn a_ban_may_be_for_all_who_came_by_an_invitation() {
    let (mut state, link) = (governed(), secret());
    act(&mut state, 2, HOST, invite("all", &link, false, None));
    for guest in [ANN, BOB, MODERATOR] {
        act(&mut state, 3, GuestId::ROOM, by(guest, Proof::Invite(link.clone())));
    }
    let all = |of, mute| match mute {
        true => Act::Mute { target: target(of), seconds: None, invitation: true },
        false => Act::Ban { target: target(of), seconds: None, invitation: true },
    };
    let mut muted = state.clone();
    assert!(act(&mut muted, 4, MODERATOR, all(ANN, true)).put_out.is_empty());
    assert!(
        muted.mute(BOB, 90).is_some() && muted.mute(MODERATOR, 90).is_none(),
        "not one with as high a role"
    );
    assert!(act(&mut muted, 5, GuestId::ROOM, by(GuestId(5), Proof::Invite(link.clone()))).refused);
    assert_eq!(muted.gate.admitted(ANN), state.gate.admitted(ANN), "who is muted may stay");
    let effect = act(&mut state, 4, MODERATOR, all(ANN, false));
    assert_eq!(effect.put_out, [ANN, BOB]);
    assert!(
        state.ban(ANN, 90).is_some() && state.ban(BOB, 90).is_some() && state.ban(MODERATOR, 90).is_none()
    );
    assert!(state.gate.invitations().is_empty());
    assert!(act(&mut state, 5, MODERATOR, all(ANN, false)).refused, "by none any more");
}

#[test]
fn guests_are_told_no_secret() {
    let link = secret();
    for (done, told) in [
        (approval(&[ANN]), r#"{"act":"approval","approval":true}"#),
        (password("$argon2id$x"), r#"{"act":"password","password":true}"#),
        (invite("Ann", &link, true, Some(7)), r#"{"act":"invite"}"#),
        (Act::RevokeInvite { invite: Some(InvitationRef::Name("Ann".into())) }, r#"{"act":"revoke_invite"}"#),
        (by(ANN, Proof::Invite(link)), r#"{"act":"admit","of":3,"by":"room"}"#),
    ] {
        assert_eq!(serde_json::to_string(&done.told()).unwrap(), told);
        assert_eq!(Act::decode(&done.encode()).as_ref(), Some(&done));
    }
}

#[test]
fn what_is_remembered_is_bounded_and_shared() {
    let (mut state, link) = (governed(), secret());
    act(&mut state, 2, HOST, Act::Admit { target: target(ANN), by: None });
    act(&mut state, 3, HOST, invite("all", &link, false, None));
    for guest in 100..100 + ADMITTED_MAX as u64 + 50 {
        act(&mut state, 4, GuestId::ROOM, by(GuestId(guest), Proof::Invite(link.clone())));
    }
    assert_eq!(state.gate.admitted.0.len(), ADMITTED_MAX);
    assert_eq!(
        state.gate.admitted(ANN),
        Some(By::Approval),
        "one invitation displaces no guest of another way"
    );
    assert_eq!(state.gate.admitted(GuestId(100)), None);
    assert!(state.encode().len() < 200_000, "{}", state.encode().len());
    for number in 0..600 {
        act(&mut state, 5, HOST, invite(&number.to_string(), &secret(), true, None));
    }
    assert_eq!(state.gate.invitations().len(), INVITATIONS_MAX);
}
