//! The rules of the source tree that a reader would have to take on trust otherwise: which module may use which, that
//! no files use each other in a circle, which module names Tor's crates, that lib.rs explains each, how long a file may be.

mod graph;
mod source;
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use graph::{Graph, circles};
use source::Module;

/// Each module and what it uses, in the order of a message's way: a module stands below those it uses.
const USES: [(&str, &[&str]); 22] = [
    ("language", &[]),
    ("protocol", &["language"]),
    ("rate_limit", &[]),
    ("passwords", &["protocol", "rate_limit"]),
    ("qr", &[]),
    ("config", &[]),
    ("storage", &[]),
    ("invitations", &["storage"]),
    ("cluster", &["config"]),
    ("log", &["protocol", "cluster"]),
    ("hub", &["language", "protocol", "rate_limit", "passwords", "config", "log"]),
    ("rooms", &["protocol", "config", "log", "hub"]),
    ("nodes", &["protocol", "rate_limit", "config", "cluster", "hub"]),
    ("listen", &["protocol", "rate_limit", "config"]),
    ("tor", &["config", "storage", "invitations", "listen"]),
    ("transport", &["language", "protocol", "qr", "config", "listen", "log", "hub", "rooms"]),
    (
        "http",
        &["language", "protocol", "rate_limit", "qr", "config", "listen", "log", "hub", "rooms", "transport"],
    ),
    ("control", &["protocol", "listen"]),
    (
        "server",
        &[
            "protocol",
            "config",
            "storage",
            "invitations",
            "cluster",
            "listen",
            "control",
            "http",
            "hub",
            "rooms",
            "nodes",
            "log",
            "tor",
        ],
    ),
    ("lab", &["tor"]),
    ("telemetry", &[]),
    (
        "cli",
        &[
            "protocol",
            "qr",
            "config",
            "storage",
            "invitations",
            "cluster",
            "nodes",
            "control",
            "server",
            "tor",
            "lab",
            "telemetry",
        ],
    ),
];

/// The crates of the Tor project, by how their names begin, as they are written in code.
const TOR_CRATES: [&str; 4] = ["arti", "fs_mistrust", "safelog", "tor_"];

/// What the protocol may name of other crates: nothing that reads, writes or waits.
const PROTOCOL_CRATES: [&str; 13] = [
    "bytes",
    "caseless",
    "data_encoding",
    "getrandom",
    "serde",
    "serde_json",
    "sha2",
    "std",
    "unicode_normalization",
    "unicode_properties",
    "unicode_security",
    "unicode_segmentation",
    "zeroize",
];

/// What the protocol may not name of the standard library.
const SYSTEM: [&str; 7] =
    ["std::fs", "std::io", "std::net", "std::process", "std::thread", "::Instant", "::SystemTime"];

/// The longest a source file may be, in lines.
const LINES_MAX: usize = 400;

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn library() -> Vec<Module> {
    source::read(&src(), "lib.rs")
}

/// The top-level module that a file belongs to.
fn top(file: &Path) -> &str {
    file.iter().next().and_then(|first| first.to_str()).unwrap().trim_end_matches(".rs")
}

/// The crates that Cargo.toml names, as they are written in code.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(src().with_file_name("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    dependencies.keys().map(|name| name.replace('-', "_")).collect()
}

/// The crates that the modules name: the top-level module, the crate, and where.
fn crates_named(modules: &[Module]) -> BTreeSet<(String, String, String)> {
    let dependencies = dependencies();
    Graph(modules)
        .foreign()
        .filter(|(_, named)| dependencies.contains(&named.path[0]) || named.path[0] == "std")
        .map(|(file, named)| {
            let place = format!("{}:{} {}", file.display(), named.line, named.path.join("::"));
            (top(file).to_owned(), named.path[0].clone(), place)
        })
        .collect()
}

