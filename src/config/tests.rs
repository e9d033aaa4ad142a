//! Tests of the settings, from the sources to the result or the error's sentence.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::{
    EXAMPLE, Flag, KEYS, LocalAccess, ProxyAddress, Settings, SettingsError, Sources, StandardPaths,
};

#[path = "rooms_tests.rs"]
mod rooms;

/// The sources of settings, with a directory for the file.
struct Fixture {
    directory: TempDir,
    sources: Sources,
}

impl Fixture {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), sources: Sources::default() }
    }

    fn file(mut self, text: &str) -> Self {
        let path = self.directory.path().join("room.toml");
        fs::write(&path, text).unwrap();
        self.sources.file = Some(path);
        self
    }

    fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.sources.environment.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.sources.flags.push(Flag { name, value: value.map(OsString::from) });
        self
    }

    fn load(&self) -> Result<Settings, SettingsError> {
        let paths = StandardPaths {
            config_file: Some(self.directory.path().join("onionroom.toml")),
            data_dir: Some("/the/platform/keeps/it/here".into()),
        };
        Settings::load(&self.sources, &paths)
    }

    /// The error's sentence, with the directory of the test left out.
    fn complaint(&self) -> String {
        let complaint = self.load().expect_err("these settings are wrong").to_string();
        complaint.replace(&format!("{}/", self.directory.path().display()), "")
    }
}

fn defaults() -> Settings {
    Settings { data_dir: Some("/the/platform/keeps/it/here".into()), ..Settings::default() }
}

#[test]
fn without_any_source_the_defaults_hold() {
    assert_eq!(Fixture::new().load().unwrap(), defaults());
}

#[test]
fn the_example_file_is_the_defaults_and_has_every_key() {
    assert_eq!(Fixture::new().file(EXAMPLE).load().unwrap(), defaults());

    let document: toml::Table = EXAMPLE.parse().unwrap();
    for key in KEYS {
        let value = document.get(key.section).and_then(|section| section.get(key.name));
        assert!(value.is_some(), "the example lacks {}", key.path());
    }
}

#[test]
fn the_example_file_and_the_documentation_name_every_range() {
    let documentation = include_str!("../../docs/configuration.md");
    for key in KEYS {
        let row = documentation.lines().find(|line| line.contains(&format!("| `{}` |", key.path())));
        let row = row.unwrap_or_else(|| panic!("docs/configuration.md has no row for {}", key.path()));
        assert!(row.contains(&format!("`{}`", key.variable())), "{row}");
        if let Some(flag) = key.flag {
            assert!(row.contains(&format!("`{flag}")), "{row}");
        }
        if let super::key::Setter::Number { least, most, .. } = key.setter {
            let range = format!("{least} to {most}");
            assert!(row.contains(&range), "{row} should say {range}");
            assert!(
                EXAMPLE.replace("\n# ", " ").contains(&range),
                "the example should say {range} for {}",
                key.path()
            );
        }
    }
}

#[test]
fn the_stronger_source_wins() {
    let desk = Fixture::new().file("[room]\ntitle = \"from the file\"\nguests = 5\nmessage_bytes = 100");
    let desk = desk.variable("ONIONROOM_ROOM_TITLE", "from the environment");
    let desk = desk.variable("ONIONROOM_ROOM_GUESTS", "6").flag("--guests", Some("7"));
    let room = desk.load().unwrap().room;
    assert_eq!((room.title.as_str(), room.guests, room.message_bytes), ("from the environment", 7, 100));
}

#[test]
fn the_platforms_file_is_read_if_it_exists() {
    let desk = Fixture::new();
    fs::write(desk.directory.path().join("onionroom.toml"), "[room]\nguests = 9").unwrap();
    assert_eq!(desk.load().unwrap().room.guests, 9);
}

#[test]
fn the_environment_can_name_the_file() {
    let desk = Fixture::new();
    let file = desk.directory.path().join("mine.toml");
    fs::write(&file, "[listen]\nhello_seconds = 3").unwrap();
    let desk = desk.variable("ONIONROOM_CONFIG", file);
    assert_eq!(desk.load().unwrap().listen.hello, Duration::from_secs(3));
}

#[test]
fn a_file_that_was_asked_for_must_be_there() {
    let mut desk = Fixture::new();
    desk.sources.file = Some(desk.directory.path().join("absent.toml"));
    assert!(desk.complaint().starts_with("The configuration file absent.toml cannot be read: "));
}

