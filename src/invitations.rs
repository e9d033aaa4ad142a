//! Who may find the room through Tor: invitations, each with a name and the public part of a key.
//!
//! They are files in the directory `invited` of the data directory, written by `onionroom invite` and read by the open
//! room, which looks every two seconds. The directory is what makes a room private: while it is there, also empty, the
//! room is found only by those invited, so removing the last invitation opens it to none. An open room that has once been
//! private stays so until it is closed, whatever becomes of the directory.
//!
//! The private part of a key is printed once and kept nowhere. What the keys do on the Tor network is in [`crate::tor`].

mod access;
mod error;
mod expiry;
mod follower;
mod key;
mod name;
mod store;

pub use access::Access;
pub use error::InvitationError;
pub use expiry::Expiry;
pub use follower::Follower;
pub use key::{MalformedKey, PublicKey};
pub use name::{InviteeName, NameError};
pub use store::{Invitation, Invitations};

/// How many invitations a room may have. A descriptor has room for about 160 keys next to twenty introduction points
/// (`MAX_RESTRICTED_DISCOVERY_CLIENTS` in Arti), and the room's own client has one.
pub const INVITATIONS_MAX: usize = 150;

/// The directory in the data directory. A backup has it, and a restored room is as private as it was.
pub const DIRECTORY: &str = "invited";
