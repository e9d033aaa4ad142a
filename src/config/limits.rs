//! The limits of a room as a table of numbers, to be kept with the room where its configuration file is not.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::key::Setter;
use super::keys::KEYS;
use super::settings::{ExtraRoom, HistorySettings, RoomSettings};

/// The limits and the retention of a room, by the paths of their keys; what is on or off is 1 or 0.
pub type Limits = BTreeMap<String, u64>;

impl ExtraRoom {
    /// The limits and the retention of the room.
    pub fn limits(&self) -> Limits {
        let RoomSettings { guests, message_bytes, messages_per_minute, messages_at_once, .. } = self.room;
        let RoomSettings { room_messages_per_minute, joins_per_minute, away, edit_seconds, .. } = self.room;
        let HistorySettings { messages, megabytes, days, survive_power_loss } = self.history;
        let limits = [
            ("room.guests", guests as u64),
            ("room.message_bytes", message_bytes as u64),
            ("room.messages_per_minute", messages_per_minute.into()),
            ("room.messages_at_once", messages_at_once.into()),
            ("room.room_messages_per_minute", room_messages_per_minute.into()),
            ("room.joins_per_minute", joins_per_minute.into()),
            ("room.away_seconds", away.as_secs()),
            ("room.edit_seconds", edit_seconds),
            ("history.messages", messages as u64),
            ("history.megabytes", megabytes),
            ("history.days", days),
            ("history.survive_power_loss", survive_power_loss.into()),
        ];
        limits.into_iter().map(|(path, number)| (path.to_owned(), number)).collect()
    }

    /// The room with these limits as its own. Those that are not known, or are of no room, are passed over.
    ///
    /// # Errors
    /// A number that is not allowed, as a sentence.
    pub fn with_limits(mut self, limits: &Limits) -> Result<Self, String> {
        let mut draft = Draft::default();
        draft.settings.room = self.room.clone();
        draft.settings.history = self.history.clone();
        for key in KEYS.iter().filter(|key| ["room", "history"].contains(&key.section)) {
            // Whether the rooms wipe themselves is said for all of them, in the configuration.
            let Some(number) = limits.get(&key.path()).filter(|_| !key.name.starts_with("wipe_")) else {
                continue;
            };
            match &key.setter {
                Setter::Number { least, most, store, .. } if (*least..=*most).contains(number) => {
                    store(&mut draft, *number);
                }
                Setter::Switch { store, .. } if *number <= 1 => store(&mut draft, *number == 1),
                _ => {
                    let (path, allowed) = (key.path(), key.allowed());
                    return Err(format!("{path} is {number}. Allowed: {allowed}."));
                }
            }
        }
        (self.room, self.history, self.own_limits) = (draft.settings.room, draft.settings.history, true);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;
    use crate::config::Settings;

    #[test]
    fn limits_come_back_and_are_checked() {
        let settings = Settings::default();
        let mut room = settings.extra_room("tea", None, false).unwrap();
        let plain = room.clone();
        for key in KEYS.iter().filter(|key| ["room", "history"].contains(&key.section)) {
            let known = plain.limits().contains_key(&key.path());
            assert_eq!(known, key.name != "title" && !key.name.starts_with("wipe_"), "{}", key.path());
        }
        (room.room.guests, room.history.days, room.history.survive_power_loss) = (3, 0, false);
        let again = plain.clone().with_limits(&room.limits()).unwrap();
        room.own_limits = true;
        assert_eq!(again, room);
        for (path, number) in
            [("room.guests", 0), ("history.messages", 1 << 40), ("history.survive_power_loss", 2)]
        {
            let wrong = Limits::from([(path.to_owned(), number)]);
            assert!(plain.clone().with_limits(&wrong).unwrap_err().contains(path));
        }
        let passed = ["room.wipe_after_days", "onion.port", "x"];
        let passed = passed.map(|path| (path.to_owned(), 7)).into();
        assert_eq!(plain.clone().with_limits(&passed).unwrap().room, plain.room);
    }
}
