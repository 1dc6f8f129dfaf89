//! Where the embedded API answers otherwise and is to stay so.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::operation::Kind;

/// A part of texts that the real server alone says.
#[derive(Debug)]
pub(super) struct Exception {
    /// As a regular expression.
    pub(super) pattern: &'static str,
    /// What is in every text that the pattern is in.
    mark: &'static str,
    /// Why it is so.
    _why: &'static str,
}

/// All of them. Each must have been said in a run: what is never met, or what the embedded API says, too, is no
/// exception.
pub(super) const EXCEPTIONS: [Exception; 1] = [Exception {
    pattern: r"(?:\n@@ -[0-9,]+ \+[0-9,]+ @@(?:\n[ +-][^\n]*)+)+\n",
    mark: "\n@@ -",
    _why: "a refused change of a pod is shown as lines that differ between two Go structs of the server, in the order and \
           by the names of its code: they are for people, and no client can rely on them",
}];

/// Refusals whose causes the real server names in any order.
pub(super) struct Unordered {
    pub(super) reason: &'static str,
    /// Of what; of all where it is empty.
    pub(super) group: &'static str,
    /// Why that is so.
    _why: &'static str,
}

/// All of them.
pub(super) const UNORDERED: [Unordered; 2] = [
    Unordered {
        reason: "Conflict",
        group: "",
        _why: "who owns which field is a map in the server, and every walk through a map has another order",
    },
    Unordered {
        reason: "Invalid",
        group: "argoproj.io",
        _why: "the fields of a schema are a map in the server, too",
    },
];

/// What is not tried: the kind, what is applied to it, and why not.
pub(super) const UNTRIED: [(Kind, &[&str], &str); 1] = [(
    Kind::Rollout,
    &["labels", "annotations", "finalizers"],
    "an empty map or list that is applied to the metadata of a custom resource is stored, and not shown: each such apply \
     is a write with a new resourceVersion, of nothing",
)];

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = EXCEPTIONS.iter();
    patterns.map(|exception| Regex::new(exception.pattern).expect("a regular expression")).collect()
});

/// Takes exceptions out of texts.
#[derive(Default)]
pub(super) struct Exceptions {
    /// The numbers of those that were met.
    pub(super) met: BTreeSet<usize>,
}

impl Exceptions {
    pub(super) fn without(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for (number, (exception, pattern)) in EXCEPTIONS.iter().zip(PATTERNS.iter()).enumerate() {
            if text.contains(exception.mark) && pattern.is_match(&text) {
                self.met.insert(number);
                text = pattern.replace_all(&text, "").into_owned();
            }
        }
        text
    }
}

/// Leaves the columns of a watch of tables to the first of them.
///
/// The real server counts as the first what it encodes first, and does not count what it finds encoded for another watch:
/// which that is depends on how its goroutines meet.
pub(super) fn leave_columns_to_the_first(events: &mut [Value]) {
    let mut tables =
        events.iter_mut().map(|event| &mut event["object"]).filter(|object| object["kind"] == "Table");
    let Some(first) = tables.next() else { return };
    for table in tables.filter(|table| table["columnDefinitions"] == first["columnDefinitions"]) {
        table["columnDefinitions"] = Value::Null;
    }
}
