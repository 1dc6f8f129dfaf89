//! What a decision may ask for: a [`Plan`] of [`Op`]s in [`Stage`]s, closed by a status write.
//!
//! A plan is data. It names every object that it touches together with the uid and resourceVersion that it was
//! decided on, so that a write which is late or duplicated fails instead of doing harm. What is no write is an
//! [`Effect`]. Nothing in here sends anything.

use jiff::Timestamp;
use serde_json::Value;

use super::effect::Effect;
use super::event::EventNote;
pub use super::kind::ObjectKind;
use crate::api::rollout_status::RolloutDuration;

/// Which object, in which state, a write was decided on. The API server answers 409 when either differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
}

/// The request that an op makes.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// POST of a whole object; its name is fixed, so that a repeated request cannot make a second object.
    Create {
        /// The object.
        body: Value,
    },
    /// JSON merge patch (RFC 7386) of the object's main resource.
    Patch {
        /// What it was decided on.
        precondition: Precondition,
        /// The patch, without preconditions: the shell adds them.
        patch: Value,
    },
    /// DELETE in the background.
    Delete {
        /// What it was decided on.
        precondition: Precondition,
    },
    /// Eviction of a Pod, which a PodDisruptionBudget may refuse for a while.
    Evict {
        /// What it was decided on.
        precondition: Precondition,
        /// The name of the ReplicaSet that replaces the Pod.
        replica_set: String,
        /// How many available Pods that ReplicaSet reported when it was decided. Until it reports fewer, its counts are of
        /// before the eviction.
        available: i32,
    },
}

/// What an op is for; `guard` judges it and people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Write `spec.replicas` into a Rollout that does not set it, so that the scale subresource works.
    DefaultReplicas(i32),
    /// Record the revision number on the Rollout.
    RecordRevision(i64),
    /// Record the generation of the workload that the template comes from on the Rollout.
    RecordWorkload(i64),
    /// Take an orphaned ReplicaSet that the selector matches.
    AdoptReplicaSet,
    /// Make the ReplicaSet of a revision.
    CreateReplicaSet,
    /// Make a Job that measures.
    CreateJob,
    /// Delete a Job whose measurement is of no interest any more.
    DeleteJob,
    /// Bring a ReplicaSet's annotations, anti-affinity or `minReadySeconds` in line with the Rollout.
    SyncReplicaSet,
    /// Change a ReplicaSet's size.
    ScaleReplicaSet {
        /// `spec.replicas` before.
        from: i32,
        /// `spec.replicas` after.
        to: i32,
    },
    /// Let the Deployment that the template comes from give up pods that the Rollout has in their place.
    ScaleWorkload {
        /// `spec.replicas` before.
        from: i32,
        /// `spec.replicas` after; less than before.
        to: i32,
    },
    /// Write the time at which a ReplicaSet is to be scaled to 0.
    DelayScaleDown(Timestamp),
    /// Take back such a time.
    KeepReplicaSet,
    /// Delete the primary object, whose time to live is over.
    DeleteExpired,
    /// Delete a ReplicaSet that the revision history has no room for.
    DeleteReplicaSet,
    /// Put ephemeral metadata on a ReplicaSet's template.
    LabelReplicaSet,
    /// Put ephemeral metadata on a live Pod.
    LabelPod,
    /// Have a Pod replaced by a new one, because the Rollout is to be restarted.
    EvictPod,
    /// Point a Service at a revision.
    PointService {
        /// The hash that the selector had, empty if none.
        from: String,
        /// The hash that it gets.
        to: String,
    },
    /// Take the revision out of the selector of a Service that the Rollout no longer names.
    ReleaseService,
    /// Give the canary a share of the traffic.
    Route {
        /// The canary's weight.
        weight: i32,
    },
}

/// The order in which the parts of a plan are carried out; each is a barrier for the next.
///
/// Every op is justified by the snapshot alone, never by an earlier op of the same plan, so a crash between any
/// two is harmless; the order only keeps the Events in the order in which users know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageName {
    /// Nothing is written; the Rollout is seen for the first time.
    Announce,
    /// ReplicaSets are created, adopted and described.
    Create,
    /// Services are pointed at revisions.
    Point,
    /// Traffic is moved.
    Route,
    /// ReplicaSets change size, ephemeral metadata follows, old ones are deleted.
    Scale,
    /// Live Pods get the metadata of their role, or are evicted; a Deployment gives up pods. Comes after the status,
    /// since nothing waits for it and since these objects change all the time, so that a conflict says nothing about
    /// the rest.
    Pods,
}

