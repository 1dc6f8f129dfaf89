//! Label and field selectors of requests.

use serde_json::Value;

use super::super::status::{Reason, Status};
use super::object::{at, label, name, namespace, text};
use super::resource::Resource;

/// What a list or watch selects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldTerm>,
}

#[derive(Debug, Clone)]
struct Requirement {
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

#[derive(Debug, Clone)]
struct FieldTerm {
    path: String,
    equal: bool,
    value: String,
}

impl Selector {
    /// Reads both selectors of a request.
    pub(crate) fn parse(
        resource: &Resource,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Result<Self, Status> {
        let bad = |message: String| Status::new(Reason::BadRequest, message);
        Ok(Self {
            labels: parse_labels(labels.unwrap_or_default()).map_err(bad)?,
            fields: parse_fields(resource, fields.unwrap_or_default()).map_err(bad)?,
        })
    }

    pub(crate) fn selects(&self, object: &Value) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(object))
            && self.fields.iter().all(|term| (field(object, &term.path) == term.value) == term.equal)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

impl Requirement {
    fn holds(&self, object: &Value) -> bool {
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

/// The value of a field as selectors see it: text, with what the kind has by default.
fn field(object: &Value, path: &str) -> String {
    match path {
        "metadata.name" => return name(object).to_owned(),
        "metadata.namespace" => return namespace(object).to_owned(),
        "reportingComponent" => {
            // An event that names no reporter is reported by its source.
            let reporter = text(object, &["reportingComponent"]);
            let source = text(object, &["source", "component"]);
            return (if reporter.is_empty() { source } else { reporter }).to_owned();
        }
        "source" => {
            let source = text(object, &["source", "component"]);
            let reporter = text(object, &["reportingComponent"]);
            return (if source.is_empty() { reporter } else { source }).to_owned();
        }
        _ => {}
    }
    let steps: Vec<&str> = path.split('.').collect();
    match at(object, &steps) {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => match path {
            "spec.hostNetwork" | "spec.unschedulable" => "false".to_owned(),
            "status.successful" => at(object, &["status", "succeeded"]).as_i64().unwrap_or(0).to_string(),
            _ => String::new(),
        },
    }
}

/// The fields that a kind can be selected by, beside name and namespace; none where it has no list of its own.
fn known_fields(resource: &Resource) -> Option<&'static [&'static str]> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => Some(&[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ]),
        ("", "nodes") => Some(&["spec.unschedulable"]),
        ("", "namespaces") => Some(&["status.phase"]),
        ("", "secrets") => Some(&["type"]),
        ("", "services") => Some(&["spec.clusterIP", "spec.type"]),
        ("", "events") => Some(&[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ]),
        ("events.k8s.io", "events") => Some(&[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ]),
        ("batch", "jobs") => Some(&["status.successful"]),
        _ => None,
    }
}

fn parse_fields(resource: &Resource, selector: &str) -> Result<Vec<FieldTerm>, String> {
    let terms = selector.split(',').map(str::trim).filter(|term| !term.is_empty());
    terms
        .map(|term| {
            let (path, equal, value) = split_term(term)
                .ok_or_else(|| format!("invalid selector: '{selector}'; can't understand '{term}'"))?;
            check_field(resource, path)?;
            Ok(FieldTerm { path: stored_path(resource, path), equal, value: unescape(value) })
        })
        .collect()
}

/// `a!=b`, `a==b` or `a=b`, taken apart.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    let position = term.find(['=', '!'])?;
    let (path, rest) = term.split_at(position);
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((path, false, value));
    }
    let value = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?;
    Some((path, true, value))
}

fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        plain.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    plain
}

