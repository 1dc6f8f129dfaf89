//! Rollouts: the primary kind that makes ReplicaSets.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Demand, Extent, KindRow};
use crate::cache::Caches;
use crate::decide::{Deliberation, bulkhead, planned, safe_plan};
use crate::entry::{Content, Entry};
use crate::object::RawObject;
use crate::observe::{Observed, observe};
use crate::packed::Packed;
use crate::trigger;
use serin_core::api::{LabelSelector, Rollout as Resource, keys};
use serin_core::domain::object::ObjectKey;
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::{Identity, Remembered};
use serin_core::rollout::{ObservedKeys, Unreadable, decide_unreadable, observed_keys};

/// How Rollouts are watched and decided on.
pub(super) const ROW: KindRow = KindRow {
    demand: Demand::Always,
    extent: Extent::Whole,
    labels: of_instance,
    prune,
    differs: Entry::is_other_version,
    watchers: trigger::itself_and_owner,
    decide: Some(decide),
};

/// What is kept of a Rollout.
#[derive(Debug, Clone)]
pub enum Rollout {
    /// It is what the kind's types say.
    Readable {
        /// All of it.
        object: Packed<Resource>,
        /// `spec.selector`.
        selector: Option<LabelSelector>,
    },
    /// It is not.
    Unreadable(Box<Unreadable>),
}

impl Rollout {
    /// The Rollout; `None` if it cannot be read.
    #[must_use]
    pub fn object(&self) -> Option<Resource> {
        match self {
            Self::Readable { object, .. } => object.get(),
            Self::Unreadable(_) => None,
        }
    }

    /// `spec.selector`.
    #[must_use]
    pub const fn selector(&self) -> Option<&LabelSelector> {
        match self {
            Self::Readable { selector, .. } => selector.as_ref(),
            Self::Unreadable(_) => None,
        }
    }
}

/// Those of the instance; without an id, those that have none.
pub(super) fn of_instance(instance_id: Option<&str>) -> Option<String> {
    let key = keys::INSTANCE_ID_LABEL;
    Some(instance_id.map_or_else(|| format!("!{key}"), |id| format!("{key}={id}")))
}

fn prune(mut wire: RawObject) -> Entry {
    wire.slim();
    let (content, observed) = match decode(&mut wire) {
        Ok(rollout) => {
            // Where this panics, so does the decision, and that is reported there.
            let observed = bulkhead(|| observed_keys(&rollout)).unwrap_or_default();
            let (object, selector) = (Packed::new(&rollout), rollout.spec.selector);
            (Rollout::Readable { object, selector }, observed)
        }
        Err((object, error)) => {
            let (path, problem) = (error.path().to_string(), error.into_inner().to_string());
            let (id, generation) = (wire.identity(), wire.metadata.generation.unwrap_or_default());
            let unreadable = Unreadable { id, generation, object, path, problem };
            (Rollout::Unreadable(Box::new(unreadable)), ObservedKeys::default())
        }
    };
    Entry { observed, ..Entry::new(&wire, Content::Rollout(Box::new(content))) }
}

type DecodeError = serde_path_to_error::Error<serde_json::Error>;

fn decode(wire: &mut RawObject) -> Result<Resource, (Value, DecodeError)> {
    let mut object = Map::new();
    object.insert("apiVersion".into(), keys::API_VERSION.into());
    object.insert("kind".into(), keys::ROLLOUT.into());
    object.insert("metadata".into(), json!(wire.metadata));
    object.insert("spec".into(), wire.spec.take());
    if !wire.status.is_null() {
        object.insert("status".into(), wire.status.take());
    }
    let object = Value::Object(object);
    serde_path_to_error::deserialize(&object).map_err(|error| (object, error))
}

fn decide(key: &ObjectKey, caches: &Caches, remembered: Remembered, now: Timestamp) -> Deliberation {
    match observe(key, caches, remembered) {
        Observed::Absent => Deliberation::Absent,
        Observed::Unreadable(unreadable) => {
            let plan = planned(ObjectKind::Rollout, || decide_unreadable(&unreadable, now));
            Deliberation::Made { seen: unreadable.id.precondition(), plan }
        }
        Observed::Complete(snapshot) => {
            let seen = Identity::of(&snapshot.rollout).precondition();
            Deliberation::Made { seen, plan: safe_plan(&snapshot, now) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_watches_its_own_rollouts_alone() {
        let key = "argo-rollouts.argoproj.io/controller-instance-id";
        assert_eq!(of_instance(None), Some(format!("!{key}")));
        assert_eq!(of_instance(Some("blue")), Some(format!("{key}=blue")));
    }

    #[test]
    fn a_rollout_that_cannot_be_read_says_where_and_why() {
        let wire = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 2},
            "spec": {"replicas": "three"},
        });
        let entry = prune(serde_json::from_value(wire).expect("an object"));
        let Some(Rollout::Unreadable(unreadable)) = entry.rollout() else { panic!("replicas is no number") };
        assert_eq!((unreadable.path.as_str(), unreadable.generation), ("spec.replicas", 2));
        assert!(unreadable.problem.contains("three"), "{}", unreadable.problem);
        assert_eq!(unreadable.object["spec"]["replicas"], "three");
    }
}
