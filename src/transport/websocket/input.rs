//! Received bytes before they are decoded: frame by frame, each paid for first.
//!
//! Only as many frames are taken as can be answered now; the rest stays here as it came, and nothing more is read
//! meanwhile. Frames are told apart by their headers (RFC 6455, section 5.2), so that fragments, which make a message only
//! together, cost as much as messages.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;

use crate::listen::budget::{CircuitBudget, Wait};

/// The opcode of a close frame (RFC 6455, section 5.5.1).
const OPCODE_CLOSE: u8 = 0x8;

/// The longest close frame of a client: a header, a masking key, and the payload that a control frame may have (section
/// 5.5).
const CLOSE_FRAME_BYTES_MAX: u64 = 2 + 4 + 125;

/// The bytes of one connection that are not decoded yet.
pub(super) struct Input {
    bytes: BytesMut,
    /// How many bytes the frame under way still has.
    rest: u64,
    budget: Arc<CircuitBudget>,
    /// Completes when the next frame is paid for.
    payment: Option<Wait>,
}

/// The next bytes to decode.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A close frame, whole.
    Close(&'a [u8]),
    /// Another frame, or what there is of it.
    Frame(&'a [u8]),
}

/// What is known of a frame from its header.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    opcode: u8,
    /// The length of the frame, with its header.
    length: u64,
}

impl Input {
    /// No bytes; frames are charged to `budget`.
    pub(super) fn new(budget: Arc<CircuitBudget>) -> Self {
        Self { bytes: BytesMut::new(), rest: 0, budget, payment: None }
    }

    /// Adds received bytes. Only when [`Input::poll_part`] had none left, so that they do not pile up.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next part to decode. `None` when more must be received first. Pending while the frame cannot be paid for.
    pub(super) fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Part<'_>>> {
        let mut close = false;
        if self.rest == 0 {
            let Some(header) = self.next() else { return Poll::Ready(None) };
            ready!(self.poll_payment(context));
            self.rest = header.length;
            close = header.is_close();
        }
        let part = self.available();
        let kind = if close { Part::Close } else { Part::Frame };
        Poll::Ready((part > 0).then(|| kind(&self.bytes[..part])))
    }

    /// Removes the part, which was decoded.
    pub(super) fn decoded(&mut self) {
        let part = self.available();
        self.rest -= part as u64;
        self.bytes.advance(part);
        if self.bytes.is_empty() {
            // An idle connection holds no buffer.
            self.bytes = BytesMut::new();
        }
    }

    /// Whether something was received that can be decoded and waits for that. The beginning of a header is not: it waits
    /// for the guest.
    pub(super) fn is_waiting(&self) -> bool {
        self.payment.is_some() || self.available() > 0 || (self.rest == 0 && self.next().is_some())
    }

    /// Drops everything up to a close frame; whether there is one.
    pub(super) fn skip_to_close(&mut self) -> bool {
        loop {
            self.decoded();
            if self.rest > 0 {
                return false;
            }
            match header(&self.bytes) {
                Some(Header { opcode: OPCODE_CLOSE, .. }) => return true,
                Some(header) => self.rest = header.length,
                None => return false,
            }
        }
    }

    /// The header of the next frame; `None` while there is not enough of the frame to decode.
    fn next(&self) -> Option<Header> {
        header(&self.bytes).filter(|header| !header.is_close() || header.length <= self.bytes.len() as u64)
    }

    fn poll_payment(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.payment.is_none() {
            self.payment = self.budget.take(1);
        }
        if let Some(payment) = &mut self.payment {
            ready!(payment.poll_unpin(context));
            self.payment = None;
        }
        Poll::Ready(())
    }

    fn available(&self) -> usize {
        usize::try_from(self.rest).unwrap_or(usize::MAX).min(self.bytes.len())
    }
}

impl Header {
    /// Whether this is a close frame. One that is too long is none: it is refused at once, and not awaited.
    fn is_close(&self) -> bool {
        self.opcode == OPCODE_CLOSE && self.length <= CLOSE_FRAME_BYTES_MAX
    }
}

