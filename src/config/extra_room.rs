//! A room beside the main one, and what it may be called.

use super::settings::{ExtraRoom, MAIN, RoomSettings, Settings};
use super::title::checked_title;

/// The most rooms beside the main one.
pub const ROOMS_MAX: usize = 1000;

/// What [`is_room_name`] asks for, as the end of "Allowed: …".
pub const ROOM_NAME_RULE: &str =
    "1 to 32 of a–z, 0–9 and -, with a letter or digit first and last, and not main";

/// Whether this may be the name of a room beside the main one. It is part of addresses and of paths: one spelling for each, no
/// file system or browser changes it, and none leads out of a directory.
pub fn is_room_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().last()];
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| plain(byte) || byte == b'-')
        && ends.into_iter().all(|end| end.is_some_and(plain))
        && name != MAIN
}

impl Settings {
    /// A room with the limits and the retention of the main one; without a title, that is its name.
    ///
    /// # Errors
    /// The rule that the name or the title breaks.
    pub fn extra_room(&self, name: &str, title: Option<&str>, listed: bool) -> Result<ExtraRoom, String> {
        self.main_room().like(name, title, listed)
    }

    /// The main room as the others are described.
    pub fn main_room(&self) -> ExtraRoom {
        ExtraRoom { room: self.room.clone(), history: self.history.clone(), listed: true, own_limits: false }
    }
}

impl ExtraRoom {
    /// A room with the limits and the retention of this one; without a title, that is its name.
    ///
    /// # Errors
    /// The rule that the name or the title breaks.
    pub fn like(&self, name: &str, title: Option<&str>, listed: bool) -> Result<Self, String> {
        if !is_room_name(name) {
            return Err(format!("{name:?} cannot be the name of a room. Allowed: {ROOM_NAME_RULE}."));
        }
        let title = checked_title(title.unwrap_or(name)).map_err(|rule| {
            format!("That cannot be the title of a room: {rule}. Allowed: 1 to 64 characters.")
        })?;
        let room = RoomSettings { name: name.into(), title, ..self.room.clone() };
        Ok(Self { room, history: self.history.clone(), listed, own_limits: false })
    }
}
