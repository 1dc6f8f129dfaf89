//! Allowed imports within a package. Cargo checks imports between packages (`walls.rs`).

use syn::visit::{self, Visit};
use syn::{ItemUse, UseTree};

use crate::Finding;
use crate::source::Source;

/// The top modules of packages with several, from the ground up; a module imports itself and those before it.
const FLOORS: [(&str, &[&str]); 1] = [(
    "serin-core",
    &["api", "domain", "traffic", "analysis_template", "rollout", "guard", "measure", "analysis"],
)];

/// Imports of a file from above, and files of a module without a floor.
pub(crate) fn imports(source: &Source) -> Vec<Finding> {
    let Some((package, module)) = source.module() else { return Vec::new() };
    let Some((_, modules)) = FLOORS.iter().find(|(name, _)| *name == package) else { return Vec::new() };
    let floor = |name: &str| modules.iter().position(|module| *module == name);
    let Some(own) = floor(module) else {
        return vec![format!("{}: module `{module}` has no floor in tests/tidy/floors.rs", source.path)];
    };
    let mut visitor = Imports::default();
    visitor.visit_file(&source.syntax);
    let forbidden =
        visitor.modules.into_iter().filter(|(other, _)| floor(other).is_some_and(|floor| floor > own));
    forbidden.map(|(other, line)| format!("{}:{line}: `{module}` imports `{other}`", source.path)).collect()
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
        ("crates/serin-core/src/domain/a.rs", "use crate::api::Rollout;", 0),
        ("crates/serin-core/src/domain/a.rs", "use crate::domain::hash;", 0),
        ("crates/serin-core/src/domain/a.rs", "use crate::rollout::decide;", 1),
        ("crates/serin-core/src/domain/a.rs", "use crate::{api, rollout, guard::check};", 2),
        ("crates/serin-core/src/rollout/a.rs", "fn f() { crate::guard::check() }", 1),
        ("crates/serin-core/src/rollout/a.rs", "fn f() { format!(\"{}\", crate::guard::x()); }", 1),
        ("crates/serin-cluster/src/http/a.rs", "use crate::view;", 0),
        ("crates/serin-core/src/novelty/a.rs", "", 1),
        ("src/lib.rs", "use crate::cli;", 0),
        ("tests/a.rs", "use serin::cli;", 0),
    ] {
        assert_eq!(imports(&Source::new(path, text)).len(), expected, "{path}: {text}");
    }
}
