//! What the host's socket answers about all rooms.

use std::sync::Arc;

use crate::control::answer::{Answer, Failed};
use crate::control::room_list::{RoomLine, RoomList};
use crate::control::rooms::RoomsRequest;
use crate::protocol::event;
use crate::rooms::{Rooms, RoomsError};

/// Does what is asked of the rooms.
///
/// # Errors
/// It cannot be done, and the sentence says why.
pub(super) async fn answer(rooms: &Arc<Rooms>, request: RoomsRequest) -> Result<Answer, Failed> {
    match request {
        RoomsRequest::List => Ok(Answer::Rooms(list(rooms))),
        RoomsRequest::Add { name, title, listed } => {
            rooms.add(&name, title.as_deref(), listed).await.map_err(failed)?;
            Ok(Answer::Room { room: name })
        }
        RoomsRequest::Remove { name } => {
            // Of its own, so that it goes on although the host's program does not wait for it.
            let (rooms, removed) = (Arc::clone(rooms), name.clone());
            let removal = tokio::spawn(async move { rooms.remove(&removed).await });
            removal.await.unwrap_or(Ok(())).map_err(failed)?;
            Ok(Answer::Room { room: name })
        }
    }
}

fn list(rooms: &Rooms) -> RoomList {
    let line = |event::RoomLine { name, title, guests, .. }: event::RoomLine, listed, configured| RoomLine {
        name,
        title,
        listed,
        configured,
        guests: Some(guests),
    };
    let main = line(rooms.main_line(), true, true);
    let others =
        rooms.all().into_iter().map(|(room, configured, known)| line(known, room.listed, configured));
    RoomList { rooms: std::iter::once(main).chain(others).collect() }
}

fn failed(error: RoomsError) -> Failed {
    let code = match error {
        RoomsError::Exists(_) => "room_exists",
        RoomsError::Unknown(_) => "unknown_room",
        RoomsError::Name(_) => "bad_room",
        RoomsError::Configured(_) | RoomsError::Main | RoomsError::TooMany(_) => "not_allowed",
        RoomsError::Storage(_) => "not_kept",
    };
    Failed::new(code, error.to_string())
}
