//! Malformed and hostile Rollouts, in the model world: each ends with a message that names the field, or works; none
//! panics, holds another Rollout up, or writes on what belongs to others.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::hostile_cases::{Case, Moment, cases, complaint, phase};
use crate::world::{World, kind_of};

/// A Rollout beside the hostile one, which must go on as if that were not there.
const GOOD: &str = "good";

/// How long everything may take.
const HALF_AN_HOUR: i64 = 1_800_000;

type Objects = BTreeMap<(ObjectKind, String), Value>;

fn good() -> Value {
    json!({
        "kind": "Rollout",
        "metadata": {"name": GOOD},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": GOOD}},
            "template": {
                "metadata": {"labels": {"app": GOOD}},
                "spec": {"containers": [{"name": "web", "image": "good:1"}]},
            },
            "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {"duration": "30s"}}]}},
        },
    })
}

/// One case, played.
struct Play<'c> {
    case: &'c Case,
    name: String,
    world: World,
}

impl<'c> Play<'c> {
    fn new(case: &'c Case) -> Self {
        let mut world = World::new();
        for object in case.objects().into_iter().chain([good()]) {
            world.create(kind_of(&object), object);
        }
        Self { case, name: case.rollout_name(), world }
    }

    fn rollout(&self, name: &str) -> &Value {
        self.world.get(ObjectKind::Rollout, name).expect("the Rollout")
    }

    fn patch(&mut self, name: &str, patch: &Value) {
        self.world.patch(ObjectKind::Rollout, name, patch);
    }

