//! Tests that documents and tables name, and whether they exist.

use std::collections::BTreeMap;

use syn::Attribute;
use syn::visit::{self, Visit};

use crate::Finding;
use crate::source::Source;

/// The names of the tests of every Rust file, by its path.
pub(crate) struct Tests(BTreeMap<String, Vec<String>>);

impl Tests {
    /// The tests in `sources`.
    pub(crate) fn of(sources: &[Source]) -> Self {
        let of_one = |source: &Source| {
            let mut names = Names(Vec::new());
            names.visit_file(&source.syntax);
            (source.path.clone(), names.0)
        };
        Self(sources.iter().map(of_one).collect())
    }

    /// A finding if the test does not exist.
    pub(crate) fn lack(&self, file: &str, name: &str) -> Option<Finding> {
        match self.0.get(file) {
            None => Some(format!("there is no file {file}")),
            Some(names) if !names.iter().any(|known| known == name) => {
                Some(format!("{file} has no test {name}"))
            }
            Some(_) => None,
        }
    }
}

struct Names(Vec<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let is_test = |attribute: &Attribute| {
            attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
        };
        if function.attrs.iter().any(is_test) {
            self.0.push(function.sig.ident.to_string());
        }
        visit::visit_item_fn(self, function);
    }
}

#[test]
fn tests_are_found_in_modules_and_on_runtimes() {
    let text =
        "#[test] fn a() {} fn b() {} mod tests { #[tokio::test(start_paused = true)] async fn c() {} }";
    let tests = Tests::of(&[Source::new("src/x.rs", text)]);
    assert_eq!(tests.lack("src/x.rs", "a"), None);
    assert_eq!(tests.lack("src/x.rs", "c"), None);
    assert_eq!(tests.lack("src/x.rs", "b").as_deref(), Some("src/x.rs has no test b"));
    assert_eq!(tests.lack("src/y.rs", "a").as_deref(), Some("there is no file src/y.rs"));
}
