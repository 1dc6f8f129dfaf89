//! Schemas of custom resources: what their definitions promise about an object.
//!
//! [`Schema::compile`] makes one of the `openAPIV3Schema` of a version. The API server brings what a client sends in
//! shape in this order, and so should its caller:
//!
//! 1. [`Schema::prune`] drops what the schema does not know, and says so;
//! 2. [`Schema::drop_nulls`], for all but what server-side apply made;
//! 3. [`Schema::default`] fills in defaults;
//! 4. [`Schema::faults`] and [`Schema::check_whole`] list what is wrong, including rules in CEL.
//!
//! The schema is the [`Lists`](super::lists::Lists) of the kind, too. [`check`] is for the definition itself.
//!
//! Not there: the estimate of the cost of rules, their type check before they run, and the types that CEL has for
//! strings of certain formats (a `date-time` is a string to a rule).

mod cause;
mod cel_value;
mod check;
mod default;
mod kind;
mod lists;
mod node;
mod prune;
mod rule;
mod validate;
mod value_checks;

pub use cause::invalid;
pub use check::{check, default_definition};

use serde_json::Value;

use super::status::Cause;
use node::Node;

/// The compiled schema of one version of a custom resource.
#[derive(Debug)]
pub struct Schema {
    root: Node,
    has_rules: bool,
}

impl Schema {
    /// Compiles an `openAPIV3Schema`; the causes are what makes it no structural schema, with paths below `path`.
    pub fn compile(schema: &Value, path: &str) -> Result<Self, Vec<Cause>> {
        let mut causes = Vec::new();
        let root = Node::compile(schema, path, &mut causes);
        if causes.is_empty() { Ok(Self { has_rules: root.has_rules(), root }) } else { Err(causes) }
    }
}

#[cfg(test)]
mod tests;
