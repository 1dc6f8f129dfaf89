//! How a run may differ from a recording of the reference: not at all, but for writing several changes at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::diff::diff;
use super::journal::Run;

/// Sequences of which a controller that writes several changes at once shows fewer values. What it shows must come in
/// the recorded order and end as recorded.
const MAY_BE_SHORTER: [&str; 5] = [
    "rollout.phase",
    "rollout.condition.",
    "rollout.controllerPause",
    "rollout.pauses",
    "rollout.currentPodHash",
];

/// The reference's recorder of events drops those of one object after a burst of so many, so a recording may end there.
pub(crate) const EVENTS_BURST: usize = 25;

/// The name of the list of events among the facets.
pub(crate) const EVENTS: &str = "events";

/// What was seen of the reference in several runs. Where they differ there are several variants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recording {
    sequences: BTreeMap<String, Vec<Vec<Value>>>,
    events: Vec<Vec<String>>,
    #[serde(rename = "final")]
    objects: BTreeMap<String, Value>,
    /// Paths in the final objects that were not the same in every run.
    unstable: BTreeSet<String>,
}

impl Recording {
    pub(crate) fn parse(json: &str) -> Result<Self, serde_json::Error> {
        let mut recording: Self = serde_json::from_str(json)?;
        for (facet, variants) in &mut recording.sequences {
            if facet.ends_with(".labels") {
                // Objects are recorded as their JSON.
                for value in variants.iter_mut().flatten() {
                    if let Some(object) = value.as_str().and_then(|text| serde_json::from_str(text).ok()) {
                        *value = object;
                    }
                }
            }
        }
        Ok(recording)
    }
}

/// One thing that is not as recorded. `facet` is the name of a sequence, `/KIND/NAME/PATH` in the final objects, or
/// `events`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) facet: String,
    pub(crate) detail: Detail,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Detail {
    Sequence {
        ours: Vec<Value>,
        recorded: Vec<Vec<Value>>,
    },
    Final {
        ours: Option<Value>,
        recorded: Option<Value>,
    },
    /// Each event as `TYPE REASON`.
    Events {
        ours: Vec<String>,
        recorded: Vec<Vec<String>>,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.facet)?;
        match &self.detail {
            Detail::Sequence { ours, recorded } => {
                write!(f, "\n  ours      {}", arrows(ours))?;
                recorded.iter().try_for_each(|variant| write!(f, "\n  recorded  {}", arrows(variant)))
            }
            Detail::Final { ours, recorded } => {
                write!(
                    f,
                    "\n  ours      {}\n  recorded  {}",
                    or_absent(ours.as_ref()),
                    or_absent(recorded.as_ref())
                )
            }
            Detail::Events { ours, recorded } => {
                write!(f, " (- recorded, + ours)")?;
                let closest = recorded
                    .iter()
                    .map(|variant| diff(variant, ours))
                    .min_by_key(|lines| lines.iter().filter(|line| !line.starts_with(' ')).count());
                closest.unwrap_or_default().iter().try_for_each(|line| write!(f, "\n  {line}"))
            }
        }
    }
}

fn arrows(values: &[Value]) -> String {
    if values.is_empty() {
        return "(nothing)".to_owned();
    }
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    values.iter().map(plain).collect::<Vec<_>>().join(" > ")
}

fn or_absent(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::Object(fields)) if !fields.is_empty() => "there".to_owned(),
        Some(leaf) => leaf.to_string(),
    }
}

/// Everything in which a run is not as recorded.
pub(crate) fn compare(recording: &Recording, run: &Run) -> Vec<Difference> {
    let mut found = sequences(recording, run);
    found.extend(objects(recording, run));
    let ours = reasons(&run.events);
    let recorded: Vec<_> = recording.events.iter().map(|events| reasons(events)).collect();
    if !recorded.contains(&ours) {
        found.push(Difference { facet: EVENTS.to_owned(), detail: Detail::Events { ours, recorded } });
    }
    found
}

fn sequences(recording: &Recording, run: &Run) -> Vec<Difference> {
    let facets: BTreeSet<_> = recording.sequences.keys().chain(run.sequences.keys()).collect();
    let none = vec![Vec::new()];
    let differing = facets.into_iter().filter_map(|facet| {
        let ours = run.sequences.get(facet).cloned().unwrap_or_default();
        let recorded = recording.sequences.get(facet).unwrap_or(&none).clone();
        let fits = recorded.iter().any(|variant| sequence_fits(facet, &ours, variant));
        let detail = Detail::Sequence { ours, recorded };
        (!fits).then(|| Difference { facet: facet.clone(), detail })
    });
    differing.collect()
}

/// Whether values of ours are as these others, as far as they must be.
pub(crate) fn sequence_fits(facet: &str, ours: &[Value], other: &[Value]) -> bool {
    let (ours, other) = (after_empty_start(facet, ours), after_empty_start(facet, other));
    let may_be_shorter = MAY_BE_SHORTER.iter().any(|start| facet.starts_with(start));
    ours == other || may_be_shorter && ours.last() == other.last() && is_subsequence(ours, other)
}

