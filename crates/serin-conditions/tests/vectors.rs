//! Holds conditions to recorded facts of the reference controller.
//!
//! Reads `conditions.jsonl` of `tests/vectors` in the repository, or of the folder that `SERIN_VECTORS` names: one fact a
//! line. Outcomes must agree, and that there is an error. The texts of errors must agree for most, and those that users
//! search for always.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serin_conditions::{Condition, ConditionError, Value};

/// The least share of errors whose text is that of the reference, in percent.
const SAME_TEXTS_MIN: usize = 95;

/// The starts of texts that users search for.
const SEARCHED: [&str; 2] = ["unknown name ", "expected bool, but got "];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    result: Recorded,
    condition: String,
    outcome: Option<bool>,
    error: Option<String>,
    /// Where the reference failed: an error is an error to us.
    #[serde(rename = "stage")]
    _stage: Option<IgnoredAny>,
}

/// A result with its type in Go.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Recorded {
    Nil(IgnoredAny),
    Bool(bool),
    Int(i64),
    Float(String),
    String(String),
    Floats(Vec<String>),
    EmptyFloats(IgnoredAny),
    Json(serde_json::Value),
}

impl Recorded {
    fn value(self) -> Value {
        let float = |text: &String| text.parse::<f64>().expect("a float");
        match self {
            Self::Nil(_) => Value::Nil,
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Float(text) => float(&text).into(),
            Self::String(text) => text.into(),
            Self::Floats(texts) => Value::floats(texts.iter().map(float)),
            Self::EmptyFloats(_) => Value::floats([]),
            Self::Json(json) => json.into(),
        }
    }
}

fn folder() -> PathBuf {
    std::env::var_os("SERIN_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors"), PathBuf::from)
}

fn holds(condition: &str, result: &Value) -> Result<bool, ConditionError> {
    let now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
    Condition::parse(condition)?.holds(result, now)
}

#[test]
fn every_recorded_condition_agrees() {
    let path = folder().join("conditions.jsonl");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut agree, mut errors, mut differing, mut texts) = (0, 0, Vec::new(), Vec::new());
    for line in text.lines() {
        let fact: Fact = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let ours = holds(&fact.condition, &fact.result.value());
        match (&ours, fact.outcome, &fact.error) {
            (Ok(ours), Some(recorded), None) if *ours == recorded => agree += 1,
            (Err(error), None, Some(recorded)) => {
                (agree, errors) = (agree + 1, errors + 1);
                if error.message != *recorded {
                    texts.push(format!("{:?}, recorded {recorded:?}\n  {line}", error.message));
                }
                let is_searched = SEARCHED.iter().any(|start| recorded.starts_with(start));
                if is_searched && error.message != *recorded {
                    differing.push(format!("{:?}\n  {line}", error.message));
                }
            }
            _ => differing.push(format!("{ours:?}\n  {line}")),
        }
    }
    let lines = text.lines().count();
    println!(
        "conditions.jsonl: {agree} of {lines} agree; {} of {errors} errors have other words",
        texts.len()
    );
    println!("{}", texts.join("\n"));
    assert!(lines > 0, "{}: empty", path.display());
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!((errors - texts.len()) * 100 >= errors * SAME_TEXTS_MIN, "{}", texts.join("\n"));
}
