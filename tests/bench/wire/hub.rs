//! The hubs: which there are, how each is started and spoken to.

use std::path::Path;

use super::orders::Dialect;
use super::{FLOOR, ROOMS, peers};
use crate::kit::Outcome;
use crate::kit::program::ROOM;

/// More connections than any scenario has.
const CONNECTIONS: &str = "20000";

/// Something that gives everybody what anybody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hub {
    /// One write for each message and guest.
    FloorEach,
    /// One write for each guest and round.
    FloorTogether,
    /// Ours, with its log in memory.
    Room,
    /// Ours, with its log on disk, surviving the loss of power.
    Durable,
    /// Ours, so many rooms in one process.
    Rooms(usize),
    /// Node's `ws`.
    Node,
}

/// What a hub is started with beside its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting {
    /// Environment variables.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// Whether one guest may say as much as they like.
    pub(crate) limited: bool,
}

impl Setting {
    /// With this variable.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.variables.push((name, value.to_string()));
        self
    }

    /// With the program's own limits on what one guest may say.
    pub(crate) fn limited(mut self) -> Self {
        self.limited = true;
        self
    }
}

impl Hub {
    /// How it is called in what is printed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FloorEach => "floor, a write each",
            Self::FloorTogether => "floor, together",
            Self::Room => "onionroom",
            Self::Durable => "onionroom, on disk",
            Self::Rooms(_) => "onionroom, many rooms",
            Self::Node => "Node ws",
        }
    }

    /// What it is measured against: ours on disk against ours in memory, everybody else against the floor.
    pub(crate) fn beside(self) -> Option<Self> {
        match self {
            Self::FloorTogether => None,
            Self::Durable => Some(Self::Room),
            _ => Some(Self::FloorTogether),
        }
    }

    /// The program and its arguments; `home` is a directory for what it keeps.
    pub(crate) async fn command(self, home: &Path, setting: &Setting) -> Outcome<Vec<String>> {
        let own = std::env::current_exe()?.to_string_lossy().into_owned();
        let word = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        Ok(match self {
            Self::FloorEach => word(&[&own, FLOOR, "each"]),
            Self::FloorTogether => word(&[&own, FLOOR, "together"]),
            Self::Rooms(count) => word(&[&own, ROOMS, &count.to_string()]),
            Self::Node => word(&["node", &peers::script().to_string_lossy()]),
            Self::Room | Self::Durable => {
                let mut words =
                    word(&[ROOM, "serve", "--no-onion", "--listen", "127.0.0.1:0", "--guests", "10000"]);
                if self == Self::Room {
                    words.push("--ephemeral".into());
                } else {
                    words.extend(["--data-dir".into(), home.join("room").to_string_lossy().into_owned()]);
                }
                if !setting.limited {
                    words.extend(["--messages-per-second".into(), "0".into()]);
                }
                words
            }
        })
    }

    /// How it is spoken to.
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Room | Self::Durable | Self::Rooms(_) => Dialect {
                path: "/chat".into(),
                protocol: Some("chat".into()),
                hello: Some(r#"{"type":"hello"}"#.into()),
                inside: Some(r#""type":"welcome""#.into()),
                says: r#"{"type":"say","id":"{I}","text":"{S}"}"#.into(),
            },
            _ => Dialect {
                path: "/".into(),
                protocol: None,
                hello: None,
                inside: None,
                says: r#"{"type":"chat","text":"{S}"}"#.into(),
            },
        }
    }

    /// Environment variables that it always has.
    pub(crate) fn variables(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Room | Self::Durable => vec![("ONIONROOM_LISTEN_CONNECTIONS", CONNECTIONS.into())],
            _ => Vec::new(),
        }
    }
}
