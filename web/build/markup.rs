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

#[cfg(test)]
mod tests {
    use super::*;

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
