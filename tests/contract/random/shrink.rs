//! The shortest sequence that still shows a difference, and how it is told.

use serde_json::{Map, Value, json};

use super::operation::{Operation, Verb};
use super::{Difference, Tally, Worlds};

/// How many shorter sequences are tried.
const TRIES: usize = 150;

/// A difference with the operations that are needed for it.
pub(super) async fn report(
    worlds: &Worlds,
    name: &str,
    operations: &[Operation],
    difference: Difference,
) -> String {
    let number = difference.number;
    let mut search = Search { worlds, name, tries: 0, number, found: difference };
    let left = search.shortest(operations).await;
    let lines: Vec<String> = left.iter().map(|operation| format!("    {operation}")).collect();
    let mut paths = Vec::new();
    let (embedded, real) = (&search.found.embedded, &search.found.real);
    if embedded["code"] == real["code"] {
        compare(embedded, real, "", &mut paths);
    } else {
        compare(&outcome(embedded), &outcome(real), "", &mut paths);
    }
    format!(
        "  {name}, at #{number} ({} operations are needed):\n{}\n{}",
        left.len(),
        lines.join("\n"),
        paths.iter().map(|path| format!("      {path}")).collect::<Vec<_>>().join("\n")
    )
}

struct Search<'a> {
    worlds: &'a Worlds,
    name: &'a str,
    tries: usize,
    number: usize,
    found: Difference,
}

impl Search<'_> {
    async fn shortest(&mut self, operations: &[Operation]) -> Vec<Operation> {
        let Some(at) = operations.iter().position(|operation| operation.number == self.number) else {
            return operations.to_vec();
        };
        let is_watch = operations[at].verb == Verb::Watch;
        let mut left = if is_watch { operations.to_vec() } else { operations[..=at].to_vec() };
        let (kind, own) = (operations[at].kind, operations[at].name.clone());
        for near in [true, false] {
            let is_near =
                |one: &&Operation| one.kind == kind && (!near || own.is_empty() || one.is_about(kind, &own));
            let fewer: Vec<Operation> = left.iter().filter(is_near).cloned().collect();
            if self.still_differs(&fewer).await {
                left = fewer;
                break;
            }
        }
        let mut size = left.len() / 2;
        while size > 0 {
            let mut start = 0;
            while start < left.len() {
                let part = start..(start + size).min(left.len());
                let fewer: Vec<Operation> =
                    left[..part.start].iter().chain(&left[part.end..]).cloned().collect();
                if self.still_differs(&fewer).await {
                    left = fewer;
                } else {
                    start += size;
                }
            }
            size /= 2;
        }
        left
    }

    /// Whether fewer operations show a difference at the same one.
    async fn still_differs(&mut self, operations: &[Operation]) -> bool {
        if self.tries >= TRIES || operations.iter().all(|operation| operation.number != self.number) {
            return false;
        }
        self.tries += 1;
        let name = format!("{}-{}", self.name, self.tries);
        match self.worlds.play(&name, operations, &mut Tally::default()).await {
            Some(difference) if difference.number == self.number => {
                self.found = difference;
                true
            }
            Some(_) | None => false,
        }
    }
}

/// What an answer says in short.
fn outcome(answer: &Value) -> Value {
    let of = |field: &str| answer["body"].get(field).unwrap_or(&Value::Null).clone();
    json!([answer["code"], of("reason"), of("message")])
}

/// Adds each place where two answers differ.
fn compare(embedded: &Value, real: &Value, path: &str, differences: &mut Vec<String>) {
    let at = |map: &Map<String, Value>, key: &String| map.get(key).cloned().unwrap_or_default();
    match (embedded, real) {
        _ if embedded == real => {}
        (Value::Object(embedded), Value::Object(real)) => {
            let keys: std::collections::BTreeSet<&String> = embedded.keys().chain(real.keys()).collect();
            for key in keys {
                compare(&at(embedded, key), &at(real, key), &format!("{path}/{key}"), differences);
            }
        }
        (Value::Array(embedded), Value::Array(real)) if embedded.len() == real.len() => {
            for (index, (embedded, real)) in embedded.iter().zip(real).enumerate() {
                compare(embedded, real, &format!("{path}/{index}"), differences);
            }
        }
        _ => differences.push(format!("{path}\n        embedded: {embedded}\n        real:     {real}")),
    }
}
