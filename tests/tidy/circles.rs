//! Import circles: files of one package that import each other in a loop.
//!
//! An import is followed through re-exports to the file that defines the name, so that a `mod.rs` may re-export what its
//! children define. Paths without `use` and paths in macros count; calls of methods and test code do not.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

use crate::Finding;
use crate::source::Source;

/// Every circle.
pub(crate) fn findings(sources: &[Source]) -> Vec<Finding> {
    let found = circles(sources).into_iter().map(|circle| {
        let imports = circle.imports.join("\n  ");
        format!("an import circle of {} files:\n  {imports}", circle.files.len())
    });
    found.collect()
}

/// Files that import each other in a loop.
struct Circle {
    files: Vec<String>,
    /// The imports among them, as `FILE -> FILE: NAME`.
    imports: Vec<String>,
}

/// The circles of all packages.
fn circles(sources: &[Source]) -> Vec<Circle> {
    let mut packages: BTreeMap<&str, Package> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        // A program imports its library, and nothing imports it.
        if let Some((package, inside)) = source.inside().filter(|(_, inside)| *inside != "main.rs") {
            packages.entry(package).or_default().files.insert(module_path(inside), File::of(source));
        }
    }
    packages.values_mut().for_each(Package::drop_tests);
    packages.values().flat_map(Package::circles).collect()
}

/// The path of a module from the root of its package; empty for the root.
type ModulePath = Vec<String>;

/// The module that a file below `src/` holds.
fn module_path(inside: &str) -> ModulePath {
    let path = inside.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The files of a package by the modules that they hold.
#[derive(Default)]
struct Package {
    files: BTreeMap<ModulePath, File>,
}

impl Package {
    /// Removes the modules that are compiled for tests only, and what is below them.
    fn drop_tests(&mut self) {
        let tests: Vec<ModulePath> = self
            .files
            .iter()
            .flat_map(|(module, file)| {
                file.tests.iter().map(|test| [module.as_slice(), std::slice::from_ref(test)].concat())
            })
            .collect();
        self.files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
    }

    fn circles(&self) -> Vec<Circle> {
        let imports: Imports<'_> = self.files.keys().map(|module| (module, self.imports(module))).collect();
        let reached: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
            imports.keys().map(|module| (*module, reachable(&imports, module))).collect();
        let circle_of = |module: &ModulePath| -> BTreeSet<&ModulePath> {
            reached[module].iter().copied().filter(|other| reached[other].contains(module)).collect()
        };
        let circles: BTreeSet<BTreeSet<&ModulePath>> =
            imports.keys().map(|module| circle_of(module)).filter(|circle| !circle.is_empty()).collect();
        circles.iter().map(|circle| self.described(circle, &imports)).collect()
    }

    fn described(&self, circle: &BTreeSet<&ModulePath>, imports: &Imports<'_>) -> Circle {
        let path = |module: &ModulePath| self.files[module].path.clone();
        let inside =
            circle.iter().flat_map(|from| imports[from].iter().map(move |(to, name)| (from, to, name)));
        let inside = inside.filter(|(_, to, _)| circle.contains(*to));
        Circle {
            files: circle.iter().map(|module| path(module)).collect(),
            imports: inside
                .map(|(from, to, name)| format!("{} -> {}: {name}", path(from), path(to)))
                .collect(),
        }
    }

    /// The modules that a module imports, each with one imported name. Re-exports that it does not use itself do not
    /// count.
    fn imports(&self, module: &ModulePath) -> BTreeMap<&ModulePath, String> {
        let file = &self.files[module];
        let heads: BTreeSet<&str> = file.paths.iter().map(|path| path[0].as_str()).collect();
        let unused = file.uses.iter().filter(|import| !import.is_public && !heads.contains(&*import.name));
        let paths = file.paths.iter().chain(unused.map(|import| &import.path));
        let found = paths.filter_map(|path| Some((self.resolve(module, path, 0)?, path.join("::"))));
        found.filter(|(to, _)| *to != module).collect()
    }

    /// The module that defines what `path` names in `module`. `None` for what is in another package.
    fn resolve(&self, module: &[String], path: &[String], depth: usize) -> Option<&ModulePath> {
        if depth > 16 {
            return None;
        }
        let (head, rest) = path.split_first()?;
        let start: Vec<String> = match head.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len().checked_sub(1)?].to_vec(),
            name => return self.resolve_name(module, name, rest, depth, false),
        };
        match rest {
            [] => self.files.get_key_value(&start).map(|(module, _)| module),
            [next, ..] if matches!(next.as_str(), "super" | "self") => self.resolve(&start, rest, depth),
            [name, rest @ ..] => self.resolve_name(&start, name, rest, depth, true),
        }
    }

    /// As [`Self::resolve`], of a name in a module and of what follows it. A name that was asked for from elsewhere
    /// (`is_qualified`) is the module's own unless the module imports it; else it may be of another package.
    fn resolve_name(
        &self,
        module: &[String],
        name: &str,
        rest: &[String],
        depth: usize,
        is_qualified: bool,
    ) -> Option<&ModulePath> {
        let (own, file) = self.files.get_key_value(module)?;
        let child = [module, &[name.to_owned()]].concat();
        // A function and an import may have one name; what the file defines itself is what is meant.
        if file.items.contains(name) && !self.files.contains_key(&child) {
            return Some(own);
        }
        if let Some(import) = file.uses.iter().find(|import| import.name == name) {
            let path = [import.path.as_slice(), rest].concat();
            return self.resolve(module, &path, depth + 1);
        }
        if let Some((child, _)) = self.files.get_key_value(&child) {
            return match rest {
                [] => Some(child),
                [name, rest @ ..] => self.resolve_name(child, name, rest, depth + 1, true),
            };
        }
        let from_glob = file.globs.iter().find_map(|glob| {
            let source = self.resolve(module, glob, depth + 1).filter(|source| *source != own)?;
            let path = [&["self".to_owned(), name.to_owned()], rest].concat();
            self.files[source].knows(name).then(|| self.resolve(source, &path, depth + 1))?
        });
        from_glob.or(is_qualified.then_some(own))
    }
}

