//! Jobs as measurements: a Job that completes is a success, one that fails is a failure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::made::{ended, error};
use super::record::KEPT;
use super::run::Run;
use crate::api::Time;
use crate::api::analysis::{AnalysisPhase, Measurement, MetricResult};
use crate::api::keys;
use crate::api::metric::JobMetric;
use crate::domain::effect::{Effect, EffectAction, EffectName, EffectOutput};
use crate::domain::object::ObjectKey;
use crate::domain::plan::{Action, ObjectKind, Op, Precondition, Purpose};
use crate::rollout::snapshot::FailureCause;
use serin_values::owner::controller_reference;
use serin_values::text_hash::text_hash;
use serin_values::time::after;

/// The label of a Job that holds the uid of its run.
pub const UID_LABEL: &str = "analysisrun.argoproj.io/uid";
/// The annotations of a Job that name its run and metric.
const NAME_ANNOTATION: &str = "analysisrun.argoproj.io/name";
const NAMESPACE_ANNOTATION: &str = "analysisrun.argoproj.io/namespace";
const METRIC_ANNOTATION: &str = "analysisrun.argoproj.io/metric-name";
/// What a measurement says about its Job.
const JOB_NAME: &str = "job-name";
const JOB_NAMESPACE: &str = "job-namespace";
/// The most bytes of the name of a Job, which its pods have as a label.
const LONGEST_NAME: usize = 63;
/// Reasons for which a container waits that no time mends.
const TERMINAL: [&str; 3] = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"];
/// How long the list of a Job's pods may take.
const LIST: Duration = Duration::from_secs(10);
/// When to look again whether a Job that was made is seen.
pub(super) const SIGHT: SignedDuration = SignedDuration::from_secs(1);
/// How often a Job's pods are looked at, at most.
const LOOK: SignedDuration = SignedDuration::from_secs(60);

/// How far a Job has come.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum JobStep {
    /// It is to be made.
    Create(Box<Op>),
    /// It exists but is not over. Its pods are looked at, now or then.
    Waiting {
        /// The look at its pods.
        effects: Vec<Effect>,
        /// When to look again.
        next: Timestamp,
    },
    /// A measurement was made of it, or it became one.
    Made(Measurement),
}

/// A Job of a run, for its metric.
pub(super) struct JobOf<'a> {
    pub(super) run: &'a Run,
    pub(super) metric: &'a str,
    pub(super) spec: &'a JobMetric,
    /// The namespace in which Jobs are made, if that is not the run's.
    pub(super) namespace: Option<&'a str>,
}

