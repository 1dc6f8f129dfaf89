//! One schema in the tree of a structural schema.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::super::lists::ListType;
use super::super::status::Cause;
use super::cause::{forbidden, invalid_value, required, unsupported};
use super::kind::Kind;
use super::rule::Rule;

/// What a schema says of fields that it does not name.
#[derive(Debug, Default)]
pub(super) enum Additional {
    /// They are unknown.
    #[default]
    None,
    /// They are anything.
    Any,
    /// They all have this schema.
    Schema(Box<Node>),
}

/// The checks of a value for itself.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) minimum: Option<f64>,
    pub(super) exclusive_minimum: bool,
    pub(super) maximum: Option<f64>,
    pub(super) exclusive_maximum: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) pattern: Option<Regex>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) min_properties: Option<usize>,
    pub(super) max_properties: Option<usize>,
    pub(super) required: Vec<String>,
    pub(super) one_of_values: Vec<Value>,
    pub(super) format: String,
    pub(super) all_of: Vec<Node>,
    pub(super) any_of: Vec<Node>,
    pub(super) one_of: Vec<Node>,
    pub(super) not: Option<Box<Node>>,
}

/// One schema.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of a schema, and any may stand with any")]
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: Option<Kind>,
    pub(super) is_nullable: bool,
    pub(super) is_int_or_string: bool,
    pub(super) keeps_unknown: bool,
    pub(super) is_embedded: bool,
    pub(super) properties: BTreeMap<String, Box<Node>>,
    pub(super) additional: Additional,
    pub(super) items: Option<Box<Node>>,
    pub(super) list_type: Option<ListType>,
    pub(super) is_atomic_map: bool,
    pub(super) default: Option<Value>,
    pub(super) checks: Checks,
    pub(super) rules: Vec<Rule>,
}

impl Node {
    /// The schema at `path`; what is wrong with it is added to `causes`.
    pub(super) fn compile(schema: &Value, path: &str, causes: &mut Vec<Cause>) -> Self {
        let node = Self::compile_below(schema, path, causes);
        if node.kind != Some(Kind::Object) {
            let field = format!("{path}.type");
            causes.push(match schema.get("type") {
                None => required(field, "must not be empty at the root"),
                Some(kind) => invalid_value(field, kind, "must be object at the root"),
            });
        }
        node
    }

    /// A schema with all that is structural.
    fn compile_below(schema: &Value, path: &str, causes: &mut Vec<Cause>) -> Self {
        let flag = |key: &str| schema[key] == true;
        let mut node = Self {
            kind: kind(schema, path, causes),
            is_nullable: flag("nullable"),
            is_int_or_string: flag("x-kubernetes-int-or-string"),
            keeps_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            is_embedded: flag("x-kubernetes-embedded-resource"),
            is_atomic_map: schema["x-kubernetes-map-type"] == "atomic",
            default: schema.get("default").cloned(),
            checks: Checks::compile(schema, path, causes),
            rules: rules(schema, path, causes),
            ..Self::default()
        };
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.properties[{name}]");
            missing_type(property, "must not be empty for specified object fields", &path, causes);
            let property = Self::compile_below(property, &path, causes);
            node.properties.insert(name.clone(), Box::new(property));
        }
        node.additional = additional(schema, path, causes);
        if let Some(items) = schema.get("items") {
            let path = format!("{path}.items");
            missing_type(items, "must not be empty for specified array items", &path, causes);
            node.items = Some(Box::new(Self::compile_below(items, &path, causes)));
        }
        node.list_type = list_type(schema, &node, path, causes);
        node.check_shape(schema, path, causes);
        node
    }

    /// What does not go together.
    fn check_shape(&self, schema: &Value, path: &str, causes: &mut Vec<Cause>) {
        if self.kind == Some(Kind::Array) && self.items.is_none() {
            causes.push(required(format!("{path}.items"), "must be specified"));
        }
        if !self.properties.is_empty() && schema.get("additionalProperties").is_some() {
            let detail = "additionalProperties and properties are mutual exclusive";
            causes.push(forbidden(format!("{path}.additionalProperties"), detail));
        }
        if schema.get("$ref").is_some() {
            causes.push(forbidden(format!("{path}.$ref"), "$ref is not supported"));
        }
        if schema["uniqueItems"] == true {
            let detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            causes.push(forbidden(format!("{path}.uniqueItems"), detail));
        }
        let unknown = "x-kubernetes-preserve-unknown-fields";
        if schema[unknown] == false {
            let field = format!("{path}.{unknown}");
            causes.push(invalid_value(field, &schema[unknown], "must be true or undefined"));
        }
        if self.is_embedded && !self.keeps_unknown && self.properties.is_empty() {
            let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                          x-kubernetes-preserve-unknown-fields";
            causes.push(required(format!("{path}.properties"), detail));
        }
        if let Some(default) = &self.default {
            // The default is no field of an object: its path in messages is empty.
            let wrong = self.faults_of_default(default);
            causes.extend(wrong.into_iter().map(|cause| Cause { field: format!("{path}.default"), ..cause }));
        }
    }

    /// Whether there are rules here or below.
    pub(super) fn has_rules(&self) -> bool {
        let additional = if let Additional::Schema(node) = &self.additional { Some(node) } else { None };
        !self.rules.is_empty()
            || self.properties.values().chain(&self.items).any(|node| node.has_rules())
            || additional.is_some_and(|node| node.has_rules())
    }

    /// The schema of the field `name` of an object of this schema.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        self.properties.get(name).map(Box::as_ref).or(match &self.additional {
            Additional::Schema(node) => Some(node),
            Additional::None | Additional::Any => None,
        })
    }

    /// Whether the schema says nothing about the field `name` but has it stay.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.keeps_unknown
            || matches!(self.additional, Additional::Any)
            || (self.is_embedded && matches!(name, "apiVersion" | "kind" | "metadata"))
    }
}

