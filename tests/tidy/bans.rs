//! Code that a floor must not contain.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, Pat};

use crate::Finding;
use crate::source::Source;

/// The modules that decide.
const DECISIONS: [(&str, &str); 3] =
    [("serin-core", "traffic"), ("serin-core", "rollout"), ("serin-core", "guard")];

/// Names that decisions must not use: crates with effects, and containers without an order.
const IMPURE_NAMES: [&str; 11] = [
    "tokio",
    "tracing",
    "hyper",
    "reqwest",
    "rand",
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "Client",
    "Api",
];

/// Methods and macros that end the process.
const ENDINGS: [&str; 5] = ["unwrap", "panic", "todo", "unimplemented", "unreachable"];

/// Calls that read the time or wait for it. tokio's own instants are not among them: they follow the clock of tests.
const CLOCK_READS: [&str; 5] = [
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "tokio::time::sleep",
];

/// Effects, disorder, panics and catch-all arms in the decisions, their tests aside.
pub(crate) fn impurities(source: &Source) -> Vec<Finding> {
    if source.is_test() || !source.module().is_some_and(|module| DECISIONS.contains(&module)) {
        return Vec::new();
    }
    let code = Code::of(source);
    let is_impure =
        |word: &&Word| IMPURE_NAMES.contains(&word.text.as_str()) || ENDINGS.contains(&word.text.as_str());
    let words = code.words.iter().filter(is_impure).map(|word| (word.line, format!("`{}`", word.text)));
    let env = code.paths.iter().filter(|path| path.text.starts_with("std::env"));
    let env = env.map(|path| (path.line, "the environment".to_owned()));
    let asyncs = code.asyncs.iter().map(|line| (*line, "`async`".to_owned()));
    let wilds = code.wild_arms.iter().map(|line| (*line, "a `_ =>` arm".to_owned()));
    let findings = words.chain(env).chain(asyncs).chain(wilds);
    findings.map(|(line, what)| format!("{}:{line}: {what} in a decision", source.path)).collect()
}

/// Words of a strategy in names and texts of the shell, its tests aside.
pub(crate) fn strategy_words(source: &Source) -> Vec<Finding> {
    let is_shell = source.inside().is_some_and(|(package, _)| package == "serin-controller");
    if source.is_test() || !is_shell {
        return Vec::new();
    }
    let code = Code::of(source);
    let speaks = |word: &&Word| {
        parts(&word.text).iter().any(|part| ["step", "steps", "canary", "canaries"].contains(&part.as_str()))
    };
    let said = code.words.iter().chain(&code.texts).filter(speaks);
    said.map(|word| format!("{}:{}: the shell speaks of `{}`", source.path, word.line, word.text)).collect()
}

/// Readings of the time outside the clock, tests aside.
pub(crate) fn clock_reads(source: &Source) -> Vec<Finding> {
    if source.is_test() || source.inside().is_none_or(|(package, _)| package == "serin-clock") {
        return Vec::new();
    }
    let code = Code::of(source);
    let is_read = |path: &&Word| CLOCK_READS.contains(&code.in_full(&path.text).as_str());
    let reads = code.paths.iter().filter(is_read);
    reads.map(|path| format!("{}:{}: `{}` outside serin-clock", source.path, path.line, path.text)).collect()
}

/// The words that a name or a text is made of, in lower case: `nextStepIndex` is `next`, `step`, `index`.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for character in text.chars() {
        if !character.is_alphanumeric() || (was_lower && character.is_uppercase()) {
            parts.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(part) = parts.last_mut()
        {
            part.extend(character.to_lowercase());
        }
        was_lower = character.is_lowercase();
    }
    parts
}

struct Word {
    text: String,
    line: usize,
}

/// The tokens of code, without test modules and comments.
#[derive(Default)]
struct Code {
    /// Names.
    words: Vec<Word>,
    /// Texts between quotes.
    texts: Vec<Word>,
    /// Paths, their parts joined by `::`; of an import, all that it names.
    paths: Vec<Word>,
    /// Imported names, each with its path in full.
    imports: Vec<(String, String)>,
    /// Lines of `async` functions and blocks.
    asyncs: Vec<usize>,
    /// Lines of arms that catch all.
    wild_arms: Vec<usize>,
}

impl Code {
    fn of(source: &Source) -> Self {
        let mut code = Self::default();
        code.visit_file(&source.syntax);
        code
    }

