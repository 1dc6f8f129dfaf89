//! Who may import whom.

use syn::visit::{self, Visit};
use syn::{ItemUse, UseTree};

use crate::Finding;
use crate::source::Source;

/// The floor of every top module; a module imports itself and the floors below its own.
const FLOORS: [(&str, u8); 14] = [
    ("api", 0),
    ("domain", 1),
    ("rollout", 2),
    ("analysis", 2),
    ("experiment", 2),
    ("traffic", 2),
    ("metrics", 2),
    ("guard", 2),
    ("clock", 3),
    ("controller", 3),
    ("cluster", 3),
    ("simulate", 4),
    ("cli", 4),
    ("dashboard", 4),
];

/// Imports within a floor that are allowed: who, whom, and why.
const NEIGHBOURS: [(&str, &str, &str); 4] = [
    ("rollout", "traffic", "decisions contain what a router renders, and validation asks what it can route"),
    ("guard", "rollout", "the check reads the same snapshot as the decision"),
    ("controller", "clock", "time and timers"),
    ("cluster", "clock", "time and timers"),
];

/// The floor of `module`.
pub(crate) fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// Imports of a file from its own floor or above, and files of a module without a floor.
pub(crate) fn imports(source: &Source) -> Vec<Finding> {
    let Some(module) = source.module() else { return Vec::new() };
    let Some(own) = floor(module) else {
        return vec![format!("{}: module `{module}` has no floor in tests/tidy/floors.rs", source.path)];
    };
    let mut visitor = Imports::default();
    visitor.visit_file(&source.syntax);
    let is_allowed = |other: &str| {
        let is_neighbour = NEIGHBOURS.iter().any(|(who, whom, _)| (*who, *whom) == (module, other));
        other == module || is_neighbour || floor(other).is_none_or(|floor| floor < own)
    };
    let forbidden = visitor.modules.into_iter().filter(|(other, _)| !is_allowed(other));
    forbidden
        .map(|(other, line)| format!("{}:{line}: `{module}` (floor {own}) imports `{other}`", source.path))
        .collect()
}

/// The top modules that paths starting at the crate name, each with its line.
#[derive(Default)]
struct Imports {
    modules: Vec<(String, usize)>,
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if let UseTree::Path(path) = &item.tree
            && (path.ident == "crate" || path.ident == "serin")
        {
            self.add_heads(&path.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == "crate")
            && let Some(module) = segments.next()
        {
            self.add(&module.ident);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        let mut tokens = invocation.tokens.clone().into_iter().map(|token| token.to_string());
        while let Some(token) = tokens.next() {
            if token == "crate" {
                let module = tokens.by_ref().find(|token| token != ":").unwrap_or_default();
                self.modules.push((module, invocation.path.segments[0].ident.span().start().line));
            }
        }
        visit::visit_macro(self, invocation);
    }
}

impl Imports {
    fn add(&mut self, module: &proc_macro2::Ident) {
        self.modules.push((module.to_string(), module.span().start().line));
    }

    fn add_heads(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.add(&path.ident),
            UseTree::Name(name) => self.add(&name.ident),
            UseTree::Rename(rename) => self.add(&rename.ident),
            UseTree::Glob(_) => {}
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_heads(tree)),
        }
    }
}

#[test]
fn imports_from_above_are_found() {
    for (path, text, expected) in [
        ("src/domain/a.rs", "use crate::api::Rollout;", 0),
        ("src/domain/a.rs", "use crate::domain::hash;", 0),
        ("src/domain/a.rs", "use crate::rollout::decide;", 1),
        ("src/domain/a.rs", "use crate::{api, rollout, controller::run};", 2),
        ("src/rollout/a.rs", "fn f() { crate::guard::check() }", 1),
        ("src/rollout/a.rs", "fn f() { format!(\"{}\", crate::cli::x()); }", 1),
        ("src/controller/a.rs", "use crate::cluster::kubelet;", 1),
        ("src/controller/a.rs", "use crate::clock::Clock;", 0),
        ("src/cli/a.rs", "use crate::controller::run;", 0),
        ("src/novelty/a.rs", "", 1),
        ("src/lib.rs", "use crate::cli;", 0),
        ("tests/a.rs", "use serin::cli;", 0),
    ] {
        assert_eq!(imports(&Source::new(path, text)).len(), expected, "{path}: {text}");
    }
}