impl JobOf<'_> {
    /// The next step of the measurement with that number.
    pub(super) fn step(&self, number: i64, begun: Option<&Measurement>, now: Timestamp) -> JobStep {
        match begun {
            Some(begun) => self.look(begun, now),
            None => self.begin(number, now),
        }
    }

    fn begin(&self, number: i64, now: Timestamp) -> JobStep {
        let key = key(self.run, self.metric, number, self.namespace);
        if let Some(job) = self.run.jobs.get(&key) {
            let label = &job["metadata"]["labels"][UID_LABEL];
            if label.as_str() == Some(self.run.id.uid.as_str()) {
                return JobStep::Made(running(&key, now));
            }
            return JobStep::Made(error(now, now, format!("Job {} exists and is not of this run", key.name)));
        }
        let refused = self.run.last_failure.as_ref();
        if let Some(failure) =
            refused.filter(|failure| failure.kind == ObjectKind::Job && failure.name == key.name)
        {
            return match &failure.cause {
                FailureCause::AlreadyExists { owner_uid, .. }
                    if owner_uid.as_ref() == Some(&self.run.id.uid) =>
                {
                    JobStep::Waiting { effects: Vec::new(), next: after(now, SIGHT) }
                }
                FailureCause::AlreadyExists { .. } => {
                    JobStep::Made(error(now, now, format!("Job {} exists and is not of this run", key.name)))
                }
                FailureCause::Forbidden(said) | FailureCause::Rejected(said) => {
                    JobStep::Made(error(now, now, format!("Job {} cannot be created: {said}", key.name)))
                }
            };
        }
        JobStep::Create(Box::new(self.creation(&key)))
    }

    fn creation(&self, key: &ObjectKey) -> Op {
        let is_own = key.namespace == self.run.namespace;
        let labels = self.spec.metadata.labels.iter();
        let mut labels: Map<_, _> = labels.map(|(name, value)| (name.clone(), json!(value))).collect();
        labels.insert(UID_LABEL.into(), json!(self.run.id.uid));
        let annotations = self.spec.metadata.annotations.iter();
        let mut annotations: Map<_, _> =
            annotations.map(|(name, value)| (name.clone(), json!(value))).collect();
        annotations.insert(NAME_ANNOTATION.into(), json!(self.run.id.name));
        annotations.insert(NAMESPACE_ANNOTATION.into(), json!(self.run.namespace));
        annotations.insert(METRIC_ANNOTATION.into(), json!(self.metric));
        let mut metadata = json!({"name": key.name, "labels": labels, "annotations": annotations});
        if is_own {
            let owner =
                controller_reference(keys::API_VERSION, "AnalysisRun", &*self.run.id.name, &*self.run.id.uid);
            metadata["ownerReferences"] = json!([owner]);
        }
        let mut spec = json!(self.spec.spec);
        spec["template"]["metadata"]["labels"][UID_LABEL] = json!(self.run.id.uid);
        let body = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec});
        Op {
            kind: ObjectKind::Job,
            namespace: (!is_own).then(|| key.namespace.clone()),
            name: key.name.clone(),
            action: Action::Create { body },
            purposes: vec![Purpose::CreateJob],
            events: Vec::new(),
        }
    }

    fn look(&self, begun: &Measurement, now: Timestamp) -> JobStep {
        let Some(key) = begun_key(begun) else {
            return JobStep::Made(ended(begun, AnalysisPhase::Error, now, "job metadata reference missing"));
        };
        let Some(job) = self.run.jobs.get(&key) else {
            let message = format!("Job {} is gone", key.name);
            return JobStep::Made(ended(begun, AnalysisPhase::Error, now, &message));
        };
        if let Some(phase) = outcome(job) {
            return JobStep::Made(ended(begun, phase, now, ""));
        }
        let since = begun.started_at.as_ref().map_or(now, |time| time.0);
        self.look_at_pods(begun, &key, since, now)
    }

    /// The pods are looked at after 1, 3, 7, 15, 31 s and so on, later every minute.
    fn look_at_pods(
        &self,
        begun: &Measurement,
        key: &ObjectKey,
        since: Timestamp,
        now: Timestamp,
    ) -> JobStep {
        let (mut number, mut due, mut pause) = (0, after(since, SignedDuration::from_secs(1)), 2);
        let next_pause = |pause: i64| SignedDuration::from_secs(pause).min(LOOK);
        while after(due, next_pause(pause)) <= now {
            due = after(due, next_pause(pause));
            (number, pause) = (number + 1, pause.saturating_mul(2));
        }
        if now < due {
            return JobStep::Waiting { effects: Vec::new(), next: due };
        }
        let name = EffectName(format!("{}/{}/pods/{number}", self.metric, key.name));
        let action = EffectAction::ListPods {
            namespace: key.namespace.clone(),
            labels: format!("job-name={}", key.name),
        };
        let answer = self.run.effects.get(&name).and_then(|known| known.answer.as_deref());
        if let Some(Ok(EffectOutput::Pods(pods))) = answer
            && let Some(problem) = pods.iter().find_map(terminal_problem)
        {
            return JobStep::Made(ended(begun, AnalysisPhase::Inconclusive, now, &problem));
        }
        let effects = vec![Effect { name, action, limit: LIST }];
        JobStep::Waiting { effects, next: after(due, next_pause(pause)) }
    }
}

/// Which Job measures a metric for the time of that number.
pub(super) fn key(run: &Run, metric: &str, number: i64, namespace: Option<&str>) -> ObjectKey {
    ObjectKey::new(namespace.unwrap_or(&run.namespace), job_name(&run.id.uid, metric, number))
}

