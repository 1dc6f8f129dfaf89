//! Sets of fields, as `fieldsV1` of `metadata.managedFields` holds them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde_json::{Map, Value, json};

/// A scalar, with an order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalar(pub(super) Value);

impl Eq for Scalar {}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |value: &Value| match value {
            Value::Number(_) => 0,
            Value::String(_) => 1,
            Value::Bool(_) => 2,
            Value::Array(_) => 3,
            Value::Object(_) => 4,
            Value::Null => 5,
        };
        match (&self.0, &other.0) {
            (Value::Number(a), Value::Number(b)) => {
                a.as_f64().unwrap_or_default().total_cmp(&b.as_f64().unwrap_or_default())
            }
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (a, b) => rank(a).cmp(&rank(b)).then_with(|| a.to_string().cmp(&b.to_string())),
        }
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One step from a container to what is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Element {
    /// A key of a map.
    Field(String),
    /// An item of a list, by the values of its key fields, which are in order.
    Key(Vec<(String, Scalar)>),
    /// An item of a set.
    Value(Scalar),
    /// An item by its place.
    Index(usize),
}

impl Element {
    /// The key on the wire, such as `f:spec` or `k:{"name":"a"}`.
    fn to_wire(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(fields) => {
                let fields: Map<String, Value> =
                    fields.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
                format!("k:{}", Value::Object(fields))
            }
            Self::Value(value) => format!("v:{}", value.0),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// The element of a key on the wire; nothing where it is none.
    fn from_wire(key: &str) -> Option<Self> {
        let (kind, rest) = key.split_once(':')?;
        match kind {
            "f" => Some(Self::Field(rest.to_owned())),
            "k" => {
                let fields: Map<String, Value> = serde_json::from_str(rest).ok()?;
                Some(Self::Key(fields.into_iter().map(|(name, value)| (name, Scalar(value))).collect()))
            }
            "v" => serde_json::from_str(rest).ok().map(|value| Self::Value(Scalar(value))),
            "i" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }
}

/// As in the path of a conflict: `.spec`, `[name="a"]`, `[="a"]`, `[0]`.
impl Display for Element {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}={}", value.0)).collect();
                write!(f, "[{}]", fields.join(","))
            }
            Self::Value(value) => write!(f, "[={}]", value.0),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A set of paths of fields, as a tree.
///
/// A node is in the set itself (a member), has children in it, or both; never neither.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FieldSet {
    nodes: BTreeMap<Element, Node>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Node {
    is_member: bool,
    children: FieldSet,
}

impl FieldSet {
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds the path; the root itself cannot be in a set.
    pub(super) fn insert(&mut self, path: &[Element]) {
        let [parents @ .., last] = path else { return };
        let mut set = self;
        for parent in parents {
            set = &mut set.nodes.entry(parent.clone()).or_default().children;
        }
        set.nodes.entry(last.clone()).or_default().is_member = true;
    }

    /// Whether `element` of the root is a member.
    pub(super) fn has(&self, element: &Element) -> bool {
        self.nodes.get(element).is_some_and(|node| node.is_member)
    }

    /// What is in the set below `element`; nothing where that is empty.
    pub(super) fn below(&self, element: &Element) -> Option<&Self> {
        self.nodes.get(element).map(|node| &node.children).filter(|children| !children.is_empty())
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        for (element, node) in &other.nodes {
            let own = union.nodes.entry(element.clone()).or_default();
            own.is_member |= node.is_member;
            own.children = own.children.union(&node.children);
        }
        union
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.combined(|element, node| {
            let other = other.nodes.get(element)?;
            Some(Node {
                is_member: node.is_member && other.is_member,
                children: node.children.intersection(&other.children),
            })
        })
    }

    /// The members of this set that are no members of the other, each for itself: what is below a member of the other
    /// stays.
    pub(super) fn difference(&self, other: &Self) -> Self {
        self.combined(|element, node| {
            let Some(other) = other.nodes.get(element) else { return Some(node.clone()) };
            Some(Node {
                is_member: node.is_member && !other.is_member,
                children: node.children.difference(&other.children),
            })
        })
    }

    /// The set without the fields at these paths and all that is below them.
    pub(super) fn without(&self, paths: &[&[&str]]) -> Self {
        self.combined(|element, node| {
            let Element::Field(name) = element else { return Some(node.clone()) };
            let within =
                paths.iter().filter_map(|path| path.split_first()).filter(|(first, _)| **first == name);
            let within: Vec<&[&str]> = within.map(|(_, rest)| rest).collect();
            if within.iter().any(|rest| rest.is_empty()) {
                return None;
            }
            Some(Node { children: node.children.without(&within), ..node.clone() })
        })
    }

