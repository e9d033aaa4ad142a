//! Scripts with short names, and without comments and spaces.
//!
//! All scripts of the page are one program, whether they come with the document or later: so each name is the same everywhere, and
//! what is found out about a variable holds for all of them. No expression is rewritten.

use std::collections::BTreeMap;
use std::mem;

use oxc_allocator::{Allocator, Vec as Statements};
use oxc_ast::ast::{
    BindingIdentifier, IdentifierName, IdentifierReference, Program, Statement, VariableDeclaration,
    VariableDeclarationKind,
};
use oxc_ast_visit::{VisitMut, walk_mut};
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_diagnostics::OxcDiagnostic;
use oxc_mangler::{MangleOptions, Mangler};
use oxc_parser::Parser;
use oxc_semantic::{Scoping, SemanticBuilder};
use oxc_span::{GetSpan, SourceType};

use super::languages::Language;
use super::names;
use super::texts::{Exceptions, Text, Texts};

/// Ends what a file says about itself; from there on its text is a part of the whole, which is in strict mode.
const STRICT: &str = "'use strict';\n";

/// A file of `web/` by its name, and its text.
pub(crate) type File = (String, String);

/// The scripts of the page in a language, each of several files; and the short names of properties, of which `own` lists those that
/// get one. The texts for people are added to `found`.
///
/// Panics, with the place, at what a browser would refuse.
pub(crate) fn minified(
    scripts: &[Vec<File>],
    own: &str,
    language: &Language,
    exceptions: &mut Exceptions,
    found: &mut Vec<Text>,
) -> (Vec<String>, BTreeMap<String, String>) {
    let allocator = Allocator::default();
    let mut whole = STRICT.to_owned();
    let mut ends = Vec::new();
    let mut files_end = Vec::new();
    for files in scripts {
        for (name, text) in files {
            parsed(&allocator, name, text);
            let (_, script) = text.split_once(STRICT).unwrap_or_else(|| panic!("web/{name} is not strict"));
            whole += script;
            files_end.push((whole.len(), name.clone()));
        }
        ends.push(whole.len());
    }
    let mut program = parsed(&allocator, "*.js, one after the other", &whole);
    Texts::new(&allocator, &whole, &files_end, language, exceptions, found).replace(&mut program);
    let original = SemanticBuilder::new().build(&program).semantic.into_scoping();
    names::refuse_changed_constants(&original);
    let options = MangleOptions { top_level: Some(true), ..MangleOptions::default() };
    let mut scoping = Mangler::new().with_options(options).build(&program).scoping;
    names::put_back(&mut scoping, &original);
    let properties = names::of_properties(own, &program);
    let mut shorter = Shorter { allocator: &allocator, scoping, properties };

    let mut statements =
        mem::replace(&mut program.body, Statements::new_in(&allocator)).into_iter().peekable();
    let script = |end| {
        program.body = Statements::new_in(&allocator);
        while let Some(statement) = statements.next_if(|statement| (statement.span().end as usize) <= end) {
            program.body.push(statement);
        }
        shorter.visit_program(&mut program);
        Codegen::new().with_options(CodegenOptions::minify()).build(&program).code
    };
    (ends.into_iter().map(script).collect(), shorter.properties)
}

/// Writes the short names, and declares variables in as few words as can be.
struct Shorter<'a> {
    allocator: &'a Allocator,
    scoping: Scoping,
    properties: BTreeMap<String, String>,
}

impl<'a> VisitMut<'a> for Shorter<'a> {
    fn visit_binding_identifier(&mut self, identifier: &mut BindingIdentifier<'a>) {
        let name = self.scoping.symbol_name(identifier.symbol_id());
        identifier.name = self.allocator.alloc_str(name).into();
    }

    fn visit_identifier_reference(&mut self, identifier: &mut IdentifierReference<'a>) {
        if let Some(symbol) = self.scoping.get_reference(identifier.reference_id()).symbol_id() {
            identifier.name = self.allocator.alloc_str(self.scoping.symbol_name(symbol)).into();
        }
    }

    fn visit_identifier_name(&mut self, property: &mut IdentifierName<'a>) {
        if let Some(name) = self.properties.get(property.name.as_str()) {
            property.name = self.allocator.alloc_str(name).into();
        }
    }

    fn visit_variable_declaration(&mut self, declaration: &mut VariableDeclaration<'a>) {
        if declaration.kind.is_const() {
            declaration.kind = VariableDeclarationKind::Let;
        }
        walk_mut::walk_variable_declaration(self, declaration);
    }

    /// Declarations that follow each other become one.
    fn visit_statements(&mut self, statements: &mut Statements<'a, Statement<'a>>) {
        walk_mut::walk_statements(self, statements);
        for statement in mem::replace(statements, Statements::new_in(self.allocator)) {
            match (statements.last_mut(), statement) {
                (Some(Statement::VariableDeclaration(last)), Statement::VariableDeclaration(mut next))
                    if last.kind == next.kind =>
                {
                    last.declarations.append(&mut next.declarations);
                }
                (_, statement) => statements.push(statement),
            }
        }
    }
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