fn check_field(resource: &Resource, path: &str) -> Result<(), String> {
    if path == "metadata.name" || (path == "metadata.namespace" && resource.namespaced) {
        return Ok(());
    }
    match known_fields(resource) {
        Some(known) if known.contains(&path) => Ok(()),
        Some(_) if resource.is("batch", "jobs") => {
            Err(format!("field label \"{path}\" not supported for Job"))
        }
        Some(_) => Err(format!("field label not supported: {path}")),
        None if resource.custom.is_some() => {
            if selectable(resource).any(|known| known == path) {
                return Ok(());
            }
            Err(format!("field label not supported: {path}"))
        }
        None => Err(format!(
            "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        )),
    }
}

/// The fields that a definition makes selectable.
fn selectable(resource: &Resource) -> impl Iterator<Item = &str> {
    resource.custom.iter().flat_map(|custom| custom.selectable.iter().map(String::as_str))
}

/// Where the field of a view is in the stored object.
fn stored_path(resource: &Resource, path: &str) -> String {
    if resource.group != "events.k8s.io" {
        return path.to_owned();
    }
    match path.strip_prefix("regarding.") {
        Some(rest) => format!("involvedObject.{rest}"),
        None if path == "reportingController" => "reportingComponent".to_owned(),
        None => path.to_owned(),
    }
}

fn parse_labels(selector: &str) -> Result<Vec<Requirement>, String> {
    let mut requirements = Vec::new();
    for term in split_outside_parentheses(selector) {
        let term = term.trim();
        if !term.is_empty() {
            requirements.push(parse_requirement(term)?);
        }
    }
    Ok(requirements)
}

fn split_outside_parentheses(selector: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    selector
        .split(|character: char| {
            depth += i32::from(character == '(') - i32::from(character == ')');
            character == ',' && depth == 0
        })
        .collect()
}

fn parse_requirement(term: &str) -> Result<Requirement, String> {
    if let Some(key) = term.strip_prefix('!') {
        return Ok(Requirement { key: key.trim().to_owned(), test: Test::Absent });
    }
    let end = term.find(|c: char| c.is_whitespace() || "=!<>(".contains(c)).unwrap_or(term.len());
    let (key, rest) = term.split_at(end);
    let (key, rest) = (key.to_owned(), rest.trim());
    let value = |prefix: &str| rest.strip_prefix(prefix).map(|value| value.trim().to_owned());
    let test = if rest.is_empty() {
        Test::Exists
    } else if let Some(value) = value("!=") {
        Test::NotIn(vec![value])
    } else if let Some(value) = value("==").or_else(|| value("=")) {
        Test::In(vec![value])
    } else if let Some(bound) = value(">") {
        Test::Above(number(&key, &bound)?)
    } else if let Some(bound) = value("<") {
        Test::Below(number(&key, &bound)?)
    } else if let Some(list) = rest.strip_prefix("notin") {
        Test::NotIn(parse_set(list)?)
    } else if let Some(list) = rest.strip_prefix("in") {
        Test::In(parse_set(list)?)
    } else {
        let found = rest.split_whitespace().next().unwrap_or_default();
        return Err(format!(
            "unable to parse requirement: found '{found}', expected: in, notin, =, ==, !=, gt, lt"
        ));
    };
    Ok(Requirement { key, test })
}

fn number(key: &str, text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| {
        format!("unable to parse requirement: values[0][{key}]: Invalid value: \"{text}\": for 'Gt', 'Lt' operators, the value must be an integer")
    })
}

fn parse_set(list: &str) -> Result<Vec<String>, String> {
    let inner = list.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let Some(inner) = inner else {
        return Err(format!("unable to parse requirement: found '{}' expected: '('", list.trim()));
    };
    Ok(inner.split(',').map(|value| value.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::resource::Registry;
    use super::*;

    fn resource(group: &str, plural: &str) -> std::sync::Arc<Resource> {
        Registry::built_in().find(group, "v1", plural).expect("a built-in resource")
    }

    fn labels(selector: &str) -> Selector {
        Selector::parse(&resource("", "pods"), Some(selector), None).expect("a selector")
    }

    fn refusal(group: &str, plural: &str, fields: &str) -> String {
        Selector::parse(&resource(group, plural), None, Some(fields)).expect_err("a refusal").message
    }

    #[test]
    fn label_requirements_follow_their_operators() {
        let web = json!({"metadata": {"labels": {"app": "web", "n": "5"}}});
        for yes in [
            "app=web",
            "app==web",
            "app",
            "!tier",
            "app!=api",
            "tier!=x",
            "app in (web, api)",
            "tier notin (x)",
            "n>4",
            "n<6",
            "app=web,n",
            "app in (web),n=5",
            "",
        ] {
            assert!(labels(yes).selects(&web), "{yes}");
        }
        for no in ["app=api", "!app", "app!=web", "tier", "app notin (web)", "n>5", "app=web,tier", "tier=x"]
        {
            assert!(!labels(no).selects(&web), "{no}");
        }
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_refused() {
        let refused = Selector::parse(&resource("", "pods"), Some("a b"), None).expect_err("a refusal");
        assert_eq!(refused.reason, Reason::BadRequest);
        assert_eq!(
            refused.message,
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
        );
        assert_eq!(refusal("", "pods", "foo"), "invalid selector: 'foo'; can't understand 'foo'");
    }

    #[test]
    fn fields_select_by_value_and_default() {
        let pods = resource("", "pods");
        let selects = |fields: &str, pod: &Value| {
            Selector::parse(&pods, None, Some(fields)).expect("a selector").selects(pod)
        };
        let pod = json!({"metadata": {"name": "p"}, "status": {"phase": "Running"}});
        assert!(selects("status.phase=Running,metadata.name=p", &pod));
        assert!(!selects("status.phase!=Running", &pod));
        assert!(selects("spec.nodeName=", &pod));
        assert!(selects("spec.hostNetwork=false", &pod));
    }

    #[test]
    fn unknown_fields_are_refused_in_the_words_of_the_kind() {
        assert_eq!(refusal("", "pods", "spec.x=a"), "field label not supported: spec.x");
        assert_eq!(
            refusal("", "configmaps", "spec.x=a"),
            "\"spec.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert_eq!(refusal("batch", "jobs", "spec.x=a"), "field label \"spec.x\" not supported for Job");
    }

    #[test]
    fn both_views_of_an_event_select_by_their_own_names() {
        let event = json!({"involvedObject": {"name": "p"}});
        let new = resource("events.k8s.io", "events");
        assert!(Selector::parse(&new, None, Some("regarding.name=p")).expect("known").selects(&event));
        assert_eq!(
            refusal("events.k8s.io", "events", "involvedObject.name=p"),
            "field label not supported: involvedObject.name"
        );
    }
}
