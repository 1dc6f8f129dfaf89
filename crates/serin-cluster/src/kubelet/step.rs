//! What the kubelet does next about one pod: a pure function of the pod, what is remembered of it, and the time.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodSpec, PodStatus};

use super::behaviour::{Fate, fate, post_start};
use super::life::{Moment, PodLife};
use super::settings::KubeletSettings;
use super::status;
use serin_values::time::after;

/// After this long, a failed pull is reported as being waited for.
const PULL_BACKOFF_AFTER: Duration = Duration::from_secs(2);

/// The name of a pod in its namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A request to the API server.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Put the pod on this node.
    Bind {
        /// The pod.
        key: PodKey,
        /// Its identity.
        uid: String,
    },
    /// Replace the fields that the kubelet owns in the pod's status.
    WriteStatus {
        /// The pod.
        key: PodKey,
        /// Its identity.
        uid: String,
        /// The version that the status was computed from.
        resource_version: String,
        /// The whole status.
        status: Box<PodStatus>,
    },
    /// Remove the object of a pod that has ended.
    Delete {
        /// The pod.
        key: PodKey,
        /// Its identity.
        uid: String,
    },
}

impl Request {
    /// The pod that it is about.
    #[must_use]
    pub fn key(&self) -> &PodKey {
        match self {
            Self::Bind { key, .. } | Self::WriteStatus { key, .. } | Self::Delete { key, .. } => key,
        }
    }
}

/// What to do now, and when to look again even if nothing changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// The one request to make, if any.
    pub request: Option<Request>,
    /// When time alone will change the answer.
    pub wake: Option<Timestamp>,
}

impl Step {
    fn wait(until: Timestamp) -> Self {
        Self { request: None, wake: Some(until) }
    }

    fn ask(request: Request) -> Self {
        Self { request: Some(request), wake: None }
    }
}

/// What to do about `pod` at `now`.
#[must_use]
pub fn step(settings: &KubeletSettings, life: &PodLife, pod: &Pod, now: Timestamp) -> Step {
    let meta = &pod.metadata;
    let (Some(name), Some(uid), Some(spec)) = (&meta.name, &meta.uid, &pod.spec) else {
        return Step::default();
    };
    let key = PodKey { namespace: meta.namespace.clone().unwrap_or_default(), name: name.clone() };
    match spec.node_name.as_deref() {
        None | Some("") => unbound(pod, spec, key, uid),
        Some(node) if node != settings.node_name => Step::default(),
        Some(_) if meta.deletion_timestamp.is_some() => ending(settings, life, pod, key, now),
        Some(_) => living(settings, life, pod, key, now),
    }
}

fn unbound(pod: &Pod, spec: &PodSpec, key: PodKey, uid: &str) -> Step {
    let is_gated = spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty());
    // The API server removes a pod that never had a node by itself.
    if is_gated || pod.metadata.deletion_timestamp.is_some() {
        return Step::default();
    }
    Step::ask(Request::Bind { key, uid: uid.to_owned() })
}

/// A pod with a deletion timestamp: its containers stop during the drain, then the object goes.
fn ending(settings: &KubeletSettings, life: &PodLife, pod: &Pod, key: PodKey, now: Timestamp) -> Step {
    if pod.metadata.deletion_grace_period_seconds == Some(0) {
        // Deleted for good; a finalizer holds the object.
        return Step::default();
    }
    let gone = after(life.deleted.unwrap_or(now), settings.drain);
    if now < gone {
        return Step::wait(gone);
    }
    let is_held = pod.metadata.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty());
    if is_held && !is_over(pod) {
        // Whoever holds the object waits for the pod to have an outcome.
        return Step::ask(write(pod, key, status::killed(pod, now)));
    }
    Step::ask(Request::Delete { key, uid: pod.metadata.uid.clone().unwrap_or_default() })
}

fn living(settings: &KubeletSettings, life: &PodLife, pod: &Pod, key: PodKey, now: Timestamp) -> Step {
    if is_over(pod) {
        return Step::default();
    }
    let started = after(life.bound.unwrap_or(now), settings.start_latency);
    if now < started {
        return Step::wait(started);
    }
    let (moment, wake) = moment(pod, started, now);
    let Some(moment) = moment else {
        return Step { request: None, wake };
    };
    let (status, ready_at) = status::at(pod, life, moment, now);
    let wake = [wake, ready_at].into_iter().flatten().min();
    let is_new = pod.status.as_ref() != Some(&status);
    Step { request: is_new.then(|| write(pod, key, status)), wake }
}

/// Where the pod stands in its life at `now`, and when that changes; `None` before anything can be told.
fn moment(pod: &Pod, started: Timestamp, now: Timestamp) -> (Option<Moment>, Option<Timestamp>) {
    let Some(spec) = &pod.spec else {
        return (None, None);
    };
    let fates: Vec<Fate> = spec.containers.iter().map(|container| fate(spec, container)).collect();
    if fates.contains(&Fate::HasNoImage) {
        let backoff = after(started, PULL_BACKOFF_AFTER);
        let is_backing_off = now >= backoff;
        return (Some(Moment::NoImage { is_backing_off }), (!is_backing_off).then_some(backoff));
    }
    if fates.contains(&Fate::CrashLoops) {
        return (Some(Moment::CrashLoops), None);
    }
    let held_back = spec.containers.iter().map(post_start).max().unwrap_or_default();
    let running = after(started, held_back);
    if now < running {
        return (None, Some(running));
    }
    let Some(runtime) = runtime(&fates) else {
        return (Some(Moment::Runs { since: running }), None);
    };
    let over = after(running, runtime);
    if now < over {
        return (Some(Moment::Runs { since: running }), Some(over));
    }
    (Some(Moment::Over { since: running, at: over }), None)
}

/// How long the pod runs if every container ends; `None` for a pod that serves.
fn runtime(fates: &[Fate]) -> Option<Duration> {
    let times = fates.iter().map(|fate| match fate {
        Fate::Ends { after, .. } => Some(*after),
        Fate::CannotStart => Some(Duration::ZERO),
        Fate::Serves | Fate::CrashLoops | Fate::HasNoImage => None,
    });
    times.collect::<Option<Vec<_>>>()?.into_iter().max()
}

fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn write(pod: &Pod, key: PodKey, status: PodStatus) -> Request {
    Request::WriteStatus {
        key,
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        resource_version: pod.metadata.resource_version.clone().unwrap_or_default(),
        status: Box::new(status),
    }
}
