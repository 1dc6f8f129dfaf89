//! Sequences of operations, drawn by a seed.
//!
//! Every verb of every kind is in the deck equally often, so that any seed tries each of them. What is drawn is the
//! object and what is sent. A light model of which objects there are keeps most operations from meeting nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use serin_values::random::Rng;

use super::changes::{self, below, pick};
use super::exceptions::UNTRIED;
use super::operation::{
    Body, COUNTED_KINDS, COUNTED_VERBS, Change, Kind, LIST_VERSION, OLD_VERSION, Operation, VERSION, Verb,
    apply,
};
use crate::world::{APPLY, JSON, MERGE, STRATEGIC};

/// The names of objects; few, so that operations meet.
const NAMES: [&str; 3] = ["a", "b", "c"];

/// How often each verb of each kind is in a deck.
const OF_EACH: usize = 5;

/// Further creations of each kind in a deck.
const MORE_CREATIONS: usize = 8;

const MANAGERS: [&str; 4] = ["alpha", "beta", "gamma", ""];

/// The operations of one sequence.
pub(crate) fn sequence(seed: u64) -> Vec<Operation> {
    let mut draw = Draw { rng: Rng::seeded(seed), existing: BTreeMap::new(), drawn: Vec::new() };
    for (verb, kind) in draw.deck() {
        draw.play(verb, kind);
    }
    draw.drawn
}

/// The last operations of every sequence: they leave one object of each kind, which every watch lets through.
pub(crate) fn end(mut number: usize) -> Vec<Operation> {
    let mut last = Vec::new();
    for kind in COUNTED_KINDS {
        number += 3;
        let release = json!({"metadata": {"finalizers": null}});
        last.push(patch(number - 3, Verb::MergePatch, kind, "a", MERGE, release));
        let mut delete = plain(number - 2, Verb::Delete, kind, "DELETE", "a");
        delete.body = Body::Given(json!({"gracePeriodSeconds": 0}));
        last.push(delete);
        let mut create = plain(number - 1, Verb::Create, kind, "POST", "");
        let mut object = kind.object("a");
        object["metadata"]["labels"] = json!({"app": "a", "tier": "x", "last": "yes"});
        create.body = Body::Given(object);
        last.push(create);
    }
    last
}

/// Selectors of lists and watches; each selects what [`end`] makes.
const LABELS: [&str; 8] =
    ["app=a", "app!=b", "tier in (x,z)", "tier", "!gone", "app==a,tier=x", "tier notin (y)", "tier!=y,app"];

pub(super) struct Draw {
    pub(super) rng: Rng,
    /// The objects that there are if everything was accepted.
    existing: BTreeMap<Kind, BTreeSet<String>>,
    drawn: Vec<Operation>,
}

impl Draw {
    fn deck(&mut self) -> Vec<(Verb, Kind)> {
        let mut deck = Vec::new();
        for kind in COUNTED_KINDS {
            let verbs = COUNTED_VERBS.into_iter().filter(|verb| kind.has(*verb));
            deck.extend(verbs.flat_map(|verb| [(verb, kind); OF_EACH]));
            deck.extend([(Verb::Create, kind); MORE_CREATIONS]);
        }
        deck.extend([(Verb::Bind, Kind::Pod); OF_EACH]);
        deck.extend([
            (Verb::Create, Kind::Budget),
            (Verb::Update, Kind::Budget),
            (Verb::Delete, Kind::Budget),
        ]);
        deck.extend([(Verb::Status, Kind::Budget); OF_EACH]);
        for last in (1..deck.len()).rev() {
            deck.swap(last, below(&mut self.rng, last + 1));
        }
        deck
    }

