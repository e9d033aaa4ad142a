//! Scripts and styles without the bytes that only their readers need.
//!
//! Opening a room costs a guest of Tor about a second for each ten kilobytes. What is taken away here is told apart by rules
//! of a line, and not by a parser, because the text is the project's own: a test of the page holds it to those rules.

/// The spaces beside these are taken away. Not those beside `+` and `-`, where two can become one operator, and not those
/// beside `/`, which can begin a pattern.
const SCRIPT_MARKS: &[u8] = b"=*<>?:&|{},;()";

/// A line of a script that ends with one of these goes on with the next.
const OPEN_ENDS: [char; 4] = ['{', '(', ',', ';'];

/// A script without comments on lines of their own, indentation, and spaces and line ends that mean nothing. A line with a
/// slash stays as it is, apart from that, because of patterns and divisions. No text in it spans lines.
pub(super) fn script(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in lines(text).filter(|line| *line != "'use strict';") {
        if line.contains('/') {
            kept.push_str(line);
        } else {
            without_spaces(line, SCRIPT_MARKS, |_| true, &mut kept);
        }
        if !kept.ends_with(OPEN_ENDS) {
            kept.push('\n');
        }
    }
    kept
}

/// A style without comments on lines of their own, and without line ends and spaces that mean nothing. Before a colon a space
/// is what separates two parts of a selector, and stays.
pub(super) fn style(text: &str) -> String {
    let whole = lines(text).collect::<Vec<_>>().join(" ");
    let mut kept = String::with_capacity(whole.len());
    without_spaces(&whole, b"{},;>:", |mark| mark != b':', &mut kept);
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

/// Appends a text without the spaces after these marks, and before those of them that `before` says, outside quotation marks.
fn without_spaces(text: &str, marks: &[u8], before: impl Fn(u8) -> bool, kept: &mut String) {
    let (mut quote, mut escaped, mut last) = (None, false, 0);
    for (place, character) in text.char_indices() {
        let next = text.as_bytes().get(place + 1).copied().unwrap_or_default();
        if let Some(end) = quote {
            if !escaped && character == end {
                quote = None;
            }
            escaped = !escaped && character == '\\';
        } else if matches!(character, '\'' | '"' | '`') {
            quote = Some(character);
        } else if character == ' ' && (marks.contains(&last) || (marks.contains(&next) && before(next))) {
            continue;
        }
        // What is in quotation marks has no marks.
        last = if quote.is_none() && character.is_ascii() { character as u8 } else { 0 };
        kept.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_script_only_whole_lines_are_comments_and_only_loose_spaces_go() {
        let text =
            "'use strict';\n/** One\n    and more. */\n\n  call(); /* stays */\n  /* gone */\n\t'/* */'\n";
        assert_eq!(script(text), "call(); /* stays */\n'/* */'\n");
        for (given, kept) in [
            ("const { a, b } = { c: 1 };\nnext();", "const{a,b}={c:1};next();"),
            (
                "if (a < b && c) {\n  d(' = ', \"{ }\", `x ${ y } z`);\n}",
                "if(a<b&&c){d(' = ',\"{ }\",`x ${ y } z`);}\n",
            ),
            ("say('it\\'s = ', b) ;", "say('it\\'s = ',b);"),
            ("return a + +b - -c;", "return a + +b - -c;"),
            ("x = / = /.test(y);", "x = / = /.test(y);"),
            ("}\nelse", "}\nelse\n"),
            ("é = ü", "é=ü\n"),
        ] {
            assert_eq!(script(given), kept);
        }
    }

    #[test]
    fn of_a_style_what_separates_selectors_and_values_stays() {
        for (given, kept) in [
            ("a :is(b, c) > d { color: red; }\n", "a :is(b,c)>d{color:red}"),
            (
                ".x::after { content: \"· { \"; margin: 0 calc(1px + 2px) }",
                ".x::after{content:\"· { \";margin:0 calc(1px + 2px) }",
            ),
            (
                "/* gone */\na,\nb { font: 1rem/1.45 \"Segoe UI\",\n  sans-serif }",
                "a,b{font:1rem/1.45 \"Segoe UI\",sans-serif}",
            ),
            ("@media (min-width: 50rem) {\n  a:hover { b: c }\n}", "@media (min-width:50rem){a:hover{b:c}}"),
        ] {
            assert_eq!(style(given), kept.replace(") }", ")}"));
        }
    }
}
