//! The difference between two templates, as lines.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::super::failure::Failure;
use super::super::output::yaml;

/// How many lines without a change are shown around one.
const AROUND: usize = 3;
const PLAIN: &str = "\x1b[0m";

/// What changes from one value to another, as lines of YAML: removed ones begin with `-`, new ones with `+`.
pub(super) fn difference(from: &Value, to: &Value, is_coloured: bool) -> Result<String, Failure> {
    let (from, to) = (yaml(from)?, yaml(to)?);
    let diff = TextDiff::from_lines(&from, &to);
    let mut lines = String::new();
    for (index, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if index > 0 {
            lines += "  ...\n";
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, colour) = match change.tag() {
                ChangeTag::Delete => ("- ", "\x1b[31m"),
                ChangeTag::Insert => ("+ ", "\x1b[32m"),
                ChangeTag::Equal => ("  ", ""),
            };
            let is_marked = is_coloured && !colour.is_empty();
            let (begin, end) = if is_marked { (colour, PLAIN) } else { ("", "") };
            lines.extend([begin, sign, change.value().trim_end_matches('\n'), end, "\n"]);
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changed_lines_are_shown_among_their_neighbours() {
        let from = json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9});
        let mut to = from.clone();
        to["a"] = 0.into();
        to["i"] = 0.into();
        let lines = "- a: 1\n+ a: 0\n  b: 2\n  c: 3\n  d: 4\n  ...\n  f: 6\n  g: 7\n  h: 8\n- i: 9\n+ i: 0\n";
        assert_eq!(difference(&from, &to, false).unwrap(), lines);
        let coloured = difference(&json!({"a": 1}), &json!({"a": 2}), true).unwrap();
        assert_eq!(coloured, "\x1b[31m- a: 1\x1b[0m\n\x1b[32m+ a: 2\x1b[0m\n");
    }
}