#[test]
fn every_path_is_understood() {
    let modules = library();
    let lost = Graph(&modules).lost();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn modules_use_what_the_table_says_and_only_downwards() {
    let modules = library();
    let mut used: BTreeMap<&str, BTreeMap<&str, String>> =
        modules[0].children.keys().map(|name| (name.as_str(), BTreeMap::new())).collect();
    let uses = Graph(&modules).uses();
    for it in uses.iter().filter(|it| top(&it.from) != top(&it.to)) {
        if let Some(used) = used.get_mut(top(&it.from)) {
            used.entry(top(&it.to)).or_insert_with(|| it.to_string());
        }
    }
    let mut wrong = Vec::new();
    for (place, (name, row)) in USES.iter().enumerate() {
        let Some(used) = used.remove(name) else {
            wrong.push(format!("there is no module `{name}`"));
            continue;
        };
        let more = used.iter().filter(|(other, _)| !row.contains(other));
        wrong.extend(more.map(|(other, by)| format!("`{name}` must not use `{other}`: {by}")));
        for other in *row {
            if !used.contains_key(other) {
                wrong.push(format!("`{name}` does not use `{other}`: out of the table with it"));
            }
            if !USES[..place].iter().any(|(name, _)| name == other) {
                wrong.push(format!("`{other}` belongs above `{name}`"));
            }
        }
    }
    wrong.extend(used.keys().map(|name| format!("`{name}` has no row")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let modules = library();
    let uses = Graph(&modules).uses();
    let told: Vec<String> = circles(&uses)
        .iter()
        .map(|(files, uses)| {
            let mut lines = BTreeMap::new();
            for it in uses {
                lines.entry((&it.from, &it.to)).or_insert_with(|| format!("  {it}\n"));
            }
            format!("{files:?} use each other in a circle:\n{}", String::from_iter(lines.into_values()))
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn the_documentation_of_the_crate_has_every_public_module() {
    let modules = library();
    let text = fs::read_to_string(src().join("lib.rs")).unwrap();
    let missing: Vec<_> =
        modules[0].public_children.iter().filter(|name| !text.contains(&format!("[`{name}`]"))).collect();
    assert!(missing.is_empty(), "lib.rs does not explain {missing:?}");
}

#[test]
fn only_tor_names_the_crates_of_tor() {
    let of_tor = |name: &str| TOR_CRATES.iter().any(|begin| name.starts_with(begin));
    let (inside, outside): (Vec<_>, Vec<_>) = [library(), source::read(&src(), "main.rs")]
        .iter()
        .flat_map(|modules| crates_named(modules))
        .filter(|(_, name, _)| of_tor(name))
        .partition(|(module, ..)| module == "tor");
    assert!(outside.is_empty(), "{outside:#?}");
    let named: BTreeSet<String> = inside.into_iter().map(|(_, name, _)| name).collect();
    let wanted: BTreeSet<String> = dependencies().into_iter().filter(|name| of_tor(name)).collect();
    assert_eq!(named, wanted, "what is named, and what Cargo.toml asks for");
}

#[test]
fn the_protocol_reads_writes_and_waits_for_nothing() {
    let named: BTreeSet<(String, String, String)> = crates_named(&library());
    let of_protocol = named.iter().filter(|(module, ..)| module == "protocol");
    for (_, name, place) in of_protocol {
        assert!(PROTOCOL_CRATES.contains(&name.as_str()), "{place}");
        assert!(!SYSTEM.iter().any(|part| place.contains(part)), "{place}");
    }
}

/// Every Rust file below `src`, with its text.
fn files() -> Vec<(PathBuf, String)> {
    let (mut folders, mut files) = (vec![src()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(src()).unwrap().to_owned(), text));
            }
        }
    }
    files
}

#[test]
fn files_stay_small() {
    for (path, text) in files() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines: does it still have one subject?", path.display());
    }
}

#[test]
fn comments_say_who_is_meant() {
    let vague: Vec<String> = ["any", "every", "no", "some"]
        .iter()
        .map(|begin| format!("{begin}body"))
        .chain(["whoever".into()])
        .collect();
    let mut found = Vec::new();
    for (path, text) in files() {
        for (number, line) in text.lines().enumerate() {
            let comment = line.split_once("//").map_or("", |(_, comment)| comment).to_lowercase();
            let mut words = comment.split(|character: char| !character.is_alphabetic());
            if words.any(|word| vague.iter().any(|vague| vague == word)) {
                found.push(format!("{}:{} {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "say guest, client, operator, or what else is meant: {found:#?}");
}
