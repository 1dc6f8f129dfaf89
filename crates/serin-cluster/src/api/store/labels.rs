//! Label selectors of requests, read as the API server reads them.

use serde_json::Value;

use super::super::names::{label_value_faults, qualified_name_faults};
use super::object::label;

/// What is asked of one label.
#[derive(Debug, Clone)]
pub(super) struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Above(i64),
    Below(i64),
}

impl Requirement {
    pub(super) fn holds(&self, object: &Value) -> bool {
        let value = label(object, &self.key);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::In(values) => value.is_some_and(|value| values.iter().any(|known| known == value)),
            Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|known| known != value)),
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::Above(bound) => number().is_some_and(|number| number > *bound),
            Test::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// All requirements of a selector, or why it is none.
pub(super) fn parse(selector: &str) -> Result<Vec<Requirement>, String> {
    let mut words = Words { rest: selector };
    let mut requirements = Vec::new();
    loop {
        match words.peek() {
            "" => return Ok(requirements),
            word if begins_requirement(word) => {
                let read =
                    requirement(&mut words).map_err(|why| format!("unable to parse requirement: {why}"));
                requirements.push(read?);
            }
            word => return Err(format!("found '{word}', expected: !, identifier, or 'end of string'")),
        }
        match words.next() {
            "" => return Ok(requirements),
            "," if begins_requirement(words.peek()) => {}
            "," => return Err(format!("found '{}', expected: identifier after ','", words.peek())),
            word => return Err(format!("found '{word}', expected: ',' or 'end of string'")),
        }
    }
}

/// A selector as words and signs; the empty word is its end.
struct Words<'a> {
    rest: &'a str,
}

const SIGNS: &str = "=!(),><";
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'a> Words<'a> {
    fn peek(&self) -> &'a str {
        Words { rest: self.rest }.next()
    }

    fn next(&mut self) -> &'a str {
        let text = self.rest.trim_start_matches(BLANKS);
        let end = if text.starts_with(|first| SIGNS.contains(first)) {
            if text.starts_with("==") || text.starts_with("!=") { 2 } else { 1 }
        } else {
            text.find(|c| SIGNS.contains(c) || BLANKS.contains(&c)).unwrap_or(text.len())
        };
        let (word, rest) = text.split_at(end.min(text.len()));
        self.rest = rest;
        word
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && !word.starts_with(|first| SIGNS.contains(first))
}

fn begins_requirement(word: &str) -> bool {
    word == "!" || is_name(word)
}

fn requirement(words: &mut Words<'_>) -> Result<Requirement, String> {
    let is_absent = words.peek() == "!";
    if is_absent {
        words.next();
    }
    let key = words.next();
    if !is_name(key) {
        return Err(format!("found '{key}', expected: identifier"));
    }
    let faults = qualified_name_faults(key);
    if !faults.is_empty() {
        return Err(format!("<nil>: Invalid value: {key:?}: {}", faults.join("; ")));
    }
    if is_absent {
        return Ok(Requirement { key: key.to_owned(), test: Test::Absent });
    }
    if ["", ","].contains(&words.peek()) {
        return Ok(Requirement { key: key.to_owned(), test: Test::Exists });
    }
    let operator = words.next();
    let mut values = match operator {
        "in" | "notin" => set(words)?,
        "=" | "==" | "!=" | ">" | "<" => vec![exact(words)?],
        found => return Err(format!("found '{found}', expected: in, notin, =, ==, !=, gt, lt")),
    };
    values.sort();
    values.dedup();
    check_values(key, operator, &values)?;
    let number = || values[0].parse().unwrap_or_default();
    let test = match operator {
        "notin" | "!=" => Test::NotIn(values),
        ">" => Test::Above(number()),
        "<" => Test::Below(number()),
        _ => Test::In(values),
    };
    Ok(Requirement { key: key.to_owned(), test })
}

fn check_values(key: &str, operator: &str, values: &[String]) -> Result<(), String> {
    let mut faults = Vec::new();
    if [">", "<"].contains(&operator) && values[0].parse::<i64>().is_err() {
        let why = "for 'Gt', 'Lt' operators, the value must be an integer";
        faults.push(format!("values[0]: Invalid value: {:?}: {why}", values[0]));
    }
    for (index, value) in values.iter().enumerate() {
        let why = label_value_faults(value).join("; ");
        if !why.is_empty() {
            faults.push(format!("values[{index}][{key}]: Invalid value: {value:?}: {why}"));
        }
    }
    match faults.as_slice() {
        [] => Ok(()),
        [fault] => Err(fault.clone()),
        _ => Err(format!("[{}]", faults.join(", "))),
    }
}

/// The value behind an operator that has one; none is an empty one.
fn exact(words: &mut Words<'_>) -> Result<String, String> {
    if ["", ","].contains(&words.peek()) {
        return Ok(String::new());
    }
    let found = words.next();
    if is_name(found) { Ok(found.to_owned()) } else { Err(format!("found '{found}', expected: identifier")) }
}

/// The values in parentheses; between two commas there is an empty one.
fn set(words: &mut Words<'_>) -> Result<Vec<String>, String> {
    let found = words.next();
    if found != "(" {
        return Err(format!("found '{found}' expected: '('"));
    }
    let first = words.peek();
    if first == ")" {
        words.next();
        return Ok(vec![String::new()]);
    }
    if first != "," && !is_name(first) {
        return Err(format!("found '{first}', expected: ',', ')' or identifier"));
    }
    let mut values: Vec<String> = Vec::new();
    loop {
        match words.next() {
            "," => {
                if values.is_empty() || [",", ")"].contains(&words.peek()) {
                    values.push(String::new());
                }
                if words.peek() == ")" {
                    break;
                }
            }
            value if is_name(value) => {
                values.push(value.to_owned());
                match words.peek() {
                    "," => {}
                    ")" => break,
                    found => return Err(format!("found '{found}', expected: ',' or ')'")),
                }
            }
            found => return Err(format!("found '{found}', expected: ',', or identifier")),
        }
    }
    words.next();
    Ok(values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requirements_follow_their_operators() {
        let web = json!({"metadata": {"labels": {"app": "web", "n": "5", "in": ""}}});
        let selects = |selector: &str| {
            parse(selector).expect(selector).iter().all(|requirement| requirement.holds(&web))
        };
        for yes in [
            "app=web",
            "app==web",
            " app ",
            "!tier",
            "app!=api",
            "tier!=x",
            "app in (web, api)",
            "app in (,web)",
            "tier notin (x)",
            "n>4",
            "n<6",
            "app=web,n",
            "app in (web),n=5",
            "in in ()",
            "in=",
            "",
        ] {
            assert!(selects(yes), "{yes}");
        }
        for no in ["app=api", "!app", "app!=web", "tier", "app notin (web)", "n>5", "app=web,tier", "tier=x"]
        {
            assert!(!selects(no), "{no}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused_where_it_stops_being_one() {
        for (selector, why) in [
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a=b=c", "found '=', expected: ',' or 'end of string'"),
            ("a,", "found '', expected: identifier after ','"),
            ("=a", "found '=', expected: !, identifier, or 'end of string'"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
            ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
            ("a=(", "unable to parse requirement: found '(', expected: identifier"),
            ("!!a", "unable to parse requirement: found '!', expected: identifier"),
        ] {
            assert_eq!(parse(selector).expect_err(selector), why);
        }
        let why = parse("n>x/y").expect_err("no number");
        assert!(why.contains("[values[0]: Invalid value: \"x/y\": for 'Gt', 'Lt' operators"), "{why}");
    }
}
