//! Paths to values, as Kubernetes writes them, in the notation of the standard ([RFC 9535]).
//!
//! [RFC 9535]: https://www.rfc-editor.org/rfc/rfc9535

use jsonpath_rust::JsonPath;
use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

/// Why a path leads to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// It is not a path; what is wrong with it.
    Syntax(String),
    /// Nothing has a field of this name.
    Absent(String),
    /// No list is that long.
    OutOfBounds {
        /// The index.
        index: i64,
        /// The length of the first list.
        length: usize,
    },
    /// A filter, a slice or a star matches nothing.
    Nothing,
}

impl std::fmt::Display for Miss {
    /// The words of Kubernetes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax(problem) => f.write_str(problem),
            Self::Absent(name) => write!(f, "{name} is not found"),
            Self::OutOfBounds { index, length } => {
                write!(f, "array index out of bounds: index {index}, length {length}")
            }
            Self::Nothing => f.write_str("nothing is found"),
        }
    }
}

/// The first value that a path of Kubernetes leads to.
///
/// # Errors
/// The path is not one, or leads to nothing: then the step that misses is named.
pub fn first_match(document: &Value, path: &str) -> Result<Value, Miss> {
    let standard = standard(path).map_err(Miss::Syntax)?;
    let find = |path: &str| document.query(path).map_err(|error| Miss::Syntax(error.to_string()));
    if let Some(found) = find(&standard)?.first() {
        return Ok((*found).clone());
    }
    let mut path = "$".to_owned();
    let mut before = vec![document];
    for step in segments(&standard[1..]) {
        path += step;
        let found = find(&path)?;
        if found.is_empty() {
            return Err(miss(step, &before));
        }
        before = found;
    }
    Err(Miss::Nothing)
}

/// The steps of a standard path, with their brackets.
fn segments(mut rest: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    while let Some(open) = rest.find('[') {
        let Some(length) = bracket(&rest[open..]) else { break };
        let (segment, after) = rest.split_at(open + length);
        segments.push(segment);
        rest = after;
    }
    segments
}

/// Why a step leads from `before` to nothing.
fn miss(step: &str, before: &[&Value]) -> Miss {
    let inner = step.trim_start_matches('.');
    let inner = inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(inner);
    if let Ok(name) = serde_json::from_str::<String>(inner) {
        return Miss::Absent(name);
    }
    if let Some(name) = inner.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) {
        return Miss::Absent(name.to_owned());
    }
    let length = before.iter().find_map(|value| value.as_array()).map(Vec::len);
    match (inner.parse(), length) {
        (Ok(index), Some(length)) => Miss::OutOfBounds { index, length },
        (Ok(_), None) | (Err(_), _) => Miss::Nothing,
    }
}

/// A path of Kubernetes (`.metadata.labels.a\.b/c`), as `kubectl` and the columns of a definition have it, in the standard's
/// notation (`$["metadata"]["labels"]["a.b/c"]`). An error says what is wrong with it.
pub fn standard(path: &str) -> Result<String, String> {
    let path = path.trim();
    let steps = path.strip_prefix(['$', '@']).unwrap_or(path);
    if !steps.is_empty() && !steps.starts_with(['.', '[']) {
        return Err(format!("the path {path:?} does not begin with a dot, as in .status.phase"));
    }
    let unclosed = || format!("a bracket in {path:?} is not closed");
    let standard = format!("${}", standard_steps(steps).ok_or_else(unclosed)?);
    match parse_json_path(&standard) {
        Ok(_) => Ok(standard),
        Err(_) => Err(format!("{path:?} is no path")),
    }
}

/// What follows the root; `None` where a bracket is not closed.
fn standard_steps(mut rest: &str) -> Option<String> {
    let mut standard = String::new();
    while !rest.is_empty() {
        if rest.starts_with('[') {
            let length = bracket(rest)?;
            standard += &standard_bracket(&rest[..length])?;
            rest = &rest[length..];
            continue;
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(after) = rest.strip_prefix('.') {
            standard += "..";
            rest = after;
        }
        let (name, length) = name(rest);
        rest = &rest[length..];
        match name.as_str() {
            "" => {}
            "*" => standard += "[*]",
            name => standard.extend(["[", &Value::from(name).to_string(), "]"]),
        }
    }
    Some(standard)
}

/// What stands in brackets: the paths of a filter are brought into the standard's notation, and a dot in quotes, which
/// Kubernetes lets a backslash precede, needs none.
fn standard_bracket(text: &str) -> Option<String> {
    let is_filter = text.starts_with("[?");
    let mut standard = String::new();
    let mut quote = None;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let mut length = letter.len_utf8();
        match (quote, letter) {
            (Some(_), '\\') if rest[1..].starts_with('.') => {}
            (Some(_), '\\') => {
                length += rest[1..].chars().next().map_or(0, char::len_utf8);
                standard += &rest[..length];
            }
            (None, '@' | '$') if is_filter => {
                let steps = filter_path(&rest[1..]);
                length += steps;
                standard.push(letter);
                standard += &standard_steps(&rest[1..length])?;
            }
            _ => {
                quote = after(quote, letter);
                standard.push(letter);
            }
        }
        rest = &rest[length..];
    }
    Some(standard)
}

