//! The house rules that a reader would have to take on trust otherwise: which module may know which, who names
//! Arti, how long a file may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the house and what it may use, in the order of a message's way.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("protocol", &[]),
    ("config", &[]),
    ("storage", &[]),
    ("log", &["protocol"]),
    ("hub", &["protocol", "config", "log"]),
    ("session", &["protocol", "hub"]),
    ("listen", &["config"]),
    ("tor", &["config", "storage", "listen"]),
    ("transport", &["protocol", "config", "listen", "hub", "session"]),
    ("http", &["protocol", "config", "listen", "hub", "transport"]),
    ("server", &["config", "storage", "listen", "http", "hub", "log", "tor"]),
    ("lab", &["tor"]),
    ("telemetry", &["config"]),
    ("cli", &["config", "server", "tor", "lab", "telemetry"]),
];

/// The longest a source file may be, in lines.
const LINES_MAX: usize = 400;

/// Every Rust file below `src`: its path from there, the module it belongs to, and its text.
fn sources() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut sources) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let place = path.strip_prefix(&root).unwrap().to_owned();
                let module =
                    place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
                sources.push((place, module, fs::read_to_string(path).unwrap()));
            }
        }
    }
    sources
}

/// The modules that a file names as `crate::module` or inside `crate::{…}`.
fn used(text: &str) -> BTreeSet<&str> {
    let mut used = BTreeSet::new();
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    for after in code.flat_map(|line| line.split("crate::").skip(1)) {
        let list = match after.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default(),
            None => after
                .split(|character: char| !character.is_alphanumeric() && character != '_')
                .next()
                .unwrap(),
        };
        used.extend(list.split(',').map(|item| item.trim().split("::").next().unwrap_or_default()));
    }
    used
}

#[test]
fn dependencies_point_one_way() {
    for (path, module, text) in sources() {
        let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == module) else { continue };
        for (other, _) in MAY_USE {
            let fine = other == module || may_use.contains(&other) || !used(&text).contains(other);
            assert!(fine, "{} must not use `{other}`", path.display());
        }
    }
}

#[test]
fn every_module_has_its_place() {
    for (path, module, _) in sources() {
        let known = MAY_USE.iter().any(|(name, _)| *name == module);
        assert!(known || ["lib", "main", "layers"].contains(&module.as_str()), "{} has none", path.display());
    }
}

#[test]
fn only_tor_names_arti_and_the_protocol_knows_no_runtime() {
    for (path, module, text) in sources() {
        let arti = ["arti_client::", "tor_hsservice::", "tor_rtcompat::", "tor_proto::", "tor_cell::"];
        let runtime = ["tokio::", "axum::", "hyper::", "std::net"];
        let names = |crates: &[&str]| crates.iter().any(|name| text.contains(name));
        assert!(
            ["tor", "layers"].contains(&module.as_str()) || !names(&arti),
            "{} names Arti",
            path.display()
        );
        assert!(module != "protocol" || !names(&runtime), "{} names a runtime", path.display());
    }
}

#[test]
fn files_stay_small() {
    for (path, _, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines: does it still have one subject?", path.display());
    }
}
