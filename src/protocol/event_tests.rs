//! The JSON of events.

use serde_json::Value;

use super::*;
use crate::protocol::{Code, Refusal};

fn guest() -> Guest {
    Guest { id: GuestId(7), name: Name::parse("Ann").unwrap(), away: false, kept: false }
}

#[test]
fn events_have_the_documented_form() {
    let (ann, was) = (guest(), Name::parse("Anna").unwrap());
    for (event, expected) in [
        (Event::Pong, r#"{"type":"pong"}"#),
        (
            Event::Acknowledged { id: "9f", seq: 43, link: None, held: false },
            r#"{"type":"acknowledged","id":"9f","seq":43}"#,
        ),
        (Event::Gap { after: 5, before: 120 }, r#"{"type":"gap","after":5,"before":120}"#),
        (
            Event::Joined { guest: &ann, at: 3 },
            r#"{"type":"joined","guest":{"id":7,"name":"Ann","badge":"0007"},"at":3}"#,
        ),
        (
            Event::Left { guest: &ann, at: 3 },
            r#"{"type":"left","guest":{"id":7,"name":"Ann","badge":"0007"},"at":3}"#,
        ),
        (
            Event::Away { guest: &Guest { away: true, ..ann.clone() }, at: 3 },
            r#"{"type":"away","guest":{"id":7,"name":"Ann","badge":"0007","away":true},"at":3}"#,
        ),
        (
            Event::Back { guest: &ann, at: 3 },
            r#"{"type":"back","guest":{"id":7,"name":"Ann","badge":"0007"},"at":3}"#,
        ),
        (
            Event::Renamed { guest: &ann, was: &was, at: 3 },
            r#"{"type":"renamed","guest":{"id":7,"name":"Ann","badge":"0007"},"was":"Anna","at":3}"#,
        ),
        (
            Event::Roster { guests: &[guest()] },
            r#"{"type":"roster","guests":[{"id":7,"name":"Ann","badge":"0007"}]}"#,
        ),
        (Event::Occupancy { count: 312 }, r#"{"type":"crowd","count":312}"#),
        (Event::Doors { doors: &[] }, r#"{"type":"doors","doors":[]}"#),
        (
            Event::Doors { doors: &["http://two.onion".to_owned()] },
            r#"{"type":"doors","doors":["http://two.onion"]}"#,
        ),
        (Event::Storage { available: false }, r#"{"type":"storage","available":false}"#),
        (Event::Waiting { count: 2, guests: None }, r#"{"type":"waiting","count":2}"#),
    ] {
        assert_eq!(event.encode(), expected);
        assert_eq!(event.seq(), None);
        let json: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(Some(event.kind().as_str()), json["type"].as_str());
    }
    assert_eq!(
        Refusal::new(Code::TextEmpty, "Say it.").event().encode(),
        r#"{"type":"error","code":"text_empty","message":"Say it."}"#
    );
    let full =
        Refusal { doors: ["http://two.onion".to_owned()].into(), ..Refusal::new(Code::RoomFull, "Go.") };
    assert_eq!(
        full.event().encode(),
        r#"{"type":"error","code":"room_full","message":"Go.","doors":["http://two.onion"]}"#
    );
}

#[test]
fn every_code_is_in_the_documentation_and_no_other() {
    let documentation = include_str!("../../docs/protocol.md");
    let table = documentation.split("| code | when |").nth(1).unwrap();
    let documented: Vec<_> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    let known: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(documented, known);
}
