//! The pieces of a text: what stands in it, and the places of its parts. The build of the page uses this file, too (`web/build`).

/// A text and its parts, as they follow each other: `Ok` is text, `Err` the number of a part, which `{0}` to `{9}` stand for.
pub fn pieces(text: &str) -> impl Iterator<Item = Result<&str, usize>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (at, end, number) = placeholder(rest).unwrap_or((rest.len(), rest.len(), 0));
        match at {
            0 if rest.is_empty() => None,
            0 => {
                rest = &rest[end..];
                Some(Err(number))
            }
            _ => {
                let (text, after) = rest.split_at(at);
                rest = after;
                Some(Ok(text))
            }
        }
    })
}

/// The first `{0}` to `{9}`: where it begins, where it ends, and its number.
fn placeholder(text: &str) -> Option<(usize, usize, usize)> {
    let found = text
        .as_bytes()
        .windows(3)
        .position(|three| three[0] == b'{' && three[1].is_ascii_digit() && three[2] == b'}')?;
    Some((found, found + 3, usize::from(text.as_bytes()[found + 1] - b'0')))
}
