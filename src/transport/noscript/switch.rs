//! The switch between languages, at the foot of the pages: a form, because what it sets would be set by any link otherwise.

use maud::{Markup, html};

use crate::language::Language;

/// Where a switch stands, and with it where it leads back to.
#[derive(Debug, Clone)]
pub(super) struct Switch {
    /// Where the form leads.
    action: &'static str,
    /// The page that it stands on, as [`leads_back`] reads it.
    back: String,
}

impl Switch {
    /// On the page of this name, which stands below that of the room.
    pub(super) fn page(name: &'static str) -> Self {
        Self { action: "language", back: name.to_owned() }
    }

    /// On the page of one message.
    pub(super) fn message(of: u64) -> Self {
        Self { action: "language", back: format!("message?of={of}") }
    }

    /// On the page of a message among others; the query of its address, if it has one.
    pub(super) fn context(query: Option<(&str, u64)>) -> Self {
        let query = query.map(|(name, number)| format!("?{name}={number}")).unwrap_or_default();
        Self { action: "language", back: format!("context{query}") }
    }

    /// On the page of the room.
    pub(super) fn room() -> Self {
        Self { action: "page/language", back: "page".to_owned() }
    }

    /// On the entry, whose form leads to `action`, with the message that its link means.
    pub(super) fn entry(action: &str) -> Self {
        let query = action.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
        let action = if action.starts_with("page/") { "page/language" } else { "language" };
        Self { action, back: format!("page{query}") }
    }
}

/// The switch: each language by its own name.
pub(super) fn switch(language: Language, at: &Switch) -> Markup {
    html! {
        form class="languages" method="post" action=(at.action) aria-label=(language.say("Language")) {
            input type="hidden" name="back" value=(at.back) autocomplete="off";
            @for one in Language::ALL {
                @if one == language {
                    b lang=(one.code()) dir=(one.direction()) aria-current="true" { (one.own_name()) }
                } @else {
                    button class="link" name="language" value=(one.code()) lang=(one.code()) dir=(one.direction()) { (one.own_name()) }
                }
                " "
            }
        }
    }
}

/// The pages that have a switch, beside that of the room.
const PAGES: [&str; 7] = ["host", "identity", "search", "context", "private", "message", "waiting"];

/// The members of their queries that are numbers.
const NUMBERS: [&str; 5] = ["of", "message", "before", "after", "to"];

/// The address to which a switch leads back, from where its form leads. What is none of the pages is the page of the room: what a
/// form says is put into no address unless it is one of these names, and digits.
pub fn leads_back(back: &str) -> String {
    let (page, query) = back.split_once('?').map_or((back, None), |(page, query)| (page, Some(query)));
    let Some(page) = PAGES.into_iter().find(|known| *known == page).or((page == "page").then_some("../page"))
    else {
        return "../page".to_owned();
    };
    let number = query.and_then(|query| {
        let (name, number) = query.split_once('=')?;
        let name = NUMBERS.into_iter().find(|known| *known == name)?;
        let number: u64 = number.parse().ok()?;
        Some(format!("{page}?{name}={number}"))
    });
    number.unwrap_or_else(|| page.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_switch_leads_back_to_where_it_stands() {
        for (at, action, back) in [
            (Switch::room(), "page/language", "../page"),
            (Switch::entry("page/enter?message=7"), "page/language", "../page?message=7"),
            (Switch::entry("enter"), "language", "../page"),
            (Switch::page("host"), "language", "host"),
            (Switch::message(9), "language", "message?of=9"),
            (Switch::context(Some(("before", 3))), "language", "context?before=3"),
            (Switch::context(None), "language", "context"),
        ] {
            let form = switch(Language::English, &at).0;
            assert!(form.contains(&format!("action=\"{action}\"")), "{form}");
            assert!(form.contains(&format!("value=\"{}\"", at.back)), "{form}");
            assert_eq!(leads_back(&at.back), back);
        }
    }

    #[test]
    fn a_switch_names_each_language_in_itself_and_marks_the_present_one() {
        let form = switch(Language::Persian, &Switch::room()).0;
        assert!(form.contains("<b lang=\"fa\" dir=\"rtl\" aria-current=\"true\">فارسی</b>"), "{form}");
        assert!(
            form.contains(
                "name=\"language\" value=\"zh-Hans\" lang=\"zh-Hans\" dir=\"ltr\">简体中文</button>"
            ),
            "{form}"
        );
        assert_eq!(form.matches("<button").count(), 7);
    }

    #[test]
    fn no_form_leads_to_another_address() {
        for back in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "host/../..",
            "enter",
            "leave",
            "page/../x",
        ] {
            assert_eq!(leads_back(back), "../page", "{back}");
        }
        assert_eq!(leads_back("host?of=1\r\nSet-Cookie: a=b"), "host");
        assert_eq!(leads_back("host?of=99999999999999999999999"), "host");
        assert_eq!(leads_back("message?x=1"), "message");
    }

    proptest! {
        #[test]
        fn what_a_form_says_stays_out_of_the_address(back in "(page|host|//|\\?|of=|[0-9]|[a-z:/\r\n%&]){0,12}") {
            let there = leads_back(&back);
            let plain = there.strip_prefix("../page").or_else(|| PAGES.into_iter().find_map(|page| there.strip_prefix(page)));
            let rest = plain.unwrap();
            let digits = NUMBERS.into_iter().find_map(|name| rest.strip_prefix(&format!("?{name}=")));
            prop_assert!(rest.is_empty() || digits.unwrap().bytes().all(|byte| byte.is_ascii_digit()), "{}", there);
        }
    }
}
