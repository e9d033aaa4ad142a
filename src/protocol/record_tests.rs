use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::protocol::act::Target;

fn bodies() -> impl Strategy<Value = Body> {
    let name = Name::parse("Ольга").unwrap();
    let (held_name, released_name, reply_name) = (name.clone(), name.clone(), name.clone());
    prop_oneof![
        any::<String>().prop_map(move |text| Body::Message { name: name.clone(), text }),
        (any::<u64>(), any::<String>()).prop_map(move |(to, text)| Body::Reply {
            to,
            name: reply_name.clone(),
            text
        }),
        (any::<Option<u64>>(), any::<String>()).prop_map(move |(to, text)| Body::Held {
            name: held_name.clone(),
            text,
            to
        }),
        (any::<u64>(), any::<u64>(), "[A-Za-z0-9_-]{1,64}", any::<String>(), any::<Option<u64>>()).prop_map(
            move |(by, held, id, text, to)| {
                let said_as = MessageId::parse(&id).unwrap();
                let release = Box::new(Release { by: GuestId(by), held, said_as, to });
                Body::Released { release, name: released_name.clone(), text }
            }
        ),
        any::<String>().prop_map(|title| Body::Title { title }),
        any::<String>().prop_map(|text| Body::Act(Act::Announce { text })),
        (any::<u64>(), any::<Option<u64>>()).prop_map(|(of, seconds)| {
            Body::Act(Act::Ban { target: Target { of: GuestId(of), name: None }, seconds, invitation: false })
        }),
        ("[a-z_]{1,8}x", prop::collection::vec(any::<u8>(), 0..50))
            .prop_map(|(kind, data)| Body::Unknown { kind, data }),
    ]
}

proptest! {
    #[test]
    fn a_body_goes_there_and_back(body in bodies(), other in prop::collection::vec(any::<u8>(), 0..50)) {
        let mut data = Vec::new();
        body.encode(&mut data);
        prop_assert_eq!(data.len(), body.encoded_bytes());
        prop_assert_eq!(Body::decode(body.kind(), &data), Some(body));
        for kind in SAID.into_iter().chain([TITLE, ACT, "pin", ""]) {
            // Whatever a file has, it is read or refused.
            let _ = Body::decode(kind, &other);
        }
    }

    #[test]
    fn every_kind_is_an_event_with_its_number(body in bodies(), seq in 1u64..super::super::NUMBER_LIMIT) {
        let id = MessageId::parse("a").unwrap();
        let record = Record { seq, at: 9, author: GuestId(7), id, body };
        let event = record.event();
        prop_assert_eq!(event.seq(), Some(seq));
        let json: Value = serde_json::from_str(&event.encode()).unwrap();
        prop_assert_eq!(&json["seq"], seq);
        let shown_id = match &record.body {
            Body::Released { release, .. } => release.said_as.as_str(),
            _ => "a",
        };
        prop_assert_eq!((&json["at"], &json["guest"], &json["id"]), (&9.into(), &7.into(), &shown_id.into()));
        prop_assert_eq!(json["type"].as_str(), Some(event.kind().as_str()));
        match &record.body {
            Body::Message { text, .. } | Body::Reply { text, .. } | Body::Released { text, .. } => {
                prop_assert_eq!(&json["text"], text);
                let reply = record.body.reply().filter(|to| *to < seq);
                prop_assert_eq!(json["reply"].as_u64(), reply);
            }
            Body::Held { .. } => {
                prop_assert_eq!(&json["kind"], HELD);
                prop_assert_eq!((json.get("text"), json.get("name")), (None, None));
            }
            Body::Title { title } => prop_assert_eq!(&json["title"], title),
            Body::Act(act) => prop_assert_eq!(json["act"].as_str(), Some(act.name())),
            Body::Unknown { kind, .. } => prop_assert_eq!(&json["kind"], kind),
        }
    }
}

#[test]
fn a_kind_has_a_plain_name() {
    for kind in ["", "Pin", "pin up", "x\0", &"x".repeat(KIND_MAX + 1)] {
        assert_eq!(Body::decode(kind, b""), None);
    }
    assert!(Body::decode(&"x".repeat(KIND_MAX), b"").is_some());
}