impl Checks {
    /// The checks of a schema, including those that a junctor such as `anyOf` holds.
    fn compile(schema: &Value, path: &str, causes: &mut Vec<Cause>) -> Self {
        let number = |key: &str| schema[key].as_f64();
        let count = |key: &str| schema[key].as_u64().and_then(|count| usize::try_from(count).ok());
        let list = |key: &str| schema[key].as_array().cloned().unwrap_or_default();
        let mut junctor = |key: &str| -> Vec<Node> {
            let schemas = list(key);
            let paths = (0..).map(|index| format!("{path}.{key}[{index}]"));
            schemas.iter().zip(paths).map(|(schema, path)| branch(schema, &path, causes)).collect()
        };
        let (all_of, any_of, one_of) = (junctor("allOf"), junctor("anyOf"), junctor("oneOf"));
        let not = schema.get("not").map(|not| Box::new(branch(not, &format!("{path}.not"), causes)));
        Self {
            minimum: number("minimum"),
            exclusive_minimum: schema["exclusiveMinimum"] == true,
            maximum: number("maximum"),
            exclusive_maximum: schema["exclusiveMaximum"] == true,
            multiple_of: number("multipleOf"),
            min_length: count("minLength"),
            max_length: count("maxLength"),
            pattern: pattern(schema, path, causes),
            min_items: count("minItems"),
            max_items: count("maxItems"),
            min_properties: count("minProperties"),
            max_properties: count("maxProperties"),
            required: list("required").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            one_of_values: list("enum"),
            format: schema["format"].as_str().unwrap_or_default().to_owned(),
            all_of,
            any_of,
            one_of,
            not,
        }
    }
}

/// A schema within a junctor: it checks values, and says nothing of what is known or kept.
fn branch(schema: &Value, path: &str, causes: &mut Vec<Cause>) -> Node {
    let mut node = Node { checks: Checks::compile(schema, path, causes), ..Node::default() };
    for key in ["type", "nullable", "default", "additionalProperties"] {
        // Both types of an int-or-string may stand in its junctor.
        let is_int_or_string = key == "type" && matches!(schema[key].as_str(), Some("integer" | "string"));
        if schema.get(key).is_some() && !is_int_or_string {
            causes.push(forbidden(format!("{path}.{key}"), "must be empty to be structural"));
        }
    }
    node.kind = Kind::ALL.into_iter().find(|kind| schema["type"] == kind.as_str());
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let property = branch(property, &format!("{path}.properties[{name}]"), causes);
        node.properties.insert(name.clone(), Box::new(property));
    }
    if let Some(items) = schema.get("items") {
        node.items = Some(Box::new(branch(items, &format!("{path}.items"), causes)));
    }
    node.keeps_unknown = true;
    node
}