/// A ReplicaSet may be created at its first size instead of at none.
fn after_empty_start<'a>(facet: &str, values: &'a [Value]) -> &'a [Value] {
    match values {
        [first, rest @ ..] if !rest.is_empty() && *first == 0 && is_size_of_replica_set(facet) => rest,
        all => all,
    }
}

fn is_size_of_replica_set(facet: &str) -> bool {
    facet.starts_with("rs.") && facet.ends_with(".replicas")
}

fn is_subsequence(part: &[Value], whole: &[Value]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|value| rest.any(|other| other == value))
}

/// The leaves that differ of objects that both have, and each object that one of them lacks.
fn objects(recording: &Recording, run: &Run) -> Vec<Difference> {
    let (ours, recorded) = (parts(&run.objects, &recording.objects), parts(&recording.objects, &run.objects));
    let paths: BTreeSet<_> = ours.keys().chain(recorded.keys()).collect();
    let differing = paths
        .into_iter()
        .filter(|path| ours.get(*path) != recorded.get(*path) && !recording.unstable.contains(path.as_str()));
    let explained = differing.map(|path| {
        let detail = Detail::Final { ours: ours.get(path).cloned(), recorded: recorded.get(path).cloned() };
        Difference { facet: path.clone(), detail }
    });
    explained.collect()
}

/// By path: of objects that `others` has, too, the leaves; else the whole object.
fn parts(objects: &BTreeMap<String, Value>, others: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let of_object = |(key, object): (&String, &Value)| {
        let path = format!("/{key}");
        if others.contains_key(key) {
            leaves(&path, object)
        } else {
            BTreeMap::from([(path, object.clone())])
        }
    };
    objects.iter().flat_map(of_object).collect()
}

/// The scalars of a value, and its empty lists and objects, by path.
pub(crate) fn leaves(path: &str, value: &Value) -> BTreeMap<String, Value> {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().flat_map(|(name, field)| leaves(&format!("{path}/{name}"), field)).collect()
        }
        Value::Array(items) if !items.is_empty() => (0..)
            .zip(items)
            .flat_map(|(index, item): (usize, _)| leaves(&format!("{path}/{index}"), item))
            .collect(),
        leaf @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => BTreeMap::from([(path.to_owned(), leaf.clone())]),
    }
}

