//! AnalysisTemplates, and the AnalysisRun that a Rollout or an Experiment makes of them.
//!
//! | step | function |
//! |---|---|
//! | find the templates, with those that they include | [`references`], [`collect`] |
//! | merge them into one | [`flatten`] |
//! | resolve and merge arguments | [`resolve_arguments`], [`merge_arguments`] |
//! | make the spec of the AnalysisRun | [`run_spec`] |
//! | make the object, or find one that does the same | [`NewRun`] |
//! | check the templates that a Rollout names | [`analyses`], [`check`] |
//! | check the spec of an AnalysisRun | [`validate`] |

mod arguments;
mod check;
mod collect;
mod field;
mod flatten;
mod name;
mod place;
mod run;
mod validate;

#[cfg(test)]
mod tests;

pub use arguments::{ArgumentError, Hashes, Unresolved, merge_arguments, resolve_arguments};
pub use check::{AnalysisFinding, AnalysisProblem, check};
pub use collect::{Collected, TEMPLATES_MAX, TemplateError, collect};
pub use flatten::{Conflict, flatten};
pub use name::{Scope, TemplateName, references};
pub use place::{Place, analyses};
pub use run::{ExistingRun, NewRevision, NewRun, RunChoice, RunError, run_spec};
pub use validate::{rule_matches, validate};