#[test]
fn every_variable_is_understood() {
    for key in KEYS {
        let value = match key.setter {
            super::key::Setter::Number { least, .. } => least.to_string(),
            _ if key.name.starts_with("tls") => continue, // none of them goes alone
            super::key::Setter::Switch { .. } => "true".into(),
            _ if key.name == "nats" => String::new(),
            _ if key.name == "address" => "[::1]:0".into(),
            _ if key.name == "local" => "open".into(),
            _ if key.name == "public" => "https://room.example, http://localhost:8080".into(),
            _ if key.name == "proxy" => String::new(),
            _ => "info".into(),
        };
        let desk = Fixture::new().variable("ONIONROOM_ROOM_GUESTS", "1").variable(&key.variable(), value);
        assert!(desk.load().is_ok(), "{}", desk.complaint());
    }
}

#[test]
fn both_ends_of_every_range_are_allowed_and_nothing_beyond() {
    for key in KEYS {
        let super::key::Setter::Number { least, most, .. } = key.setter else { continue };
        let load = |number: u64| {
            let few = if key.name == "guests" { most } else { 1 };
            let text = format!("[{}]\n{} = {number}", key.section, key.name);
            let desk = Fixture::new().file(&text).flag("--guests", (few == 1).then_some("1"));
            desk.load().map(|_| ())
        };
        assert!(load(least).is_ok() && load(most).is_ok(), "{}", key.path());
        let below = least.checked_sub(1).is_none_or(|below| load(below).is_err());
        assert!(below && load(most + 1).is_err(), "{}", key.path());
    }
}

#[test]
fn a_bad_value_names_key_line_and_what_is_allowed() {
    let desk = Fixture::new().file("[room]\ntitle = \"x\"\n\nguests = 0\n");
    assert_eq!(
        desk.complaint(),
        "room.guests cannot be 0 (room.toml, line 4). Allowed: a whole number from 1 to 10000."
    );
    let desk = Fixture::new().file("[room]\nguests = \"many\"\n");
    assert_eq!(
        desk.complaint(),
        "room.guests cannot be \"many\" (room.toml, line 2). Allowed: a whole number from 1 to 10000."
    );
    let desk = Fixture::new().file("[onion]\nenabled = [1, 2]\n");
    assert_eq!(
        desk.complaint(),
        "onion.enabled cannot be [1, 2] (room.toml, line 2). Allowed: true or false."
    );
    let desk = Fixture::new().variable("ONIONROOM_LISTEN_HELLO_SECONDS", "1.5");
    assert_eq!(
        desk.complaint(),
        "listen.hello_seconds cannot be \"1.5\" (environment variable ONIONROOM_LISTEN_HELLO_SECONDS). \
         Allowed: a whole number of seconds from 1 to 600."
    );
    let desk = Fixture::new().flag("--onion-port", Some("65536"));
    assert_eq!(
        desk.complaint(),
        "onion.port cannot be \"65536\" (flag --onion-port). Allowed: a whole number from 1 to 65535."
    );
    for bad in ["0", "65", "two", "-1"] {
        assert_eq!(
            Fixture::new().flag("--threads", Some(bad)).complaint(),
            format!(
                "onion.threads cannot be \"{bad}\" (flag --threads). Allowed: a whole number from 1 to 64."
            )
        );
    }
}

#[test]
fn an_unknown_name_gets_the_nearest_one() {
    let complaint = |text: &str| Fixture::new().file(text).complaint();
    assert_eq!(
        complaint("[room]\nguets = 3"),
        "There is no key room.guets (room.toml, line 2). Did you mean room.guests?"
    );
    assert_eq!(
        complaint("[room]\nport = 80"),
        "There is no key room.port (room.toml, line 2). Did you mean onion.port, in the section [onion]?"
    );
    assert_eq!(
        complaint("title = \"x\""),
        "There is no key title outside a section (room.toml, line 1). Did you mean room.title, in the section [room]?"
    );
    assert_eq!(
        complaint("[storage]\ncolour = 1"),
        "There is no key storage.colour (room.toml, line 2). The keys of [storage] are data_dir, ephemeral, ephemeral_on_disk."
    );
    assert_eq!(
        complaint("\n[rom]\nguests = 3"),
        "There is no section [rom] (room.toml, line 2). Did you mean [room]?"
    );
    assert_eq!(
        Fixture::new().variable("ONIONROOM_ROOM_GUESTZ", "3").complaint(),
        "There is no setting ONIONROOM_ROOM_GUESTZ (environment variable). Did you mean ONIONROOM_ROOM_GUESTS?"
    );
}

