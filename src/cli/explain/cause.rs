//! What a Rollout may wait for. Each situation is a variant; what is said about it is in [`words`](super::words).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::lease::Controller;
use super::pods::Trouble;

/// A situation, since when it is so, and when it will be over by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// The situation.
    pub cause: Cause,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// Until when at the latest, or at the earliest where pods have to follow.
    pub until: Option<Timestamp>,
}

/// Why a Rollout is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is being deleted.
    Deletion {
        /// What keeps it from going.
        finalizers: Vec<String>,
    },
    /// Its JSON is not what the kind's types say.
    Unreadable {
        /// Where.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// A change was not looked at by any controller yet.
    Controller {
        /// The generation of the Rollout that nobody has looked at; `None` where only something else is to be done.
        generation: Option<i64>,
        /// What is known of the controller.
        controller: Controller,
        /// The instance that the Rollout belongs to; empty for the one without an id.
        instance: String,
    },
    /// The spec is wrong.
    Spec(Vec<Mistake>),
    /// The spec asks for what is not built.
    Unbuilt {
        /// The fields that do, and what they ask for.
        fields: Vec<(String, &'static str)>,
    },
    /// A Service that it names does not exist.
    NoService {
        /// Its name.
        service: String,
        /// The labels by which the Rollout selects its pods.
        labels: BTreeMap<String, String>,
        /// A port of these pods.
        port: i64,
    },
    /// A Service that it names selects other pods.
    StrayService {
        /// Its name.
        service: String,
        /// The labels that it asks for and that pods of the Rollout do not have so.
        strays: Vec<StrayLabel>,
        /// The labels by which the Rollout selects its pods.
        labels: BTreeMap<String, String>,
    },
    /// An Ingress that it names does not exist.
    NoIngress {
        /// Its name.
        ingress: String,
        /// The Service that it has to send requests to.
        service: String,
        /// A port of that Service.
        port: i64,
    },
    /// An Ingress that it names sends nothing to the stable Service.
    StrayIngress {
        /// Its name.
        ingress: String,
        /// The Service that it has to send requests to.
        service: String,
    },
    /// A Service that it names belongs to another Rollout.
    SharedService {
        /// Its name.
        service: String,
        /// The other Rollout.
        other: String,
        /// Whether that one is there.
        is_there: bool,
    },
    /// The workload that has its template does not exist.
    NoWorkload {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// Another object that it names is missing or wrong.
    Reference {
        /// What is wrong.
        mistakes: Vec<Mistake>,
        /// What has to be changed.
        place: Place,
    },
    /// A router cannot do what is asked for.
    Router {
        /// What it said.
        said: String,
    },
    /// What would have to be done is not safe.
    Guarded {
        /// Why.
        said: String,
    },
    /// The API server refuses a write.
    Refused {
        /// What it said.
        said: String,
    },
    /// The update was given up.
    Aborted {
        /// Why, if not by a user.
        said: String,
        /// Which revision users reach.
        serving: Serving,
        /// How it can be undone for good; `None` where the spec is invalid, so that nothing can be begun.
        way_back: Option<WayBack>,
    },
    /// The spec is invalid, and an update that had begun can be aborted all the same.
    Abortable {
        /// How the update can be undone.
        way_back: WayBack,
    },
    /// A user holds it.
    Held,
    /// A pause of its steps.
    Pause {
        /// The number of the step, from 1.
        step: usize,
        /// How many steps there are.
        steps: usize,
        /// How the update can be undone.
        way_back: WayBack,
    },
    /// The preview waits to become the active revision.
    Promotion {
        /// The Service of the preview, if there is one.
        preview: Option<String>,
        /// `autoPromotionSeconds`, where they are set and have no effect.
        idle_seconds: Option<i32>,
        /// How the update can be undone.
        way_back: WayBack,
    },
    /// An analysis has neither succeeded nor failed.
    Inconclusive {
        /// How the update can be undone.
        way_back: WayBack,
    },
    /// Pods cannot be made.
    NoPods {
        /// The ReplicaSet that tries.
        replica_set: String,
        /// What it was told.
        said: String,
        /// How many of its pods are there.
        has: i32,
        /// How many it is to have.
        wants: i32,
    },
    /// A pod cannot become available.
    Pod {
        /// Its name.
        pod: String,
        /// Its ReplicaSet.
        replica_set: String,
        /// Why.
        trouble: Trouble,
        /// How many pods of the ReplicaSet are in the same trouble, this one included.
        alike: usize,
        /// How it can be undone.
        way_back: WayBack,
    },
    /// It came no further for too long.
    Deadline {
        /// How long it may take.
        seconds: i64,
        /// How it can be undone.
        way_back: WayBack,
    },
    /// A restart waits until pods may be missing.
    Budget {
        /// The `PodDisruptionBudget` that forbids it.
        budget: String,
        /// What it should ask for, as a merge patch of its spec.
        relief: Option<String>,
        /// How many pods are still to be replaced.
        left: usize,
    },
    /// A restart goes on once more pods are available.
    Restart {
        /// How many pods are still to be replaced.
        left: usize,
        /// How many are on their way.
        starting: i32,
    },
    /// Something is to be done now.
    Acts,
    /// The controller of ReplicaSets has not noticed a change.
    Unnoticed {
        /// The ReplicaSet.
        replica_set: String,
    },
    /// Pods are on their way.
    Starts {
        /// Their ReplicaSet.
        replica_set: String,
        /// One of them, if there is one.
        pod: Option<String>,
        /// A container that runs, but is not ready.
        unready: Option<String>,
        /// How many pods are available.
        available: i32,
        /// How many there are to be.
        wants: i32,
    },
    /// Pods are ready, but not for long enough.
    Young {
        /// Their ReplicaSet.
        replica_set: String,
        /// `minReadySeconds`.
        min_ready: SignedDuration,
    },
    /// Nothing has to be done.
    Nothing {
        /// How many pods it has.
        pods: i32,
        /// What the first step of the next update is.
        first: String,
    },
    /// The Rollout takes the place of a workload that has more pods.
    Shrinks {
        /// The workload, with its kind.
        workload: String,
        /// How many pods that has.
        from: i32,
        /// How many the Rollout asks for.
        to: i32,
    },
    /// Old pods stay for a while.
    Delay {
        /// Their ReplicaSet.
        replica_set: String,
        /// How many there are.
        pods: i32,
    },
    /// Old pods are about to end.
    Leaving {
        /// One of them, or their ReplicaSet.
        object: String,
        /// How many there are.
        pods: usize,
    },
    /// None of the above; what the status says.
    Other {
        /// The message of the status.
        message: String,
    },
}

/// A mistake in the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The field.
    pub path: String,
    /// The value that it has, as JSON; empty if it has none.
    pub value: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// A label that a Service asks for and that pods do not have so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StrayLabel {
    /// The label.
    pub key: String,
    /// The value that the Service asks for.
    pub asked: String,
    /// The value that the pods have; `None` where they do not have the label.
    pub has: Option<String>,
}

/// Where something has to be changed that a Rollout takes from another object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the Rollout.
    Rollout,
    /// In the object of that kind and name.
    Object {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// In the rights of the controller.
    Rights,
}

/// A revision of a Rollout, and its pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Revision {
    /// Its name: the hash of its template.
    pub hash: String,
    /// Its number, where its ReplicaSet says it.
    pub number: Option<i64>,
    /// How many of its pods are available.
    pub available: i32,
    /// How many it is to have.
    pub wants: i32,
}

