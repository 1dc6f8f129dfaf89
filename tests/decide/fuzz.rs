//! Whatever an object holds: a decision never panics, is a function of what it sees, and passes the guard.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use serin_core::domain::object::ObjectKey;
use serin_core::domain::plan::ObjectKind;
use serin_core::guard;
use serin_core::rollout::snapshot::Remembered;
use serin_core::rollout::{decide, decide_unreadable};
use serin_machine::caches::Caches;
use serin_machine::observe::{Observed, observe};

use crate::world::kind_of;

/// The objects of each recorded scenario, as the reference left them, settled and in the middle.
fn seeds() -> Vec<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/live");
    let files: BTreeSet<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    let objects = |text: Vec<u8>| {
        let mut list: Value = serde_json::from_slice(&text).unwrap();
        serde_json::from_value(list["items"].take()).unwrap()
    };
    let mut all: Vec<Vec<Value>> = files.iter().map(|file| objects(fs::read(file).unwrap())).collect();
    // The same scenarios in the middle of an update, aborted, and promoted by force.
    for status in [
        json!({"stableRS": "other", "currentStepIndex": 0, "pauseConditions": null}),
        json!({"abort": true}),
        json!({"promoteFull": true, "currentPodHash": "other"}),
    ] {
        let changed: Vec<_> = all.iter().take(40).map(|objects| with_status(objects, &status)).collect();
        all.extend(changed);
    }
    all
}

fn with_status(objects: &[Value], status: &Value) -> Vec<Value> {
    let patch = json!({"status": status});
    let changed = |object: &Value| match object["kind"].as_str() {
        Some("Rollout") => serin_values::merge_patch::apply_merge_patch(object, &patch),
        Some(_) | None => object.clone(),
    };
    objects.iter().map(changed).collect()
}

/// What takes the place of a value.
#[derive(Debug, Clone)]
enum Junk {
    Value(Value),
    /// Nothing at all.
    Absence,
    /// Another value of the same object.
    Other(Index),
    /// A list of the value, so many times.
    Repeated(usize),
}

/// One change: of which object, at which of its places, to what.
type Change = (Index, Index, Junk);

fn junk() -> impl Strategy<Value = Junk> {
    let numbers = prop::sample::select(vec![
        0_i64,
        1,
        -1,
        2,
        7,
        50,
        100,
        101,
        i64::from(i32::MAX),
        i64::from(i32::MIN),
        i64::from(i32::MAX) + 1,
        i64::MAX,
        i64::MIN,
    ]);
    let texts = prop::sample::select(vec![
        "",
        " ",
        "x",
        "demo",
        "other",
        "stable",
        "25%",
        "-1%",
        "1000000%",
        "abc",
        "0",
        "9223372036854775807",
        "soon",
        "{",
        "[]",
        "null",
        "1h",
        "-5s",
        "2026-01-01T00:00:00Z",
        "9999-12-30T21:59:59Z",
        "0001-01-01T00:00:00Z",
        "Ünïcode ✓\u{0}",
        "CanaryPauseStep",
        "BlueGreenPause",
        "Progressing",
        "RolloutAborted",
        "True",
        "Percent",
        "Pods",
    ]);
    prop_oneof![
        4 => numbers.prop_map(|number| Junk::Value(json!(number))),
        4 => texts.prop_map(|text| Junk::Value(json!(text))),
        2 => prop::sample::select(vec![json!(null), json!(true), json!(false), json!([]), json!({}), json!(0.5), json!([null]), json!({"": ""})])
            .prop_map(Junk::Value),
        2 => Just(Junk::Absence),
        2 => any::<Index>().prop_map(Junk::Other),
        1 => (0_usize..4).prop_map(Junk::Repeated),
    ]
}

