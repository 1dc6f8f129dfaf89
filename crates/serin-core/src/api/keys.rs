//! Names on the wire: group and version, labels, annotations.

/// API group of the custom resources.
pub const GROUP: &str = "argoproj.io";
/// API version of the custom resources.
pub const VERSION: &str = "v1alpha1";
/// Group and version, as `apiVersion` has them.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";

/// Name of the Lease by which the replicas of a controller agree on a leader; `-INSTANCE-ID` follows where there is one. It is
/// that of the reference, so that the two take turns.
const LEASE: &str = "argo-rollouts-controller-lock";

/// Name of the Lease of an instance; `None` for the instance without an id.
#[must_use]
pub fn lease(instance_id: Option<&str>) -> String {
    instance_id.map_or_else(|| LEASE.to_owned(), |id| format!("{LEASE}-{id}"))
}

/// Kind of a Rollout.
pub const ROLLOUT: &str = "Rollout";
/// Kind of an AnalysisTemplate.
pub const ANALYSIS_TEMPLATE: &str = "AnalysisTemplate";
/// Kind of a ClusterAnalysisTemplate.
pub const CLUSTER_ANALYSIS_TEMPLATE: &str = "ClusterAnalysisTemplate";
/// Kind of an AnalysisRun.
pub const ANALYSIS_RUN: &str = "AnalysisRun";
/// Kind of an Experiment.
pub const EXPERIMENT: &str = "Experiment";

/// Label of ReplicaSets, pods, runs and experiments, and entry of Service selectors: the pod hash of their revision.
pub const POD_HASH_LABEL: &str = "rollouts-pod-template-hash";
/// Label of all five kinds: the controller that looks after the object.
pub const INSTANCE_ID_LABEL: &str = "argo-rollouts.argoproj.io/controller-instance-id";
/// Label of an AnalysisRun: what the Rollout runs it for (`Step`, `Background`, `PrePromotion`, `PostPromotion`).
pub const ROLLOUT_TYPE_LABEL: &str = "rollout-type";
/// Label of an AnalysisRun of a step: the index of the step.
pub const STEP_INDEX_LABEL: &str = "step-index";
/// Label of a Job of a metric: the uid of its AnalysisRun.
pub const ANALYSIS_RUN_UID_LABEL: &str = "analysisrun.argoproj.io/uid";

/// Annotation of Rollouts, ReplicaSets, runs and experiments: the number of the revision.
pub const REVISION: &str = "rollout.argoproj.io/revision";
/// Annotation of a ReplicaSet: the numbers that its revision had before, separated by commas.
pub const REVISION_HISTORY: &str = "rollout.argoproj.io/revision-history";
/// Annotation of a ReplicaSet: `spec.replicas` of the Rollout when the ReplicaSet was last scaled.
pub const DESIRED_REPLICAS: &str = "rollout.argoproj.io/desired-replicas";
/// Annotation of a Rollout: the generation of the workload that `workloadRef` names.
pub const WORKLOAD_GENERATION: &str = "rollout.argoproj.io/workload-generation";
/// Annotation of a ReplicaSet: the labels and annotations that were put on its pods for a time, as JSON.
pub const EPHEMERAL_METADATA: &str = "rollout.argoproj.io/ephemeral-metadata";
/// Annotation of a ReplicaSet: when it is to be scaled to zero (RFC 3339). The key has no prefix.
pub const SCALE_DOWN_DEADLINE: &str = "scale-down-deadline";
/// Annotation of a ReplicaSet: the digest of the template that it was created for, as the user wrote it.
pub const TEMPLATE_DIGEST: &str = "serin/template-digest";
/// Annotation of a ReplicaSet: the digest of the template as the API server stored it, where admission made another one
/// of it.
pub const STORED_TEMPLATE_DIGEST: &str = "serin/stored-template-digest";
/// Annotation of Services and of what routers write: the name of the Rollout that manages the object.
pub const MANAGED_BY_ROLLOUTS: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
/// Annotation of a Rollout that belongs to the notifications engine; never copied to ReplicaSets.
pub const NOTIFIED: &str = "notified.notifications.argoproj.io";
/// Annotation that `kubectl apply` keeps for itself; never copied to ReplicaSets.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Annotation of a ReplicaSet: the name of its Experiment.
pub const EXPERIMENT_NAME: &str = "experiment.argoproj.io/name";
/// Annotation of a ReplicaSet: the name of its template in the Experiment.
pub const EXPERIMENT_TEMPLATE_NAME: &str = "experiment.argoproj.io/template-name";
/// Annotation of a Job of a metric: the name of its AnalysisRun.
pub const ANALYSIS_RUN_NAME: &str = "analysisrun.argoproj.io/name";
/// Annotation of a Job of a metric: the namespace of its AnalysisRun.
pub const ANALYSIS_RUN_NAMESPACE: &str = "analysisrun.argoproj.io/namespace";
/// Annotation of a Job of a metric: the name of the metric.
pub const ANALYSIS_RUN_METRIC: &str = "analysisrun.argoproj.io/metric-name";

/// The name under which the API server notes the fields that the controller writes (`metadata.managedFields`). It is
/// that of the reference, which tools are configured to leave alone.
pub const FIELD_MANAGER: &str = "rollouts-controller";
