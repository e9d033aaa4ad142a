//! Scripts that are asked for later, compressed with parts of the document's style and script as a preset dictionary: much of what
//! they say stands there, too, and the page has it already.

use std::io::Write;

use flate2::{Decompress, FlushDecompress, Status};
use zopfli::{BlockType, DeflateEncoder, Options};

/// So much of the beginning and of the end. Together they are the window that deflate refers back to (RFC 1951, section 2); of all ways to
/// share it, this one makes the scripts smallest. `web/later.js` has the same numbers.
const HEAD: usize = 14 * 1024;
const TAIL: usize = 18 * 1024;

/// The dictionary: how style and script begin, which has what styles and all scripts say, and how they end. Panics if they are shorter.
pub(crate) fn of(style: &str, script: &str) -> Vec<u8> {
    let text = [style, script].concat().into_bytes();
    let end =
        text.len().checked_sub(TAIL).filter(|end| *end >= HEAD).expect("style and script fill the window");
    [&text[..HEAD], &text[end..]].concat()
}

/// This text as raw deflate that goes on after the dictionary.
///
/// zopfli takes no dictionary, but what is written at once gets blocks of its own, which refer back to what was written before.
/// So the dictionary is written first, and its blocks are cut off. They end within a byte: the rest is moved to where a byte begins,
/// which is where it inflates. That holds as long as no block of the text is stored, as stored ones begin with a whole byte.
pub(crate) fn deflated(text: &[u8], dictionary: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Options::default(), BlockType::Dynamic, Vec::new());
    let mut write = |part| encoder.write_all(part).expect("writing to memory does not fail");
    write(dictionary);
    // Only now the dictionary is compressed. What remains of its last byte, which may be all of it, is not in the memory yet.
    write(text);
    let begin = encoder.get_ref().len();
    let blocks = encoder.finish().expect("writing to memory does not fail").split_off(begin);
    (1..=8)
        .map(|bits| without_first(bits, &blocks))
        .flat_map(|moved| [moved[..moved.len() - 1].to_vec(), moved])
        .find(|deflated| is_inflated_to(text, deflated, dictionary))
        .expect("the text's blocks follow those of the dictionary")
}

/// Bytes without their first bits, as deflate counts them (RFC 1951, section 3.1.1). The last one may have nothing any more.
fn without_first(bits: u32, bytes: &[u8]) -> Vec<u8> {
    let next = bytes.iter().skip(1).chain([&0]);
    bytes.iter().zip(next).map(|(byte, next)| (u16::from_le_bytes([*byte, *next]) >> bits) as u8).collect()
}

/// Whether a browser gets the text (`web/later.js`): the dictionary is a stored block before it (RFC 1951, section 3.2.4).
fn is_inflated_to(text: &[u8], deflated: &[u8], dictionary: &[u8]) -> bool {
    let stream = [&[0, 0, 128, 255, 127], dictionary, deflated].concat();
    let mut inflated = Vec::with_capacity(dictionary.len() + text.len() + 1);
    let status = Decompress::new(false).decompress_vec(&stream, &mut inflated, FlushDecompress::Finish);
    matches!(status, Ok(Status::StreamEnd)) && inflated.strip_prefix(dictionary) == Some(text)
}
