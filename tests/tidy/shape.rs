//! Sizes, and reasons for exceptions.

use proc_macro2::{Span, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Ident};

use crate::Finding;
use crate::source::Source;

/// The most lines that a file may have.
const FILE_LINES_MAX: usize = 500;

/// The most lines that the body of a function may have.
const FUNCTION_LINES_MAX: usize = 60;

/// A file, or functions in it, too long to read at one go.
pub(crate) fn long_parts(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    let file =
        (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines, at most {FILE_LINES_MAX}", source.path));
    let long = functions(source).into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX);
    let long = long.map(|Function { name, line, lines }| {
        format!("{}:{line}: `{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}", source.path)
    });
    file.into_iter().chain(long).collect()
}

/// A function with the length of its body.
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

fn functions(source: &Source) -> Vec<Function> {
    let mut functions = Functions(Vec::new());
    functions.visit_file(&source.syntax);
    functions.0
}

struct Functions(Vec<Function>);

impl Functions {
    fn measure(&mut self, name: &Ident, block: &Block) {
        let line = |span: Span| span.start().line;
        let lines =
            line(block.brace_token.span.close()).saturating_sub(line(block.brace_token.span.open()) + 1);
        self.0.push(Function { name: name.to_string(), line: line(name.span()), lines });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig.ident, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig.ident, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig.ident, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// Lints that are switched off without saying why.
pub(crate) fn allows_without_reason(source: &Source) -> Vec<Finding> {
    let mut allows = Allows { path: &source.path, findings: Vec::new() };
    allows.visit_file(&source.syntax);
    allows.findings
}

struct Allows<'a> {
    path: &'a str,
    findings: Vec<Finding>,
}

impl<'ast> Visit<'ast> for Allows<'_> {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let is_exception = attribute.path().is_ident("allow") || attribute.path().is_ident("expect");
        if is_exception && !has_reason(attribute) {
            let line = attribute.pound_token.span.start().line;
            self.findings.push(format!("{}:{line}: a lint is switched off without a `reason`", self.path));
        }
    }
}

fn has_reason(attribute: &Attribute) -> bool {
    let is_reason = |token| matches!(&token, TokenTree::Ident(name) if name == "reason");
    attribute.meta.require_list().is_ok_and(|list| list.tokens.clone().into_iter().any(is_reason))
}

/// Lints that the manifest allows without a comment above.
pub(crate) fn manifest_allows_without_reason(manifest: &str) -> Vec<Finding> {
    let lints = manifest.split("[lints").skip(1).flat_map(|section| section.split("\n[").take(1));
    let mut findings = Vec::new();
    for section in lints {
        let mut previous = "";
        for line in section.lines() {
            if line.contains("= \"allow\"") && !previous.trim_start().starts_with('#') {
                findings.push(format!("Cargo.toml: `{line}` has no comment that says why"));
            }
            previous = line;
        }
    }
    findings
}

/// Notes of unfinished work that name no issue, as in `(#12)` right after the word.
pub(crate) fn open_ends_without_issue(source: &Source) -> Vec<Finding> {
    // Put together here, so that this file does not find itself.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        for word in words {
            let has_issue = |after: &str| {
                let number = after.strip_prefix("(#").and_then(|rest| rest.split(')').next());
                number.is_some_and(|number| number.parse::<u32>().is_ok())
            };
            if line.split(word).skip(1).any(|after| !has_issue(after)) {
                findings.push(format!(
                    "{}:{}: {word} without an issue, as in {word}(#12)",
                    source.path,
                    index + 1
                ));
            }
        }
    }
    findings
}

#[test]
fn long_parts_are_found() {
    let function = |lines: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines));
    let method = |lines: usize| format!("struct S;\nimpl S {{\n{}}}\n", function(lines));
    for (text, expected) in [
        (function(60), 0),
        (function(61), 1),
        (method(60), 0),
        (method(61), 1),
        ("// x\n".repeat(500), 0),
        ("// x\n".repeat(501), 1),
    ] {
        assert_eq!(long_parts(&Source::new("src/a.rs", &text)).len(), expected);
    }
}

#[test]
fn allows_without_reason_are_found() {
    for (text, expected) in [
        ("#[allow(dead_code)] fn f() {}", 1),
        ("#[expect(dead_code)] fn f() {}", 1),
        ("#![allow(clippy::all)]", 1),
        ("#[allow(dead_code, reason = \"used by the other target\")] fn f() {}", 0),
        ("#[derive(Debug)] struct S;", 0),
        ("mod m { impl S { #[allow(dead_code)] fn f() {} } }", 1),
    ] {
        assert_eq!(allows_without_reason(&Source::new("src/a.rs", text)).len(), expected, "{text}");
    }
    let bare = "[lints.clippy]\npedantic = \"warn\"\na = \"allow\"\n\n[profile.dev]\n";
    assert_eq!(manifest_allows_without_reason(bare).len(), 1);
    assert!(manifest_allows_without_reason(&bare.replace("a = ", "# Because.\na = ")).is_empty());
}

#[test]
fn open_ends_are_found() {
    let word = concat!("TO", "DO");
    for (text, expected) in [
        (format!("// {word}: later"), 1),
        (format!("// {word}(#12): later"), 0),
        (format!("// {word}(#): later"), 1),
        (format!("// {word}(me): later"), 1),
        ("// done".to_owned(), 0),
    ] {
        assert_eq!(open_ends_without_issue(&Source::new("src/a.rs", &text)).len(), expected, "{text}");
    }
}
