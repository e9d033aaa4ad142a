//! The refresh of the document that is not streamed.

/// The choices of how often it may load itself again, in seconds. Less than the shortest sensible grace time, so that its
/// reader stays in the room.
pub const REFRESH_SECONDS: [u32; 3] = [5, 20, 60];
