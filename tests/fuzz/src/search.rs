//! A search: what is looked for and a text, separated by a line break.

use onionroom::protocol::search::{Folder, Query};
use onionroom::protocol::{SEARCH_BYTES_MAX, SearchRequest};
use serde_json::json;

use super::protocol::check_refusal;
use super::split;

/// Reading a search never panics; what is typed is found where it was said; to fold a text makes it longer within bounds, and what was
/// remembered of other texts makes no difference.
pub fn run(data: &[u8]) {
    let (query, text) = split(data, b'\n');
    let [typed, text] = [query, text].map(String::from_utf8_lossy);
    let mut folder = Folder::default();
    match Query::parse(&typed, false) {
        Ok(query) => {
            assert!(typed.len() <= SEARCH_BYTES_MAX);
            let said = typed.replace(['"', '“', '”', '„'], " ");
            assert!(query.is_in(&format!("{text} {said} {text}"), &mut folder), "{typed:?}");
            let found = query.is_in(&text, &mut folder);
            assert_eq!(found, query.is_in(&text, &mut Folder::default()), "{typed:?} {text:?}");
            let body = json!({ "text": typed }).to_string();
            assert_eq!(SearchRequest::from_body(&body).map(|request| request.query), Ok(query));
        }
        Err(refusal) => check_refusal(&refusal),
    }
    assert!(folder.fold(&text).len() <= 12 * text.len());
}
