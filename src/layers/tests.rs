//! What the reader of source files understands, on files in memory.

use super::graph::{Graph, circles};
use super::source::parse;

/// The uses among files, each as `line path -> file`.
fn uses(files: &[(&str, &str)]) -> Vec<String> {
    let modules = parse(files);
    let graph = Graph(&modules);
    assert_eq!(graph.lost(), [""; 0]);
    let uses = graph.uses();
    uses.iter().map(ToString::to_string).collect()
}

/// The uses in a module `reader` beside `hub`, which shows a `Room` of its child `hub::room`, and `log`.
fn read(text: &str) -> Vec<String> {
    let files = [
        ("lib.rs", "pub mod hub; mod log; mod reader;"),
        ("hub.rs", "pub mod room; pub use room::Room; pub fn open() {} pub const SEATS: usize = 1;"),
        ("hub/room.rs", "pub struct Room; pub fn shut() {}"),
        (
            "log.rs",
            "pub struct Log; pub enum Kept { All } macro_rules! make { () => { pub struct Made; } } make!();",
        ),
        ("reader.rs", text),
    ];
    uses(&files)
}

#[test]
fn an_import_of_several_lines_is_read() {
    let text =
        "use crate::{\n    hub::{\n        Room,\n        room::{self, shut},\n    },\n    log::Log,\n};";
    let expected = [
        "reader.rs:3 crate::hub::Room -> hub/room.rs",
        "reader.rs:4 crate::hub::room::shut -> hub/room.rs",
        "reader.rs:6 crate::log::Log -> log.rs",
    ];
    assert_eq!(read(text), expected);
}

#[test]
fn renamed_imports_and_imported_modules_are_followed() {
    let text = "use crate::hub as house;\nuse super::log::{Log as Kept};\nfn a(_: Kept) {}\nfn b() { house::open() }";
    let expected = [
        "reader.rs:2 super::log::Log -> log.rs",
        "reader.rs:3 Kept -> log.rs",
        "reader.rs:4 house::open -> hub.rs",
    ];
    assert_eq!(read(text), expected);
}

#[test]
fn paths_in_types_expressions_patterns_and_attributes_are_read() {
    let text = "fn a(it: Vec<crate::hub::Room>) {\n    match it { super::log::Kept::All => {} }\n    let _ = [0; crate::hub::SEATS];\n}\n#[parse(with = crate::hub::open)]\nstruct B;";
    let expected = [
        "reader.rs:1 crate::hub::Room -> hub/room.rs",
        "reader.rs:2 super::log::Kept::All -> log.rs",
        "reader.rs:3 crate::hub::SEATS -> hub.rs",
        "reader.rs:5 crate::hub::open -> hub.rs",
    ];
    assert_eq!(read(text), expected);
}

#[test]
fn paths_in_macros_are_read_and_fields_are_not() {
    let text = "use crate::hub;\nfn a() {\n    assert!(matches!(it.open, hub::room::Room if b(hub::SEATS)));\n}\nmacro_rules! m { () => { $crate::log::Log }; }";
    let expected = [
        "reader.rs:3 hub::room::Room -> hub/room.rs",
        "reader.rs:3 hub::SEATS -> hub.rs",
        "reader.rs:5 crate::log::Log -> log.rs",
    ];
    assert_eq!(read(text), expected);
}

#[test]
fn what_a_glob_brings_and_what_a_macro_defines_is_found() {
    let text = "use crate::hub::*;\nfn a(_: Room, _: crate::log::Made) { open() }";
    let expected = [
        "reader.rs:2 Room -> hub/room.rs",
        "reader.rs:2 crate::log::Made -> log.rs",
        "reader.rs:2 open -> hub.rs",
    ];
    assert_eq!(read(text), expected);
}

#[test]
fn code_for_tests_and_comments_use_nothing() {
    let text = "//! See [`crate::hub`].\n#[cfg(test)]\nmod tests { use crate::hub::Room; }\n#[cfg(all(test, unix))]\nuse crate::log::Log;\n#[cfg(test)]\nfn a(_: crate::log::Log) {}\npub(super) fn b() { \"crate::hub::open\"; }";
    assert_eq!(read(text), [""; 0]);
}

#[test]
fn a_module_that_shows_its_child_does_not_use_it_and_one_that_names_it_does() {
    let child = ("a/b.rs", "pub struct B;");
    assert_eq!(uses(&[("lib.rs", "mod a;"), ("a.rs", "mod b; pub use b::B;"), child]), [""; 0]);
    let names = ("a.rs", "mod b;\npub use b::B;\npub fn a(_: B) {}");
    assert_eq!(uses(&[("lib.rs", "mod a;"), names, child]), ["a.rs:3 B -> a/b.rs"]);
    let beside = ("c.rs", "pub use crate::a::B;");
    let shown = uses(&[("lib.rs", "mod a; pub mod c;"), ("a.rs", "mod b; pub use b::B;"), child, beside]);
    assert_eq!(shown, ["c.rs:1 crate::a::B -> a/b.rs"], "of another module's it is a use");
}

#[test]
fn a_circle_is_found_with_the_lines_that_make_it() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B;\npub struct A;"),
        ("b.rs", "pub struct B(super::c::C);"),
        ("c.rs", "pub struct C;\nfn c() -> crate::a::A { todo!() }"),
        ("d.rs", "use crate::a::A;\nuse crate::c::C;"),
    ];
    let modules = parse(&files);
    let uses = Graph(&modules).uses();
    let circles = circles(&uses);
    let [(files, uses)] = &circles[..] else { panic!("{circles:?}") };
    assert_eq!(files.iter().map(|file| file.to_str().unwrap()).collect::<Vec<_>>(), ["a.rs", "b.rs", "c.rs"]);
    let lines: Vec<String> = uses.iter().map(ToString::to_string).collect();
    let expected = ["a.rs:1 crate::b::B -> b.rs", "b.rs:1 super::c::C -> c.rs", "c.rs:2 crate::a::A -> a.rs"];
    assert_eq!(lines, expected);
}

#[test]
fn a_path_that_leads_nowhere_is_told() {
    let modules = parse(&[("lib.rs", "mod a;"), ("a.rs", "use crate::b::B;\nuse super::a;")]);
    assert_eq!(Graph(&modules).lost(), ["a.rs:1 crate::b::B"]);
}
