//! The chat without JavaScript: the body of a form, what is rendered from its fields, and from messages with them.

use std::sync::{Arc, LazyLock};

use onionroom::http::fields::Fields;
use onionroom::language::Language;
use onionroom::protocol::epochs::Epochs;
use onionroom::protocol::event::{Kept, Limits};
use onionroom::protocol::text::check_text;
use onionroom::protocol::{EventBatch, EventKind, Guest, GuestId, Name, Token, Welcome};
use onionroom::transport::noscript::calm::calm;
use onionroom::transport::noscript::documents::{self, Composer};
use onionroom::transport::noscript::markup::Look;
use onionroom::transport::noscript::message;
use onionroom::transport::noscript::render::Renderer;
use serde_json::json;

use super::document::{Piece, pieces, skeleton};
use super::protocol::check_refusal;

/// The limit on texts, in bytes.
const MESSAGE_BYTES: usize = 400;

static WELCOME: LazyLock<Welcome> = LazyLock::new(|| {
    let guest = Guest { id: GuestId(1), name: Name::parse("Ann").expect("a name"), away: false, kept: false };
    Welcome {
        replaced: Vec::new(),
        guest: guest.clone(),
        token: Token::parse(&"A".repeat(43)).expect("a token"),
        resumed: false,
        room: "main".into(),
        title: "Title".into(),
        epochs: Epochs::first("e".into()).into(),
        cursor: None,
        guests: [guest].into(),
        count: 1,
        head: 0,
        said: 0,
        first: 1,
        after: None,
        clock: 1000,
        limits: Limits { message_bytes: MESSAGE_BYTES, name_characters: 32, guests: 10, edit_seconds: 900 },
        kept: Kept { messages: 10, days: 1 },
        doors: [].into(),
        storage_available: true,
        waiting: 0,
        policy: Arc::default(),
        rooms: Arc::default(),
    }
});

/// What a guest writes stays text: it can be restored from the document, and adds no tag and no attribute to it.
pub fn run(data: &[u8]) {
    let body = String::from_utf8_lossy(data);
    let fields = Fields::parse(&body);
    let field = |name| fields.text(name).unwrap_or_default();
    let (form, text, name, note) = (field("form"), field("text"), field("name"), field("note"));
    match message::say(form, text, MESSAGE_BYTES) {
        Ok(say) => {
            assert!(check_text(&say.text, MESSAGE_BYTES).is_ok());
            assert!(!say.text.contains('\r'));
            // The browser sends the same text again, with its own line breaks: one message.
            let again = message::say(form, &say.text.replace('\n', "\r\n"), 2 * MESSAGE_BYTES);
            assert_eq!(again.as_ref(), Ok(&say));
        }
        Err(refusal) => check_refusal(&refusal),
    }
    let wanted = (field("do") == "rename").then_some(name);
    // In any language.
    let language = Language::ALL[data.len() % Language::ALL.len()];
    composer(Composer { language, name, wanted, form, text, note: Some(note), ..Composer::default() });
    refused(language, note);
    messages(language, name, text, field("at").parse().unwrap_or(u64::MAX));
}

fn composer(content: Composer<'_>) {
    let document = documents::composer(&content);
    let plain = Composer {
        name: "",
        wanted: content.wanted.map(|_| ""),
        form: "",
        text: "",
        note: Some(""),
        ..content
    };
    assert_eq!(skeleton(&document), skeleton(&documents::composer(&plain)));
    let pieces = pieces(&document);
    assert_eq!(value(&pieces, "form"), content.form);
    assert_eq!(value(&pieces, "name"), content.wanted.unwrap_or(content.name));
    assert_eq!(after(&pieces, "textarea"), format!("\n{}", content.text));
    assert_eq!(after(&pieces, "bdi"), content.name);
}

fn refused(language: Language, sentence: &str) {
    let document = documents::refused(language, Look::Messages, sentence);
    assert_eq!(skeleton(&document), skeleton(&documents::refused(language, Look::Messages, "")));
    assert!(pieces(&document).contains(&Piece::Text(format!("{sentence} "))));
}

/// The same name and text in every event that has one.
fn messages(language: Language, name: &str, text: &str, at: u64) {
    let rendered = |name: &str, text: &str| {
        let mut renderer = Renderer::new(language, &WELCOME, true);
        let mut out = String::new();
        let mut batch = EventBatch::default();
        let mut push = |kind, event: serde_json::Value| {
            batch.push_parts(kind, None, [event.to_string().as_bytes(), b""]);
        };
        let guest = json!({ "id": 2, "name": name });
        push(EventKind::Joined, json!({ "type": "joined", "guest": guest, "at": at }));
        let message = json!({
            "type": "message", "seq": 1, "at": at, "guest": 2, "name": name, "id": "i", "text": text,
        });
        push(EventKind::Message, message);
        push(EventKind::Renamed, json!({ "type": "renamed", "guest": guest, "was": name, "at": at }));
        push(EventKind::Left, json!({ "type": "left", "guest": guest, "at": at }));
        push(EventKind::Roster, json!({ "type": "roster", "guests": [guest] }));
        renderer.events(&batch, &mut out);
        renderer.end_history(&mut out);
        renderer.members(&mut out);
        out
    };
    let document = rendered(name, text);
    // Of as many lines, because a long text has more attributes.
    let text = calm(text).into_owned();
    let harmless: String = text.chars().map(|c| if c.is_whitespace() { c } else { 'x' }).collect();
    assert_eq!(skeleton(&document), skeleton(&rendered("", &harmless)));
    let pieces = pieces(&document);
    for expected in [name, &text].into_iter().filter(|expected| !expected.is_empty()) {
        assert!(pieces.contains(&Piece::Text(expected.to_owned())), "{document}");
    }
}

/// The value of the input of this name.
fn value<'a>(pieces: &'a [Piece<'_>], name: &str) -> &'a str {
    let input = |piece: &'a Piece<'_>| match piece {
        Piece::Tag(tag, attributes) if tag == "input" => {
            let get =
                |wanted| attributes.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
            (get("name") == Some(name)).then(|| get("value").unwrap_or_default())
        }
        _ => None,
    };
    pieces.iter().find_map(input).expect("an input of that name")
}

/// The text after the first tag of this name.
fn after<'a>(pieces: &'a [Piece<'_>], name: &str) -> &'a str {
    let at = pieces.iter().position(|piece| matches!(piece, Piece::Tag(tag, _) if tag == name));
    match at.and_then(|at| pieces.get(at + 1)) {
        Some(Piece::Text(text)) => text,
        _ => "",
    }
}
