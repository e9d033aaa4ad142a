//! Puts the page together when the program is built: in each language the document at `/`, with style, scripts and icon inside, and
//! the scripts that it asks for later, each as it is and compressed; and what the Content-Security-Policy lets run, by hashes. Beside
//! that what the server says in other languages.
//!
//! Opening a room costs a guest of Tor about a second for each ten kilobytes. So names are shortened, what only
//! readers of the source need is left out, and zopfli compresses, which takes too long to do it at each start.

mod dictionary;
/// The languages of the server, in its order.
#[path = "../../src/language/kind.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a part of the library")]
mod kind;
mod languages;
mod look;
mod markup;
mod names;
#[path = "../../src/language/pieces.rs"]
#[allow(unreachable_pub, reason = "it is a part of the library")]
mod pieces;
mod script;
mod style;
mod template;
mod texts;

use std::path::{Path, PathBuf};
use std::{env, fs, thread};

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use zopfli::{Format, Options};

use kind::Language as Kind;
use languages::Language;
use style::Variables;
use texts::{Exceptions, Text};

/// `src/http/index.rs` serves them under these names.
const LATER: [&str; 6] = ["moving.js", "requests.js", "governed.js", "tools.js", "entry.js", "talk.js"];

fn main() {
    let languages = Kind::ALL.map(|kind| {
        let file = (kind != Kind::English).then(|| read(&format!("languages/{}.po", kind.code())));
        Language::of(kind, file.as_deref())
    });
    let page = Page::of_sources();
    let (english, others) = languages.split_first().expect("English is the first");
    let texts = page.make(english);
    // Each of the others on a thread of its own: to compress is most of the work.
    thread::scope(|scope| {
        for language in others {
            scope.spawn(|| page.make(language));
        }
    });
    let catalogs: Vec<_> = others.iter().map(Language::catalog).collect();
    let catalog = format!("[{}]", catalogs.join(", "));
    fs::write(out("catalog.rs"), catalog).expect("cargo's directory can be written to");
    fs::write(out("messages.pot"), template::of(&texts)).expect("cargo's directory can be written to");
}

/// The sources of the page.
struct Page {
    document: String,
    /// The document's scripts, and those that are asked for later, each of several files.
    scripts: Vec<Vec<script::File>>,
    style: String,
    /// What the style has beside where the language is written from right to left.
    style_rtl: String,
    own: String,
    exceptions: String,
}

impl Page {
    fn of_sources() -> Self {
        let document = read("index.html");
        let style = style::compact(&(read("chat.css") + &read("colours.css")));
        let variables = Variables::of(&style);
        let scripts = between(&document, "<script src=\"", "\"");
        let mut all = vec![scripts.iter().map(|name| ((*name).to_owned(), read(name))).collect()];
        all.extend(LATER.map(|name| {
            let files = match name {
                // Private messages, and what helps with writing and noticing, are for all who have a conversation.
                "talk.js" => vec!["private.js", name, "aids.js"],
                // Both are what hosts have decided, and one script is smaller than two.
                "governed.js" => vec![name, "rooms.js"],
                _ => vec![name],
            };
            files.into_iter().map(|file| (file.to_owned(), with_style(read(file), &variables))).collect()
        }));
        let document =
            put(&document, "icon.svg", &format!("data:image/svg+xml,{}", quoted(&read("icon.svg"))));
        Self {
            document,
            scripts: all,
            style: variables.shorten(&style),
            style_rtl: variables.shorten(&style::compact(&read("rtl.css"))),
            own: read("own.txt"),
            exceptions: read("languages/none.txt"),
        }
    }

    /// Makes everything in one language. Gives the texts for people, as they are in English.
    fn make(&self, language: &Language) -> Vec<Text> {
        let mut exceptions = Exceptions::of(&self.exceptions);
        let mut texts = Vec::new();
        let document = markup::translated(&self.document, |text| {
            if exceptions.has(text) {
                return None;
            }
            texts.push(Text { key: text.to_owned(), plural: None, file: "index.html".into(), parts: vec![] });
            language.text(text).map(str::to_owned)
        });
        let mut scripts = self.scripts.clone();
        for (name, text) in &mut scripts[0] {
            for (_, english, other) in language.rules().iter().filter(|(file, ..)| file == name) {
                *text = put(text, english, other);
            }
        }
        let (minified, names) = script::minified(&scripts, &self.own, language, &mut exceptions, &mut texts);
        exceptions.refuse_unused();
        let (script, later) = minified.split_first().expect("the document's script is the first");

        let document = put(
            &document,
            " lang=\"en\"",
            &match language.direction {
                "rtl" => format!(" lang=\"{}\" dir=\"rtl\"", language.code),
                _ => format!(" lang=\"{}\"", language.code),
            },
        );
        let links: String =
            self.scripts[0].iter().map(|(name, _)| format!("<script src={name}></script>\n")).collect();
        let more = if language.direction == "rtl" { self.style_rtl.as_str() } else { "" };
        let style = &(self.style.clone() + more);
        let document = markup::compact(&document);
        let document =
            put(&document, "<link rel=stylesheet href=chat.css>", &format!("<style>{style}</style>"));
        let files = out(language.code);
        fs::create_dir_all(&files).expect("cargo's directory can be written to");
        let write = |name: &str, bytes: &[u8]| {
            fs::write(files.join(name), bytes).expect("cargo's directory can be written to");
        };
        let document = put(&document, &links, &format!("<script>{script}</script>\n"));
        write("index.html", document.as_bytes());
        write("index.html.gz", &gzip(&document));

        let dictionary = dictionary::of(style, script);
        for (name, later) in LATER.iter().zip(later) {
            write(name, later.as_bytes());
            write(&format!("{name}.gz"), &gzip(later));
            write(&format!("{name}.deflate"), &dictionary::deflated(later.as_bytes(), &dictionary));
        }
        let hashes: Vec<_> = minified.iter().map(|script| source_hash(script)).collect();
        let sources = format!("script-src {}; style-src {}", hashes.join(" "), source_hash(style));
        write("sources", sources.as_bytes());
        let names: String = names.iter().map(|(name, short)| format!("{name} {short}\n")).collect();
        write("names", names.as_bytes());
        texts
    }
}

/// A file of `web/`. Its lines end the same way however it was checked out: a browser takes the hash over such lines.
fn read(name: &str) -> String {
    let path = format!("web/{name}");
    println!("cargo::rerun-if-changed={path}");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.replace("\r\n", "\n")
}

fn out(name: &str) -> PathBuf {
    Path::new(&env::var_os("OUT_DIR").expect("cargo names a directory")).join(name)
}

/// A text, compressed: gzip without a time.
fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = Vec::new();
    zopfli::compress(Options::default(), Format::Gzip, text.as_bytes(), &mut gzip)
        .expect("writing to memory does not fail");
    gzip
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