fn kind(schema: &Value, path: &str, causes: &mut Vec<Cause>) -> Option<Kind> {
    let name = schema.get("type").filter(|name| *name != "")?;
    let kind = Kind::ALL.into_iter().find(|kind| name == kind.as_str());
    if kind.is_none() {
        causes.push(unsupported(format!("{path}.type"), name, Kind::ALL.iter().map(|kind| kind.as_str())));
    }
    kind
}

fn missing_type(schema: &Value, detail: &str, path: &str, causes: &mut Vec<Cause>) {
    let may_lack = ["x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"];
    if schema.get("type").is_none() && !may_lack.iter().any(|key| schema[*key] == true) {
        causes.push(required(format!("{path}.type"), detail));
    }
}

fn additional(schema: &Value, path: &str, causes: &mut Vec<Cause>) -> Additional {
    match schema.get("additionalProperties") {
        None | Some(Value::Bool(false)) => Additional::None,
        Some(Value::Bool(true)) => Additional::Any,
        Some(values) => {
            let path = format!("{path}.additionalProperties");
            missing_type(values, "must not be empty for specified object fields", &path, causes);
            Additional::Schema(Box::new(Node::compile_below(values, &path, causes)))
        }
    }
}

fn pattern(schema: &Value, path: &str, causes: &mut Vec<Cause>) -> Option<Regex> {
    let text = schema["pattern"].as_str()?;
    match Regex::new(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let error = error.to_string();
            let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let detail = format!("must be a valid regular expression, but isn't: {last}");
            causes.push(invalid_value(format!("{path}.pattern"), &schema["pattern"], &detail));
            None
        }
    }
}

fn list_type(schema: &Value, node: &Node, path: &str, causes: &mut Vec<Cause>) -> Option<ListType> {
    let key = "x-kubernetes-list-type";
    let name = schema.get(key)?;
    if node.kind != Some(Kind::Array) {
        let detail = "must be array if x-kubernetes-list-type is specified";
        causes.push(invalid_value(format!("{path}.type"), &schema["type"], detail));
    }
    match name.as_str() {
        Some("atomic") => Some(ListType::Atomic),
        Some("set") => {
            let is_granular = |items: &Node| items.kind == Some(Kind::Object) && !items.is_atomic_map;
            if node.items.as_deref().is_some_and(is_granular) {
                let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
                let field = format!("{path}.items.x-kubernetes-map-type");
                causes.push(invalid_value(field, &Value::Null, detail));
            }
            Some(ListType::Set)
        }
        Some("map") => Some(ListType::Map(map_keys(schema, node, path, causes))),
        Some(_) | None => {
            causes.push(unsupported(format!("{path}.{key}"), name, ["atomic", "set", "map"].into_iter()));
            None
        }
    }
}

fn map_keys(schema: &Value, node: &Node, path: &str, causes: &mut Vec<Cause>) -> Vec<String> {
    let field = "x-kubernetes-list-map-keys";
    let keys: Vec<String> =
        schema[field].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if keys.is_empty() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        causes.push(required(format!("{path}.{field}"), detail));
    }
    let Some(items) = node.items.as_deref() else { return keys };
    if keys.iter().any(|key| !items.properties.contains_key(key)) {
        let detail = "entries must all be names of item properties";
        causes.push(invalid_value(format!("{path}.{field}"), &schema[field], detail));
        return keys;
    }
    for key in &keys {
        let has_default = items.properties.get(key).is_some_and(|property| property.default.is_some());
        if !has_default && !items.checks.required.contains(key) {
            let detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required \
                          property";
            causes.push(required(format!("{path}.items.properties[{key}].default"), detail));
        }
    }
    keys
}

fn rules(schema: &Value, path: &str, causes: &mut Vec<Cause>) -> Vec<Rule> {
    let rules = schema["x-kubernetes-validations"].as_array().cloned().unwrap_or_default();
    let empty = Map::new();
    let paths = (0..).map(|index| format!("{path}.x-kubernetes-validations[{index}]"));
    let compile =
        |(rule, path): (&Value, String)| match Rule::compile(rule.as_object().unwrap_or(&empty), &path) {
            Ok(rule) => Some(rule),
            Err(cause) => {
                causes.push(cause);
                None
            }
        };
    rules.iter().zip(paths).filter_map(compile).collect()
}
