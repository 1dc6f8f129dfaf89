//! A spec that can be carried out, in values: every default is filled in, and every fact that follows from several fields is
//! derived. Decisions read nothing else of a spec.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::phase::Target;
use crate::api::rollout_status::{PauseCondition, PingPongSide};
use crate::api::strategy::{AntiAffinity, PingPong};
use crate::api::{
    BlueGreenStrategy, CanaryStep, CanaryStrategy, LabelSelector, PodTemplate, Rollout, RolloutSpec,
    StepKind, TemplateMetadata, Time,
};
use crate::domain::affinity::Strictness;
use crate::domain::hash;
use crate::domain::pause::{self, Promotion};
use crate::domain::replicas::{AbortDelay, Fenceposts, StepSize, Threshold};
use crate::domain::spec::restart_limit;
use crate::domain::template::EphemeralMetadata;
use crate::domain::workload::{ScaleDown, WorkloadName};
use crate::traffic::{self, Router};

/// A Rollout whose spec is valid. [`validate`](super::validate::validate) makes it.
#[derive(Debug)]
pub struct ValidRollout<'a> {
    metadata: &'a ObjectMeta,
    spec: &'a RolloutSpec,
    /// Pods that it wants; 1 if the spec sets no number.
    pub replicas: i32,
    /// Which pods belong to it; absent only where the workload gives it, and that is not known.
    pub selector: Option<&'a LabelSelector>,
    /// The pods to run; empty where the workload gives them, and that is not known.
    pub template: &'a PodTemplate,
    /// The workload whose template it runs.
    pub workload: Option<Workload>,
    /// Seconds that a pod must be ready before it counts as available.
    pub min_ready_seconds: i32,
    /// Whether the user holds it where it is.
    pub is_paused: bool,
    /// Pods created before this time are replaced, once it has come.
    pub restart_at: Option<&'a Time>,
    /// Old ReplicaSets to keep.
    pub history_limit: usize,
    /// How long an update may come no further before it counts as stuck.
    pub progress_deadline: SignedDuration,
    /// Whether passing the deadline aborts the update.
    pub aborts_at_deadline: bool,
    /// Number of recent revisions to which a rollback is fast; 0 for none.
    pub rollback_revisions: i32,
    /// Whether pods are wanted, and the limits of an update do not allow all of them to be missing.
    pub must_have_pods: bool,
    /// How a new revision takes over.
    pub strategy: Strategy<'a>,
}

/// The workload whose template a Rollout runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Which one it is.
    pub name: WorkloadName,
    /// When its own pods go.
    pub scale_down: ScaleDown,
}

/// How a new revision takes over.
#[derive(Debug)]
pub enum Strategy<'a> {
    /// It gets a growing share of pods or of traffic.
    Canary(Canary<'a>),
    /// It is made whole beside the old one.
    BlueGreen(BlueGreen<'a>),
}

/// The canary strategy.
#[derive(Debug)]
pub struct Canary<'a> {
    /// What happens between the start of an update and its end.
    pub steps: Vec<StepKind<'a>>,
    /// The identity of the list of steps.
    pub step_hash: String,
    /// What each step says about sizes and weights.
    pub step_sizes: Vec<StepSize>,
    /// Service that selects the stable revision.
    pub stable_service: Option<&'a str>,
    /// Service that selects the new revision.
    pub canary_service: Option<&'a str>,
    /// Two Services that take turns in being the stable one.
    pub ping_pong: Option<&'a PingPong>,
    /// Whether a router splits the traffic, rather than the numbers of pods.
    pub is_routed: bool,
    /// What splits the traffic.
    pub routers: Vec<Router<'a>>,
    /// The weight that stands for all traffic.
    pub total_weight: i32,
    /// Pods that may be too many, and those that may be missing, during an update.
    pub limits: Fenceposts,
    /// Least number of pods of a ReplicaSet that serves; only with a router.
    pub min_pods: Option<i32>,
    /// Whether the stable revision shrinks while the canary grows.
    pub is_stable_dynamic: bool,
    /// How many available pods are enough for a revision to count as available.
    pub threshold: Threshold,
    /// When the pods of old revisions go; only with a router.
    pub scale_down: ScaleDownDelay,
    /// How long an aborted revision keeps its share of pods.
    pub abort_delay: AbortDelay,
    /// Seconds for which an aborted revision keeps its size; `None` where it is scaled like others.
    pub abort_hold_seconds: Option<i32>,
    /// What is common to both strategies.
    pub common: Common,
}

