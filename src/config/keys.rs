//! The table of all settings.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::draft::Draft;
use super::texts::{address, filter, local, proxy, public, title, tls};

/// One setting.
pub struct Key {
    /// The section of the file it stands in: `[room]`.
    pub section: &'static str,
    /// Its name there: `guests`.
    pub name: &'static str,
    /// The flag that sets it, if there is one.
    pub flag: Option<&'static str>,
    pub(super) setter: Setter,
}

/// The type of a setting, its range, and the function that stores its value.
pub(super) enum Setter {
    /// A whole number; both ends of the range are allowed.
    Number { least: u64, most: u64, unit: &'static str, store: fn(&mut Draft, u64) },
    /// `true` or `false`; a flag without a value sets it to `flag_means`.
    Switch { flag_means: bool, store: fn(&mut Draft, bool) },
    /// A text with rules of its own; the error is the rule that was broken.
    Text { allowed: &'static str, store: fn(&mut Draft, &str) -> Result<(), String> },
    /// A list of texts; the error is the rule that was broken. In the environment there are commas between them.
    List { allowed: &'static str, store: fn(&mut Draft, &[&str]) -> Result<(), String> },
    /// A path; an empty one means the default.
    Path { allowed: &'static str, store: fn(&mut Draft, Option<PathBuf>) },
}

impl Key {
    /// `room.guests`: the key as messages and documentation name it.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// `ONIONROOM_ROOM_GUESTS`: the environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("ONIONROOM_{}_{}", self.section, self.name).to_uppercase()
    }

    /// What may be given, as the end of "Allowed: …".
    pub fn allowed(&self) -> String {
        match self.setter {
            Setter::Number { least, most, unit, .. } => {
                format!("a whole number{unit} from {least} to {most}")
            }
            Setter::Switch { .. } => "true or false".into(),
            Setter::Text { allowed, .. } | Setter::List { allowed, .. } | Setter::Path { allowed, .. } => {
                allowed.into()
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.path())
    }
}

const SECONDS: &str = " of seconds";

/// Every key, in the order of the example file.
pub static KEYS: &[Key] = &[
    Key {
        section: "room",
        name: "title",
        flag: Some("--title"),
        setter: Setter::Text {
            allowed: "1 to 64 characters, not only white space, no control characters",
            store: title,
        },
    },
    Key {
        section: "room",
        name: "guests",
        flag: Some("--guests"),
        setter: number(1, 10_000, "", |draft, n| draft.settings.room.guests = n as usize),
    },
    Key {
        section: "room",
        name: "message_bytes",
        flag: None,
        // A WebSocket message may have 64 KiB, and JSON can make two bytes of one: `\n` of a line break.
        setter: number(1, 32_000, " of bytes", |draft, n| draft.settings.room.message_bytes = n as usize),
    },
    Key {
        section: "room",
        name: "messages_per_minute",
        flag: Some("--messages-per-minute"),
        setter: number(0, 60_000, "", |draft, n| draft.settings.room.messages_per_minute = n as u32),
    },
    Key {
        section: "room",
        name: "messages_at_once",
        flag: None,
        setter: number(1, 1000, "", |draft, n| draft.settings.room.messages_at_once = n as u32),
    },
    Key {
        section: "room",
        name: "room_messages_per_minute",
        flag: None,
        setter: number(0, 600_000, "", |draft, n| draft.settings.room.room_messages_per_minute = n as u32),
    },
    Key {
        section: "room",
        name: "joins_per_minute",
        flag: None,
        setter: number(0, 60_000, "", |draft, n| draft.settings.room.joins_per_minute = n as u32),
    },
    Key {
        section: "room",
        name: "away_seconds",
        flag: None,
        setter: number(0, 86_400, SECONDS, |draft, n| draft.settings.room.away = Duration::from_secs(n)),
    },
    Key {
        section: "history",
        name: "messages",
        flag: Some("--keep-messages"),
        setter: number(0, 1_000_000, "", |draft, n| draft.settings.history.messages = n as usize),
    },
    Key {
        section: "history",
        name: "megabytes",
        flag: None,
        setter: number(0, 100_000, " of megabytes", |draft, n| draft.settings.history.megabytes = n),
    },
    Key {
        section: "history",
        name: "days",
        flag: Some("--keep-days"),
        setter: number(0, 36_500, " of days", |draft, n| draft.settings.history.days = n),
    },
    Key {
        section: "history",
        name: "survive_power_loss",
        flag: None,
        setter: Setter::Switch {
            flag_means: true,
            store: |draft, on| draft.settings.history.survive_power_loss = on,
        },
    },
    Key {
        section: "listen",
        name: "address",
        flag: Some("--listen"),
        setter: Setter::Text {
            allowed: "a loopback address with a port, such as 127.0.0.1:8646 or [::1]:8646 (port 0 takes any free one)",
            store: address,
        },
    },
    Key {
        section: "listen",
        name: "local",
        flag: Some("--local"),
        setter: Setter::Text { allowed: "key, open, unix or off", store: local },
    },
    Key {
        section: "listen",
        name: "public",
        flag: None,
        setter: Setter::List {
            allowed: "a list of origins such as https://room.example or http://….onion, each host with one scheme",
            store: public,
        },
    },
    Key {
        section: "listen",
        name: "proxy",
        flag: None,
        setter: Setter::Text {
            allowed: "an address with a port such as 127.0.0.1:8647, unix: and an absolute path, or an empty text for none",
            store: proxy,
        },
    },
    Key {
        section: "listen",
        name: "proxy_protocol",
        flag: None,
        setter: Setter::Switch {
            flag_means: true,
            store: |draft, on| draft.settings.listen.proxy_protocol = on,
        },
    },
    Key {
        section: "listen",
        name: "tls",
        flag: Some("--tls"),
        setter: Setter::Text {
            allowed: "an address with a port such as 0.0.0.0:8443 or [::]:443, or an empty text for none",
            store: tls,
        },
    },
    Key {
        section: "listen",
        name: "tls_certificate",
        flag: Some("--tls-certificate"),
        setter: Setter::Path {
            allowed: "the path of a PEM file, or an empty text for none",
            store: |draft, path| draft.tls.certificate = path,
        },
    },
    Key {
        section: "listen",
        name: "tls_key",
        flag: Some("--tls-key"),
        setter: Setter::Path {
            allowed: "the path of a PEM file, or an empty text for none",
            store: |draft, path| draft.tls.key = path,
        },
    },
    Key {
        section: "listen",
        name: "tls_self_signed",
        flag: Some("--tls-self-signed"),
        setter: Setter::Switch { flag_means: true, store: |draft, on| draft.tls.self_signed = on },
    },
    Key {
        section: "listen",
        name: "connections",
        flag: None,
        setter: number(1, 100_000, "", |draft, n| draft.connections = Some(n as usize)),
    },
    Key {
        section: "listen",
        name: "requests_per_second",
        flag: None,
        setter: number(0, 10_000, "", |draft, n| draft.settings.listen.requests_per_second = n as u32),
    },
    Key {
        section: "listen",
        name: "request_head_seconds",
        flag: None,
        setter: number(1, 300, SECONDS, |draft, n| {
            draft.settings.listen.request_head = Duration::from_secs(n);
        }),
    },
    Key {
        section: "listen",
        name: "hello_seconds",
        flag: None,
        setter: number(1, 600, SECONDS, |draft, n| draft.settings.listen.hello = Duration::from_secs(n)),
    },
    Key {
        section: "listen",
        name: "idle_ping_seconds",
        flag: None,
        setter: number(1, 3600, SECONDS, |draft, n| draft.settings.listen.idle_ping = Duration::from_secs(n)),
    },
    Key {
        section: "listen",
        name: "write_stall_seconds",
        flag: None,
        setter: number(1, 3600, SECONDS, |draft, n| {
            draft.settings.listen.write_stall = Duration::from_secs(n);
        }),
    },
    Key {
        section: "onion",
        name: "enabled",
        flag: Some("--no-onion"),
        setter: Setter::Switch { flag_means: false, store: |draft, on| draft.settings.onion.enabled = on },
    },
    Key {
        section: "onion",
        name: "port",
        flag: Some("--onion-port"),
        setter: number(1, 65_535, "", |draft, n| draft.settings.onion.port = n as u16),
    },
    Key {
        section: "onion",
        name: "streams_per_circuit",
        flag: None,
        setter: number(1, 1000, "", |draft, n| draft.settings.onion.streams_per_circuit = n as usize),
    },
    Key {
        section: "onion",
        name: "idle_circuit_seconds",
        flag: None,
        setter: number(10, 3600, SECONDS, |draft, n| {
            draft.settings.onion.idle_circuit = Duration::from_secs(n);
        }),
    },
    Key {
        section: "onion",
        name: "proof_of_work",
        flag: None,
        setter: Setter::Switch {
            flag_means: true,
            store: |draft, on| draft.settings.onion.proof_of_work = on,
        },
    },
    Key {
        section: "onion",
        name: "introduction_points",
        flag: None,
        setter: number(3, 20, "", |draft, n| draft.settings.onion.introduction_points = n as u8),
    },
    Key {
        section: "onion",
        name: "introductions_per_second",
        flag: None,
        setter: number(0, 10_000, "", |draft, n| {
            draft.settings.onion.introductions_per_second = n as u32;
        }),
    },
    Key {
        section: "onion",
        name: "memory_megabytes",
        flag: None,
        setter: number(16, 65_536, "", |draft, n| draft.settings.onion.memory_megabytes = n as usize),
    },
    Key {
        section: "onion",
        name: "threads",
        flag: Some("--threads"),
        setter: number(1, 64, "", |draft, n| draft.settings.onion.threads = n as usize),
    },
    Key {
        section: "onion",
        name: "network_file",
        flag: Some("--network-file"),
        setter: Setter::Path {
            allowed: "the path of a network description, or an empty text for the public Tor network",
            store: |draft, path| draft.settings.onion.network_file = path,
        },
    },
    Key {
        section: "storage",
        name: "data_dir",
        flag: Some("--data-dir"),
        setter: Setter::Path {
            allowed: "the path of a directory, or an empty text for the platform's data directory",
            store: |draft, path| draft.data_dir = path,
        },
    },
    Key {
        section: "storage",
        name: "ephemeral",
        flag: Some("--ephemeral"),
        setter: Setter::Switch { flag_means: true, store: |draft, on| draft.ephemeral = on },
    },
    Key {
        section: "storage",
        name: "ephemeral_on_disk",
        flag: None,
        setter: Setter::Switch { flag_means: true, store: |draft, on| draft.settings.ephemeral_on_disk = on },
    },
    Key {
        section: "log",
        name: "filter",
        flag: Some("--log"),
        setter: Setter::Text {
            allowed: "a log filter such as onionroom=info, debug, or onionroom=debug,arti_client=info; off for none",
            store: filter,
        },
    },
];

const fn number(least: u64, most: u64, unit: &'static str, store: fn(&mut Draft, u64)) -> Setter {
    Setter::Number { least, most, unit, store }
}
