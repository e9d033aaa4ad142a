//! Scripts that are asked for later, compressed with the end of the document's script as a preset dictionary: much of what they say
//! stands there, too, and the page has it already.

use flate2::{Compress, Compression, FlushCompress};

/// So many bytes at the end of the document's script are the dictionary: as far back as deflate refers (RFC 1951, section 2).
/// `web/later.js` has the same number.
const WINDOW: usize = 32 * 1024;

/// The dictionary. Panics if there is less.
pub(crate) fn of(script: &str) -> &[u8] {
    let begin =
        script.len().checked_sub(WINDOW).expect("the document's script is longer than the window of deflate");
    &script.as_bytes()[begin..]
}

/// This text as raw deflate that goes on after the dictionary.
pub(crate) fn deflated(text: &[u8], dictionary: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    compress.set_dictionary(dictionary).expect("a dictionary of one window");
    let mut deflated = Vec::with_capacity(text.len() + 64);
    compress
        .compress_vec(text, &mut deflated, FlushCompress::Finish)
        .expect("writing to memory does not fail");
    assert_eq!(compress.total_in(), text.len() as u64, "there is room for all of it");
    deflated
}