impl Purpose {
    /// The stage that ops of this purpose belong to.
    #[must_use]
    pub const fn stage(&self) -> StageName {
        match self {
            Self::DefaultReplicas(_)
            | Self::RecordRevision(_)
            | Self::RecordWorkload(_)
            | Self::AdoptReplicaSet
            | Self::CreateReplicaSet
            | Self::CreateJob
            | Self::SyncReplicaSet => StageName::Create,
            Self::PointService { .. } | Self::ReleaseService => StageName::Point,
            Self::Route { .. } => StageName::Route,
            Self::ScaleReplicaSet { .. }
            | Self::DelayScaleDown(_)
            | Self::KeepReplicaSet
            | Self::LabelReplicaSet
            | Self::DeleteExpired
            | Self::DeleteJob
            | Self::DeleteReplicaSet => StageName::Scale,
            Self::LabelPod | Self::EvictPod | Self::ScaleWorkload { .. } => StageName::Pods,
        }
    }
}

/// One request on one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Op {
    /// The object's kind.
    pub kind: ObjectKind,
    /// The object's namespace; that of the object which the plan is about if not set.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
    /// What is sent.
    pub action: Action,
    /// What it is for; several when one request serves several ends.
    pub purposes: Vec<Purpose>,
    /// Sent once the request has succeeded.
    pub events: Vec<EventNote>,
}

impl Op {
    /// The last stage that any of the op's purposes belongs to.
    #[must_use]
    pub fn stage(&self) -> StageName {
        self.purposes.iter().map(Purpose::stage).max().unwrap_or(StageName::Create)
    }
}

/// Ops that do not depend on each other, and the Events that follow when all have succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Which stage it is.
    pub name: StageName,
    /// Its ops; none may be there for the sake of `events` alone.
    pub ops: Vec<Op>,
    /// Sent after the ops.
    pub events: Vec<EventNote>,
}

/// The write of the Rollout's status that closes a plan: merge patches of the whole object, `{"status": …}`.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusWrite {
    /// The whole difference; written when every stage succeeded. Null when there is none.
    pub patch: Value,
    /// Only what was observed (counts, conditions); written when a stage failed, so that a failure reports
    /// itself without pretending progress. Null when there is none.
    pub observed: Value,
    /// What was observed and the weights; written when traffic was moved and a later stage failed. Null when the
    /// weights do not change.
    pub routed: Value,
    /// Whether a difference is kept for a later write, because nobody waits for it; `patch` is null then.
    pub held: bool,
    /// Told once `patch` was written (or at once where it is null), before the Events of the ops of this plan: what
    /// has ended with it.
    pub first: Vec<EventNote>,
    /// Told once `patch` was written (or at once where it is null).
    pub events: Vec<EventNote>,
    /// The update that has ended when `patch` is written: how, and how long it took.
    pub ended: Option<RolloutDuration>,
}

impl StatusWrite {
    /// No write, and nothing to tell.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            patch: Value::Null,
            observed: Value::Null,
            routed: Value::Null,
            held: false,
            first: Vec::new(),
            events: Vec::new(),
            ended: None,
        }
    }
}

/// When to decide again even if nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Only when an object changes.
    OnChange,
    /// At that time at the latest.
    At(Timestamp),
}

impl Wake {
    /// The earlier of the two.
    #[must_use]
    pub fn earliest(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
            (Self::At(a), Self::OnChange) | (Self::OnChange, Self::At(a)) => Self::At(a),
            (Self::OnChange, Self::OnChange) => Self::OnChange,
        }
    }
}

/// What to do now about a primary object, and when to look again.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The state of the primary object that was decided on.
    pub seen: Precondition,
    /// In the order in which they are carried out; empty ones are left out.
    pub stages: Vec<Stage>,
    /// Written last.
    pub status: StatusWrite,
    /// The effects that are to be running once all this was carried out; others of the same primary object are cancelled.
    pub effects: Vec<Effect>,
    /// Why things are as they are, for the log and for explanations.
    pub notes: Vec<String>,
    /// When to decide again.
    pub wake: Wake,
}

impl Plan {
    /// A plan that asks for nothing.
    #[must_use]
    pub fn nothing(seen: Precondition) -> Self {
        Self {
            seen,
            stages: Vec::new(),
            status: StatusWrite::nothing(),
            effects: Vec::new(),
            notes: Vec::new(),
            wake: Wake::OnChange,
        }
    }

    /// Whether carrying it out would send no request at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.iter().all(|s| s.ops.is_empty() && s.events.is_empty())
            && self.status.patch.is_null()
            && self.status.first.is_empty()
            && self.status.events.is_empty()
    }

    /// All ops, in order.
    pub fn ops(&self) -> impl Iterator<Item = &Op> {
        self.stages.iter().flat_map(|s| &s.ops)
    }
}