/// Which revision users reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Serving {
    /// The stable one.
    Stable(Revision),
    /// The newest one alone, though it is not the stable one.
    New {
        /// The newest revision.
        new: Revision,
        /// The stable one.
        stable: Revision,
    },
    /// Both, each a share.
    Both(Revision),
    /// None of them has an available pod that users reach.
    Neither,
}

/// How an update can be undone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct WayBack {
    /// The stable revision, if the update is to another one, and its ReplicaSet is there.
    pub stable: Option<Revision>,
    /// How many pods of the newest revision are available.
    pub new_available: i32,
    /// Whether the update was aborted.
    pub is_aborted: bool,
    /// A container of the template.
    pub container: String,
}

impl WayBack {
    /// Where a rollback goes: always to the stable revision, never to one that was not promoted. `None` where there is no
    /// other revision, and where going back would take away the only pods that are available.
    #[must_use]
    pub(super) fn target(&self) -> Option<&Revision> {
        self.stable.as_ref().filter(|_| !self.only_new_serves())
    }

    /// Whether the stable revision is to have pods, none of which is available, while the newest one has some.
    #[must_use]
    pub(super) fn only_new_serves(&self) -> bool {
        let fails = |stable: &Revision| stable.wants > 0 && stable.available == 0;
        self.new_available > 0 && self.stable.as_ref().is_some_and(fails)
    }
}

impl Cause {
    /// Whether the spec, or an object that it names, has to be corrected before an update can go on.
    #[must_use]
    pub(super) const fn is_about_spec(&self) -> bool {
        match self {
            Self::Spec(_)
            | Self::Unbuilt { .. }
            | Self::NoService { .. }
            | Self::StrayService { .. }
            | Self::SharedService { .. }
            | Self::NoIngress { .. }
            | Self::StrayIngress { .. }
            | Self::NoWorkload { .. }
            | Self::Reference { .. }
            | Self::Router { .. } => true,
            Self::Deletion { .. }
            | Self::Unreadable { .. }
            | Self::Controller { .. }
            | Self::Guarded { .. }
            | Self::Refused { .. }
            | Self::Aborted { .. }
            | Self::Abortable { .. }
            | Self::Held
            | Self::Pause { .. }
            | Self::Promotion { .. }
            | Self::Inconclusive { .. }
            | Self::NoPods { .. }
            | Self::Pod { .. }
            | Self::Deadline { .. }
            | Self::Budget { .. }
            | Self::Restart { .. }
            | Self::Acts
            | Self::Unnoticed { .. }
            | Self::Starts { .. }
            | Self::Young { .. }
            | Self::Nothing { .. }
            | Self::Shrinks { .. }
            | Self::Delay { .. }
            | Self::Leaving { .. }
            | Self::Other { .. } => false,
        }
    }
}

impl Finding {
    pub(super) const fn of(cause: Cause) -> Self {
        Self { cause, since: None, until: None }
    }

    pub(super) fn since(self, since: Option<Timestamp>) -> Self {
        Self { since, ..self }
    }

    pub(super) fn until(self, until: Option<Timestamp>) -> Self {
        Self { until, ..self }
    }
}
