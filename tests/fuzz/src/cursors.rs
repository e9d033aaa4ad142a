//! Cursors: the same text as `Last-Event-ID` and as a query.

use std::ops::RangeInclusive;

use onionroom::http::fields::Fields;
use onionroom::protocol::epochs::Epochs;
use onionroom::protocol::{HISTORY_MAX, NUMBER_LIMIT};
use onionroom::transport::events;
use onionroom::transport::poll::WAIT_MAX;

use super::protocol::check_refusal;

/// Reading a cursor never panics; its number is one that the wire has; written again, it reads the same.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match events::cursor(&text) {
        Ok((cursor, private)) => {
            assert!(private.is_none_or(|number| number < NUMBER_LIMIT));
            assert!(cursor.after < NUMBER_LIMIT);
            let epoch = cursor.epoch.as_deref().unwrap_or_default();
            assert!(!epoch.is_empty());
            let before = private.map(|number| format!("{number}.")).unwrap_or_default();
            let again = events::cursor(&format!("{before}{epoch}-{}", cursor.after));
            assert_eq!(again, Ok((cursor.clone(), private)));
            assert_eq!(Epochs::first(epoch.into()).resume(&cursor), Some(cursor.after));
        }
        Err(refusal) => check_refusal(&refusal),
    }
    let fields = Fields::parse(&text);
    number(&fields, "limit", 1..=HISTORY_MAX);
    number(&fields, "newest", 0..=HISTORY_MAX);
    number(&fields, "private", 0..=NUMBER_LIMIT - 1);
    number(&fields, "before", 1..=NUMBER_LIMIT - 1);
    number(&fields, "around", 1..=NUMBER_LIMIT - 1);
    number(&fields, "wait", 0..=WAIT_MAX.as_secs());
    number(&fields, "after", 0..=NUMBER_LIMIT - 1);
    let [before, around] = ["before", "around"].map(|name| fields.number(name, 1..=NUMBER_LIMIT - 1));
    let one = !matches!((&before, &around), (Ok(Some(_)), Ok(Some(_))));
    assert_eq!(fields.place().is_ok(), before.is_ok() && around.is_ok() && one);
    if let Ok(Some(cursor)) = fields.cursor() {
        let mut again = form_urlencoded::Serializer::new(String::new());
        again.append_pair("after", &cursor.after.to_string());
        if let Some(epoch) = &cursor.epoch {
            again.append_pair("epoch", epoch);
        }
        assert_eq!(Fields::parse(&again.finish()).cursor(), Ok(Some(cursor)));
    }
}

fn number(fields: &Fields, name: &str, range: RangeInclusive<u64>) {
    match fields.number(name, range.clone()) {
        Ok(Some(number)) => assert!(range.contains(&number)),
        Ok(None) => assert_eq!(fields.text(name), None),
        Err(refusal) => {
            assert!(refusal.message.contains(name));
            check_refusal(&refusal);
        }
    }
}