/// The imports of each module.
type Imports<'a> = BTreeMap<&'a ModulePath, BTreeMap<&'a ModulePath, String>>;

fn reachable<'a>(imports: &Imports<'a>, start: &ModulePath) -> BTreeSet<&'a ModulePath> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&ModulePath> = imports[start].keys().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(imports[module].keys().copied());
        }
    }
    reached
}

/// A name that a file imports or re-exports.
struct Import {
    name: String,
    path: Vec<String>,
    is_public: bool,
}

/// The parts of a file that matter here, without its tests.
struct File {
    path: String,
    uses: Vec<Import>,
    globs: Vec<Vec<String>>,
    items: BTreeSet<String>,
    /// The paths that the code names.
    paths: BTreeSet<Vec<String>>,
    /// Child modules that are compiled for tests only.
    tests: Vec<String>,
}

impl File {
    fn of(source: &Source) -> Self {
        let mut file = Self {
            path: source.path.clone(),
            uses: Vec::new(),
            globs: Vec::new(),
            items: source.syntax.items.iter().filter_map(item_name).collect(),
            paths: BTreeSet::new(),
            tests: Vec::new(),
        };
        file.visit_file(&source.syntax);
        file
    }

    fn knows(&self, name: &str) -> bool {
        self.items.contains(name) || self.uses.iter().any(|import| import.name == name)
    }

    fn add_use(&mut self, path: &[String], tree: &UseTree, is_public: bool) {
        let joined = |name: &syn::Ident| [path, &[name.to_string()]].concat();
        let import = |name: String, path: Vec<String>| Import { name, path, is_public };
        match tree {
            UseTree::Path(inner) => self.add_use(&joined(&inner.ident), &inner.tree, is_public),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_use(path, tree, is_public)),
            UseTree::Glob(_) => self.globs.push(path.to_vec()),
            UseTree::Name(name) if name.ident == "self" => {
                let last = path.last().cloned().unwrap_or_default();
                self.uses.push(import(last, path.to_vec()));
            }
            UseTree::Name(name) => self.uses.push(import(name.ident.to_string(), joined(&name.ident))),
            UseTree::Rename(name) if name.ident == "self" => {
                self.uses.push(import(name.rename.to_string(), path.to_vec()));
            }
            UseTree::Rename(name) => self.uses.push(import(name.rename.to_string(), joined(&name.ident))),
        }
    }

    /// Takes the paths of the code that a macro gets.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if path.is_empty() || colons == 2 => path.push(name.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(name) => {
                    self.add_path(std::mem::replace(&mut path, vec![name.to_string()]));
                }
                TokenTree::Group(group) => {
                    let is_after_pub = path == ["pub"];
                    self.add_path(std::mem::take(&mut path));
                    if !(is_after_pub && is_restriction(&group)) {
                        self.add_tokens(group.stream());
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.add_path(std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.add_path(path);
    }

    fn add_path(&mut self, path: Vec<String>) {
        if !path.is_empty() {
            self.paths.insert(path);
        }
    }
}

impl<'ast> Visit<'ast> for File {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if is_for_tests(&module.attrs) {
            self.tests.push(module.ident.to_string());
        } else {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if !is_for_tests(&function.attrs) {
            visit::visit_item_fn(self, function);
        }
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        if !is_for_tests(&block.attrs) {
            visit::visit_item_impl(self, block);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.add_use(&[], &item.tree, !matches!(item.vis, Visibility::Inherited));
        }
    }

    /// The path in `pub(in path)` and `pub(super)` is no import. In macros, [`is_restriction`] finds it.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add_path(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.add_tokens(invocation.tokens.clone());
        visit::visit_macro(self, invocation);
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test"))
    })
}

