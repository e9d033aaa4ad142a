//! Styles without the bytes that only their readers need. What is taken away is told apart by rules of a line, and not by a
//! parser, because the text is the project's own.

/// The spaces beside these are taken away. Not the one before a colon, which separates two parts of a selector.
const MARKS: &[u8] = b"{},;>:";

/// A style without comments on lines of their own, and without line ends and spaces that mean nothing.
pub(crate) fn compact(text: &str) -> String {
    let whole = lines(text).collect::<Vec<_>>().join(" ");
    let mut kept = String::with_capacity(whole.len());
    let (mut quote, mut last) = (None, 0);
    for (place, character) in whole.char_indices() {
        let next = whole.as_bytes().get(place + 1).copied().unwrap_or_default();
        if let Some(end) = quote {
            assert_ne!(character, '\\', "what is quoted in a style ends at the next quotation mark");
            if character == end {
                quote = None;
            }
        } else if matches!(character, '\'' | '"') {
            quote = Some(character);
        } else if character == ' ' && (MARKS.contains(&last) || (MARKS.contains(&next) && next != b':')) {
            continue;
        }
        // What is in quotation marks has no marks.
        last = if quote.is_none() && character.is_ascii() { character as u8 } else { 0 };
        kept.push(character);
    }
    kept.replace(";}", "}")
}

/// The lines that are neither empty nor in a comment, without their indentation.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut in_comment = false;
    text.lines().map(str::trim).filter(move |line| {
        let comment = in_comment || line.starts_with("/*");
        in_comment = comment && !line.contains("*/");
        !comment && !line.is_empty()
    })
}

/// The variables of the page's styles, `--quiet` and others. In all of them each gets the same letter.
pub(crate) struct Variables(Vec<String>);

impl Variables {
    /// Those that a style declares. Panics if they are more than there are letters.
    pub(crate) fn of(style: &str) -> Self {
        let mut names: Vec<_> = style
            .split(['{', ';'])
            .filter_map(|part| part.split_once(':'))
            .map(|(name, _)| name.trim().to_owned())
            .collect();
        names.retain(|name| name.starts_with("--"));
        names.sort_unstable();
        names.dedup();
        assert!(names.len() <= usize::from(b'z' - b'a'), "a letter for each variable");
        Self(names)
    }

    /// A style, compact, with these letters. Panics at a variable that is none of these.
    pub(crate) fn shorten(&self, style: &str) -> String {
        let mut parts = style.split("--");
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            let place = self.0.iter().position(|known| known[2..] == *name);
            let letter = (b'a'..=b'z').nth(place.unwrap_or_else(|| panic!("no style declares --{name}")));
            kept.extend(["--", &char::from(letter.unwrap_or_default()).to_string(), rest]);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_style_what_separates_selectors_and_values_stays() {
        for (given, kept) in [
            ("a :is(b, c) > d { color: red; }\n", "a :is(b,c)>d{color:red}"),
            (
                ".x::after { content: \"· { \"; margin: 0 calc(1px + 2px); }",
                ".x::after{content:\"· { \";margin:0 calc(1px + 2px)}",
            ),
            (
                "/* gone */\na,\nb { font: 1rem/1.45 \"Segoe UI\",\n  sans-serif }",
                "a,b{font:1rem/1.45 \"Segoe UI\",sans-serif}",
            ),
            ("@media (min-width: 50rem) {\n  a:hover { b: c }\n}", "@media (min-width:50rem){a:hover{b:c}}"),
        ] {
            assert_eq!(compact(given), kept);
        }
    }

    #[test]
    fn a_variable_has_the_same_letter_wherever_it_is() {
        let variables = Variables::of(":root{--on-ink:#fff;--ink:#000}.a{--tone:red}");
        assert_eq!(
            variables.shorten(".b{color:var(--ink);border:1px solid var(--on-ink)}"),
            ".b{color:var(--a);border:1px solid var(--b)}"
        );
        assert_eq!(variables.shorten(".c{--tone:var(--ink)}"), ".c{--c:var(--a)}");
    }
}