/// Parses the header at the beginning (RFC 6455, section 5.2); `None` while it is incomplete.
fn header(bytes: &[u8]) -> Option<Header> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (extended, payload) = match second & 0x7f {
        126 => (2, u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?).into()),
        127 => (8, u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
        length => (0, u64::from(length)),
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let header = 2 + extended + mask;
    (bytes.len() >= header)
        .then(|| Header { opcode: first & 0x0f, length: payload.saturating_add(header as u64) })
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::listen::ConnectionLimiter;
    use crate::protocol::CircuitId;

    fn input(requests_per_second: u32) -> Input {
        let (limiter, _accepted) = ConnectionLimiter::new(1, requests_per_second);
        Input::new(Arc::clone(limiter.try_acquire(CircuitId(1)).unwrap().budget()))
    }

    fn parts(input: &mut Input) -> Vec<Vec<u8>> {
        let mut context = Context::from_waker(Waker::noop());
        let mut parts = Vec::new();
        while let Poll::Ready(Some(Part::Close(part) | Part::Frame(part))) = input.poll_part(&mut context) {
            parts.push(part.to_vec());
            input.decoded();
        }
        parts
    }

    #[test]
    fn headers_have_three_forms_of_a_length() {
        let masked = |length: &[u8]| [&[0x81], length, &[0; 4]].concat();
        for (bytes, length) in [
            (vec![0x81, 5], 7),
            (masked(&[0x85]), 11),
            (masked(&[0xfe, 1, 0]), 256 + 8),
            (masked(&[0xff, 0, 0, 0, 0, 0, 1, 0, 0]), 65_536 + 14),
            (masked(&[0xff; 9]), u64::MAX),
        ] {
            assert_eq!(header(&bytes), Some(Header { opcode: 1, length }));
            assert_eq!(header(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[tokio::test]
    async fn frames_are_taken_one_by_one_and_long_ones_in_parts() {
        let mut input = input(0);
        let frames = [vec![0x81, 1, b'a'], vec![0x00, 0], vec![0x81, 3, b'b', b'c']];
        input.receive(&frames.concat());
        assert_eq!(parts(&mut input), frames);
        input.receive(b"d\x81");
        assert_eq!(parts(&mut input), [b"d"]);
        assert!(!input.is_waiting(), "half a header waits for the guest");
        input.receive(&[0]);
        assert!(input.is_waiting());
        assert_eq!(parts(&mut input), [[0x81, 0]]);
        assert!(!input.is_waiting());
    }

    #[tokio::test(start_paused = true)]
    async fn empty_continuations_cost_as_much_as_messages() {
        let mut input = input(20);
        input.receive(&[0x00, 0x80, 0, 0, 0, 0].repeat(2730));
        assert_eq!(parts(&mut input).len(), 200, "ten seconds' worth");
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        assert_eq!(parts(&mut input).len(), 20);
    }

    #[tokio::test]
    async fn a_close_frame_is_taken_whole_unless_it_is_too_long() {
        let mut context = Context::from_waker(Waker::noop());
        let mut input = input(0);
        for (bytes, taken) in
            [(&b"\x88"[..], false), (b"\x82\0\0\0\0", false), (b"\x03", false), (b"\xe8", true)]
        {
            input.receive(bytes);
            assert_eq!(input.is_waiting(), taken);
            let close = Part::Close(b"\x88\x82\0\0\0\0\x03\xe8");
            assert_eq!(input.poll_part(&mut context), Poll::Ready(taken.then_some(close)));
        }
        input.decoded();
        let long = b"\x88\xfe\0\x7e\0\0\0\0 and so on";
        input.receive(long);
        assert_eq!(input.poll_part(&mut context), Poll::Ready(Some(Part::Frame(long))));
        input.decoded();
        input.receive(b"\x88\x80\0\0\0\0");
        let payload = Poll::Ready(Some(Part::Frame(b"\x88\x80\0\0\0\0")));
        assert_eq!(input.poll_part(&mut context), payload, "a payload that looks like a close frame");
    }

    #[tokio::test]
    async fn a_close_frame_is_found_behind_others() {
        let mut input = input(0);
        input.receive(&[0x81, 3, 0x88]);
        assert_eq!(parts(&mut input).len(), 1);
        input.receive(&[0x88, 0, 0x02, 2, 0x88, 0, 0x80]);
        assert!(!input.skip_to_close());
        input.receive(&[0]);
        assert!(!input.skip_to_close());
        input.receive(&[0x88, 0]);
        assert!(input.skip_to_close());
    }
}
