//! Why a connection ends, and the close codes for it (RFC 6455, section 7.4).

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Why a session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionEnd {
    /// The guest left.
    Left,
    /// There was no seat.
    RoomFull,
    /// The guest may not come in, or was put out.
    Banned,
    /// The room is locked.
    Locked,
    /// The room was removed.
    Removed,
    /// The same guest joined on another connection.
    TakenOver,
    /// The room is closing.
    Closing,
    /// The log cannot be read.
    Unreadable,
}

/// The close code when another connection has taken the seat over; 4000 to 4999 are for applications (RFC 6455, section 7.4.2).
pub const CLOSE_TAKEN_OVER: u16 = 4001;

/// The close code when a host or a moderator has put the guest out, or bans them.
pub(super) const CLOSE_BANNED: u16 = 4003;

/// The close code when the room was removed by its host.
pub(super) const CLOSE_REMOVED: u16 = 4004;

/// Why the connection ends.
pub(super) enum End {
    /// Close with this code and reason.
    Close(CloseCode, &'static str),
    /// The peer has closed; the answer is to be written.
    Closed,
    /// The permit was given to another circuit: close at once.
    Evicted,
    /// The connection broke.
    Gone,
}

impl From<SessionEnd> for End {
    fn from(end: SessionEnd) -> Self {
        match end {
            SessionEnd::Left => End::Close(CloseCode::Normal, ""),
            SessionEnd::RoomFull => End::Close(CloseCode::Again, "the room is full"),
            SessionEnd::Banned => End::Close(CloseCode::from(CLOSE_BANNED), "banned"),
            SessionEnd::Locked => End::Close(CloseCode::Again, "the room is locked"),
            SessionEnd::Removed => End::Close(CloseCode::from(CLOSE_REMOVED), "the room was removed"),
            SessionEnd::TakenOver => {
                End::Close(CloseCode::from(CLOSE_TAKEN_OVER), "taken over by another connection")
            }
            SessionEnd::Closing => End::Close(CloseCode::Away, "the room is closing"),
            SessionEnd::Unreadable => End::Close(CloseCode::Error, "the room cannot read its messages"),
        }
    }
}

/// The close code that RFC 6455, section 7.4.1, has for what the guest did.
pub(super) fn violation(error: &Error) -> End {
    match error {
        Error::Utf8(_) => End::Close(CloseCode::Invalid, "text that is not UTF-8"),
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            End::Close(CloseCode::Size, "larger than 64 KiB, or than 4 KiB before the hello")
        }
        Error::ConnectionClosed => End::Closed,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Error::Protocol(_) => End::Close(CloseCode::Protocol, "not WebSocket"),
        _ => End::Gone,
    }
}
