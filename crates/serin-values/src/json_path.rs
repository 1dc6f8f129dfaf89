//! Paths to values, as Kubernetes writes them, in the notation of the standard ([RFC 9535]).
//!
//! [RFC 9535]: https://www.rfc-editor.org/rfc/rfc9535

use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

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
    use jsonpath_rust::JsonPath;
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
