//! The bodies of requests: a line with the `Idempotency-Key`, which is absent if the line is empty, then the body.

use onionroom::protocol::body;
use onionroom::protocol::text::check_text;
use serde_json::json;

use super::protocol::check_refusal;
use super::split;

/// The limit on texts, in bytes.
const MESSAGE_BYTES: usize = 200;

/// Reading a body never panics; what was read reads the same from its own encoding.
pub fn run(data: &[u8]) {
    let (key, text) = split(data, b'\n');
    let (key, Ok(text)) = (String::from_utf8_lossy(key), std::str::from_utf8(text)) else { return };
    let key = (!key.is_empty()).then_some(&*key);
    match body::say(text, key, MESSAGE_BYTES) {
        Ok(say) => {
            assert!(check_text(&say.text, MESSAGE_BYTES).is_ok());
            let again = json!({ "id": say.id.as_str(), "text": say.text }).to_string();
            assert_eq!(body::say(&again, None, MESSAGE_BYTES).as_ref(), Ok(&say));
            assert_eq!(body::say(&again, Some(say.id.as_str()), MESSAGE_BYTES).as_ref(), Ok(&say));
        }
        Err(refusal) => check_refusal(&refusal),
    }
    match body::hello(text) {
        Ok(hello) => {
            assert!(hello.room.is_none() && hello.cursor.is_none());
            let again = json!({
                "name": hello.name.as_ref().map(|name| name.as_str()),
                "token": hello.token.as_ref().map(|token| token.encode()),
            });
            assert_eq!(body::hello(&again.to_string()).as_ref(), Ok(&hello));
        }
        Err(refusal) => check_refusal(&refusal),
    }
    match body::rename(text) {
        Ok(name) => assert_eq!(body::rename(&json!({ "name": name.as_str() }).to_string()), Ok(name)),
        Err(refusal) => check_refusal(&refusal),
    }
}
