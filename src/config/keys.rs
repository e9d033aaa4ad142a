//! The table of all settings.

use std::time::Duration;

use super::key::{Key, Setter, number};
use super::texts::{address, cluster_room, filter, local, nats, proxy, public, title, tls};

const SECONDS: &str = " of seconds";
const PEM: &str = "the path of a PEM file, or an empty text for none";

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
        name: "edit_seconds",
        flag: None,
        setter: number(0, 31_622_400, SECONDS, |draft, n| draft.settings.room.edit_seconds = n),
    },
    Key {
        section: "room",
        name: "away_seconds",
        flag: None,
        setter: number(0, 86_400, SECONDS, |draft, n| draft.settings.room.away = Duration::from_secs(n)),
    },
    Key {
        section: "room",
        name: "wipe_after_days",
        flag: Some("--wipe-after-days"),
        setter: number(0, 36_500, " of days", |draft, n| draft.settings.room.wipe_after_days = n),
    },
    Key {
        section: "room",
        name: "wipe_address",
        flag: None,
        setter: Setter::Switch { flag_means: true, store: |draft, on| draft.settings.room.wipe_address = on },
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
        setter: Setter::Path { allowed: PEM, store: |draft, path| draft.tls.certificate = path },
    },
    Key {
        section: "listen",
        name: "tls_key",
        flag: Some("--tls-key"),
        setter: Setter::Path { allowed: PEM, store: |draft, path| draft.tls.key = path },
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
        name: "restricted",
        flag: Some("--restricted"),
        setter: Setter::Switch { flag_means: true, store: |draft, on| draft.settings.onion.restricted = on },
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
        section: "cluster",
        name: "nats",
        flag: None,
        setter: Setter::List {
            allowed: "a list of addresses such as nats://10.0.0.1:4222 or tls://nats.example:4222, or an empty list for none",
            store: nats,
        },
    },
    Key {
        section: "cluster",
        name: "room",
        flag: None,
        setter: Setter::Text { allowed: "1 to 32 letters, digits, - and _", store: cluster_room },
    },
    Key {
        section: "cluster",
        name: "replicas",
        flag: None,
        setter: number(0, 5, "", |draft, n| draft.cluster.replicas = n as usize),
    },
    Key {
        section: "cluster",
        name: "secret_file",
        flag: None,
        setter: Setter::Path {
            allowed: "the path of a file that onionroom cluster key made, or an empty text for none",
            store: |draft, path| draft.cluster.secret = path,
        },
    },
    Key {
        section: "cluster",
        name: "credentials_file",
        flag: None,
        setter: Setter::Path {
            allowed: "the path of a file of credentials (.creds), or an empty text for none",
            store: |draft, path| draft.cluster.credentials = path,
        },
    },
    Key {
        section: "cluster",
        name: "tls_ca",
        flag: None,
        setter: Setter::Path {
            allowed: "the path of a PEM file, or an empty text for the authorities that this system trusts",
            store: |draft, path| draft.cluster.ca = path,
        },
    },
    Key {
        section: "cluster",
        name: "tls_certificate",
        flag: None,
        setter: Setter::Path { allowed: PEM, store: |draft, path| draft.cluster.certificate = path },
    },
    Key {
        section: "cluster",
        name: "tls_key",
        flag: None,
        setter: Setter::Path { allowed: PEM, store: |draft, path| draft.cluster.key = path },
    },
    Key {
        section: "cluster",
        name: "doors",
        flag: None,
        setter: Setter::Switch { flag_means: true, store: |draft, on| draft.cluster.no_doors = !on },
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
