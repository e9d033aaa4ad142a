//! Reactions: one of a few emoji that a guest puts to a message.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::id::GuestId;

/// What a guest puts to a message; of each guest there is one at most for each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Emoji {
    /// 👍
    Good,
    /// ❤️
    Heart,
    /// 😂
    Laugh,
    /// 😮
    Wonder,
    /// 😢
    Sad,
    /// 🎉
    Cheer,
}

impl Emoji {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Good, Self::Heart, Self::Laugh, Self::Wonder, Self::Sad, Self::Cheer];

    /// The emoji as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "👍",
            Self::Heart => "❤️",
            Self::Laugh => "😂",
            Self::Wonder => "😮",
            Self::Sad => "😢",
            Self::Cheer => "🎉",
        }
    }

    /// Reads one; with or without the selector that makes a picture of it (U+FE0F).
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |text: &str| text.trim_end_matches('\u{fe0f}').to_owned();
        Self::ALL.into_iter().find(|emoji| plain(emoji.as_str()) == plain(text))
    }
}

impl Serialize for Emoji {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// As the member `emoji` has it: an empty text takes a reaction back. For `#[serde(with)]`.
pub(super) mod optional {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Emoji;

    #[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde gives a reference")]
    pub(in crate::protocol) fn serialize<S: Serializer>(
        emoji: &Option<Emoji>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(emoji.map_or("", Emoji::as_str))
    }

    /// An emoji that this program does not know is an error: then the act is one of a newer program.
    pub(in crate::protocol) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Emoji>, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "" => Ok(None),
            text => Emoji::parse(text).map(Some).ok_or_else(|| serde::de::Error::custom("no known emoji")),
        }
    }
}

/// The reactions to one message: each emoji with the guests who chose it, in the order of [`Emoji::ALL`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reactions(Vec<(Emoji, Vec<GuestId>)>);

impl Reactions {
    /// Of these guests, in their order.
    pub fn of(reactions: impl Iterator<Item = (GuestId, Emoji)>) -> Self {
        let mut all: Vec<(Emoji, Vec<GuestId>)> = Vec::new();
        for (guest, emoji) in reactions {
            match all.iter_mut().find(|(known, _)| *known == emoji) {
                Some((_, guests)) => guests.push(guest),
                None => all.push((emoji, vec![guest])),
            }
        }
        all.sort_by_key(|(emoji, _)| *emoji);
        Self(all)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each emoji that was chosen, and by whom.
    pub fn iter(&self) -> impl Iterator<Item = (Emoji, &[GuestId])> {
        self.0.iter().map(|(emoji, guests)| (*emoji, guests.as_slice()))
    }

    /// About how many bytes they take in an event.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(_, guests)| 16 + 16 * guests.len()).sum()
    }
}

/// `{"👍":[3,7]}`.
impl Serialize for Reactions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(self.0.len()))?;
        for (emoji, guests) in &self.0 {
            members.serialize_entry(emoji, guests)?;
        }
        members.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_is_one_of_the_set_with_or_without_its_selector() {
        for emoji in Emoji::ALL {
            assert_eq!(Emoji::parse(emoji.as_str()), Some(emoji));
        }
        assert_eq!(Emoji::parse("❤"), Some(Emoji::Heart));
        for other in ["", "\u{fe0f}", "👎", "👍👍", "a"] {
            assert_eq!(Emoji::parse(other), None);
        }
    }

    #[test]
    fn reactions_are_told_by_emoji() {
        let given = [(GuestId(7), Emoji::Heart), (GuestId(3), Emoji::Good), (GuestId(9), Emoji::Heart)];
        let reactions = Reactions::of(given.into_iter());
        assert_eq!(serde_json::to_string(&reactions).unwrap(), r#"{"👍":[3],"❤️":[7,9]}"#);
        assert!(Reactions::of(std::iter::empty()).is_empty());
    }
}
