//! Scripts with short names for what is local in them, and without comments and spaces.
//!
//! Nothing else changes. `oxc_minifier` rewrites code too and would save 1% more; but what it takes for a constant may be
//! written by a script that is loaded later.

use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_diagnostics::OxcDiagnostic;
use oxc_mangler::{MangleOptions, Mangler};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;

/// Ends what a file says about itself; from there on its text is a part of the whole, which is in strict mode.
const STRICT: &str = "'use strict';\n";

/// These files as one script. Names at the top level stay as they are: scripts that are loaded later use them.
///
/// Panics, with the place, at what a browser would refuse.
pub(crate) fn minified(files: &[(&str, String)]) -> String {
    let allocator = Allocator::default();
    let mut whole = STRICT.to_owned();
    for (name, text) in files {
        parsed(&allocator, name, text);
        let (_, script) = text.split_once(STRICT).unwrap_or_else(|| panic!("web/{name} is not strict"));
        whole += script;
    }
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    let program = parsed(&allocator, &names.join(" + "), &whole);
    let options = MangleOptions { top_level: Some(false), ..MangleOptions::default() };
    let mangled = Mangler::new().with_options(options).build(&program);
    Codegen::new()
        .with_options(CodegenOptions::minify())
        .with_scoping(Some(mangled.scoping))
        .with_private_member_mappings(Some(mangled.class_private_mappings))
        .build(&program)
        .code
}

fn parsed<'a>(allocator: &'a Allocator, name: &str, text: &'a str) -> Program<'a> {
    let parsed = Parser::new(allocator, text, SourceType::script()).parse();
    refuse(name, text, &parsed.errors);
    let checked = SemanticBuilder::new().with_check_syntax_error(true).build(&parsed.program);
    refuse(name, text, &checked.errors);
    parsed.program
}

fn refuse(name: &str, text: &str, errors: &[OxcDiagnostic]) {
    let Some(error) = errors.first() else { return };
    let place = error.labels.iter().flatten().next().map_or(0, |label| label.offset());
    let line = text[..place].lines().count();
    panic!("web/{name}, line {line}: {error}");
}