    fn update(&mut self, name: &str) {
        self.patch(name, &json!({"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}}));
    }

    /// Everything up to the hostile moment.
    fn prepare(&mut self) {
        if self.case.at == Moment::Start {
            return;
        }
        self.world.pass(60_000);
        assert!(
            phase(self.rollout(&self.name)).starts_with("Healthy"),
            "before: {}",
            phase(self.rollout(&self.name))
        );
        if self.case.at == Moment::Paused {
            let name = self.name.clone();
            self.update(&name);
            self.world.pass(60_000);
            assert!(
                phase(self.rollout(&name)).starts_with("Paused"),
                "before: {}",
                phase(self.rollout(&name))
            );
        }
    }

    /// What makes the case hostile, if it is not so from the start.
    fn strike(&mut self) {
        if self.case.at == Moment::Start {
            return;
        }
        let name = self.name.clone();
        for object in self.case.later_objects() {
            self.world.create(kind_of(object), object.clone());
        }
        self.patch(&name, &self.case.rollout_patch());
        if let Some(status) = self.case.status_patch() {
            self.patch(&name, &json!({"status": status}));
        }
        if let Some(status) = &self.case.whole_status {
            self.patch(&name, &json!({"status": null}));
            self.patch(&name, &json!({"status": status}));
        }
        for rs in self.own_replica_sets() {
            self.world.patch(ObjectKind::ReplicaSet, &rs, &or_nothing(&self.case.replica_sets));
        }
        self.strike_others();
        if self.case.update {
            self.update(&name);
        }
    }

    fn strike_others(&mut self) {
        let patches =
            [(ObjectKind::Service, &self.case.services), (ObjectKind::Ingress, &self.case.ingresses)];
        for (kind, patches) in patches {
            for (name, patch) in patches {
                if patch.is_null() {
                    self.world.remove(kind, name);
                } else {
                    self.world.patch(kind, name, patch);
                }
            }
        }
        let field = match self.case.gone.as_deref() {
            Some("stable") => "stableRS",
            Some("newest") => "currentPodHash",
            Some(other) => panic!("no ReplicaSet is called {other}"),
            None => return,
        };
        let hash = self.rollout(&self.name)["status"][field].as_str().unwrap().to_owned();
        self.world.remove(ObjectKind::ReplicaSet, &format!("{}-{hash}", self.name));
    }

    fn own_replica_sets(&self) -> Vec<String> {
        let uid = &self.rollout(&self.name)["metadata"]["uid"];
        let sets = self.world.all(ObjectKind::ReplicaSet);
        let own = sets.filter(|rs| rs["metadata"]["ownerReferences"][0]["uid"] == *uid);
        own.map(|rs| rs["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Plays everything; what is wrong, a line each.
    fn run(mut self) -> Vec<String> {
        self.prepare();
        self.strike();
        let before = self.world.objects().clone();
        self.world.pass(60_000);
        self.update(GOOD);
        if self.case.promote {
            let name = self.name.clone();
            self.patch(&name, &json!({"status": {"pauseConditions": null}}));
        }
        self.world.pass(HALF_AN_HOUR);
        let mut wrong = self.outcome();
        wrong.extend(damage(&before, self.world.objects()));
        let (writes, decisions) = (self.world.writes.len(), self.world.decisions);
        self.world.pass(HALF_AN_HOUR);
        let late = &self.world.writes[writes..];
        if !late.is_empty() {
            wrong.push(format!("it does not come to rest: {} writes, such as {}", late.len(), late[0]));
        }
        let decisions = self.world.decisions - decisions;
        if decisions > 1_000 {
            wrong.push(format!("it is decided on {decisions} times in half an hour"));
        }
        wrong
    }

    fn outcome(&self) -> Vec<String> {
        let own = complaint(self.rollout(&self.name), self.case.says.as_deref(), self.case.ends.as_deref());
        let others = self.case.others.iter().filter_map(|(name, expected)| {
            let says = expected.contains(": Invalid value").then_some(expected.as_str());
            let ends = says.is_none().then_some(expected.as_str());
            complaint(self.rollout(name), says, ends).map(|wrong| format!("{name} {wrong}"))
        });
        let good = self.rollout(GOOD);
        let is_through =
            phase(good).starts_with("Healthy") && good["metadata"]["annotations"][keys::REVISION] == "2";
        let held = (!is_through).then(|| format!("the Rollout beside it is {}", phase(good)));
        own.into_iter().chain(others).chain(held).collect()
    }
}

fn or_nothing(patch: &Value) -> Value {
    if patch.is_null() { json!({}) } else { patch.clone() }
}

/// What has changed in objects that are not the Rollout's own to write.
fn damage(before: &Objects, after: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for ((kind, name), object) in before {
        if is_free(*kind, object) || name == GOOD {
            continue;
        }
        let Some(later) = after.get(&(*kind, name.clone())) else {
            found.push(format!("{kind:?} {name} is gone"));
            continue;
        };
        let mut paths = Vec::new();
        differences("", object, later, &mut paths);
        let is_ours = |path: &&String| may_write(*kind, path);
        let foreign: Vec<_> = paths.iter().filter(|path| !is_ours(path)).cloned().collect();
        if !foreign.is_empty() {
            found.push(format!("{kind:?} {name} was changed at {}", foreign.join(", ")));
        }
    }
    found
}

/// Whether the controller may do with the object what it likes: it has made it, or may.
#[allow(clippy::wildcard_enum_match_arm, reason = "a kind that is added is one of the others")]
fn is_free(kind: ObjectKind, object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let own = |owner: &Value| owner["kind"] == keys::ROLLOUT && owner["uid"] != "uid-of-another";
    match kind {
        ObjectKind::Pod => true,
        ObjectKind::ReplicaSet => {
            let is_orphan = owners.is_none() && object["metadata"]["labels"]["app"] == "demo";
            is_orphan && !object["metadata"]["labels"][keys::POD_HASH_LABEL].is_null()
                || owners.is_some_and(|owners| owners.iter().any(own))
        }
        ObjectKind::Ingress => owners.is_some_and(|owners| owners.iter().any(own)),
        _ => false,
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "a kind that is added is one of the others")]
fn may_write(kind: ObjectKind, path: &str) -> bool {
    let always = ["/metadata/resourceVersion", "/metadata/generation"];
    let allowed: &[&str] = match kind {
        ObjectKind::Rollout => &[
            "/status",
            "/metadata/annotations/rollout.argoproj.io~1revision",
            "/metadata/annotations",
            "/spec/replicas",
        ],
        ObjectKind::Service => &[
            "/spec/selector/rollouts-pod-template-hash",
            "/metadata/annotations/argo-rollouts.argoproj.io~1managed-by-rollouts",
        ],
        // The model's own ReplicaSet controller writes it.
        ObjectKind::ReplicaSet => &["/status"],
        // A workload that the Rollout takes the pods of.
        ObjectKind::Deployment => &["/spec/replicas"],
        _ => &[],
    };
    let is_below = |allowed: &str| {
        path == allowed || path.strip_prefix(allowed).is_some_and(|rest| rest.starts_with('/'))
    };
    always.iter().chain(allowed).any(|allowed| is_below(allowed))
}

/// Paths of leaves that differ.
fn differences(path: &str, before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for key in keys {
                let path = format!("{path}/{}", key.replace('/', "~1"));
                differences(
                    &path,
                    old.get(key).unwrap_or(&Value::Null),
                    new.get(key).unwrap_or(&Value::Null),
                    found,
                );
            }
        }
        (Value::Null, Value::Object(new)) if !new.is_empty() => {
            differences(path, &json!({}), after, found);
        }
        _ if before != after => found.push(path.to_owned()),
        _ => {}
    }
}

#[test]
fn hostile_rollouts_end_with_a_message_or_work() {
    let only = std::env::var("SERIN_CASE").unwrap_or_default();
    let mut wrong = Vec::new();
    let all = cases();
    for case in all.iter().filter(|case| case.case.contains(&only)) {
        let played = catch_unwind(AssertUnwindSafe(|| Play::new(case).run()));
        let complaints = played.unwrap_or_else(|payload| {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            vec![format!("panics: {}", text.unwrap_or_default())]
        });
        wrong.extend(complaints.into_iter().map(|complaint| format!("{}: {complaint}", case.case)));
    }
    assert!(all.len() >= 100, "only {} cases", all.len());
    assert!(wrong.is_empty(), "{} faults of {} cases:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn damage_is_found() {
    let object = |value: &Value| BTreeMap::from([((ObjectKind::Service, "s".to_owned()), value.clone())]);
    let before = json!({"spec": {"selector": {"app": "x"}}});
    let ours = json!({"spec": {"selector": {"app": "x", keys::POD_HASH_LABEL: "h"}},
        "metadata": {"annotations": {keys::MANAGED_BY_ROLLOUTS: "demo"}}});
    assert_eq!(damage(&object(&before), &object(&ours)), [""; 0]);
    let theirs = json!({"spec": {"selector": {"app": "y"}, "type": "X"}});
    let found = damage(&object(&before), &object(&theirs));
    assert_eq!(found, ["Service s was changed at /spec/selector/app, /spec/type"]);
    assert_eq!(damage(&object(&before), &BTreeMap::new()), ["Service s is gone"]);
}
