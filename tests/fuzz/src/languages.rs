//! Languages: the cookie and `Accept-Language`, refusals in other languages, and where a switch leads back to.

use onionroom::language::Language;
use onionroom::transport::noscript::switch::leads_back;

use super::split;

/// Whatever is sent, a language comes of it, in few steps; a refusal keeps its numbers; a switch leads to a page of the room.
pub fn run(data: &[u8]) {
    let (first, second) = split(data, b'\n');
    let (first, second) = (String::from_utf8_lossy(first), String::from_utf8_lossy(second));
    let (first, second) = (&*first, &*second);
    let language = Language::negotiate(Some(first), Some(second));
    if let Some(chosen) = Language::from_code(first) {
        assert_eq!(language, chosen);
    }
    assert_eq!(Language::negotiate(None, Some(second)), Language::negotiate(Some("-"), Some(second)));
    for language in Language::ALL {
        let translated = language.translated(second);
        assert!(translated.len() <= 64 + 8 * second.len(), "{translated}");
        if language == Language::English {
            assert_eq!(translated, second);
        }
    }
    let there = leads_back(first);
    assert!(there.len() <= first.len() + "../page".len());
    assert!(!there.contains(['\r', '\n', ':', '\\', '%']) && !there.contains("//"), "{there}");
}
