//! Which source file uses which: every path followed to the file that defines what it names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::source::{Module, Named};

/// More imports of imports than anything reasonable has; beyond that they go round in a circle.
const HOPS_MAX: usize = 32;

/// One file's use of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) from: PathBuf,
    pub(super) line: usize,
    pub(super) path: String,
    pub(super) to: PathBuf,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Module(usize),
    /// Something that this module defines.
    Item(usize),
    /// Another crate, or a name that only the function knows.
    Elsewhere,
}

/// The modules of a crate, the root first.
pub(super) struct Graph<'a>(pub(super) &'a [Module]);

impl Graph<'_> {
    /// Every use of one file by another. A module that only shows what its own children define does not use them.
    pub(super) fn uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        for (number, module) in self.0.iter().enumerate() {
            for named in &module.named {
                let Target::Item(found) = self.resolve(number, &named.path, 0) else { continue };
                let to = &self.0[found].file;
                if *to != module.file && !(named.reexport && self.is_below(found, number)) {
                    let path = named.path.join("::");
                    uses.push(Use { from: module.file.clone(), line: named.line, path, to: to.clone() });
                }
            }
        }
        uses
    }

    /// The paths that begin in this crate and lead nowhere: what this test does not understand.
    pub(super) fn lost(&self) -> Vec<String> {
        let mut lost = Vec::new();
        for (number, module) in self.0.iter().enumerate() {
            for Named { path, line, .. } in &module.named {
                let own = ["crate", "self", "super"].contains(&path[0].as_str());
                if own && self.resolve(number, path, 0) == Target::Elsewhere {
                    lost.push(format!("{}:{line} {}", module.file.display(), path.join("::")));
                }
            }
        }
        lost
    }

    /// Every path that leads out of the crate, with the file and line.
    pub(super) fn foreign(&self) -> impl Iterator<Item = (&Path, &Named)> {
        self.0.iter().enumerate().flat_map(move |(number, module)| {
            let named = module.named.iter();
            named
                .filter(move |named| self.resolve(number, &named.path, 0) == Target::Elsewhere)
                .map(|named| (module.file.as_path(), named))
        })
    }

    fn is_below(&self, module: usize, above: usize) -> bool {
        std::iter::successors(self.0[module].parent, |module| self.0[*module].parent).any(|it| it == above)
    }

    fn resolve(&self, module: usize, path: &[String], hops: usize) -> Target {
        let (mut target, mut first) = (Target::Module(module), true);
        for segment in path {
            let Target::Module(at) = target else { return target };
            target = match segment.as_str() {
                "crate" if first => Target::Module(0),
                "self" => target,
                "super" => self.0[at].parent.map_or(Target::Elsewhere, Target::Module),
                name => self.lookup(at, name, hops),
            };
            first = false;
        }
        target
    }

    fn lookup(&self, at: usize, name: &str, hops: usize) -> Target {
        let module = &self.0[at];
        if module.items.contains(name) {
            return Target::Item(at);
        }
        if hops > HOPS_MAX {
            return Target::Elsewhere;
        }
        // `use name::…` in a module without that name begins in another crate.
        let imported = module.imports.get(name).filter(|path| path[0] != name);
        if let Some(path) = imported {
            return self.resolve(at, path, hops + 1);
        }
        if let Some(child) = module.children.get(name) {
            return Target::Module(*child);
        }
        let globs = module.globs.iter().filter(|path| path[0] != name);
        globs
            .filter_map(|path| match self.resolve(at, path, hops + 1) {
                Target::Module(found) if found != at => Some(self.lookup(found, name, hops + 1)),
                _ => None,
            })
            .find(|target| *target != Target::Elsewhere)
            .unwrap_or(Target::Elsewhere)
    }
}

/// The sets of files that use each other in a circle, each with the uses that make it.
pub(super) fn circles(uses: &[Use]) -> Vec<(BTreeSet<&Path>, Vec<&Use>)> {
    let mut next: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for it in uses {
        next.entry(&it.from).or_default().insert(&it.to);
    }
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        next.keys().map(|file| (*file, reachable(&next, file))).collect();
    let mutual = |one: &Path, other: &Path| {
        let reaches = |from: &Path, to: &Path| reached.get(from).is_some_and(|files| files.contains(to));
        reaches(one, other) && reaches(other, one)
    };
    let sets: BTreeSet<BTreeSet<&Path>> = reached
        .iter()
        .map(|(file, files)| files.iter().copied().filter(|other| mutual(file, other)).collect())
        .filter(|set: &BTreeSet<_>| !set.is_empty())
        .collect();
    let inside = |set: &BTreeSet<&Path>, it: &Use| set.contains(&*it.from) && set.contains(&*it.to);
    sets.into_iter().map(|set| (set.clone(), uses.iter().filter(|it| inside(&set, it)).collect())).collect()
}

/// Every file that can be reached from one along the uses.
fn reachable<'a>(next: &BTreeMap<&'a Path, BTreeSet<&'a Path>>, from: &'a Path) -> BTreeSet<&'a Path> {
    let (mut reached, mut ahead) = (BTreeSet::new(), vec![from]);
    while let Some(file) = ahead.pop() {
        ahead.extend(next.get(file).into_iter().flatten().filter(|file| reached.insert(**file)));
    }
    reached
}

impl std::fmt::Display for Use {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{} {} -> {}", self.from.display(), self.line, self.path, self.to.display())
    }
}
