//! What is done to both worlds.

use std::fmt;

use serde_json::{Value, json};

/// What an operation is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Get,
    List,
    Create,
    Update,
    MergePatch,
    JsonPatch,
    StrategicPatch,
    Apply,
    Status,
    Scale,
    Delete,
    DeleteCollection,
    Evict,
    Watch,
    /// Puts a pod on a node, so that it ends gracefully.
    Bind,
}

/// The verbs that every kind is tried with, where it has them.
pub(crate) const COUNTED_VERBS: [Verb; 14] = [
    Verb::Get,
    Verb::List,
    Verb::Create,
    Verb::Update,
    Verb::MergePatch,
    Verb::JsonPatch,
    Verb::StrategicPatch,
    Verb::Apply,
    Verb::Status,
    Verb::Scale,
    Verb::Delete,
    Verb::DeleteCollection,
    Verb::Evict,
    Verb::Watch,
];

impl Verb {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Create => "create",
            Self::Update => "update",
            Self::MergePatch => "merge patch",
            Self::JsonPatch => "JSON patch",
            Self::StrategicPatch => "strategic patch",
            Self::Apply => "apply",
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Delete => "delete",
            Self::DeleteCollection => "delete collection",
            Self::Evict => "evict",
            Self::Watch => "watch",
            Self::Bind => "bind",
        }
    }
}

/// The kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    ReplicaSet,
    Pod,
    Service,
    Rollout,
    /// A disruption budget, for evictions to meet.
    Budget,
}

/// The kinds that every verb is tried on.
pub(crate) const COUNTED_KINDS: [Kind; 4] = [Kind::ReplicaSet, Kind::Pod, Kind::Service, Kind::Rollout];

impl Kind {
    /// Whether it has a verb.
    pub(crate) fn has(self, verb: Verb) -> bool {
        match verb {
            Verb::Scale => matches!(self, Self::ReplicaSet | Self::Rollout),
            Verb::Evict | Verb::Bind => self == Self::Pod,
            Verb::Get
            | Verb::List
            | Verb::Create
            | Verb::Update
            | Verb::MergePatch
            | Verb::JsonPatch
            | Verb::StrategicPatch
            | Verb::Apply
            | Verb::Status
            | Verb::Delete
            | Verb::DeleteCollection
            | Verb::Watch => true,
        }
    }

    /// Group, version and plural name.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Self::ReplicaSet => "apps/v1/replicasets",
            Self::Pod => "v1/pods",
            Self::Service => "v1/services",
            Self::Rollout => "argoproj.io/v1alpha1/rollouts",
            Self::Budget => "policy/v1/poddisruptionbudgets",
        }
    }

    /// `apiVersion` and `kind`.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::ReplicaSet => ("apps/v1", "ReplicaSet"),
            Self::Pod => ("v1", "Pod"),
            Self::Service => ("v1", "Service"),
            Self::Rollout => ("argoproj.io/v1alpha1", "Rollout"),
            Self::Budget => ("policy/v1", "PodDisruptionBudget"),
        }
    }

    /// An object with nothing but its name.
    pub(crate) fn bare(self, name: &str) -> Value {
        let (version, kind) = self.names();
        json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}})
    }

    /// An object that is accepted.
    pub(crate) fn object(self, name: &str) -> Value {
        let mut object = self.bare(name);
        object["metadata"]["labels"] = json!({"app": "a"});
        let containers = json!([{"name": "main", "image": "demo:blue"}, {"name": "side", "image": "side:1"}]);
        let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}});
        object["spec"] = match self {
            Self::ReplicaSet => {
                json!({"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template})
            }
            Self::Pod => json!({"containers": containers, "automountServiceAccountToken": false}),
            Self::Service => json!({"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}),
            Self::Rollout => json!({
                "replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template,
                "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}},
            }),
            Self::Budget => json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}),
        };
        object
    }
}

/// A field, as a JSON pointer, and what it becomes; null takes it away.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) path: &'static str,
    pub(crate) value: Value,
}

/// What is sent. In texts, [`VERSION`] and the like stand for what each world has in their place.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Given(Value),
    /// The object as it was `age` answers ago, with changes; what is given where it was not seen.
    Seen {
        age: usize,
        changes: Vec<Change>,
        otherwise: Value,
    },
}

/// The latest resourceVersion of the object that was seen.
pub(crate) const VERSION: &str = "<version>";
/// The one before it.
pub(crate) const OLD_VERSION: &str = "<old version>";
/// The latest uid of the object that was seen.
pub(crate) const UID: &str = "<uid>";
/// The resourceVersion of the latest list of the kind.
pub(crate) const LIST_VERSION: &str = "<list version>";
/// The token of the latest list of the kind that was cut short.
pub(crate) const CONTINUE: &str = "<continue>";

/// One request, the same for both worlds.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// Its place in the sequence that it was drawn for.
    pub(crate) number: usize,
    pub(crate) verb: Verb,
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    /// Of the object; empty for collections. `gN-*` is the name that operation N had generated.
    pub(crate) name: String,
    /// `status`, `scale`, ...; empty for the object itself.
    pub(crate) part: &'static str,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Body,
}

impl Operation {
    /// Whether it is about one object, and not about a collection.
    pub(crate) fn is_about(&self, kind: Kind, name: &str) -> bool {
        self.kind == kind && (self.name == name || self.name.is_empty())
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}: {} {}", self.number, self.verb.word(), self.method, self.kind.resource())?;
        for part in [self.name.as_str(), self.part].into_iter().filter(|part| !part.is_empty()) {
            write!(f, "/{part}")?;
        }
        for (name, value) in &self.query {
            write!(f, " {name}={value}")?;
        }
        for (_, value) in &self.headers {
            write!(f, " ({value})")?;
        }
        match &self.body {
            Body::Given(Value::Null) => Ok(()),
            Body::Given(body) => write!(f, " {body}"),
            Body::Seen { age, changes, .. } => {
                write!(f, " the object of {age} answers ago with")?;
                for Change { path, value } in changes {
                    write!(f, " {path}: {value}")?;
                }
                Ok(())
            }
        }
    }
}

/// Makes the change of an object, as far as it has what the path leads through.
pub(crate) fn apply(object: &mut Value, change: &Change) {
    let Some((parents, name)) = change.path.rsplit_once('/') else { return };
    let mut here = object;
    for step in parents.split('/').skip(1) {
        here = match here {
            Value::Array(list) => match step.parse::<usize>().ok().and_then(|index| list.get_mut(index)) {
                Some(item) => item,
                None => return,
            },
            // What is not there needs not be taken away.
            Value::Object(map) if change.value.is_null() && !map.contains_key(step) => return,
            Value::Object(map) => map.entry(step).or_insert_with(|| json!({})),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
        };
    }
    let name = name.replace("~1", "/");
    match here {
        Value::Object(map) if change.value.is_null() => _ = map.remove(&name),
        Value::Object(map) => _ = map.insert(name, change.value.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}

/// Puts a change into a patch, where null stays.
pub(crate) fn put(patch: &mut Value, change: &Change) {
    let mut here = patch;
    for step in change.path.split('/').skip(1) {
        if !here.is_object() {
            *here = json!({});
        }
        here = &mut here[step.replace("~1", "/")];
    }
    here.clone_from(&change.value);
}