/// `TYPE REASON` of the events of a burst.
fn reasons(events: &[String]) -> Vec<String> {
    let reason = |event: &String| event.split(':').next().unwrap_or_default().to_owned();
    events.iter().take(EVENTS_BURST).map(reason).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    impl Recording {
        /// The run that the first variants are of.
        pub(crate) fn first_run(&self) -> Run {
            let first = |variants: &Vec<Vec<Value>>| variants.first().cloned().unwrap_or_default();
            Run {
                sequences: self.sequences.iter().map(|(facet, all)| (facet.clone(), first(all))).collect(),
                events: self.events.first().cloned().unwrap_or_default(),
                objects: self.objects.clone(),
            }
        }
    }

    fn recording() -> Recording {
        let labels = "{\"app\": \"demo\"}";
        let json = json!({
            "sequences": {
                "rollout.phase": [["Progressing", "Healthy", "Paused", "Healthy"]],
                "rollout.step": [[0, 1, 2], [0, 2]],
                "rs.a.replicas": [[0, 2, 0]],
                "rs.a.labels": [[labels]],
                "deploy.a.replicas": [[0, 2]],
                "rollout.previewSelector": [[]],
            },
            "events": [["Normal One: 1", "Normal Two: 2"]],
            "final": {"svc/web": {"spec": {"ports": [{"port": 80}], "type": "ClusterIP"}, "status": {}}},
            "unstable": ["/svc/web/spec/type"],
        });
        Recording::parse(&json.to_string()).unwrap()
    }

    /// The facets that differ when the first run is changed.
    fn differing(change: impl FnOnce(&mut Run)) -> Vec<String> {
        let recording = recording();
        let mut run = recording.first_run();
        change(&mut run);
        compare(&recording, &run).into_iter().map(|difference| difference.facet).collect()
    }

    fn sequence(facet: &str, values: Value) -> Vec<String> {
        let Value::Array(values) = values else { panic!("no list: {values}") };
        differing(|run| drop(run.sequences.insert(facet.to_owned(), values)))
    }

    #[test]
    fn a_run_as_recorded_has_no_differences() {
        assert!(differing(|_| ()).is_empty());
    }

    #[test]
    fn each_variant_of_a_sequence_is_accepted_and_nothing_else() {
        assert!(sequence("rollout.step", json!([0, 2])).is_empty());
        assert_eq!(sequence("rollout.step", json!([0, 1])), ["rollout.step"]);
        assert_eq!(sequence("rollout.step", json!([0, 1, 2, 2])), ["rollout.step"]);
        assert_eq!(sequence("rollout.step", json!(["0", "2"])), ["rollout.step"]);
    }

    #[test]
    fn some_sequences_may_be_shorter_but_in_order_and_with_the_same_end() {
        assert!(sequence("rollout.phase", json!(["Progressing", "Paused", "Healthy"])).is_empty());
        assert_eq!(sequence("rollout.phase", json!(["Progressing", "Healthy", "Paused"])), ["rollout.phase"]);
        assert_eq!(sequence("rollout.phase", json!(["Paused", "Progressing", "Healthy"])), ["rollout.phase"]);
        assert_eq!(sequence("rollout.phase", json!(["Degraded", "Healthy"])), ["rollout.phase"]);
        assert_eq!(sequence("rollout.phase", json!([])), ["rollout.phase"]);
    }

    #[test]
    fn a_replica_set_may_start_at_its_first_size() {
        assert!(sequence("rs.a.replicas", json!([2, 0])).is_empty());
        assert_eq!(sequence("rs.a.replicas", json!([0])), ["rs.a.replicas"]);
        assert_eq!(sequence("rs.a.replicas", json!([0, 0, 2, 0])), ["rs.a.replicas"]);
        assert_eq!(sequence("deploy.a.replicas", json!([2])), ["deploy.a.replicas"]);
    }

    #[test]
    fn labels_are_compared_as_objects() {
        assert!(sequence("rs.a.labels", json!([{"app": "demo"}])).is_empty());
        assert_eq!(sequence("rs.a.labels", json!([{"app": "other"}])), ["rs.a.labels"]);
    }

    #[test]
    fn a_facet_that_one_side_lacks_differs_unless_it_is_empty() {
        assert!(differing(|run| drop(run.sequences.remove("rollout.previewSelector"))).is_empty());
        assert_eq!(differing(|run| drop(run.sequences.remove("rollout.step"))), ["rollout.step"]);
        assert_eq!(sequence("svc.new.hash", json!(["a"])), ["svc.new.hash"]);
        assert!(sequence("svc.new.hash", json!([])).is_empty());
    }

    #[test]
    fn final_objects_are_compared_leaf_by_leaf() {
        let path = "/svc/web/spec/ports/0/port";
        let service = |run: &mut Run| run.objects.remove("svc/web").unwrap();
        let with = |change: fn(&mut Value)| {
            differing(|run| {
                let mut object = service(run);
                change(&mut object);
                run.objects.insert("svc/web".to_owned(), object);
            })
        };
        assert_eq!(with(|object| object["spec"]["ports"][0]["port"] = json!(81)), [path]);
        assert_eq!(with(|object| object["spec"]["ports"] = json!([])), ["/svc/web/spec/ports", path]);
        assert_eq!(with(|object| object["status"] = Value::Null), ["/svc/web/status"]);
        assert!(with(|object| object["spec"]["type"] = json!("NodePort")).is_empty(), "unstable");
        assert_eq!(differing(|run| drop(service(run))), ["/svc/web"]);
        let second = |run: &mut Run| drop(run.objects.insert("svc/two".to_owned(), json!({"spec": {}})));
        assert_eq!(differing(second), ["/svc/two"]);
    }

    #[test]
    fn events_are_compared_by_type_and_reason_within_the_burst() {
        let events = |events: &[&str]| {
            let events: Vec<_> = events.iter().map(|event| (*event).to_owned()).collect();
            differing(|run| run.events = events)
        };
        assert!(events(&["Normal One: else", "Normal Two: else"]).is_empty());
        assert_eq!(events(&["Normal Two: 2", "Normal One: 1"]), [EVENTS]);
        assert_eq!(events(&["Warning One: 1", "Normal Two: 2"]), [EVENTS]);
        assert_eq!(events(&["Normal One: 1"]), [EVENTS]);
        assert_eq!(events(&["Normal One: 1", "Normal Two: 2", "Normal Two: 2"]), [EVENTS]);
    }

    #[test]
    fn events_after_the_burst_do_not_count() {
        let mut recording = recording();
        let mut run = recording.first_run();
        recording.events = vec![vec!["Normal One: 1".to_owned(); EVENTS_BURST]];
        run.events = vec!["Normal One: 1".to_owned(); EVENTS_BURST + 1];
        assert!(compare(&recording, &run).is_empty());
        run.events.truncate(EVENTS_BURST - 1);
        assert_eq!(compare(&recording, &run).len(), 1);
    }

    #[test]
    fn a_difference_shows_both_sides() {
        let recording = recording();
        let mut run = recording.first_run();
        run.sequences.insert("rollout.step".to_owned(), Vec::new());
        run.objects.clear();
        run.events.remove(0);
        let shown: Vec<_> = compare(&recording, &run).iter().map(ToString::to_string).collect();
        let expected = [
            "rollout.step\n  ours      (nothing)\n  recorded  0 > 1 > 2\n  recorded  0 > 2",
            "/svc/web\n  ours      absent\n  recorded  there",
            "events (- recorded, + ours)\n  - Normal One\n    Normal Two",
        ];
        assert_eq!(shown, expected);
    }
}
