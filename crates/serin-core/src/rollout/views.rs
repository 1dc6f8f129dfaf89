//! What a ReplicaSet's labels and annotations say, in values instead of text.

use jiff::Timestamp;

use super::snapshot::ReplicaSetView;
use crate::api::keys;
use crate::domain::template::{self, EphemeralMetadata};

impl ReplicaSetView {
    /// The value of the hash label: which revision the ReplicaSet runs.
    pub(super) fn hash(&self) -> &str {
        self.labels.get(keys::POD_HASH_LABEL).map_or("", String::as_str)
    }

    /// The revision annotation; 0 where it is absent or no number.
    pub(super) fn revision(&self) -> i64 {
        self.annotations.get(keys::REVISION).and_then(|r| r.parse().ok()).unwrap_or(0)
    }

    /// The Rollout's size when the ReplicaSet was last scaled.
    pub(super) fn desired_replicas(&self) -> Option<i32> {
        self.annotations.get(keys::DESIRED_REPLICAS).and_then(|r| r.parse().ok())
    }

    /// The time at which it is to be scaled to 0.
    pub(super) fn deadline(&self) -> Deadline {
        match self.annotations.get(keys::SCALE_DOWN_DEADLINE) {
            None => Deadline::None,
            Some(text) => text.parse().map_or(Deadline::Unreadable, Deadline::At),
        }
    }

    /// The ephemeral metadata that was put on it.
    pub(super) fn injected(&self) -> EphemeralMetadata {
        EphemeralMetadata::recorded(&self.annotations)
    }

    /// The digest of the template that this controller created it for; nothing for a ReplicaSet of another one.
    pub(super) fn template_digest(&self) -> Option<&str> {
        let digest = self.annotations.get(keys::TEMPLATE_DIGEST).map(String::as_str);
        digest.filter(|digest| template::is_digest(digest))
    }

    /// Whether it has pods, or is to have some.
    pub(super) fn has_pods(&self) -> bool {
        self.replicas > 0 || self.status.replicas > 0
    }

    /// Whether all of the pods that the Rollout asks for are there and available.
    pub(super) fn is_saturated(&self, replicas: i32) -> bool {
        self.replicas == replicas
            && self.desired_replicas() == Some(replicas)
            && self.status.available == replicas
    }
}

/// The sum of counts; one beyond 32 bits is cut.
pub(super) fn total(counts: impl Iterator<Item = i32>) -> i32 {
    counts.fold(0, i32::saturating_add)
}

/// The `scale-down-deadline` annotation of a ReplicaSet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deadline {
    None,
    At(Timestamp),
    /// It is no time in RFC 3339.
    Unreadable,
}