    /// Whether something is so that is so in `percent` of all cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.rng.next() % 100 < percent
    }

    fn play(&mut self, verb: Verb, kind: Kind) {
        let none = self.existing.get(&kind).is_none_or(BTreeSet::is_empty);
        if none && !matches!(verb, Verb::Create | Verb::Apply) && self.chance(85) {
            self.play(Verb::Create, kind);
        }
        let mut operation = match verb {
            Verb::Get => self.get(kind),
            Verb::List => self.list(kind),
            Verb::Create => self.create(kind),
            Verb::Update => self.update(kind, ""),
            Verb::MergePatch | Verb::JsonPatch | Verb::StrategicPatch => self.patch(verb, kind, ""),
            Verb::Apply => self.apply(kind),
            Verb::Status => self.status(kind),
            Verb::Scale => self.scale(kind),
            Verb::Delete => self.delete(kind),
            Verb::DeleteCollection => self.delete_collection(kind),
            Verb::Evict => self.evict(),
            Verb::Watch => self.watch(kind),
            Verb::Bind => self.bind(),
        };
        operation.verb = verb;
        let is_deletion = matches!(verb, Verb::Delete | Verb::DeleteCollection | Verb::Evict);
        let of = operation.clone();
        self.drawn.push(operation);
        if is_deletion && self.chance(30) {
            let name = if of.name.is_empty() { pick(&mut self.rng, &NAMES).to_owned() } else { of.name };
            let release = json!({"metadata": {"finalizers": null}});
            let number = self.drawn.len();
            self.drawn.push(patch(number, Verb::MergePatch, kind, &name, MERGE, release));
        }
    }

    fn number(&self) -> usize {
        self.drawn.len()
    }

    fn plain(&self, verb: Verb, kind: Kind, method: &'static str, name: &str) -> Operation {
        plain(self.number(), verb, kind, method, name)
    }

    /// The name of an object that probably exists.
    fn some(&mut self, kind: Kind) -> String {
        let existing: Vec<String> = self.existing.get(&kind).into_iter().flatten().cloned().collect();
        if existing.is_empty() || self.chance(10) {
            return pick(&mut self.rng, &NAMES).to_owned();
        }
        pick(&mut self.rng, &existing)
    }

    /// The name of an object that probably does not.
    fn fresh(&mut self, kind: Kind) -> String {
        let existing = self.existing.entry(kind).or_default();
        let free: Vec<&str> = NAMES.into_iter().filter(|name| !existing.contains(*name)).collect();
        if free.is_empty() || self.chance(15) {
            return pick(&mut self.rng, &NAMES).to_owned();
        }
        pick(&mut self.rng, &free).to_owned()
    }

    /// What a write may say of itself.
    fn write_query(&mut self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        let manager = pick(&mut self.rng, &MANAGERS);
        if !manager.is_empty() {
            query.push(("fieldManager", manager.to_owned()));
        }
        let validation = pick(&mut self.rng, &["", "", "", "Strict", "Warn", "Ignore"]);
        if !validation.is_empty() {
            query.push(("fieldValidation", validation.to_owned()));
        }
        if self.chance(6) {
            query.push(("dryRun", "All".to_owned()));
        }
        query
    }

    fn changes(&mut self, kind: Kind, of_status: bool) -> Vec<Change> {
        let first = changes::draw(&mut self.rng, kind, of_status);
        let second = changes::draw(&mut self.rng, kind, of_status);
        // Faults in one map are named in any order.
        let parent = |change: &Change| change.path.rsplit_once('/').map(|(parent, _)| parent);
        if self.chance(50) || parent(&first) == parent(&second) { vec![first] } else { vec![first, second] }
    }

    /// Forms of an answer.
    fn accept(&mut self, is_list: bool) -> Vec<(&'static str, &'static str)> {
        let partial = if is_list {
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        } else {
            "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
        };
        match self.rng.next() % 6 {
            0 => vec![("accept", crate::world::TABLE)],
            1 => vec![("accept", partial)],
            _ => Vec::new(),
        }
    }

    fn get(&mut self, kind: Kind) -> Operation {
        let name = self.some(kind);
        let headers = self.accept(false);
        Operation { headers, ..self.plain(Verb::Get, kind, "GET", &name) }
    }

    /// Selectors for lists, watches and deletions of collections.
    fn selectors(&mut self, kind: Kind) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if self.chance(50) {
            query.push(("labelSelector", pick(&mut self.rng, &LABELS).to_owned()));
        }
        if self.chance(25) {
            let of_pods = [
                "status.phase=Pending",
                "spec.restartPolicy=Always",
                "spec.nodeName!=n1",
                "status.phase!=Running",
            ];
            let of_all = ["metadata.name=a", "metadata.name!=b", "metadata.name=a,metadata.name!=c"];
            let known =
                if kind == Kind::Pod { [&of_pods[..], &of_all[..]].concat() } else { of_all.to_vec() };
            query.push(("fieldSelector", pick(&mut self.rng, &known).to_owned()));
        }
        query
    }

    fn list(&mut self, kind: Kind) -> Operation {
        let mut query = self.selectors(kind);
        match self.rng.next() % 8 {
            0 | 1 => query.push(("limit", (1 + self.rng.next() % 2).to_string())),
            2 | 3 => {
                query = vec![("limit", "1".to_owned()), ("continue", super::operation::CONTINUE.to_owned())];
            }
            4 => {
                let matching = pick(&mut self.rng, &["Exact", "NotOlderThan"]);
                query.push(("resourceVersion", LIST_VERSION.to_owned()));
                query.push(("resourceVersionMatch", matching.to_owned()));
            }
            5 => {
                let wrong = [
                    ("labelSelector", "a=b=c"),
                    ("fieldSelector", "spec.replicas=1"),
                    ("limit", "-1"),
                    ("continue", "nothing"),
                    ("resourceVersion", "x"),
                    ("resourceVersionMatch", "Exact"),
                ];
                let (name, value) = pick(&mut self.rng, &wrong);
                query.push((name, value.to_owned()));
            }
            _ => {}
        }
        let headers = self.accept(true);
        Operation { query, headers, ..self.plain(Verb::List, kind, "GET", "") }
    }

    fn create(&mut self, kind: Kind) -> Operation {
        let name = self.fresh(kind);
        let mut object = kind.object(&name);
        if self.chance(40) {
            for change in self.changes(kind, false) {
                apply(&mut object, &change);
            }
        }
        let mut made = name;
        if self.chance(15) {
            object["metadata"]["name"] = Value::Null;
            object["metadata"]["generateName"] = format!("g{}-", self.number()).into();
            made = format!("g{}-*", self.number());
        }
        self.existing.entry(kind).or_default().insert(made);
        let query = self.write_query();
        Operation { query, body: Body::Given(object), ..self.plain(Verb::Create, kind, "POST", "") }
    }

    fn update(&mut self, kind: Kind, part: &'static str) -> Operation {
        let name = self.some(kind);
        let mut changes = self.changes(kind, !part.is_empty());
        if self.chance(15) {
            changes.push(Change { path: "/metadata/resourceVersion", value: Value::Null });
        }
        let age = usize::from(self.chance(20));
        let body = Body::Seen { age, changes, otherwise: kind.object(&name) };
        let query = self.write_query();
        Operation { part, query, body, ..self.plain(Verb::Update, kind, "PUT", &name) }
    }

    fn patch(&mut self, verb: Verb, kind: Kind, part: &'static str) -> Operation {
        let name = self.some(kind);
        let changes = self.changes(kind, !part.is_empty());
        let (media, body) = if verb == Verb::JsonPatch {
            (JSON, self.json_patch(&changes, &name))
        } else if verb == Verb::StrategicPatch {
            (STRATEGIC, self.strategic(&changes))
        } else {
            (MERGE, self.merge(&changes))
        };
        let query = self.write_query();
        Operation { part, query, ..patch(self.number(), verb, kind, &name, media, body) }
    }

    fn apply(&mut self, kind: Kind) -> Operation {
        let name = if self.chance(30) { self.fresh(kind) } else { self.some(kind) };
        let mut config = if self.chance(50) { kind.object(&name) } else { kind.bare(&name) };
        for change in self.changes(kind, false) {
            apply(&mut config, &change);
        }
        leave_untried(kind, &mut config);
        self.existing.entry(kind).or_default().insert(name.clone());
        self.applied(kind, &name, config)
    }

    /// An apply patch of a configuration.
    fn applied(&mut self, kind: Kind, name: &str, config: Value) -> Operation {
        let mut query = self.write_query();
        if self.chance(95) && query.iter().all(|(name, _)| *name != "fieldManager") {
            query.push(("fieldManager", "delta".to_owned()));
        }
        if self.chance(40) {
            query.push(("force", "true".to_owned()));
        }
        Operation { query, ..patch(self.number(), Verb::Apply, kind, name, APPLY, config) }
    }

    fn status(&mut self, kind: Kind) -> Operation {
        match self.rng.next() % 6 {
            0 | 1 => self.update(kind, "status"),
            2 => self.patch(Verb::MergePatch, kind, "status"),
            3 => self.patch(Verb::JsonPatch, kind, "status"),
            4 => self.patch(Verb::StrategicPatch, kind, "status"),
            _ => {
                let name = self.some(kind);
                let mut config = kind.bare(&name);
                for change in self.changes(kind, true) {
                    apply(&mut config, &change);
                }
                leave_untried(kind, &mut config);
                Operation { part: "status", ..self.applied(kind, &name, config) }
            }
        }
    }

    fn scale(&mut self, kind: Kind) -> Operation {
        let name = self.some(kind);
        let replicas = pick(
            &mut self.rng,
            &[json!(0), json!(1), json!(4), json!(4), json!(-1), json!("x"), json!(null)],
        );
        let version = pick(&mut self.rng, &["", "", VERSION, OLD_VERSION]);
        let mut metadata = json!({"name": name, "namespace": ""});
        if !version.is_empty() {
            metadata["resourceVersion"] = version.into();
        }
        let whole = json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata,
            "spec": {"replicas": replicas}});
        let mut operation = match self.rng.next() % 6 {
            0 => self.plain(Verb::Scale, kind, "GET", &name),
            1 | 2 => Operation { body: Body::Given(whole), ..self.plain(Verb::Scale, kind, "PUT", &name) },
            3 => {
                let body = json!([{"op": "replace", "path": "/spec/replicas", "value": replicas}]);
                patch(self.number(), Verb::Scale, kind, &name, JSON, body)
            }
            4 => self.applied(kind, &name, whole),
            _ => {
                let body = json!({"spec": {"replicas": replicas}});
                let media = pick(&mut self.rng, &[MERGE, STRATEGIC]);
                patch(self.number(), Verb::Scale, kind, &name, media, body)
            }
        };
        if operation.method != "GET" && operation.query.is_empty() {
            operation.query = self.write_query();
        }
        Operation { part: "scale", ..operation }
    }

    fn delete_query(&mut self) -> Vec<(&'static str, String)> {
        let known = [
            ("gracePeriodSeconds", "0"),
            ("propagationPolicy", "Foreground"),
            ("propagationPolicy", "Background"),
            ("orphanDependents", "true"),
            ("dryRun", "All"),
        ];
        if !self.chance(15) {
            return Vec::new();
        }
        let (name, value) = pick(&mut self.rng, &known);
        vec![(name, value.to_owned())]
    }

    fn delete(&mut self, kind: Kind) -> Operation {
        let name = self.some(kind);
        self.existing.entry(kind).or_default().remove(&name);
        let (query, body) = (self.delete_query(), Body::Given(self.delete_options()));
        Operation { query, body, ..self.plain(Verb::Delete, kind, "DELETE", &name) }
    }

    fn delete_collection(&mut self, kind: Kind) -> Operation {
        let mut query = self.selectors(kind);
        if query.is_empty() {
            self.existing.remove(&kind);
        }
        query.extend(self.delete_query());
        let body = Body::Given(self.delete_options());
        Operation { query, body, ..self.plain(Verb::DeleteCollection, kind, "DELETE", "") }
    }

    fn evict(&mut self) -> Operation {
        let name = self.some(Kind::Pod);
        let mut body = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
        if self.chance(40) {
            body["deleteOptions"] = self.delete_options();
        }
        if self.chance(6) {
            body["metadata"]["name"] = "other".into();
        }
        let query = if self.chance(6) { vec![("dryRun", "All".to_owned())] } else { Vec::new() };
        Operation {
            query,
            part: "eviction",
            body: Body::Given(body),
            ..self.plain(Verb::Evict, Kind::Pod, "POST", &name)
        }
    }

    fn bind(&mut self) -> Operation {
        let name = self.some(Kind::Pod);
        let node = pick(&mut self.rng, &["n1", "n2"]);
        let body = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}});
        let body = Body::Given(body);
        Operation { part: "binding", body, ..self.plain(Verb::Bind, Kind::Pod, "POST", &name) }
    }

    fn watch(&mut self, kind: Kind) -> Operation {
        let mut query = self.selectors(kind);
        match self.rng.next() % 8 {
            0 | 1 => {
                query.push(("sendInitialEvents", "true".to_owned()));
                query.push(("resourceVersionMatch", "NotOlderThan".to_owned()));
                query.push(("allowWatchBookmarks", "true".to_owned()));
            }
            2 => {}
            3 => {
                let wrong = [
                    ("resourceVersion", "x"),
                    ("sendInitialEvents", "true"),
                    ("resourceVersionMatch", "Exact"),
                    ("labelSelector", "a in"),
                ];
                let (name, value) = pick(&mut self.rng, &wrong);
                query.push((name, value.to_owned()));
            }
            _ => query.push(("resourceVersion", LIST_VERSION.to_owned())),
        }
        query.push(("watch", "true".to_owned()));
        let headers = self.accept(false).into_iter().filter(|_| kind != Kind::Budget).collect();
        Operation { query, headers, ..self.plain(Verb::Watch, kind, "GET", "") }
    }
}

/// Takes out of a configuration what is not to be tried.
fn leave_untried(kind: Kind, config: &mut Value) {
    let Some(metadata) = config["metadata"].as_object_mut() else { return };
    for (_, fields, _) in UNTRIED.iter().filter(|(untried, ..)| *untried == kind) {
        metadata.retain(|name, value| {
            let is_empty =
                value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
            !(is_empty && fields.contains(&name.as_str()))
        });
    }
}

fn plain(number: usize, verb: Verb, kind: Kind, method: &'static str, name: &str) -> Operation {
    Operation {
        number,
        verb,
        kind,
        method,
        name: name.to_owned(),
        part: "",
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::Given(Value::Null),
    }
}

fn patch(number: usize, verb: Verb, kind: Kind, name: &str, media: &'static str, body: Value) -> Operation {
    Operation {
        headers: vec![("content-type", media)],
        body: Body::Given(body),
        ..plain(number, verb, kind, "PATCH", name)
    }
}
