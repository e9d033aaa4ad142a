//! The seat of a guest whom the browser knows: held, or taken anew under the name that they had.

use crate::hub::{Room, StatelessJoin};
use crate::protocol::{Hello, Name, Refusal, Token};

/// A guest whose seat is held.
pub(super) struct Resumed {
    pub(super) join: StatelessJoin,
    /// The name that they had, where they could not get it again.
    pub(super) lost_name: Option<Name>,
}

/// Holds the guest's seat, under the name that they have there, because a GET changes no name. Where there is none, because
/// it expired or the room was restarted, takes it anew under the name that they had last, if that is free.
///
/// # Errors
/// As [`Room::join`].
pub(super) async fn resume(room: &Room, name: Option<&Name>, token: &Token) -> Result<Resumed, Refusal> {
    if let Some(join) = room.touch(token).await? {
        return Ok(Resumed { join, lost_name: None });
    }
    let hello = Hello { token: Some(token.clone()), ..Hello::default() };
    let named = Hello { name: name.cloned(), ..hello.clone() };
    match room.join_stateless(named).await {
        Err(_) if name.is_some() => {
            Ok(Resumed { join: room.join_stateless(hello).await?, lost_name: name.cloned() })
        }
        joined => Ok(Resumed { join: joined?, lost_name: None }),
    }
}