/// True for the group after `pub` that restricts a visibility. It may also be the type of a field, which is an import.
fn is_restriction(group: &Group) -> bool {
    let text = group.stream().to_string();
    group.delimiter() == Delimiter::Parenthesis
        && (text.starts_with("in ") || ["super", "self", "crate"].contains(&text.as_str()))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other items have no name of their own")]
fn item_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Mod(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

fn circles_in(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
    circles(&sources).into_iter().map(|circle| circle.files).collect()
}

#[test]
fn circles_are_found() {
    let a = ("crates/x/src/a.rs", "use crate::b::B; pub struct A(B);");
    let root = ("crates/x/src/lib.rs", "mod a; mod b; mod c; pub use a::A;");
    for (text, expected) in [
        ("use crate::a::A; pub struct B;", 1),
        ("pub struct B; fn f() { crate::a::g() }", 1),
        ("use super::a; pub struct B; fn f() { a::g() }", 1),
        ("pub struct B; fn f() { println!(\"{}\", super::a::g()) }", 1),
        // Through the root, which hands the name on.
        ("use crate::A; pub struct B(A);", 1),
        ("use crate::c::C; pub struct B(C);", 0),
        ("use other::a::A; pub struct B(A);", 0),
        ("pub struct B; #[cfg(test)] mod tests { use crate::a::A; }", 0),
    ] {
        let files = [root, a, ("crates/x/src/b.rs", text), ("crates/x/src/c.rs", "pub struct C;")];
        assert_eq!(circles_in(&files).len(), expected, "{text}");
    }
}

#[test]
fn a_visibility_in_a_macro_is_no_import() {
    let map = ("src/a/mod.rs", "mod one; use one::One; pub struct A(One);");
    for (text, expected) in [
        ("macro_rules! m { () => { pub(super) static X: u8 = 1; } } pub struct One;", 0),
        ("macro_rules! m { () => { pub(in crate::a) static X: u8 = 1; } } pub struct One;", 0),
        ("macro_rules! m { () => { pub(super) static X: super::A = 1; } } pub struct One;", 1),
        ("macro_rules! m { () => { struct X(pub (super::A, u8)); } } pub struct One;", 1),
        ("macro_rules! m { () => { f(super::A) } } pub struct One;", 1),
    ] {
        assert_eq!(circles_in(&[map, ("src/a/one.rs", text)]).len(), expected, "{text}");
    }
}

#[test]
fn a_circle_of_three_files_is_one() {
    let files = [
        ("src/lib.rs", "mod a; mod b; mod c; mod d;"),
        ("src/a.rs", "use crate::b::B; pub struct A(B);"),
        ("src/b/mod.rs", "use crate::c::C; pub struct B(C);"),
        ("src/c.rs", "use crate::a::A; use crate::d::D; pub struct C(A, D);"),
        ("src/d.rs", "pub struct D;"),
    ];
    assert_eq!(circles_in(&files), [["src/a.rs", "src/b/mod.rs", "src/c.rs"]]);
}

#[test]
fn a_module_that_only_hands_on_what_its_children_define_is_in_no_circle() {
    let child = ("src/a/one.rs", "use super::two::Two; pub struct One(Two);");
    let other = ("src/a/two.rs", "use super::Kind; pub struct Two(Kind);");
    let kind = ("src/a/kind.rs", "pub struct Kind;");
    let map = "mod kind; mod one; mod two; pub use kind::Kind; pub use one::One;";
    assert!(circles_in(&[("src/a/mod.rs", map), child, other, kind]).is_empty());
    let driver = format!("{map} fn f() -> One {{ make() }} pub struct Kind;");
    let driver = driver.replace("pub use kind::Kind;", "");
    assert_eq!(circles_in(&[("src/a/mod.rs", &driver), child, other, kind]).len(), 1);
}

#[test]
fn every_circle_is_a_finding() {
    let root = Source::new("crates/x/src/lib.rs", "mod a; mod b;");
    let a = Source::new("crates/x/src/a.rs", "use crate::b::B; pub struct A(B);");
    let b = Source::new("crates/x/src/b.rs", "use crate::a::A; pub struct B(A);");
    assert_eq!(findings(&[root, a, b]).len(), 1);
    assert!(findings(&[]).is_empty());
}