/// Every place in an object that somebody could write to.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let below = |found: &mut Vec<String>, path: String, value: &Value| {
        found.push(path.clone());
        places(value, &path, found);
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                below(found, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), value);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                below(found, format!("{at}/{index}"), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What identifies an object is the API server's to write.
fn is_fixed(path: &str) -> bool {
    let fixed = [
        "/kind",
        "/apiVersion",
        "/metadata/name",
        "/metadata/namespace",
        "/metadata/uid",
        "/metadata/resourceVersion",
    ];
    path == "/metadata" || fixed.contains(&path)
}

/// Makes the change, and says what it was.
fn change(objects: &mut [Value], (object, place, junk): &Change) -> String {
    let object = object.get_mut(objects);
    let what = format!("{} {}", object["kind"], object["metadata"]["name"]).replace('"', "");
    let mut found = Vec::new();
    places(object, "", &mut found);
    found.retain(|path| !is_fixed(path));
    let path = place.get(&found);
    let value = match junk {
        Junk::Value(value) => value.clone(),
        Junk::Other(other) => object.pointer(other.get(&found).as_str()).cloned().unwrap_or_default(),
        Junk::Repeated(times) => vec![object.pointer(path).cloned().unwrap_or_default(); *times].into(),
        Junk::Absence => {
            let (parent, key) = path.rsplit_once('/').unwrap();
            if let Some(fields) = object.pointer_mut(parent).and_then(Value::as_object_mut) {
                fields.remove(&key.replace("~1", "/").replace("~0", "~"));
            }
            return format!("{what} without {path}");
        }
    };
    let said = format!("{what} with {path}: {value}");
    *object.pointer_mut(path).unwrap() = value;
    said
}

/// The Rollout, and all that is seen.
fn observed(objects: Vec<Value>) -> (ObjectKey, Caches) {
    let caches = Caches::default();
    caches.of(ObjectKind::Deployment).write().swap();
    caches.of(ObjectKind::PodTemplate).write().swap();
    let mut rollout = None;
    for object in objects {
        let text = |field: &str| object["metadata"][field].as_str().unwrap().to_owned();
        let key = ObjectKey::new(text("namespace"), text("name"));
        let kind = kind_of(&object);
        if kind == ObjectKind::Rollout {
            rollout = Some(key);
        }
        // If an API server could have stored its metadata at all.
        if let Ok(wire) = serde_json::from_value(object) {
            caches.of(kind).write().put(wire);
        }
    }
    (rollout.expect("a Rollout"), caches)
}

/// Decides at that time, and checks what has to hold for every decision.
fn check(key: &ObjectKey, caches: &Caches, now: Timestamp, held: bool) -> Result<(), String> {
    let held_since = held.then_some(Timestamp::UNIX_EPOCH);
    let remembered = Remembered { held_since, ..Remembered::default() };
    match observe(key, caches, remembered) {
        Observed::Absent => {}
        Observed::Unreadable(unreadable) => {
            let plan = decide_unreadable(&unreadable, now);
            assert_eq!(plan.ops().count(), 0, "nothing is written but the status");
        }
        Observed::Complete(snapshot) => {
            let plan = decide(&snapshot, now);
            assert_eq!(plan, decide(&snapshot, now), "a decision is a function of the snapshot");
            guard::check(&snapshot, &plan).map_err(|refusal| format!("the guard refuses: {refusal}"))?;
        }
    }
    Ok(())
}

/// The same cases in each run, unless `SERIN_SEED` and `SERIN_FUZZ_CASES` ask for others.
fn config() -> ProptestConfig {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u32>().unwrap());
    ProptestConfig {
        cases: number("SERIN_FUZZ_CASES").unwrap_or(3_000),
        rng_seed: RngSeed::Fixed(number("SERIN_SEED").unwrap_or(1).into()),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_object_brings_a_decision_down(
        seed: Index,
        changes in prop::collection::vec((any::<Index>(), any::<Index>(), junk()), 1..8),
        hours in 0_i64..30,
        held: bool,
    ) {
        static SEEDS: LazyLock<Vec<Vec<Value>>> = LazyLock::new(seeds);
        let mut objects = seed.get(&SEEDS).clone();
        let said: Vec<String> = changes.iter().map(|one| change(&mut objects, one)).collect();
        let (key, caches) = observed(objects);
        let now = "2026-11-25T00:00:00Z".parse::<Timestamp>().unwrap();
        let checked = check(&key, &caches, now + SignedDuration::from_hours(hours), held);
        prop_assert_eq!(checked, Ok(()), "{}", said.join("\n"));
    }
}