#[test]
fn what_is_not_toml_names_the_line() {
    let complaint = Fixture::new().file("[room]\nguests = = 3\n").complaint();
    assert!(complaint.starts_with("room.toml, line 2: this is not TOML: "), "{complaint}");
    let complaint = Fixture::new().file("[room]\nguests = 3\nguests = 4\n").complaint();
    assert!(complaint.starts_with("room.toml, line 3: this is not TOML: duplicate key"), "{complaint}");
}

#[test]
fn only_loopback_is_listened_on() {
    for address in ["0.0.0.0:80", "192.168.1.2:8646", "[::]:0"] {
        let complaint = Fixture::new().flag("--listen", Some(address)).complaint();
        assert!(complaint.contains("without encryption"), "{complaint}");
    }
    for address in ["127.0.0.2:1", "[::1]:8646"] {
        let listen = Fixture::new().flag("--listen", Some(address)).load().unwrap().listen;
        assert_eq!((listen.address.to_string().as_str(), listen.address_is_default), (address, false));
    }
    assert!(Fixture::new().flag("--listen", Some("8646")).load().is_err());
}

#[test]
fn an_address_from_the_command_line_is_meant_even_if_it_is_the_default_one() {
    let listen = Fixture::new().flag("--listen", Some("127.0.0.1:8646")).load().unwrap().listen;
    assert!(!listen.address_is_default);
}