/// The name of a Job. A metric whose name is too long for it, or is none that a Job can have, is shortened and told
/// apart by a hash.
#[must_use]
pub(super) fn job_name(uid: &str, metric: &str, number: i64) -> String {
    let plain = format!("{uid}.{metric}.{number}");
    let is_allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let is_name = metric.chars().all(is_allowed)
        && metric.starts_with(|letter: char| letter != '-')
        && metric.ends_with(|letter: char| letter != '-');
    if is_name && plain.len() <= LONGEST_NAME {
        return plain;
    }
    let hash = text_hash(metric);
    let room = LONGEST_NAME.saturating_sub(uid.len() + hash.len() + number.to_string().len() + 3);
    let kept: String = metric.chars().filter(|letter| is_allowed(*letter)).take(room).collect();
    let kept = kept.trim_matches('-');
    let separator = if kept.is_empty() { "" } else { "-" };
    format!("{uid}.{kept}{separator}{hash}.{number}")
}

/// The Job of a measurement that was begun.
#[must_use]
pub(super) fn begun_key(begun: &Measurement) -> Option<ObjectKey> {
    Some(ObjectKey::new(begun.metadata.get(JOB_NAMESPACE)?, begun.metadata.get(JOB_NAME)?))
}

/// What a Job that is over says.
pub(super) fn outcome(job: &Value) -> Option<AnalysisPhase> {
    let conditions = job["status"]["conditions"].as_array()?;
    let mut met = conditions.iter().filter(|condition| condition["status"] == "True");
    met.find_map(|condition| match condition["type"].as_str() {
        Some("Complete") => Some(AnalysisPhase::Successful),
        Some("Failed") => Some(AnalysisPhase::Failed),
        Some(_) | None => None,
    })
}

/// Why a pod will never start, if that is so.
fn terminal_problem(pod: &Value) -> Option<String> {
    let statuses = |field: &str| pod["status"][field].as_array().into_iter().flatten();
    let mut statuses = statuses("containerStatuses").chain(statuses("initContainerStatuses"));
    statuses.find_map(|status| {
        let waiting = &status["state"]["waiting"];
        let reason = waiting["reason"].as_str().filter(|reason| TERMINAL.contains(reason))?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (pod, container) = (text(&pod["metadata"]["name"]), text(&status["name"]));
        let said = text(&waiting["message"]);
        Some(format!("Pod {pod}, container {container} has terminal error ({reason}): {said}\n"))
    })
}

/// The deletion of the Job of a measurement that is stopped, if it exists.
pub(super) fn deletion(run: &Run, begun: &Measurement) -> Option<Op> {
    let key = begun_key(begun)?;
    let job = run.jobs.get(&key)?;
    Some(delete(run, &key, job))
}

fn delete(run: &Run, key: &ObjectKey, job: &Value) -> Op {
    let text = |field: &str| job["metadata"][field].as_str().unwrap_or_default().to_owned();
    let precondition = Precondition { uid: text("uid"), resource_version: text("resourceVersion") };
    Op {
        kind: ObjectKind::Job,
        namespace: (key.namespace != run.namespace).then(|| key.namespace.clone()),
        name: key.name.clone(),
        action: Action::Delete { precondition },
        purposes: vec![Purpose::DeleteJob],
        events: Vec::new(),
    }
}

/// The deletions of Jobs of a metric beyond those whose measurements are kept; one that runs is never deleted.
pub(super) fn surplus(run: &Run, metric: &str, result: &MetricResult) -> Vec<Op> {
    let of_metric = run.jobs.iter().filter(|(_, job)| {
        job["metadata"]["annotations"][METRIC_ANNOTATION] == metric && outcome(job).is_some()
    });
    let mut jobs: Vec<_> = of_metric.collect();
    let kept = result.measurements.len().max(KEPT);
    let created = |job: &Value| job["metadata"]["creationTimestamp"].as_str().unwrap_or_default().to_owned();
    jobs.sort_by_key(|(key, job)| (created(job), (*key).clone()));
    let excess = jobs.len().saturating_sub(kept);
    jobs.into_iter().take(excess).map(|(key, job)| delete(run, key, job)).collect()
}

fn running(key: &ObjectKey, now: Timestamp) -> Measurement {
    let metadata = [(JOB_NAME, &key.name), (JOB_NAMESPACE, &key.namespace)];
    Measurement {
        phase: AnalysisPhase::Running,
        started_at: Some(Time(now)),
        metadata: metadata.map(|(name, value)| (name.to_owned(), value.clone())).into(),
        ..Measurement::default()
    }
}