/// The blue-green strategy.
#[derive(Debug)]
pub struct BlueGreen<'a> {
    /// Service that carries the users' traffic.
    pub active_service: &'a str,
    /// Service that selects the new revision before it is promoted.
    pub preview_service: Option<&'a str>,
    /// Number of pods of the new revision before it is promoted; that of the Rollout if not set.
    pub preview_replicas: Option<i32>,
    /// What the promotion waits for.
    pub promotion: Promotion,
    /// When the pods of old revisions go.
    pub scale_down: ScaleDownDelay,
    /// Seconds for which an aborted revision keeps its pods; `None` where it is scaled like others.
    pub abort_hold_seconds: Option<i32>,
    /// What is common to both strategies.
    pub common: Common,
}

/// What is common to both strategies.
#[derive(Debug)]
pub struct Common {
    /// Labels and annotations of pods while their revision serves by default.
    pub stable_metadata: EphemeralMetadata,
    /// Labels and annotations of pods while their revision is on trial.
    pub trial_metadata: EphemeralMetadata,
    /// How strictly pods of two revisions are kept apart; not at all if not set.
    pub anti_affinity: Option<Strictness>,
    /// Pods that may be missing during a restart.
    pub restart_limit: i32,
    /// Whether `maxUnavailable` is set.
    pub sets_max_unavailable: bool,
}

/// When the pods of old revisions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleDownDelay {
    /// Seconds that they stay; at once if not positive.
    pub seconds: i32,
    /// Number of revisions that may wait at a time; unlimited if not set.
    pub revisions: Option<i32>,
}

impl<'a> ValidRollout<'a> {
    /// Reads a spec in which nothing was found to be wrong. `None` if it has no strategy, or two.
    pub(super) fn read(rollout: &'a Rollout) -> Option<Self> {
        let spec = &rollout.spec;
        let replicas = spec.desired_replicas();
        let strategy = match (&spec.strategy.canary, &spec.strategy.blue_green) {
            (Some(canary), None) => Strategy::Canary(Canary::read(rollout, canary, replicas)),
            (None, Some(blue_green)) => Strategy::BlueGreen(BlueGreen::read(blue_green, replicas)),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        let workload = spec.workload_ref.as_ref().and_then(|reference| {
            let (name, scale_down) = (WorkloadName::of(reference)?, ScaleDown::of(reference)?);
            Some(Workload { name, scale_down })
        });
        Some(Self {
            metadata: &rollout.metadata,
            spec,
            replicas,
            selector: spec.selector.as_ref(),
            template: &spec.template,
            workload,
            min_ready_seconds: spec.min_ready_seconds,
            is_paused: spec.paused,
            restart_at: spec.restart_at.as_ref(),
            history_limit: usize::try_from(spec.history_limit()).unwrap_or(0),
            progress_deadline: spec.progress_deadline(),
            aborts_at_deadline: spec.progress_deadline_abort,
            rollback_revisions: spec.rollback_revisions(),
            must_have_pods: spec.must_have_pods(),
            strategy,
        })
    }

    /// Whether the spec sets a number of pods.
    #[must_use]
    pub fn is_sized(&self) -> bool {
        self.spec.replicas.is_some()
    }

    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// `metadata.namespace`.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a str> {
        self.metadata.namespace.as_deref()
    }

