//! WebSocket framing as cheap as it can be: frames to send are made once and stamped, frames that come are only
//! looked at where it matters.

use crate::wire::orders::PAYLOAD;

/// Before the eight digits of a message that counts.
pub(crate) const MARK: &[u8; 2] = b"S#";
const DIGITS: usize = 8;
/// RFC 6455 wants a mask that nobody can foresee, against proxies that can be fooled. There is none here.
const MASK: [u8; 4] = [0x5c, 0xa1, 0x36, 0xe9];

/// A whole masked frame.
pub(crate) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        length @ ..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A message that is made once and stamped with a number before it is sent.
pub(crate) struct Stamped {
    frame: Vec<u8>,
    /// Where eight digits go, and with which byte of the mask each begins.
    places: Vec<(usize, usize)>,
    /// How many bytes come from the mark to the end of the payload.
    pub(crate) tail: usize,
}

impl Stamped {
    /// `says` with its places filled, [`PAYLOAD`] bytes long.
    pub(crate) fn new(says: &str, mark: &str) -> Self {
        let zeros = "0".repeat(DIGITS);
        let bare = says.replace("{I}", &zeros).replace("{S}", &format!("{mark}{zeros}"));
        let padding = "x".repeat(PAYLOAD.saturating_sub(bare.len()));
        let text = says.replace("{I}", &zeros).replace("{S}", &format!("{mark}{zeros}{padding}"));
        let mark_at = text.find(mark).unwrap_or_default();
        let mut digits = vec![mark_at + mark.len()];
        if let Some(id) = says.find("{I}") {
            let before_mark = says.find("{S}").is_some_and(|mark| id < mark);
            let shift = if before_mark { 0 } else { mark.len() + DIGITS + padding.len() - "{S}".len() };
            digits.push(id + shift);
        }
        let frame = masked(1, text.as_bytes());
        let header = frame.len() - text.len();
        let places = digits.iter().map(|at| (header + at, at % MASK.len())).collect();
        Self { frame, places, tail: text.len() - mark_at }
    }

    /// The frame with this number in it.
    #[inline]
    pub(crate) fn number(&mut self, number: u32) -> &[u8] {
        for (at, phase) in &self.places {
            for digit in 0..DIGITS {
                let value = (number >> (4 * (DIGITS - 1 - digit))) & 15;
                let letter = b"0123456789abcdef"[value as usize];
                self.frame[at + digit] = letter ^ MASK[(phase + digit) % MASK.len()];
            }
        }
        &self.frame
    }
}

/// The number after a mark.
#[inline]
pub(crate) fn number(digits: &[u8]) -> Option<u32> {
    let digits = digits.get(..DIGITS)?;
    digits.iter().try_fold(0_u32, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// Where the mark is in a payload, when it is where the last ones were: so far from the end, or else anywhere.
#[inline]
pub(crate) fn mark(payload: &[u8], tail: usize) -> Option<usize> {
    let usual = payload.len().checked_sub(tail)?;
    if payload[usual..].starts_with(MARK) {
        return Some(usual);
    }
    let whole = MARK.len() + DIGITS;
    payload.windows(whole).position(|bytes| bytes.starts_with(MARK) && number(&bytes[MARK.len()..]).is_some())
}

/// The first frame in `bytes`: its opcode, and where its payload begins and ends, which may be beyond what is there.
#[inline]
pub(crate) fn frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let [first, second, ..] = *bytes else { return None };
    let (length, begin) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        length => (usize::from(length), 2),
    };
    Some((first & 0x0f, begin, begin + length))
}