    fn import(&mut self, tree: &syn::UseTree, prefix: &str) {
        match tree {
            syn::UseTree::Path(path) => self.import(&path.tree, &format!("{prefix}{}::", path.ident)),
            syn::UseTree::Name(name) => self.imported(&name.ident, format!("{prefix}{}", name.ident)),
            syn::UseTree::Rename(rename) => {
                self.imported(&rename.rename, format!("{prefix}{}", rename.ident));
            }
            syn::UseTree::Glob(glob) => self.path(format!("{prefix}*"), glob.star_token.spans[0]),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, prefix)),
        }
    }

    fn imported(&mut self, name: &proc_macro2::Ident, full: String) {
        self.imports.push((name.to_string(), full.clone()));
        self.path(full, name.span());
    }

    /// `path` with the import that brings its first part into view, if there is one.
    fn in_full(&self, path: &str) -> String {
        let (first, rest) = path.split_once("::").map_or((path, None), |(first, rest)| (first, Some(rest)));
        let imported = self.imports.iter().find(|(name, _)| name == first).map(|(_, full)| full.as_str());
        let parts = [imported.or(Some(first)), rest];
        parts.into_iter().flatten().collect::<Vec<_>>().join("::")
    }

    fn path(&mut self, text: String, span: proc_macro2::Span) {
        self.paths.push(Word { text, line: span.start().line });
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            let line = token.span().start().line;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) => self.words.push(Word { text: name.to_string(), line }),
                TokenTree::Literal(literal) => self.texts.push(Word { text: literal.to_string(), line }),
                TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Code {
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, "");
        visit::visit_item_use(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let is_test = |attribute: &Attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|cfg| cfg.is_ident("test"))
        };
        if !module.attrs.iter().any(is_test) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_ident(&mut self, name: &'ast proc_macro2::Ident) {
        self.words.push(Word { text: name.to_string(), line: name.span().start().line });
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.texts.push(Word { text: literal.value(), line: literal.span().start().line });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let Some(first) = path.segments.first() {
            self.path(parts.join("::"), first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        self.tokens(invocation.tokens.clone());
        visit::visit_macro(self, invocation);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(token) = &signature.asyncness {
            self.asyncs.push(token.span.start().line);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.asyncs.push(block.async_token.span.start().line);
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        // Texts and numbers have no end of values; there a catch-all hides nothing.
        for (index, arm) in expression.arms.iter().enumerate() {
            let mut before = expression.arms.iter().take(index);
            if let (Pat::Wild(wild), None) = (&arm.pat, &arm.guard)
                && !before.all(|arm| is_open(&arm.pat))
            {
                self.wild_arms.push(wild.underscore_token.spans[0].start().line);
            }
        }
        visit::visit_expr_match(self, expression);
    }
}

/// True if a pattern matches strings or numbers.
fn is_open(pattern: &Pat) -> bool {
    if let Pat::Or(or) = pattern {
        return or.cases.iter().all(is_open);
    }
    matches!(pattern, Pat::Lit(_) | Pat::Range(_))
}

#[test]
fn impurities_are_found() {
    for (text, expected) in [
        ("fn f(x: Option<u8>) -> u8 { x.unwrap_or(1) }", 0),
        ("fn f(x: Option<u8>) -> u8 { x.unwrap() }", 1),
        ("fn f(x: Option<u8>) { println!(\"{}\", x.unwrap()) }", 1),
        ("fn f() { panic!(\"no\") }", 1),
        ("fn f() { assert!(true) }", 0),
        ("async fn f() {}", 1),
        ("fn f() { let _ = async {}; }", 1),
        ("use std::collections::HashMap;", 1),
        ("use std::collections::BTreeMap;", 0),
        ("fn f() { tracing::info!(\"x\") }", 1),
        ("use kube::{Api, Client};", 2),
        ("fn f() { std::env::var(\"X\").ok(); }", 1),
        ("use std::env;", 1),
        ("fn f(x: A) { match x { A::B => {} _ => {} } }", 1),
        ("fn f(x: A) { match x { A::B | A::C => {} _ => {} } }", 1),
        ("fn f(x: A) { match x { A::B => {} A::C => {} } }", 0),
        ("fn f(x: &str) { match x { \"a\" => {} \"b\" | \"c\" => {} _ => {} } }", 0),
        ("fn f(x: u8) { match x { 0 => {} 1..=3 => {} _ => {} } }", 0),
        ("#[cfg(test)] mod tests { fn f(x: Option<u8>) { x.unwrap(); } }", 0),
        ("/// Never `unwrap` or panic.\nfn f() {}", 0),
    ] {
        assert_eq!(
            impurities(&Source::new("crates/serin-core/src/rollout/a.rs", text)).len(),
            expected,
            "{text}"
        );
        assert!(impurities(&Source::new("crates/serin-controller/src/a.rs", text)).is_empty(), "{text}");
        assert!(
            impurities(&Source::new("crates/serin-core/src/rollout/tests.rs", text)).is_empty(),
            "{text}"
        );
    }
}

#[test]
fn strategy_words_are_found() {
    for (text, expected) in [
        ("fn next_step() {}", 1),
        ("struct CanaryStep;", 1),
        ("fn f() { g(\"/spec/strategy/canary\") }", 1),
        ("fn f() { json!({\"steps\": 1}); }", 1),
        ("fn stepped() {}", 0),
        ("/// One step, then the next.\nfn f() {}", 0),
    ] {
        assert_eq!(
            strategy_words(&Source::new("crates/serin-controller/src/a.rs", text)).len(),
            expected,
            "{text}"
        );
        assert!(
            strategy_words(&Source::new("crates/serin-core/src/rollout/a.rs", text)).is_empty(),
            "{text}"
        );
    }
}

#[test]
fn clock_reads_are_found() {
    for (text, expected) in [
        ("fn f() { jiff::Timestamp::now(); }", 1),
        ("use std::time::Instant; fn f() { Instant::now(); }", 1),
        ("use tokio::time::Instant; fn f() { Instant::now(); }", 0),
        ("use jiff::{SignedDuration, Timestamp as Time}; fn f() { Time::now(); }", 1),
        ("use tokio::time; fn f() { time::sleep(d); }", 1),
        ("fn f() { std::time::SystemTime::now(); }", 1),
        ("use tokio::time::sleep;", 1),
        ("fn f() { crate::clock::sleep(d); }", 0),
        ("fn f() { clock.now(); }", 0),
    ] {
        assert_eq!(
            clock_reads(&Source::new("crates/serin-controller/src/a.rs", text)).len(),
            expected,
            "{text}"
        );
        assert!(clock_reads(&Source::new("crates/serin-clock/src/lib.rs", text)).is_empty(), "{text}");
    }
}