#[test]
fn titles_are_visible_text() {
    let title = |given: &str| Fixture::new().flag("--title", Some(given)).load().map(|it| it.room.title);
    assert_eq!(title("  Tea at five ").unwrap(), "Tea at five");
    assert_eq!(title(&"ä".repeat(64)).unwrap(), "ä".repeat(64));
    for bad in ["", "   ", "a\nb", "\u{1b}[2J", &"a".repeat(65)] {
        assert!(title(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn paths_are_taken_from_where_they_were_written() {
    let desk = Fixture::new().file("[storage]\ndata_dir = \"here\"");
    assert_eq!(desk.load().unwrap().data_dir, Some(desk.directory.path().join("here")));
    let desk = desk.flag("--data-dir", Some("there"));
    assert_eq!(desk.load().unwrap().data_dir.as_deref(), Some(Path::new("there")));
    assert!(Fixture::new().file("[storage]\ndata_dir = \"~/room\"").complaint().contains("whole path"));
}

#[test]
fn an_ephemeral_room_has_no_directory() {
    let desk = Fixture::new().file("[storage]\ndata_dir = \"/x\"").flag("--ephemeral", None);
    assert_eq!(desk.load().unwrap().data_dir, None);
    let homeless = Settings::load(&Sources::default(), &StandardPaths::default());
    assert!(matches!(homeless, Err(SettingsError::NoDataDirectory)));
}

/// A local room without a home kept nothing and did not say so.
#[test]
fn without_a_home_nothing_is_kept_only_if_that_was_asked_for() {
    let desk = Fixture::new().flag("--no-onion", None);
    let refused = Settings::load(&desk.sources, &StandardPaths::default()).unwrap_err().to_string();
    assert!(refused.contains("--data-dir") && refused.contains("--ephemeral"), "{refused}");
    let desk = desk.flag("--ephemeral", None);
    assert_eq!(Settings::load(&desk.sources, &StandardPaths::default()).unwrap().data_dir, None);
}

#[test]
fn connections_keep_up_with_guests() {
    let connections = |desk: Fixture| desk.load().map(|it| it.listen.connections);
    assert_eq!(connections(Fixture::new().flag("--guests", Some("2000"))).unwrap(), 4000);
    let complaint = Fixture::new().file("[room]\nguests = 50\n[listen]\nconnections = 40").complaint();
    assert!(complaint.contains("40") && complaint.contains("50"), "{complaint}");
}

#[test]
fn other_variables_are_not_looked_at() {
    let desk = Fixture::new().variable("PATH", "/bin").variable("ONIONROOM_BROWSER", "x");
    assert!(desk.variable("ONIONROOM_TEST_ANYTHING", "x").load().is_ok());
}

#[test]
fn public_origins_are_listed_in_a_file_or_with_commas() {
    let public = |desk: Fixture| {
        let listen = desk.load().unwrap().listen;
        listen.public.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let file = |list: &str| Fixture::new().file(&format!("[listen]\npublic = {list}"));
    let both = ["https://room.example", "http://localhost:8080"];
    assert_eq!(public(file("[\"https://room.example/\", \"http://localhost:8080\"]")), both);
    assert_eq!(public(file("[]")), [""; 0]);
    let variable = |list: &str| Fixture::new().variable("ONIONROOM_LISTEN_PUBLIC", list);
    assert_eq!(public(variable("https://room.example, http://localhost:8080,")), both);
    assert_eq!(public(variable("")), [""; 0]);

    let complaint = file("[\"https://room.example\", 1]").complaint();
    assert!(
        complaint.starts_with("listen.public cannot be [\"https://room.example\", 1] (room.toml, line 2)")
    );
    let complaint = file("[\"https://room.example/chat\"]").complaint();
    assert!(complaint.contains("\"https://room.example/chat\": an origin has no path"), "{complaint}");
    for twice in ["https://a.example,http://a.example", "https://a.example,https://a.example:443"] {
        let complaint = variable(twice).complaint();
        assert!(complaint.contains("same host and port") && complaint.contains("redirect"), "{complaint}");
    }
}

#[test]
fn a_listener_for_proxies_has_a_place_and_a_name() {
    let desk = || Fixture::new().variable("ONIONROOM_LISTEN_PUBLIC", "https://room.example");
    let proxy = |given: &str| desk().variable("ONIONROOM_LISTEN_PROXY", given);
    let place = |given: &str| proxy(given).load().unwrap().listen.proxy;
    for address in ["127.0.0.1:8647", "[::1]:0", "0.0.0.0:8647", "192.0.2.1:80"] {
        assert_eq!(place(address), Some(ProxyAddress::Tcp(address.parse().unwrap())));
    }
    assert_eq!(place(""), None);
    #[cfg(unix)]
    assert_eq!(place("unix:/run/room.sock"), Some(ProxyAddress::Unix("/run/room.sock".into())));
    for wrong in ["8647", "localhost:8647", "unix:", "unix:room.sock", "/run/room.sock"] {
        let complaint = proxy(wrong).complaint();
        assert!(complaint.contains("Allowed: an address with a port"), "{complaint}");
    }
    let complaint = Fixture::new().variable("ONIONROOM_LISTEN_PROXY", "127.0.0.1:8647").complaint();
    assert!(complaint.contains("listen.public is empty"), "{complaint}");
    let alone = proxy("127.0.0.1:8647").flag("--local", Some("off")).flag("--no-onion", None);
    assert!(alone.load().is_ok(), "a way in");
}

#[cfg(unix)]
#[test]
fn the_settings_for_a_room_behind_c_tor_are_understood() {
    let settings = Fixture::new().file(include_str!("../../config/c-tor/onionroom.toml")).load().unwrap();
    assert!(!settings.onion.enabled && settings.listen.proxy_protocol);
    assert_eq!(settings.listen.proxy, Some(ProxyAddress::Unix("/run/onionroom/proxy.sock".into())));
}

#[test]
fn a_cluster_has_servers_a_name_and_no_passwords_in_messages() {
    let desk = || Fixture::new().variable("ONIONROOM_CLUSTER_SECRET_FILE", "/key");
    let nats = |given: &str| desk().variable("ONIONROOM_CLUSTER_NATS", given);
    let cluster = nats("nats://me:pass@one:4222, tls://two").load().unwrap().cluster.unwrap();
    assert_eq!((cluster.nats.len(), cluster.room.as_str(), cluster.replicas), (2, "room", 0));
    assert!(nats("").load().unwrap().cluster.is_none());
    let complaint = nats("nats://me:pass@one:4222, http://me:pass@two").complaint();
    assert!(complaint.contains("nats://***@one:4222") && !complaint.contains("pass"), "{complaint}");
    let named = |name: &str| nats("nats://one").variable("ONIONROOM_CLUSTER_ROOM", name).load().is_ok();
    assert!(named("Tea-room_5") && named(&"x".repeat(32)));
    assert!(!named("") && !named("a.b") && !named("a b") && !named(&"x".repeat(33)) && !named("*"));
}

#[test]
fn a_room_has_a_way_in() {
    let local = |who: &str| Fixture::new().flag("--local", Some(who));
    assert_eq!(local("key").load().unwrap(), defaults());
    assert_eq!(local("open").load().unwrap().listen.local, LocalAccess::Open);
    assert_eq!(local("off").load().unwrap().listen.local, LocalAccess::Off);
    assert!(local("everyone").complaint().contains("Allowed: key, open, unix or off."));
    let complaint = local("off").flag("--no-onion", None).complaint();
    assert!(complaint.contains("no way into the room") && complaint.contains("--local"), "{complaint}");
}
