//! Which names of the scripts become short.

use std::collections::{BTreeMap, BTreeSet};

use oxc_ast::ast::{IdentifierName, Program};
use oxc_ast_visit::Visit;
use oxc_semantic::Scoping;

use super::kind::Language as Kind;

/// The names at the top level that tests in a browser ask for, to see and to change how the page is. They stay as they are.
const ASKED_FOR: [&str; 15] = [
    "WIRES",
    "bring",
    "claim",
    "composer",
    "connection",
    "cursor",
    "doors",
    "invite",
    "log",
    "naming",
    "people",
    "policy",
    "talk",
    "seat",
    "unsaid",
];

/// The longest that a short name of a variable is. Browsers have no global variable whose name is as short, and the document no
/// id, which is a global variable too.
const SHORT: usize = 2;

/// The letters of short names of properties, beginning with those that are frequent in scripts.
const LETTERS: &str = "etnriaoscludfpmhgvybxSCwTEDOkAjMNPFILBRqzUVJXKYHGWZQ";

/// Puts back what the mangler, which has short names for all variables, was not to change. `original` are the names before.
///
/// Panics if there is no variable of such a name any more, and at short names that are not.
pub(crate) fn put_back(mangled: &mut Scoping, original: &Scoping) {
    for symbol in original.symbol_ids() {
        let name = mangled.symbol_name(symbol);
        assert!(name.len() <= SHORT, "{} would be {name}", original.symbol_name(symbol));
    }
    for name in ASKED_FOR {
        let symbol = original.get_root_binding(name.into());
        let symbol = symbol.unwrap_or_else(|| panic!("no script has {name} at the top level"));
        assert!(name.len() > SHORT, "{name} could be that of another variable");
        mangled.set_symbol_name(symbol, name.into());
    }
}

/// Panics where a constant is changed: they all become variables, which have a shorter word.
pub(crate) fn refuse_changed_constants(scoping: &Scoping) {
    for symbol in scoping.symbol_ids().filter(|symbol| scoping.symbol_flags(*symbol).is_const_variable()) {
        let changed = scoping.get_resolved_references(symbol).any(|reference| reference.is_write());
        assert!(!changed, "a script changes the constant {}", scoping.symbol_name(symbol));
    }
}

/// Short names for those properties that `web/own.txt` lists: the more often a name is there, the shorter.
/// None is the name of a property that a script uses, and none that of a member of the protocol, which a test looks at
/// (`src/http/index_tests.rs`).
pub(crate) fn of_properties(list: &str, program: &Program<'_>) -> BTreeMap<String, String> {
    let mut properties = Properties::default();
    properties.visit_program(program);
    let mut own: Vec<_> =
        list.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect();
    let unlike: BTreeSet<_> = own.iter().collect();
    assert_eq!(unlike.len(), own.len(), "web/own.txt has a name twice");
    let unused = own.iter().find(|name| !properties.uses.contains_key(**name));
    assert_eq!(unused, None, "web/own.txt has a name that no script uses");
    own.sort_by_key(|name| (usize::MAX - properties.uses[*name], *name));

    let one = LETTERS.chars().map(String::from);
    let two = LETTERS.chars().flat_map(|first| LETTERS.chars().map(move |second| format!("{first}{second}")));
    // The codes of languages are words of the protocol.
    let is_code = |name: &String| Kind::ALL.iter().any(|kind| kind.code() == name);
    let free = one.chain(two).filter(|name| !properties.uses.contains_key(name) && !is_code(name));
    own.into_iter().map(str::to_owned).zip(free).collect()
}

/// How often each name of a property is used.
#[derive(Default)]
struct Properties {
    uses: BTreeMap<String, usize>,
}

impl<'a> Visit<'a> for Properties {
    fn visit_identifier_name(&mut self, name: &IdentifierName<'a>) {
        *self.uses.entry(name.name.to_string()).or_default() += 1;
    }
}
