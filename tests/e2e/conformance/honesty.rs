//! The comparison on the recordings themselves: each is as recorded, and nothing of it can change unnoticed.

use serde_json::Value;

use crate::conformance::compare::{EVENTS, EVENTS_BURST, Recording, compare};
use crate::conformance::facets::{at_rest, facets};
use crate::conformance::journal::Run;
use crate::conformance::kinds::Kind;
use crate::conformance::stored;

fn recordings() -> Vec<(String, Recording)> {
    let all = stored::chosen(None).unwrap();
    assert!(!all.is_empty());
    all.into_iter().map(|stored| (stored.name, stored.recording)).collect()
}

fn differing(recording: &Recording, run: &Run) -> Vec<String> {
    compare(recording, run).into_iter().map(|difference| difference.facet).collect()
}

#[test]
fn the_list_of_differences_can_be_read() {
    stored::differences().unwrap();
}

#[test]
fn unknown_scenarios_are_refused() {
    assert!(
        stored::chosen(Some("basic-create basic-nothing"))
            .unwrap_err()
            .starts_with("no scenario basic-nothing")
    );
    let two = stored::chosen(Some(" basic-steps  basic-create ")).unwrap();
    assert_eq!(
        two.iter().map(|stored| stored.name.as_str()).collect::<Vec<_>>(),
        ["basic-create", "basic-steps"]
    );
}

#[test]
fn each_recording_is_as_recorded() {
    for (name, recording) in recordings() {
        assert_eq!(differing(&recording, &recording.first_run()), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn no_value_of_a_sequence_changes_unnoticed() {
    for (name, recording) in recordings() {
        let whole = recording.first_run();
        for (facet, values) in &whole.sequences {
            for index in 0..values.len() {
                let mut run = whole.clone();
                run.sequences.get_mut(facet).unwrap()[index] = "mutated".into();
                assert_eq!(differing(&recording, &run), [facet.as_str()], "{name}: value {index}");
            }
            let mut run = whole.clone();
            run.sequences.get_mut(facet).unwrap().push("mutated".into());
            assert_eq!(differing(&recording, &run), [facet.as_str()], "{name}: one value more");
        }
    }
}

#[test]
fn no_leaf_of_a_final_object_changes_unnoticed() {
    for (name, recording) in recordings() {
        let whole = recording.first_run();
        for (key, object) in &whole.objects {
            let mut run = whole.clone();
            run.objects.remove(key);
            assert_eq!(differing(&recording, &run), [format!("/{key}")], "{name}");
            for pointer in pointers(object) {
                let mut run = whole.clone();
                *run.objects.get_mut(key).unwrap().pointer_mut(&pointer).unwrap() = "mutated".into();
                assert_eq!(differing(&recording, &run).len(), 1, "{name}: {key} {pointer}");
            }
        }
    }
}

/// JSON pointers to the scalars of a value.
fn pointers(value: &Value) -> Vec<String> {
    let below = |step: String, value: &Value| -> Vec<String> {
        pointers(value).into_iter().map(|rest| format!("/{step}{rest}")).collect()
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, field)| below(name.replace('~', "~0").replace('/', "~1"), field))
            .collect(),
        Value::Array(items) => {
            (0..).zip(items).flat_map(|(index, item): (usize, _)| below(index.to_string(), item)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![String::new()],
    }
}

#[test]
fn no_event_changes_unnoticed() {
    for (name, recording) in recordings() {
        let whole = recording.first_run();
        for index in 0..whole.events.len().min(EVENTS_BURST) {
            let mut run = whole.clone();
            run.events[index] = "Normal Mutated: to something else".to_owned();
            assert_eq!(differing(&recording, &run), [EVENTS], "{name}: event {index}");
        }
    }
}

/// The recordings tell what facets are and what is left out of an object at rest; ours must agree with them.
#[test]
fn final_objects_show_the_last_values_of_the_sequences() {
    for (name, recording) in recordings() {
        let run = recording.first_run();
        for (key, object) in &run.objects {
            let kind = Kind::of_word(key.split('/').next().unwrap()).unwrap();
            assert_eq!(at_rest(object), *object, "{name}: {key}");
            for (facet, value) in facets(kind, object).into_iter().filter(|(_, value)| !value.is_null()) {
                assert_eq!(run.sequences[&facet].last(), Some(&value), "{name}: {facet}");
            }
        }
    }
}

#[test]
fn each_sequence_is_of_a_facet_that_is_looked_at() {
    for (name, recording) in recordings() {
        let run = recording.first_run();
        let known: Vec<_> = run
            .objects
            .iter()
            .flat_map(|(key, object)| facets(Kind::of_word(key.split('/').next().unwrap()).unwrap(), object))
            .map(|(facet, _)| facet)
            .collect();
        // A condition may be gone at the end, and so may a ReplicaSet.
        let may_be_gone = |facet: &str| facet.starts_with("rollout.condition.") || facet.starts_with("rs.");
        for facet in run.sequences.keys().filter(|facet| !may_be_gone(facet)) {
            assert!(known.contains(facet), "{name}: {facet}");
        }
    }
}
