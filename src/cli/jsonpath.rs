//! Templates as in `kubectl -o jsonpath`: text, and paths in braces.

use std::str::FromStr;

use jsonpath_rust::JsonPath;
use serde_json::Value;

use serin_values::json_path::standard;

/// A template; see <https://kubernetes.io/docs/reference/kubectl/jsonpath/>.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// A path, from the whole document or from the current item of a range.
    Path(String),
    /// Repeats its content for each value at a path.
    Range(String, Vec<Part>),
}

impl Template {
    /// Renders the template for a document. A path without a value renders nothing.
    pub(super) fn fill(&self, document: &Value) -> String {
        fill(&self.0, document)
    }
}

fn fill(parts: &[Part], at: &Value) -> String {
    parts.iter().map(|part| part.fill(at)).collect()
}

impl Part {
    fn fill(&self, at: &Value) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Path(path) => {
                let texts: Vec<String> = found(at, path).into_iter().map(text).collect();
                texts.join(" ")
            }
            Self::Range(path, parts) => found(at, path).into_iter().map(|value| fill(parts, value)).collect(),
        }
    }
}

fn found<'a>(at: &'a Value, path: &str) -> Vec<&'a Value> {
    at.query(path).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl FromStr for Template {
    type Err = String;

    fn from_str(template: &str) -> Result<Self, String> {
        let mut rest = template;
        let parts = parts(&mut rest, false)?;
        Ok(Self(parts))
    }
}

/// Parses up to the end of the template or of the range.
fn parts(rest: &mut &str, is_in_range: bool) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let Some((text, after)) = rest.split_once('{') else {
            parts.push(Part::Text(std::mem::take(rest).to_owned()));
            break;
        };
        if !text.is_empty() {
            parts.push(Part::Text(text.to_owned()));
        }
        let end = end(after).ok_or_else(|| format!("unclosed brace before {after:?}"))?;
        let expression = after[..end].trim();
        *rest = &after[end + 1..];
        match expression.split_once(char::is_whitespace) {
            _ if expression == "end" && is_in_range => return Ok(parts),
            _ if expression == "end" => return Err("{end} without {range}".to_owned()),
            Some(("range", path)) => {
                let path = standard(path.trim())?;
                parts.push(Part::Range(path, self::parts(rest, true)?));
            }
            _ if expression.starts_with(['"', '\'']) => parts.push(Part::Text(literal(expression)?)),
            _ => parts.push(Part::Path(standard(expression)?)),
        }
    }
    if is_in_range { Err("{range} without {end}".to_owned()) } else { Ok(parts) }
}

/// Finds the closing brace.
fn end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (index, letter) in text.char_indices() {
        match (quote, letter) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '}') => return Some(index),
            (Some(_) | None, _) => {}
        }
    }
    None
}

/// Text in quotes.
fn literal(quoted: &str) -> Result<String, String> {
    let quote = &quoted[..1];
    let inner = quoted.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    let inner = inner.ok_or_else(|| format!("unclosed quote before {quoted:?}"))?;
    let mut text = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.push(match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(other) => other,
                None => return Err(format!("{quoted} ends with a backslash")),
            }),
            other => text.push(other),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_are_filled_as_kubectl_does() {
        let document = json!({
            "metadata": {"name": "cart", "annotations": {"a.b/c-d": "e"}, "labels": {"app": "x"}},
            "status": {"replicas": 3, "conditions": [
                {"type": "Available", "status": "True"}, {"type": "Paused", "status": "False"}]},
        });
        for (template, filled) in [
            ("{.metadata.name}", "cart"),
            ("{$.metadata.name}", "cart"),
            ("name={.metadata.name}{\"\\n\"}", "name=cart\n"),
            ("{.status.replicas}/{.status.nothing}", "3/"),
            ("{.metadata.annotations.a\\.b/c-d}", "e"),
            ("{.metadata.annotations['a.b/c-d']}", "e"),
            ("{.status.conditions[*].type}", "Available Paused"),
            ("{.status.conditions[-1].type}", "Paused"),
            ("{.status.conditions[?(@.type==\"Paused\")].status}", "False"),
            (
                "{range .status.conditions[*]}{.type}={@.status}{\"\\t\"}{end}!",
                "Available=True\tPaused=False\t!",
            ),
            ("{.metadata.labels}", "{\"app\":\"x\"}"),
            ("{..app}", "x"),
            ("{.metadata.labels.*}", "x"),
            ("plain", "plain"),
        ] {
            let parsed: Template = template.parse().unwrap_or_else(|error| panic!("{template}: {error}"));
            assert_eq!(parsed.fill(&document), filled, "{template}");
        }
    }

    #[test]
    fn a_wrong_template_is_explained() {
        for (template, said) in [
            ("{.metadata.name", "unclosed brace before \".metadata.name\""),
            ("{metadata}", "the path \"metadata\" does not begin with a dot, as in .status.phase"),
            ("{range .a[*]}x", "{range} without {end}"),
            ("{end}", "{end} without {range}"),
            ("{.a[}", "a bracket in \".a[\" is not closed"),
            ("{.a[?]}", "\".a[?]\" is no path"),
        ] {
            assert_eq!(template.parse::<Template>(), Err(said.to_owned()), "{template}");
        }
    }
}
