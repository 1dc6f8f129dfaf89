//! The dependents of a Rollout as a tree: revisions, `ReplicaSets`, Experiments, `AnalysisRuns`, Jobs, Pods.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use super::colour::Colour;
use super::look::Look;
use super::mark::Symbol;
use serin_core::api::analysis::Measurement;
use serin_core::api::{AnalysisPhase, AnalysisRun, Experiment, Rollout, keys};
use serin_insight::dependents::{Dependents, owned_by, replica_set_health};
use serin_insight::facts::roles;
use serin_insight::mark::Mark;
use serin_insight::object::{annotation, hash, revision};
use serin_insight::rounding::left;
use serin_insight::standing::Standing;
use serin_insight::surroundings::Surroundings;
use serin_kubernetes::age::human;
use serin_kubernetes::pod::Summary as PodSummary;

/// Metadata key of a measurement with the name of its Job.
const JOB_NAME: &str = "job-name";

/// A row and its children.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) sign: &'static str,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) status: Option<(Mark, String)>,
    pub(super) age: String,
    pub(super) info: Vec<(String, Option<Colour>)>,
    pub(super) children: Vec<Node>,
}

impl Node {
    fn new(sign: &'static str, kind: &'static str, object: &ObjectMeta, now: Timestamp) -> Self {
        let age = age(object.creation_timestamp.as_ref(), now);
        Self { sign, kind, name: object.name.clone().unwrap_or_default(), age, ..Self::default() }
    }

    fn status(self, mark: Mark, word: impl Into<String>) -> Self {
        Self { status: Some((mark, word.into())), ..self }
    }
}

pub(super) fn age(since: Option<&Time>, now: Timestamp) -> String {
    since.map_or_else(String::new, |since| human(now.duration_since(since.0).as_secs()))
}

/// The tree of a Rollout.
pub(super) fn rollout(rollout: &Rollout, around: &Surroundings, look: &Look) -> Node {
    let now = look.now;
    let standing = Standing::of(rollout);
    let mut node = Node::new("⟳", "Rollout", &rollout.metadata, now)
        .status(Mark::of_rollout(standing.phase), standing.word());
    let owned = Dependents::of(&rollout.metadata, around);
    for number in owned.revisions() {
        let is_of = |object: &ObjectMeta| revision(object) == number;
        let sets = owned.sets.iter().filter(|set| is_of(&set.metadata));
        let experiments = owned.experiments.iter().filter(|one| is_of(&one.metadata));
        let runs = owned.runs.iter().filter(|run| is_of(&run.metadata));
        let children = sets.map(|set| replica_set(set, Some(rollout), around, look));
        let children = children.chain(experiments.map(|one| experiment(one, around, look)));
        let children = children.chain(runs.map(|run| analysis_run(run, now))).collect();
        node.children.push(Node {
            sign: "#",
            name: format!("revision:{number}"),
            children,
            ..Node::default()
        });
    }
    node
}

fn replica_set(set: &ReplicaSet, rollout: Option<&Rollout>, around: &Surroundings, look: &Look) -> Node {
    let now = look.now;
    let (mark, word) = replica_set_health(set);
    let roles = rollout.map_or_else(Vec::new, |rollout| roles(rollout, hash(set)));
    let mut info: Vec<_> =
        roles.into_iter().map(|role| (role.word().to_owned(), Some(Colour::of(role)))).collect();
    let deadline = annotation(&set.metadata, keys::SCALE_DOWN_DEADLINE).parse::<Timestamp>();
    info.extend(deadline.ok().map(|deadline| (delay(deadline, look), None)));
    let pods = owned_by(&set.metadata, &around.pods, |pod| &pod.metadata);
    let children = pods.into_iter().map(|one| pod(one, look)).collect();
    Node { info, children, ..Node::new("⧉", "ReplicaSet", &set.metadata, now).status(mark, word) }
}

/// The remaining time of a scale-down delay. Rounded down for the reference's output.
fn delay(deadline: Timestamp, look: &Look) -> String {
    if deadline <= look.now {
        return "delay:passed".to_owned();
    }
    let time = deadline.duration_since(look.now);
    format!("delay:{}", human(if look.is_full { left(time) } else { time }.as_secs()))
}

fn pod(pod: &Pod, look: &Look) -> Node {
    let summary = PodSummary::of(&serde_json::to_value(pod).unwrap_or_default());
    let mut info = vec![(format!("ready:{}/{}", summary.ready, summary.total), None)];
    let restarts = summary.restarts.count;
    info.extend((restarts > 0).then(|| (format!("restarts:{restarts}"), None)));
    if look.is_wide {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref());
        let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_ref());
        info.extend(node.map(|node| (format!("node:{node}"), None)));
        info.extend(address.map(|address| (format!("ip:{address}"), None)));
    }
    let node = Node::new("□", "Pod", &pod.metadata, look.now);
    Node { info, ..node.status(Mark::of_pod(&summary.reason), summary.reason) }
}

/// The tree of an Experiment.
pub(super) fn experiment(experiment: &Experiment, around: &Surroundings, look: &Look) -> Node {
    let now = look.now;
    let owned = Dependents::of(&experiment.metadata, around);
    let sets = owned.sets.into_iter().map(|set| replica_set(set, None, around, look));
    let children = sets.chain(owned.runs.into_iter().map(|run| analysis_run(run, now))).collect();
    let phase = experiment.status.as_ref().map(|status| status.phase).unwrap_or_default();
    let node = Node::new("Σ", "Experiment", &experiment.metadata, now);
    Node { children, ..node.status(Mark::of_analysis(phase), word(phase)) }
}

fn analysis_run(run: &AnalysisRun, now: Timestamp) -> Node {
    let status = run.status.clone().unwrap_or_default();
    let sum = |count: fn(&serin_core::api::analysis::MetricResult) -> i32| {
        status.metric_results.iter().map(count).sum::<i32>()
    };
    let counts = [
        (Mark::Good, sum(|result| result.successful)),
        (Mark::Bad, sum(|result| result.failed)),
        (Mark::Unknown, sum(|result| result.inconclusive)),
        (Mark::Warning, sum(|result| result.error)),
    ];
    let counted = counts.into_iter().filter(|(_, count)| *count > 0);
    let info = counted.map(|(mark, count)| (format!("{} {count}", mark.sign()), mark.colour())).collect();
    let measurements = status.metric_results.iter().flat_map(|result| &result.measurements);
    let children = measurements.filter_map(|measurement| job(measurement, now)).collect();
    let node = Node::new("α", "AnalysisRun", &run.metadata, now);
    Node { info, children, ..node.status(Mark::of_analysis(status.phase), word(status.phase)) }
}

/// The Job of a measurement, if it has one.
fn job(measurement: &Measurement, now: Timestamp) -> Option<Node> {
    let name = measurement.metadata.get(JOB_NAME)?.clone();
    let age = age(measurement.started_at.as_ref(), now);
    let node = Node { sign: "⊞", kind: "Job", name, age, ..Node::default() };
    Some(node.status(Mark::of_analysis(measurement.phase), word(measurement.phase)))
}

pub(super) const fn word(phase: AnalysisPhase) -> &'static str {
    match phase {
        AnalysisPhase::Unknown => "",
        AnalysisPhase::Pending => "Pending",
        AnalysisPhase::Running => "Running",
        AnalysisPhase::Successful => "Successful",
        AnalysisPhase::Failed => "Failed",
        AnalysisPhase::Error => "Error",
        AnalysisPhase::Inconclusive => "Inconclusive",
    }
}
