//! Tests of `[[rooms]]`.

use super::Fixture;
use crate::config::is_room_name;

#[test]
fn a_room_has_its_own_limits_and_otherwise_those_of_the_main_one() {
    let desk = Fixture::new().file(
        "[room]\nguests = 50\nmessage_bytes = 100\n[history]\nmessages = 5\ndays = 3\n\
         [[rooms]]\nname = \"tea\"\ntitle = \"Tea at five\"\nguests = 7\nhistory = { messages = 9 }\n\
         [[rooms]]\nname = \"attic-2\"\nlisted = false\n[rooms.history]\ndays = 1\n",
    );
    // The main room's flag counts for all that do not say otherwise.
    let settings = desk.flag("--keep-days", Some("4")).load().unwrap();
    let [tea, attic] = &settings.rooms[..] else { panic!("{:?}", settings.rooms) };
    assert_eq!((tea.room.name.as_str(), tea.room.title.as_str(), tea.listed), ("tea", "Tea at five", true));
    assert_eq!((tea.room.guests, tea.room.message_bytes), (7, 100));
    assert_eq!((tea.history.messages, tea.history.days), (9, 4));
    assert_eq!((attic.room.title.as_str(), attic.listed, attic.room.guests), ("attic-2", false, 50));
    assert_eq!((attic.history.messages, attic.history.days), (5, 1));
    assert_eq!((settings.room.name.as_str(), settings.room.guests), ("main", 50));
}

#[test]
fn what_is_wrong_with_a_room_is_said_as_with_the_main_one() {
    for (text, said) in [
        ("title = \"x\"", "A room has no name (room.toml, line 1). Write name"),
        ("name = \"Tea\"", "rooms.name cannot be \"Tea\" (room.toml, line 2). Allowed: 1 to 32 of"),
        ("name = 7", "rooms.name cannot be 7 (room.toml, line 2)"),
        ("name = \"tea\"\n[[rooms]]\nname = \"tea\"", "line 4): another room has that name"),
        (
            "name = \"tea\"\nguets = 7",
            "There is no key rooms.guets (room.toml, line 3). Did you mean rooms.guests?",
        ),
        ("name = \"tea\"\nlsted = true", "Did you mean rooms.listed?"),
        (
            "name = \"tea\"\nguests = 0",
            "rooms.guests cannot be 0 (room.toml, line 3). Allowed: a whole number from 1",
        ),
        ("name = \"tea\"\nlisted = 1", "rooms.listed cannot be 1"),
        ("name = \"tea\"\nhistory = { days = -1 }", "rooms.history.days cannot be -1"),
        ("name = \"tea\"\nhistory = { dais = 1 }", "Did you mean rooms.history.days?"),
        ("name = \"tea\"\nhistory = 7", "There is no key rooms.history"),
        ("name = \"tea\"\ntitle = \"\"", "rooms.title cannot be \"\""),
    ] {
        let complaint = Fixture::new().file(&format!("[[rooms]]\n{text}")).complaint();
        assert!(complaint.contains(said), "{complaint}");
    }
    for (text, said) in [
        ("[rooms]\nname = \"tea\"", "write [[rooms]] with two brackets"),
        ("rooms = [7]", "write [[rooms]] with two brackets"),
        ("[[romms]]\nname = \"tea\"", "outside a section"),
        ("[romms]\nname = \"tea\"", "Did you mean [[rooms]]?"),
    ] {
        let complaint = Fixture::new().file(text).complaint();
        assert!(complaint.contains(said), "{complaint}");
    }
}

#[test]
fn only_the_main_room_can_be_on_several_machines() {
    let text =
        "[cluster]\nnats = [\"nats://127.0.0.1:4222\"]\nsecret_file = \"key\"\n[[rooms]]\nname = \"tea\"";
    let complaint = Fixture::new().file(text).complaint();
    assert!(complaint.contains("only the main room can be on several machines"), "{complaint}");
}

#[test]
fn a_name_is_one_thing_in_every_address_and_on_every_file_system() {
    for name in ["a", "7", "tea", "tea-at-5", "a--b", &"x".repeat(32)] {
        assert!(is_room_name(name), "{name}");
    }
    for name in [
        "",
        ".",
        "..",
        "...",
        "main",
        "Main",
        "Tea",
        "tea/",
        "/tea",
        "../tea",
        "a/b",
        "a\\b",
        "a.b",
        "a_b",
        "-",
        "-a",
        "a-",
        "tea ",
        "t\u{e9}",
        "t\u{435}a",
        "\u{200b}",
        "a\0",
        "%2e%2e",
        "con\u{301}",
        &"x".repeat(33),
    ] {
        assert!(!is_room_name(name), "{name}");
    }
}
