//! The condition language of analysis.
//!
//! A condition such as `result[0] < 0.05 && !isNaN(result[0])` is parsed, checked against the type of a result, and evaluated.
//!
//! | module | what it has |
//! |---|---|
//! | `condition` | conditions and time expressions as callers use them |
//! | `judge` | the verdict of a measurement, from its conditions |
//! | `value` | results and other values |
//! | `error` | errors with their column |
//! | `syntax` | from a text to a tree |
//! | `check`, `types` | what is wrong before an evaluation, by the type of the result |
//! | `evaluate`, `operations` | from a tree to a value |
//! | `functions` | the table of functions, and the methods of times |
//! | `text`, `layout`, `pattern`, `words` | notations of Go: of values, times and regular expressions |
//! | `budget` | the bound on work and memory |

mod budget;
mod check;
mod condition;
mod error;
#[expect(clippy::wildcard_enum_match_arm, reason = "an operation is an error for every other type of value")]
mod evaluate;
#[expect(clippy::wildcard_enum_match_arm, reason = "a function is an error for every other type of value")]
#[expect(clippy::unnecessary_wraps, reason = "all functions of the table have one signature")]
mod functions;
mod judge;
mod layout;
#[expect(clippy::wildcard_enum_match_arm, reason = "an operation is an error for every other type of value")]
mod operations;
mod pattern;
mod syntax;
mod text;
mod types;
mod value;
mod words;

pub use condition::{Condition, check, time_of};
pub use error::ConditionError;
pub use judge::{Verdict, judge};
pub use value::{Items, List, Map, Value};
