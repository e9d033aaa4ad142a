//! Puts the page together when the program is built: the document at `/`, with style, scripts and icon inside, and the
//! scripts that it asks for later, each as it is and compressed; and what the Content-Security-Policy lets run, by hashes.
//!
//! Opening a room costs a guest of Tor about a second for each ten kilobytes. So names are shortened, what only
//! readers of the source need is left out, and zopfli compresses, which takes too long to do it at each start.

mod dictionary;
mod markup;
mod names;
mod script;
mod style;

use std::path::Path;
use std::{env, fs};

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use zopfli::{Format, Options};

use style::Variables;

/// `src/http/index.rs` serves them under these names.
const LATER: [&str; 7] =
    ["moving.js", "requests.js", "governed.js", "tools.js", "entry.js", "rooms.js", "talk.js"];

fn main() {
    let document = read("index.html");
    let scripts = between(&document, "<script src=\"", "\"");
    let links: String = scripts.iter().map(|name| format!("<script src={name}></script>\n")).collect();
    let style = style::compact(&(read("chat.css") + &read("colours.css")));
    let variables = Variables::of(&style);
    let style = variables.shorten(&style);
    let mut all = vec![scripts.iter().map(|name| ((*name).to_owned(), read(name))).collect()];
    all.extend(LATER.map(|name| {
        // What helps with writing and noticing is for all who have a conversation, as talk.js is.
        let files = [name, "aids.js"].into_iter().take(if name == "talk.js" { 2 } else { 1 });
        files.map(|file| (file.to_owned(), with_style(read(file), &variables))).collect()
    }));
    let (minified, names) = script::minified(&all, &read("own.txt"));
    let (script, later) = minified.split_first().expect("the document's script is the first");

    let document = put(&document, "icon.svg", &format!("data:image/svg+xml,{}", quoted(&read("icon.svg"))));
    let document = markup::compact(&document);
    let document = put(&document, "<link rel=stylesheet href=chat.css>", &format!("<style>{style}</style>"));
    write("index.html", &put(&document, &links, &format!("<script>{script}</script>\n")));

    let dictionary = dictionary::of(&style, script);
    for (name, later) in LATER.iter().zip(later) {
        write(name, later);
        let deflated = dictionary::deflated(later.as_bytes(), &dictionary);
        fs::write(out(&format!("{name}.deflate")), deflated).expect("cargo's directory can be written to");
    }
    let hashes: Vec<_> = minified.iter().map(|script| source_hash(script)).collect();
    let names: String = names.iter().map(|(name, short)| format!("{name} {short}\n")).collect();
    fs::write(out("names"), names).expect("cargo's directory can be written to");
    let sources = format!("script-src {}; style-src {}", hashes.join(" "), source_hash(&style));
    fs::write(out("sources"), sources).expect("cargo's directory can be written to");
}

/// A file of `web/`. Its lines end the same way however it was checked out: a browser takes the hash over such lines.
fn read(name: &str) -> String {
    let path = format!("web/{name}");
    println!("cargo::rerun-if-changed={path}");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.replace("\r\n", "\n")
}

fn out(name: &str) -> impl AsRef<Path> {
    Path::new(&env::var_os("OUT_DIR").expect("cargo names a directory")).join(name)
}

/// Writes a text as it is, and compressed beside it: gzip without a time.
fn write(name: &str, text: &str) {
    let mut gzip = Vec::new();
    zopfli::compress(Options::default(), Format::Gzip, text.as_bytes(), &mut gzip)
        .expect("writing to memory does not fail");
    fs::write(out(name), text).expect("cargo's directory can be written to");
    fs::write(out(&format!("{name}.gz")), gzip).expect("cargo's directory can be written to");
}

/// The style that a script brings along, if it does, in place of its name.
fn with_style(script: String, variables: &Variables) -> String {
    let names = between(&script, "style('", "'");
    let Some(name) = names.first().copied() else { return script };
    let style = variables.shorten(&style::compact(&read(name)));
    assert!(!style.contains(['`', '\\', '$']), "web/{name} would mean something else between backticks");
    put(&script, &format!("'{name}'"), &format!("`{style}`"))
}

/// Markup as a part of an address in an attribute. That is compressed together with the document's, which Base64 would not be.
fn quoted(markup: &str) -> String {
    let mut text = markup.trim_end().replace('"', "'");
    for (character, code) in [("%", "%25"), ("#", "%23"), ("<", "%3C"), (">", "%3E"), ("\n", "%0A")] {
        text = text.replace(character, code);
    }
    text
}

/// A text with `new` in place of the only `old`.
fn put(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "it has to be there once: {old}");
    text.replace(old, new)
}

/// What stands between each `open` and the next `close`.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).collect()
}

/// A source expression that allows exactly this text.
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(&Sha256::digest(text)))
}
