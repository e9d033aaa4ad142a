//! WebSocket frames (RFC 6455, section 5.2): to send, built once and numbered in place; received, parsed no further
//! than needed.

/// Bytes of the JSON that a guest sends for one message.
const PAYLOAD: usize = 100;
/// Stands before the number in the text of each message.
const MARK: &[u8] = b"S#";
const DIGITS: usize = 8;
/// A fixed mask; RFC 6455 wants an unpredictable one, against proxies, of which there are none here.
const MASK: [u8; 4] = [0x5c, 0xa1, 0x36, 0xe9];

/// A complete masked frame of less than 64 KiB.
pub(super) fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
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

/// The frame of a `say`, numbered anew for each message.
pub(super) struct Say {
    frame: Vec<u8>,
    /// Where the digits of the id and of the text begin in the payload.
    digits: [usize; 2],
    header: usize,
    /// Bytes from the mark to the end of the payload.
    tail: usize,
}

impl Say {
    pub(super) fn new() -> Self {
        let id = r#"{"type":"say","id":""#;
        let text = r#"","text":"S#"#;
        let mut payload = format!("{id}{:0>DIGITS$}{text}{:0>DIGITS$}", "", "");
        payload.push_str(&"x".repeat(PAYLOAD - payload.len() - 2));
        payload.push_str("\"}");
        let digits = [id.len(), id.len() + DIGITS + text.len()];
        let frame = masked(1, payload.as_bytes());
        let header = frame.len() - PAYLOAD;
        Self { frame, digits, header, tail: PAYLOAD - digits[1] + MARK.len() }
    }

    /// The frame with this number as its id and in its text.
    #[inline]
    pub(super) fn number(&mut self, number: u32) -> &[u8] {
        for begin in self.digits {
            for (index, at) in (begin..begin + DIGITS).enumerate() {
                let digit = (number >> (4 * (DIGITS - 1 - index))) & 15;
                self.frame[self.header + at] = b"0123456789abcdef"[digit as usize] ^ MASK[at % MASK.len()];
            }
        }
        &self.frame
    }

    /// The digits in the text of a received message; `None` in all other events.
    #[inline]
    pub(super) fn mark<'a>(&self, payload: &'a [u8]) -> Option<&'a [u8]> {
        let tail = payload.get(payload.len().checked_sub(self.tail)?..)?;
        tail.strip_prefix(MARK)
    }
}

/// The number at the beginning of what [`Say::mark`] returns.
#[inline]
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    let digits = digits.get(..DIGITS)?;
    digits.iter().try_fold(0_u32, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// The first frame in `bytes`: its opcode, and where its payload begins and ends, which may be beyond `bytes`.
#[inline]
pub(super) fn parse(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let [first, second, ..] = *bytes else { return None };
    let (length, begin) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        length => (usize::from(length), 2),
    };
    Some((first & 0x0f, begin, begin + length))
}
