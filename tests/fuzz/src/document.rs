//! Just enough of HTML to take apart what the room renders: tags, and texts with their references resolved.

/// A piece of a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A tag: its name and its attributes.
    Tag(String, Vec<(&'a str, String)>),
    /// Characters between tags.
    Text(String),
}

/// The pieces of a document's body; of the whole if it has none.
pub(crate) fn pieces(document: &str) -> Vec<Piece<'_>> {
    let mut document = document.split_once("<body>").map_or(document, |(_, body)| body);
    let mut pieces = Vec::new();
    while let Some(begin) = document.find('<') {
        if begin > 0 {
            pieces.push(Piece::Text(resolve(&document[..begin])));
        }
        let (tag, rest) = tag(&document[begin + 1..]);
        pieces.push(tag);
        document = rest;
    }
    if !document.is_empty() {
        pieces.push(Piece::Text(resolve(document)));
    }
    pieces
}

/// What a guest must not change: the head as it is, then the tags of the body without the values of attributes.
pub(crate) fn skeleton(document: &str) -> Vec<String> {
    let head = document.split_once("<body>").map_or("", |(head, _)| head);
    let tag = |piece| match piece {
        Piece::Tag(name, attributes) => {
            let names: Vec<&str> = attributes.iter().map(|(name, _)| *name).collect();
            Some(format!("{name} {}", names.join(" ")))
        }
        Piece::Text(_) => None,
    };
    std::iter::once(head.to_owned()).chain(pieces(document).into_iter().filter_map(tag)).collect()
}

/// Parses a tag after its "<"; returns it and what comes after its ">".
fn tag(text: &str) -> (Piece<'_>, &str) {
    let end = text.find([' ', '>']).expect("a tag has an end");
    let (name, mut rest) = text.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            return (Piece::Tag(name.to_owned(), attributes), after);
        }
        let end = rest.find([' ', '>', '=']).expect("an attribute has an end");
        let (attribute, after) = rest.split_at(end);
        rest = after;
        let mut value = String::new();
        if let Some(quoted) = after.strip_prefix("=\"") {
            let (quoted, after) = quoted.split_once('"').expect("a value has an end");
            (value, rest) = (resolve(quoted), after);
        }
        attributes.push((attribute, value));
    }
}

/// Resolves the character references that are written here; every "&" must begin one of them.
fn resolve(text: &str) -> String {
    let mut resolved = String::new();
    let mut parts = text.split('&');
    resolved.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once(';').expect("an & begins a reference");
        resolved.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            other => panic!("an unknown reference: {other}"),
        });
        resolved.push_str(rest);
    }
    resolved
}
