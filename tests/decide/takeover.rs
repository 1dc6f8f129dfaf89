//! What the reference left behind is taken over as it stands: nothing is written where everything was settled.
//!
//! `tests/conformance/live` holds the objects at the end of each recorded scenario, as the reference left them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use serin_core::api::keys;
use serin_core::domain::plan::{ObjectKind, Plan, Purpose, Wake};
use serin_core::guard;
use serin_core::rollout::decide;
use serin_core::rollout::snapshot::{Remembered, Snapshot};
use serin_machine::caches::Caches;
use serin_machine::object::RawObject;
use serin_machine::observe::{Observed, observe};

use crate::world::kind_of;

/// Where a ReplicaSet still waited for its scale-down when the recording ended.
const WAITING: [&str; 3] = ["bg-abort", "bg-auto-seconds-off", "bg-rollback-fast"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/live")
}

/// The objects of each scenario.
fn left_behind() -> BTreeMap<String, Vec<Value>> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let read = |path: PathBuf| {
        let mut list: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_value(list["items"].take()).unwrap())
    };
    files.map(read).collect()
}

/// When the last thing happened that the objects tell of: a scale-down has no time but the one that was set for it.
fn end(objects: &[Value]) -> Timestamp {
    fn collect(value: &Value, times: &mut Vec<Timestamp>) {
        match value {
            Value::String(text) => times.extend(text.parse::<Timestamp>()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, times)),
            Value::Object(fields) => fields.values().for_each(|field| collect(field, times)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut times = Vec::new();
    for object in objects {
        collect(&object["status"], &mut times);
        if object["spec"]["replicas"] == 0 {
            collect(&object["metadata"]["annotations"][keys::SCALE_DOWN_DEADLINE], &mut times);
        }
    }
    times.into_iter().max().unwrap()
}

fn snapshot(objects: &[Value]) -> Snapshot {
    let caches = Caches::default();
    let mut rollout = None;
    for object in objects {
        let kind = kind_of(object);
        let wire: RawObject = serde_json::from_value(object.clone()).expect("an object of its kind");
        if kind == ObjectKind::Rollout {
            rollout = Some(wire.key());
        }
        caches.of(kind).write().put(wire);
    }
    match observe(&rollout.expect("a Rollout"), &caches, Remembered::default()) {
        Observed::Complete(snapshot) => *snapshot,
        Observed::Absent | Observed::Unreadable(_) => panic!("what the reference left can be read"),
    }
}

fn plan(snapshot: &Snapshot, now: Timestamp) -> Plan {
    let plan = decide(snapshot, now);
    guard::check(snapshot, &plan).unwrap();
    plan
}

#[test]
fn nothing_is_written_where_the_reference_had_settled() {
    let mut wrong = Vec::new();
    for (name, objects) in left_behind() {
        if name == "workload-ref" {
            continue;
        }
        let plan = plan(&snapshot(&objects), end(&objects) + SignedDuration::from_secs(1));
        if !plan.is_empty() || plan.status.held {
            wrong.push(format!("{name}: {plan:#?}"));
        }
        let waits = matches!(plan.wake, Wake::At(_));
        assert_eq!(waits, WAITING.contains(&name.as_str()), "{name}: {:?}", plan.wake);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_recorded_deadline_is_kept() {
    let all = left_behind();
    for name in WAITING {
        let snapshot = snapshot(&all[name]);
        let Wake::At(deadline) = plan(&snapshot, end(&all[name])).wake else { panic!("{name} waits") };
        assert!(plan(&snapshot, deadline - SignedDuration::from_secs(1)).is_empty(), "{name} is early");
        let plan = plan(&snapshot, deadline);
        let purposes: Vec<_> = plan.ops().flat_map(|op| &op.purposes).collect();
        assert!(
            matches!(purposes[..], [Purpose::ScaleReplicaSet { from: 2, to: 0 }]),
            "{name}: {purposes:?}"
        );
    }
}