/// The length of the path at the beginning of a filter's text, which ends where a comparison or the filter does.
fn filter_path(text: &str) -> usize {
    let mut length = 0;
    while let Some(letter) = text[length..].chars().next() {
        length += match letter {
            '[' => bracket(&text[length..]).unwrap_or(1),
            '\\' => 1 + text[length + 1..].chars().next().map_or(0, char::len_utf8),
            '=' | '!' | '<' | '>' | ')' | ']' | '&' | '|' | ',' => return length,
            letter if letter.is_whitespace() => return length,
            letter => letter.len_utf8(),
        };
    }
    length
}

/// The quote that is open after a letter.
fn after(quote: Option<char>, letter: char) -> Option<char> {
    match (quote, letter) {
        (Some(open), _) if letter == open => None,
        (None, '"' | '\'') => Some(letter),
        (Some(_) | None, _) => quote,
    }
}

/// The length of what stands in brackets, with them.
fn bracket(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    for (index, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return Some(index + 1),
            (None, ']') => depth -= 1,
            (Some(_) | None, _) => quote = after(quote, letter),
        }
    }
    None
}

/// The name at the beginning, up to a dot or bracket that no backslash precedes, and its length as it is written.
fn name(text: &str) -> (String, usize) {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((index, letter)) = letters.next() {
        match letter {
            '\\' => name.extend(letters.next().map(|(_, letter)| letter)),
            '.' | '[' => return (name, index),
            other => name.push(other),
        }
    }
    (name, text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_brought_into_the_standards_form() {
        for (path, expected) in [
            ("", "$"),
            (".spec.replicas", r#"$["spec"]["replicas"]"#),
            (r".metadata.labels.a\.b/c", r#"$["metadata"]["labels"]["a.b/c"]"#),
            (r".metadata.labels.a\.b\.c.d", r#"$["metadata"]["labels"]["a.b.c"]["d"]"#),
            ("$.a-b[*].c", r#"$["a-b"][*]["c"]"#),
            ("..a.*", r#"$..["a"][*]"#),
            (r#".a[?(@.b-c=="d.e")]"#, r#"$["a"][?(@["b-c"]=="d.e")]"#),
        ] {
            assert_eq!(standard(path).as_deref(), Ok(expected), "{path}");
        }
    }

    #[test]
    fn paths_lead_where_kubernetes_lets_them_lead() {
        let document = json!({"labels": {"a.b": 1, "c-d": 2}, "a": [
            {"b-c": "x", "d.e": "[1]", "f": 3}, {"b-c": "y", "d.e": "@.f", "f": 4}]});
        for (path, found) in [
            (".labels.c-d", json!([2])),
            (r".labels['a\.b']", json!([1])),
            (".labels['a.b']", json!([1])),
            (r#".a[?(@.b-c=="y")].f"#, json!([4])),
            (r#".a[?(@.d\.e == "[1]")].f"#, json!([3])),
            (r#".a[?(@['d.e']=="@.f")].f"#, json!([4])),
            (".a[?(@.f>3)].b-c", json!(["y"])),
            (".a[?(@.b-c)].f", json!([3, 4])),
            (".a[-1:].f", json!([4])),
            (".a[0,1].f", json!([3, 4])),
        ] {
            let standard = standard(path).expect(path);
            assert_eq!(json!(document.query(&standard).expect(path)), found, "{path}: {standard}");
        }
    }

    #[test]
    fn the_first_match_is_found_or_the_step_that_misses_is_named() {
        let document = json!({"a": [{"b": 1}, {"b": 2}], "n": null, "x]y": {"z": 3}});
        for (path, found) in [
            ("$", Ok(document.clone())),
            ("", Ok(document.clone())),
            (".a[*].b", Ok(json!(1))),
            (".a[-1:].b", Ok(json!(2))),
            ("$.n", Ok(Value::Null)),
            ("..z", Ok(json!(3))),
            (".nope", Err(Miss::Absent("nope".into()))),
            (".nope.deeper", Err(Miss::Absent("nope".into()))),
            (".a[0].c", Err(Miss::Absent("c".into()))),
            ("['x]y'].w", Err(Miss::Absent("w".into()))),
            (".a['w']", Err(Miss::Absent("w".into()))),
            ("..w", Err(Miss::Absent("w".into()))),
            (".a[7].b", Err(Miss::OutOfBounds { index: 7, length: 2 })),
            (".n[0]", Err(Miss::Nothing)),
            (".a[?(@.b > 5)].b", Err(Miss::Nothing)),
            ("a", Err(Miss::Syntax("the path \"a\" does not begin with a dot, as in .status.phase".into()))),
        ] {
            assert_eq!(first_match(&document, path), found, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_says_so() {
        for (path, said) in [
            ("metadata", "the path \"metadata\" does not begin with a dot, as in .status.phase"),
            (".a[", "a bracket in \".a[\" is not closed"),
            (".a[?]", "\".a[?]\" is no path"),
        ] {
            assert_eq!(standard(path), Err(said.to_owned()), "{path}");
        }
    }
}
