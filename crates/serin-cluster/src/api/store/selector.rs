//! Label and field selectors of requests.

use serde_json::Value;

use super::super::status::{Reason, Status};
use super::labels::{self, Requirement};
use super::object::{at, name, namespace, text};
use super::resource::Resource;

/// What a list or watch selects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<FieldTerm>,
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
            labels: labels::parse(labels.unwrap_or_default()).map_err(bad)?,
            fields: parse_fields(resource, fields.unwrap_or_default()).map_err(bad)?,
        })
    }

    pub(crate) fn selects(&self, object: &Value) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(object))
            && self.fields.iter().all(|term| (field(object, &term.path) == term.value) == term.equal)
    }

    /// The one name that objects must have, where it names one.
    pub(crate) fn name(&self) -> Option<&str> {
        let term = self.fields.iter().find(|term| term.equal && term.path == "metadata.name")?;
        Some(&term.value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
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
    let mut terms: Vec<&str> = split_terms(selector).into_iter().filter(|term| !term.is_empty()).collect();
    terms.sort_unstable();
    let parse = |term: &str| {
        let (path, equal, value) = split_term(term)
            .ok_or_else(|| format!("invalid selector: '{selector}'; can't understand '{term}'"))?;
        Ok((path.to_owned(), equal, unescape(value)?))
    };
    let terms: Vec<(String, bool, String)> = terms.into_iter().map(parse).collect::<Result<_, String>>()?;
    terms
        .into_iter()
        .map(|(path, equal, value)| {
            check_field(resource, &path)?;
            Ok(FieldTerm { path: stored_path(resource, &path), equal, value })
        })
        .collect()
}

/// The parts between commas, but for those behind a backslash.
fn split_terms(selector: &str) -> Vec<&str> {
    let mut is_escaped = false;
    selector
        .split(|character| {
            let was_escaped = is_escaped;
            is_escaped = character == '\\' && !was_escaped;
            character == ',' && !was_escaped
        })
        .collect()
}

/// `a!=b`, `a==b` or `a=b`, taken apart.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    let position = term.char_indices().map(|(at, _)| at).find(|at| {
        let rest = &term[*at..];
        rest.starts_with("!=") || rest.starts_with('=')
    })?;
    let (path, rest) = term.split_at(position);
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((path, false, value));
    }
    let value = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?;
    Some((path, true, value))
}

fn unescape(value: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some(next @ ('\\' | ',' | '='))) => {
                plain.push(next);
                characters.next();
            }
            ('\\', next) => {
                let next = next.map(String::from).unwrap_or_default();
                return Err(format!("invalid field selector: invalid escape sequence: \\{next}"));
            }
            (',' | '=', _) => {
                let number = u32::from(character);
                return Err(format!("invalid field selector: unescaped character in value: {number}"));
            }
            _ => plain.push(character),
        }
    }
    Ok(plain)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::resource::Registry;
    use super::*;

    fn resource(group: &str, plural: &str) -> std::sync::Arc<Resource> {
        Registry::built_in().find(group, "v1", plural).expect("a built-in resource")
    }

    fn refusal(group: &str, plural: &str, fields: &str) -> String {
        Selector::parse(&resource(group, plural), None, Some(fields)).expect_err("a refusal").message
    }

    #[test]
    fn a_selector_that_cannot_be_read_is_refused() {
        for (selector, why) in [
            ("foo", "invalid selector: 'foo'; can't understand 'foo'"),
            ("metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
            ("metadata.name=\\n", "invalid field selector: invalid escape sequence: \\n"),
            (" metadata.name=a", "field label not supported:  metadata.name"),
        ] {
            assert_eq!(refusal("", "pods", selector), why);
        }
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
