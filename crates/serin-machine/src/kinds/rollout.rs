//! Rollouts: the primary kind that makes ReplicaSets.

use serde_json::{Map, Value, json};

use super::row::{Demand, KindRow, primary};
use crate::bulkhead::bulkhead;
use crate::content::{Content, Rollout};
use crate::entry::Entry;
use crate::object::RawObject;
use crate::packed::Packed;
use serin_core::api::{Rollout as Resource, keys};
use serin_core::rollout::{ObservedKeys, Unreadable, observed_keys};

/// How Rollouts are watched.
pub(super) const ROW: KindRow = primary(Demand::Always, prune);

fn prune(wire: &mut RawObject) -> Entry {
    wire.slim();
    let (content, observed) = match decode(wire) {
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
    Entry { observed, ..Entry::new(wire, Content::Rollout(Box::new(content))) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_that_cannot_be_read_says_where_and_why() {
        let wire = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1", "generation": 2},
            "spec": {"replicas": "three"},
        });
        let entry = prune(&mut serde_json::from_value(wire).expect("an object"));
        let Some(Rollout::Unreadable(unreadable)) = entry.rollout() else { panic!("replicas is no number") };
        assert_eq!((unreadable.path.as_str(), unreadable.generation), ("spec.replicas", 2));
        assert!(unreadable.problem.contains("three"), "{}", unreadable.problem);
        assert_eq!(unreadable.object["spec"]["replicas"], "three");
    }
}
