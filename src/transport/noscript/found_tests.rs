use proptest::prelude::*;

use super::*;
use crate::protocol::{Body, MessageId, Name, Reactions, Record};

const EN: Language = Language::English;

fn record(seq: u64, at: u64, text: &str) -> Annotated {
    let (id, name) = (MessageId::parse("a").unwrap(), Name::parse("Ann & Bob").unwrap());
    let body = Body::Message { name, text: text.into() };
    let record = Record { seq, at, author: GuestId(7), id, body };
    Annotated { record, edited: false, reactions: Reactions::default() }
}

#[test]
fn a_message_is_marked_among_those_around_it_with_their_ages() {
    let messages = vec![record(4, 0, "old"), record(5, 10, "older"), record(7, 2 * 86_400, "<b>new")];
    let page = History { before: 8, after: 3, messages };
    let shown = context(EN, "Tea", Some(5), &page, (9, 3 * 86_400), &html! {});
    assert_eq!(shown.matches("class=\"meant\"").count(), 1);
    assert!(shown.contains("<article id=\"m5\" class=\"meant\">"), "{shown}");
    let ages: Vec<_> =
        ["3 days ago</h2>", "2 days ago</h2>", "1 day ago</h2>"].map(|age| shown.matches(age).count()).into();
    assert_eq!(ages, [1, 1, 1], "{shown}");
    assert!(shown.contains("&lt;b&gt;new") && shown.contains("href=\"context?before=4\""), "{shown}");
    assert!(shown.contains("href=\"context?after=7\"") && !shown.contains("not kept any more"), "{shown}");
    let newest = context(EN, "Tea", Some(6), &page, (7, 3 * 86_400), &html! {});
    assert!(newest.contains("not kept any more") && newest.contains("These are the newest"), "{newest}");
}

#[test]
fn what_was_found_leads_to_its_place_and_the_search_goes_on() {
    let found = Found { before: 9, after: 4, messages: vec![record(7, 0, "tea")] };
    let page = SearchPage { title: "Tea", text: "\"te", found: Some((&found, 60)), ..SearchPage::default() };
    let shown = search(&page);
    assert!(shown.contains("href=\"context?message=7#m7\">1 minute ago, in its place"), "{shown}");
    assert!(shown.contains("name=\"before\" value=\"5\""), "{shown}");
    assert_eq!(shown.matches("name=\"text\" value=\"&quot;te\"").count(), 2, "{shown}");
    let last = Found { before: 9, after: 0, messages: vec![record(7, 0, "tea")] };
    let shown = search(&SearchPage { found: Some((&last, 60)), ..page });
    assert!(!shown.contains("name=\"before\"") && shown.contains("That is all."), "{shown}");
}

proptest! {
    #[test]
    fn names_and_texts_add_no_tag(text in any::<String>(), note in any::<String>()) {
        let tags = |text: &str| {
            let found = Found { before: 9, after: 4, messages: vec![record(7, 0, text)] };
            let found = Some((&found, 60));
            let shown = search(&SearchPage { title: text, text, note: Some(text), found, ..SearchPage::default() });
            let page = History { before: 8, after: 3, messages: vec![record(7, 0, text)] };
            let context = context(EN, text, None, &page, (9, 0), &html! {});
            [shown.matches(['<', '>']).count(), context.matches(['<', '>']).count()]
        };
        prop_assert_eq!(tags(&text), tags(""));
        prop_assert_eq!(tags(&note), tags(""));
    }
}
