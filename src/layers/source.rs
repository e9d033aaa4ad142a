//! The modules of this crate as their source files say: what each defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Macro, Meta, UseTree, Visibility};

/// A path as it is written, such as `super::ring::Ring`, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    /// Only made visible to others, by a `pub use`.
    pub(super) reexport: bool,
}

/// One module. Several inline modules may share a file.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// From `src`.
    pub(super) file: PathBuf,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    pub(super) public_children: Vec<String>,
    pub(super) items: BTreeSet<String>,
    /// A name in scope and the path that it was imported by.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    pub(super) globs: Vec<Vec<String>>,
    pub(super) named: Vec<Named>,
}

/// Reads the module in `file`, and those below it, out of the directory `root`. Code only for tests is left out.
pub(super) fn read(root: &Path, file: &str) -> Vec<Module> {
    let load = |path: &Path| fs::read_to_string(root.join(path)).ok();
    let mut reading = Reading { load: &load, modules: Vec::new() };
    reading.file(Path::new(file), Path::new(""), None);
    reading.modules
}

/// The same of files in memory: their paths and their texts, the root module first.
pub(super) fn parse(files: &[(&str, &str)]) -> Vec<Module> {
    let load = |path: &Path| {
        files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
    };
    let mut reading = Reading { load: &load, modules: Vec::new() };
    reading.file(Path::new(files[0].0), Path::new(""), None);
    reading.modules
}

struct Reading<'a> {
    load: &'a dyn Fn(&Path) -> Option<String>,
    modules: Vec<Module>,
}

impl Reading<'_> {
    /// Adds the module in `file`, whose children lie in the directory `below`.
    fn file(&mut self, file: &Path, below: &Path, parent: Option<usize>) -> usize {
        let text = (self.load)(file).unwrap_or_else(|| panic!("{} is declared and missing", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.module(file, below, parent, &parsed.items)
    }

    fn module(&mut self, file: &Path, below: &Path, parent: Option<usize>, items: &[Item]) -> usize {
        let number = self.modules.len();
        self.modules.push(Module { file: file.into(), parent, ..Module::default() });
        let mut paths = Paths(Module::default());
        for item in items {
            if only_for_tests(attributes(item)) {
                continue;
            }
            let Item::Mod(declared) = item else {
                paths.0.items.extend(name(item).map(ToString::to_string));
                if let Item::Macro(called) = item {
                    defined(called.mac.tokens.clone(), &mut paths.0.items);
                }
                paths.visit_item(item);
                continue;
            };
            let name = declared.ident.to_string();
            let inside = below.join(&name);
            let child = match &declared.content {
                Some((_, items)) => self.module(file, &inside, Some(number), items),
                None => {
                    let beside = inside.with_extension("rs");
                    let exists = (self.load)(&beside).is_some();
                    self.file(&if exists { beside } else { inside.join("mod.rs") }, &inside, Some(number))
                }
            };
            if matches!(declared.vis, Visibility::Public(_)) {
                paths.0.public_children.push(name.clone());
            }
            paths.0.children.insert(name, child);
        }
        let module = &mut self.modules[number];
        *module = Module { file: file.into(), parent, ..paths.0 };
        number
    }
}

/// Collects what one module imports and names.
struct Paths(Module);

impl Paths {
    fn named(&mut self, path: Vec<String>, line: usize, reexport: bool) {
        self.0.named.push(Named { path, line, reexport });
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>, reexport: bool) {
        let (ident, name) = match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                return self.import(&inner.tree, path, reexport);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, path.clone(), reexport));
            }
            UseTree::Glob(_) => return self.0.globs.push(path),
            UseTree::Name(inner) => (&inner.ident, inner.ident.to_string()),
            UseTree::Rename(inner) => (&inner.ident, inner.rename.to_string()),
        };
        // `module::{self}` is the module.
        let name = if ident == "self" {
            path.last().cloned().unwrap_or_default()
        } else {
            path.push(ident.to_string());
            name
        };
        self.named(path.clone(), ident.span().start().line, reexport);
        self.0.imports.insert(name, path);
    }

    /// The paths among tokens that nothing has parsed: what a macro or an attribute is given.
    fn tokens(&mut self, tokens: TokenStream) {
        // The path so far, its line, and what stood before it.
        let (mut path, mut line, mut colons, mut before) = (Vec::new(), 0, 0, ' ');
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if !path.is_empty() && colons == 2 => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && colons < 2 => colons += 1,
                other => {
                    self.end(&mut path, line);
                    match other {
                        // Neither a field, a method nor a lifetime.
                        TokenTree::Ident(ident) if !['.', '\''].contains(&before) => {
                            line = ident.span().start().line;
                            path.push(ident.to_string());
                        }
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        TokenTree::Punct(punct) => {
                            before = punct.as_char();
                            colons = 0;
                            continue;
                        }
                        _ => {}
                    }
                    colons = 0;
                }
            }
            before = ' ';
        }
        self.end(&mut path, line);
    }

    fn end(&mut self, path: &mut Vec<String>, line: usize) {
        if !path.is_empty() {
            self.named(std::mem::take(path), line, false);
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !only_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&item.tree, Vec::new(), !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.named(segments, path.segments[0].ident.span().start().line, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.tokens(called.tokens.clone());
        if called.path.segments.len() > 1 {
            self.visit_path(&called.path);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta
            && !list.path.is_ident("cfg")
        {
            self.tokens(list.tokens.clone());
        }
        if attribute.path().segments.len() > 1 {
            self.visit_path(attribute.path());
        }
    }

    /// The path in `pub(super)` is no use.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// Whether `#[cfg(test)]`, or `test` among other conditions, stands before an item.
fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.starts_with("all") && condition.contains("test")
        }
        _ => false,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

/// The name that an item defines in its module.
fn name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(it) => Some(&it.ident),
        Item::Enum(it) => Some(&it.ident),
        Item::Fn(it) => Some(&it.sig.ident),
        Item::Macro(it) => it.ident.as_ref(),
        Item::Static(it) => Some(&it.ident),
        Item::Struct(it) => Some(&it.ident),
        Item::Trait(it) => Some(&it.ident),
        Item::Type(it) => Some(&it.ident),
        _ => None,
    }
}

/// The names that the body of a macro, or what it is called with, defines for the module around it.
fn defined(tokens: TokenStream, items: &mut BTreeSet<String>) {
    let mut defines = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if defines => {
                items.insert(ident.to_string());
                defines = false;
            }
            TokenTree::Ident(ident) => {
                let kinds = ["const", "enum", "fn", "static", "struct", "trait", "type"];
                defines = kinds.iter().any(|kind| ident == kind);
            }
            TokenTree::Group(group) => {
                defines = false;
                defined(group.stream(), items);
            }
            _ => defines = false,
        }
    }
}