    fn combined(&self, combine: impl Fn(&Element, &Node) -> Option<Node>) -> Self {
        let nodes = self.nodes.iter().filter_map(|(element, node)| {
            let node = combine(element, node)?;
            (node.is_member || !node.children.is_empty()).then(|| (element.clone(), node))
        });
        Self { nodes: nodes.collect() }
    }

    /// The set with each field that has members below it made a member, where `is_named` says so of its path.
    pub(super) fn with_named(&self, is_named: &dyn Fn(&[&str]) -> bool) -> Self {
        self.with_named_below(&mut Vec::new(), is_named)
    }

    fn with_named_below<'a>(&'a self, path: &mut Vec<&'a str>, is_named: &dyn Fn(&[&str]) -> bool) -> Self {
        let mut named = Self::default();
        for (element, node) in &self.nodes {
            let mut is_member = node.is_member;
            if let Element::Field(name) = element {
                path.push(name);
                is_member |= !node.children.is_empty() && is_named(path);
            }
            let children = node.children.with_named_below(path, is_named);
            if matches!(element, Element::Field(_)) {
                path.pop();
            }
            named.nodes.insert(element.clone(), Node { is_member, children });
        }
        named
    }

    /// All paths, at each level the members before what is below them.
    pub(super) fn paths(&self) -> Vec<Vec<Element>> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, prefix: &mut Vec<Element>, paths: &mut Vec<Vec<Element>>) {
        for (element, _) in self.nodes.iter().filter(|(_, node)| node.is_member) {
            paths.push(prefix.iter().chain([element]).cloned().collect());
        }
        for (element, node) in &self.nodes {
            prefix.push(element.clone());
            node.children.collect(prefix, paths);
            prefix.pop();
        }
    }

    /// The `fieldsV1` of the set.
    pub(super) fn to_json(&self) -> Value {
        let nodes = self.nodes.iter().map(|(element, node)| {
            let mut below = node.children.to_json();
            if node.is_member && !node.children.is_empty() {
                below["."] = json!({});
            }
            (element.to_wire(), below)
        });
        Value::Object(nodes.collect())
    }

    /// The set of a `fieldsV1`; keys of kinds that are not known are left out.
    pub(super) fn from_json(fields: &Value) -> Self {
        let mut set = Self::default();
        for (key, below) in fields.as_object().into_iter().flatten().filter(|(key, _)| *key != ".") {
            let Some(element) = Element::from_wire(key) else { continue };
            let children = Self::from_json(below);
            let is_member = below.get(".").is_some() || children.is_empty();
            set.nodes.insert(element, Node { is_member, children });
        }
        set
    }
}

/// A path as the API server writes it: `.spec.template.spec.containers[name="a"].image`.
pub(super) fn path_text(path: &[Element]) -> String {
    path.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Value {
        json!({
            "f:data": {".": {}, "f:x": {}},
            "f:spec": {
                "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}},
                "f:set": {"v:\"a\"": {}},
            },
        })
    }

    #[test]
    fn the_wire_form_survives_reading_and_writing() {
        assert_eq!(FieldSet::from_json(&fields()).to_json(), fields());
    }

    #[test]
    fn paths_are_written_as_the_api_server_does() {
        let paths: Vec<String> =
            FieldSet::from_json(&fields()).paths().iter().map(|path| path_text(path)).collect();
        assert_eq!(
            paths,
            [
                ".data",
                ".data.x",
                ".spec.ports[containerPort=80,protocol=\"TCP\"]",
                ".spec.ports[containerPort=80,protocol=\"TCP\"].name",
                ".spec.set[=\"a\"]",
            ]
        );
    }

    #[test]
    fn the_difference_takes_members_but_not_what_is_below_them() {
        let set = FieldSet::from_json(&fields());
        let rest = set.difference(&FieldSet::from_json(&json!({"f:data": {}})));
        assert_eq!(rest.to_json()["f:data"], json!({"f:x": {}}));
        assert!(set.difference(&set).is_empty());
        assert_eq!(set.intersection(&rest), rest);
        assert_eq!(rest.union(&set), set);
        assert_eq!(set.without(&[&["spec"]]).to_json(), json!({"f:data": {".": {}, "f:x": {}}}));
    }
}
