//! Causes for the state of a Rollout, one variant each.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::lease::Controller;
use super::pods::Trouble;
use serin_core::domain::pause::Promotion;

/// A cause with its start and its expected end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// The start, if known.
    pub since: Option<Timestamp>,
    /// The latest end, or the earliest end if pods must follow.
    pub until: Option<Timestamp>,
}

/// The cause for the state of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The Rollout is being deleted.
    Deletion {
        /// The finalizers that block the deletion.
        finalizers: Vec<String>,
    },
    /// The JSON of the Rollout does not match the types of the kind.
    Unreadable {
        /// The path.
        path: String,
        /// The problem.
        problem: String,
    },
    /// No controller has seen a change yet.
    Controller {
        /// The generation that no controller has seen; `None` if there is only other work to do.
        generation: Option<i64>,
        /// The state of the controller.
        controller: Controller,
        /// The instance of the Rollout; empty for the instance without an id.
        instance: String,
    },
    /// The spec is invalid.
    Spec(Vec<Mistake>),
    /// The spec uses features that are not built.
    Unbuilt {
        /// The fields, and the features that they ask for.
        fields: Vec<(String, &'static str)>,
    },
    /// A referenced Service does not exist.
    NoService {
        /// Its name.
        service: String,
        /// The selector labels of the Rollout.
        labels: BTreeMap<String, String>,
        /// A port of its pods.
        port: i64,
    },
    /// A referenced Service selects other pods.
    StrayService {
        /// Its name.
        service: String,
        /// The selector labels of the Service that the Rollout's pods do not match.
        strays: Vec<StrayLabel>,
        /// The selector labels of the Rollout.
        labels: BTreeMap<String, String>,
    },
    /// A referenced Ingress does not exist.
    NoIngress {
        /// Its name.
        ingress: String,
        /// The Service that its rules must use.
        service: String,
        /// A port of that Service.
        port: i64,
    },
    /// A referenced Ingress does not use the stable Service.
    StrayIngress {
        /// Its name.
        ingress: String,
        /// The Service that its rules must use.
        service: String,
    },
    /// A referenced Service belongs to another Rollout.
    SharedService {
        /// Its name.
        service: String,
        /// The other Rollout.
        other: String,
        /// True if the other Rollout exists.
        is_there: bool,
    },
    /// The workload of `workloadRef` does not exist.
    NoWorkload {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// Another referenced object is missing or invalid.
    Reference {
        /// The problems.
        mistakes: Vec<Mistake>,
        /// The place of the correction.
        place: Place,
    },
    /// The router cannot apply the weights.
    Router {
        /// The router's message.
        said: String,
    },
    /// The guard refused the plan as unsafe.
    Guarded {
        /// The guard's reason.
        said: String,
    },
    /// The API server refuses a write.
    Refused {
        /// The API server's message.
        said: String,
    },
    /// The update was aborted.
    Aborted {
        /// The reason, unless a user aborted it.
        said: String,
        /// The revision that users reach.
        serving: Serving,
        /// The rollback; `None` if the spec is invalid, so that no update can start.
        way_back: Option<WayBack>,
    },
    /// The spec is invalid, but the started update can still be aborted.
    Abortable {
        /// The rollback.
        way_back: WayBack,
    },
    /// A user paused the Rollout with `spec.paused`.
    Held,
    /// A pause step.
    Pause {
        /// The step number, from 1.
        step: usize,
        /// The number of steps.
        steps: usize,
        /// The rollback.
        way_back: WayBack,
    },
    /// The preview waits for its promotion.
    Promotion {
        /// The preview Service, if there is one.
        preview: Option<String>,
        /// `autoPromotionSeconds`, if it is set but has no effect.
        idle_seconds: Option<i32>,
        /// The rollback.
        way_back: WayBack,
    },
    /// An analysis was inconclusive.
    Inconclusive {
        /// The rollback.
        way_back: WayBack,
    },
    /// Pods cannot be created.
    NoPods {
        /// The ReplicaSet.
        replica_set: String,
        /// The API server's message.
        said: String,
        /// The number of existing pods.
        has: i32,
        /// The number of wanted pods.
        wants: i32,
    },
    /// A pod cannot become available.
    Pod {
        /// Its name.
        pod: String,
        /// Its ReplicaSet.
        replica_set: String,
        /// The reason.
        trouble: Trouble,
        /// The number of pods of the ReplicaSet with the same problem, including this one.
        alike: usize,
        /// The rollback.
        way_back: WayBack,
    },
    /// The progress deadline has passed.
    Deadline {
        /// The deadline.
        seconds: i64,
        /// The rollback.
        way_back: WayBack,
    },
    /// A restart waits because no pod may be unavailable.
    Budget {
        /// The `PodDisruptionBudget` that forbids evictions.
        budget: String,
        /// The correction, as a merge patch of the budget's spec.
        relief: Option<String>,
        /// The number of pods that are not replaced yet.
        left: usize,
    },
    /// A restart continues when more pods are available.
    Restart {
        /// The number of pods that are not replaced yet.
        left: usize,
        /// The number of starting pods.
        starting: i32,
    },
    /// The controller is about to act.
    Acts,
    /// The ReplicaSet controller has not seen a change yet.
    Unnoticed {
        /// The ReplicaSet.
        replica_set: String,
    },
    /// Pods are starting.
    Starts {
        /// Their ReplicaSet.
        replica_set: String,
        /// One of the pods, if there is one.
        pod: Option<String>,
        /// A container that runs but is not ready.
        unready: Option<String>,
        /// The number of available pods.
        available: i32,
        /// The number of wanted pods.
        wants: i32,
    },
    /// Pods are ready, but not yet for `minReadySeconds`.
    Young {
        /// Their ReplicaSet.
        replica_set: String,
        /// `minReadySeconds`.
        min_ready: SignedDuration,
    },
    /// There is nothing to do.
    Nothing {
        /// The number of pods.
        pods: i32,
        /// The first action of the next update.
        first: FirstStep,
    },
    /// The Rollout replaces a workload that has more pods.
    Shrinks {
        /// Kind and name of the workload.
        workload: String,
        /// The number of its pods.
        from: i32,
        /// The number of pods that the Rollout asks for.
        to: i32,
    },
    /// Old pods are kept until a delay has passed.
    Delay {
        /// Their ReplicaSet.
        replica_set: String,
        /// The number of pods.
        pods: i32,
    },
    /// Old pods are terminating.
    Leaving {
        /// One of the pods, or their ReplicaSet.
        object: String,
        /// The number of pods.
        pods: usize,
    },
    /// None of the other causes applies.
    Other {
        /// The message of the status.
        message: String,
    },
}

/// The first action after a change of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstStep {
    /// A canary gets this share of traffic first.
    Weight(i32),
    /// Pods are replaced at once, within `maxSurge` and `maxUnavailable`.
    Replace,
    /// The new revision starts beside the old one, and takes over after its promotion.
    Preview(Promotion),
}