    /// `metadata.uid`.
    #[must_use]
    pub fn uid(&self) -> &'a str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// `metadata.generation`.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    /// An annotation of it.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.annotations().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Its annotations.
    pub fn annotations(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.metadata.annotations.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// What is common to both strategies.
    #[must_use]
    pub fn common(&self) -> &Common {
        match &self.strategy {
            Strategy::Canary(canary) => &canary.common,
            Strategy::BlueGreen(blue_green) => &blue_green.common,
        }
    }

    /// The metadata of both roles together.
    #[must_use]
    pub fn metadata_of_roles(&self) -> EphemeralMetadata {
        let Common { stable_metadata, trial_metadata, .. } = self.common();
        let mut all = trial_metadata.clone();
        all.labels.extend(stable_metadata.labels.clone());
        all.annotations.extend(stable_metadata.annotations.clone());
        all
    }

    /// Whether users reach it through the Service whatever the weights are.
    #[must_use]
    pub fn carries_users(&self, service: &str, stable: Option<PingPongSide>) -> bool {
        self.spec.strategy.carries_users(service, stable)
    }

    /// When a pause ends by itself that an update has at the step of that index; never where only a user ends it.
    #[must_use]
    pub fn pause_end(&self, step: Option<usize>, pause: &PauseCondition) -> Option<Timestamp> {
        pause::end(&self.spec.strategy, step, pause)
    }

    /// What phase and message depend on.
    #[must_use]
    pub fn target(&self) -> Target<'a> {
        Target::of(self.spec)
    }
}

impl<'a> Canary<'a> {
    fn read(rollout: &'a Rollout, canary: &'a CanaryStrategy, replicas: i32) -> Self {
        let steps = Some(&canary.steps).filter(|steps| !steps.is_empty());
        let steps = steps.and_then(|steps| serde_json::to_value(steps).ok());
        Self {
            steps: canary.steps.iter().filter_map(CanaryStep::kind).collect(),
            step_hash: hash::step_hash(steps.as_ref()),
            step_sizes: canary.step_sizes(),
            stable_service: canary.stable_service.as_deref(),
            canary_service: canary.canary_service.as_deref(),
            ping_pong: canary.ping_pong.as_ref(),
            is_routed: canary.is_routed(),
            routers: traffic::routers(rollout),
            total_weight: canary.total_weight(),
            limits: canary.limits(replicas),
            min_pods: canary.min_pods_per_replica_set,
            is_stable_dynamic: canary.dynamic_stable_scale,
            threshold: canary.threshold(),
            scale_down: ScaleDownDelay {
                seconds: canary.scale_down_delay_seconds(),
                revisions: canary.scale_down_delay_revision_limit,
            },
            abort_delay: AbortDelay::from_field(canary.abort_scale_down_delay_seconds),
            abort_hold_seconds: canary.abort_hold_seconds(),
            common: Common {
                stable_metadata: metadata(canary.stable_metadata.as_ref()),
                trial_metadata: metadata(canary.canary_metadata.as_ref()),
                anti_affinity: canary.anti_affinity.as_ref().map(AntiAffinity::strictness),
                restart_limit: restart_limit(canary.max_unavailable.as_ref(), replicas),
                sets_max_unavailable: canary.max_unavailable.is_some(),
            },
        }
    }
}

impl<'a> BlueGreen<'a> {
    fn read(blue_green: &'a BlueGreenStrategy, replicas: i32) -> Self {
        Self {
            active_service: &blue_green.active_service,
            preview_service: blue_green.preview_service.as_deref(),
            preview_replicas: blue_green.preview_replica_count,
            promotion: Promotion::of(blue_green),
            scale_down: ScaleDownDelay {
                seconds: blue_green.scale_down_delay_seconds(),
                revisions: blue_green.scale_down_delay_revision_limit,
            },
            abort_hold_seconds: blue_green.abort_hold_seconds(),
            common: Common {
                stable_metadata: metadata(blue_green.active_metadata.as_ref()),
                trial_metadata: metadata(blue_green.preview_metadata.as_ref()),
                anti_affinity: blue_green.anti_affinity.as_ref().map(AntiAffinity::strictness),
                restart_limit: restart_limit(blue_green.max_unavailable.as_ref(), replicas),
                sets_max_unavailable: blue_green.max_unavailable.is_some(),
            },
        }
    }
}

fn metadata(of_role: Option<&TemplateMetadata>) -> EphemeralMetadata {
    let (labels, annotations) =
        of_role.map(|role| (role.labels.clone(), role.annotations.clone())).unwrap_or_default();
    EphemeralMetadata { labels, annotations }
}
