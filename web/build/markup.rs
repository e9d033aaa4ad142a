//! Markup without the bytes that only its readers need.

/// Markup without empty lines, in which no tag has a line end, and attributes' values are out of quotation marks where
/// [HTML](https://html.spec.whatwg.org/#attributes-2) lets them be. No value may have an angle bracket.
pub(crate) fn compact(markup: &str) -> String {
    let mut parts = markup.split('<');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (tag, rest) = part.split_once('>').expect("a tag ends");
        kept.extend(["<", &unquoted(&tag.replace('\n', " ")), ">", rest]);
    }
    kept.replace("\n\n", "\n")
}

/// The inside of a tag. Before a slash a value keeps its quotation marks, as otherwise it would have the slash too.
fn unquoted(tag: &str) -> String {
    let mut parts = tag.split("=\"");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (value, rest) = part.split_once('"').expect("what is quoted ends");
        let plain = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || "'=`".contains(c));
        let mark = if plain && !rest.starts_with('/') { "" } else { "\"" };
        kept.extend(["=", mark, value, mark, rest]);
    }
    kept
}

/// The attributes with texts for people.
const SPOKEN: [&str; 4] = ["title", "aria-label", "placeholder", "alt"];

/// Markup in which `say` has put another text in place of each for people; it gets it with single spaces between words. Where it
/// gives none, the text stays. Comments and what has no letters are not for people.
pub(crate) fn translated(markup: &str, mut say: impl FnMut(&str) -> Option<String>) -> String {
    let mut parts = markup.split('<');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        let mut values = tag.split("=\"");
        let mut name = values.next().unwrap_or_default();
        whole.extend(["<", name]);
        for part in values {
            let (value, rest) = part.split_once('"').expect("what is quoted ends");
            let spoken = SPOKEN.contains(&name.split_whitespace().last().unwrap_or_default());
            let said = if spoken { said(value, &mut say) } else { value.to_owned() };
            whole.extend(["=\"", &said, "\"", rest]);
            name = rest;
        }
        whole.extend([">", &said(text, &mut say)]);
    }
    whole
}

/// A text with what another one has in place of its words; the spaces around it stay.
fn said(text: &str, say: &mut impl FnMut(&str) -> Option<String>) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let other = if words.contains(char::is_alphabetic) { say(&words) } else { None };
    let Some(other) = other else { return text.to_owned() };
    let escaped = other.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.replacen(text.trim(), &escaped, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_attributes_are_said_in_another_language() {
        let markup = "<p title=\"One more\" id=\"One\">\nOne\n  more <b aria-label=\"One\"></b>…</p>";
        let mut asked = Vec::new();
        let other = translated(markup, |text| {
            asked.push(text.to_owned());
            (text == "One more").then(|| "\"a\" < b & c".to_owned())
        });
        assert_eq!(asked, ["One more", "One more", "One"]);
        assert_eq!(
            other,
            "<p title=\"&quot;a&quot; &lt; b &amp; c\" id=\"One\">\n&quot;a&quot; &lt; b &amp; c <b aria-label=\"One\"></b>…</p>"
        );
    }

    #[test]
    fn what_a_value_would_not_end_with_keeps_its_quotation_marks() {
        for (given, kept) in [
            ("<p id=\"a-b\" class=\"c\">d</p>", "<p id=a-b class=c>d</p>"),
            ("<p\ntitle=\"a b\" dir=\"\">=\n\"e\"</p>\n", "<p title=\"a b\" dir=\"\">=\n\"e\"</p>\n"),
            ("<circle r=\"3.5\"/>", "<circle r=\"3.5\"/>"),
            ("<a title=\"a=b\" rel=\"'\" href=\"a/b\">", "<a title=\"a=b\" rel=\"'\" href=a/b>"),
        ] {
            assert_eq!(compact(given), kept);
        }
    }
}