/// A mistake in the spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The field.
    pub path: String,
    /// The value as JSON; empty if there is none.
    pub value: String,
    /// The problem and its remedy.
    pub problem: String,
}

/// A selector label of a Service that pods do not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrayLabel {
    /// The label key.
    pub key: String,
    /// The value in the Service.
    pub asked: String,
    /// The value on the pods; `None` if they do not have the label.
    pub has: Option<String>,
}

/// The place of a correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The Rollout.
    Rollout,
    /// The object of that kind and name.
    Object {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The RBAC rules of the controller.
    Rights,
}

/// A revision of a Rollout, and its pod counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revision {
    /// The hash of its template.
    pub hash: String,
    /// The revision number, if its ReplicaSet has one.
    pub number: Option<i64>,
    /// The number of available pods.
    pub available: i32,
    /// The number of wanted pods.
    pub wants: i32,
}

/// The revision that users reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serving {
    /// The stable revision.
    Stable(Revision),
    /// The newest revision only, although it is not stable.
    New {
        /// The newest revision.
        new: Revision,
        /// The stable revision.
        stable: Revision,
    },
    /// Both, each for a share of the requests.
    Both(Revision),
    /// No available pod that users reach.
    Neither,
}

/// The possible rollback of an update.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WayBack {
    /// The stable revision, if the update is to another one and its ReplicaSet exists.
    pub stable: Option<Revision>,
    /// The number of available pods of the newest revision.
    pub new_available: i32,
    /// True if the update was aborted.
    pub is_aborted: bool,
    /// A container of the template.
    pub container: String,
}

impl WayBack {
    /// The revision to roll back to: always the stable one, never one that was not promoted. `None` if there is no
    /// other revision, and if a rollback would remove the only available pods.
    #[must_use]
    pub fn target(&self) -> Option<&Revision> {
        self.stable.as_ref().filter(|_| !self.only_new_serves())
    }

    /// True if the stable revision wants pods and has none available, while the newest revision has some.
    #[must_use]
    pub fn only_new_serves(&self) -> bool {
        let fails = |stable: &Revision| stable.wants > 0 && stable.available == 0;
        self.new_available > 0 && self.stable.as_ref().is_some_and(fails)
    }
}

impl Cause {
    /// True if the spec or a referenced object must be corrected before an update can continue.
    #[must_use]
    pub const fn is_about_spec(&self) -> bool {
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
    /// A cause without start and end.
    #[must_use]
    pub const fn of(cause: Cause) -> Self {
        Self { cause, since: None, until: None }
    }

    /// The same, with its start.
    #[must_use]
    pub fn since(self, since: Option<Timestamp>) -> Self {
        Self { since, ..self }
    }

    /// The same, with its end.
    #[must_use]
    pub fn until(self, until: Option<Timestamp>) -> Self {
        Self { until, ..self }
    }
}
