//! A line of the table of kinds, and what lines have in common.

use serde_json::json;

use crate::content::Content;
use crate::entry::Entry;
use crate::object::RawObject;
use crate::packed::Packed;
use serin_core::analysis;
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

/// When a kind is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Always; nothing is decided before it has been listed.
    Always,
    /// Always, for its own sake: where it cannot be, all others are decided on without it.
    Own,
    /// While a primary object looks at one of it.
    WhenNamed,
}

/// What of an object is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// `metadata`.
    Metadata,
}

/// Which objects of a kind are watched, by their labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// All.
    Any,
    /// Those of the controller's instance; without an instance id, those that have none.
    Instance,
    /// Those with the hash label.
    Hash,
    /// Those with the label of an AnalysisRun.
    AnalysisRun,
}

impl Labels {
    /// The label selector of a controller of that instance, if not all objects are watched.
    #[must_use]
    pub fn selector(self, instance_id: Option<&str>) -> Option<String> {
        let key = keys::INSTANCE_ID_LABEL;
        match self {
            Self::Any => None,
            Self::Instance => Some(instance_id.map_or_else(|| format!("!{key}"), |id| format!("{key}={id}"))),
            Self::Hash => Some(keys::POD_HASH_LABEL.to_owned()),
            Self::AnalysisRun => Some(analysis::UID_LABEL.to_owned()),
        }
    }
}

/// A line of the table.
pub struct KindRow {
    /// When it is watched.
    pub demand: Demand,
    /// What of it is asked for.
    pub extent: Extent,
    /// Which objects of the kind are watched.
    pub labels: Labels,
    /// What is kept of an object.
    pub prune: fn(&mut RawObject) -> Entry,
    /// Whether a decision that was made on the second state may be a different one now that it is the first.
    pub differs: fn(&Entry, &Entry) -> bool,
    /// Whether it is a primary kind, which is decided on.
    pub is_primary: bool,
}

/// All of an object of `kind` but what nobody reads, as JSON. The API version is left out: it is the one that is served.
pub(crate) fn whole(kind: ObjectKind, object: &mut RawObject) -> Entry {
    object.slim();
    let RawObject { metadata, spec, status, .. } = &*object;
    let json = json!({"kind": kind.name(), "metadata": metadata, "spec": spec, "status": status});
    Entry::new(object, Content::Json(Packed::new(&json)))
}

/// A primary kind of which a controller watches the objects of its instance.
#[must_use]
pub(crate) const fn primary(demand: Demand, prune: fn(&mut RawObject) -> Entry) -> KindRow {
    KindRow { demand, labels: Labels::Instance, is_primary: true, ..named(prune) }
}

/// A kind that is watched while it is named, all objects of it; any other version of an object differs.
#[must_use]
pub(crate) const fn named(prune: fn(&mut RawObject) -> Entry) -> KindRow {
    KindRow {
        demand: Demand::WhenNamed,
        extent: Extent::Whole,
        labels: Labels::Any,
        prune,
        differs: Entry::is_other_version,
        is_primary: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_watches_its_own_rollouts_alone() {
        let key = "argo-rollouts.argoproj.io/controller-instance-id";
        assert_eq!(Labels::Instance.selector(None), Some(format!("!{key}")));
        assert_eq!(Labels::Instance.selector(Some("blue")), Some(format!("{key}=blue")));
    }
}
