//! The controller of Jobs: runs pods until enough of them have succeeded, or too many failed.
//!
//! Deliberately absent: indexed completion, pod failure and success policies, and the finalizer by which the real
//! controller counts pods that are deleted before it sees them end. Counts never go back instead.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::actor::{Actor, Step};
use super::pods::{PODS, is_active, is_ready, pod_of, pod_place};
use super::request::{Call, Report, is_merged, nonzero, seconds, with_condition};
use crate::view::{Change, Object, Place, View};
use serin_values::backoff::Backoff;
use serin_values::time::after;

/// The resource of Jobs.
pub(super) const JOBS: &str = "jobs.batch";
/// Who its Events come from.
const COMPONENT: &str = "job-controller";
/// How long after a failed pod the next one is made.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_secs(10), Duration::from_mins(10));
/// How many pods one step makes at most.
const BURST: usize = 250;

/// The controller of Jobs.
#[derive(Debug)]
pub(super) struct Jobs;

/// How a Job ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Complete,
    BackoffLimitExceeded,
    DeadlineExceeded,
}

/// A Job and its pods.
struct Sight<'a> {
    view: &'a View,
    place: &'a Place,
    job: &'a Object,
    active: Vec<&'a Object>,
    succeeded: i64,
    failed: i64,
    last_failure: Option<Timestamp>,
}

impl Actor for Jobs {
    fn concerned(&self, _: &View, change: &Change) -> Vec<Place> {
        match &*change.place.resource {
            JOBS => vec![change.place.clone()],
            PODS => {
                let owners = change.objects().filter_map(|pod| Some((pod.namespace(), pod.controller()?)));
                let jobs = owners.filter(|(_, owner)| owner.kind == "Job");
                jobs.map(|(namespace, owner)| Place::new(JOBS, namespace, owner.name)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn step(&self, view: &View, place: &Place, now: Timestamp) -> Step {
        let Some(job) = view.get(place) else { return Step::default() };
        if !view.is_listed(PODS) || job.is_deleted() {
            return Step::default();
        }
        if job.is_true("Complete") || job.is_true("Failed") {
            return expired(view, place, job, now);
        }
        let sight = Sight::of(view, place, job);
        if job.at("/spec/suspend") == true {
            return sight.suspended(now);
        }
        if job.at("/status/startTime").is_null() {
            return sight.written(&json!({"startTime": seconds(now)}), None, now);
        }
        match sight.verdict(now) {
            Some(verdict) => sight.ended(verdict, now),
            None => sight.going_on(now),
        }
    }
}

impl<'a> Sight<'a> {
    fn of(view: &'a View, place: &'a Place, job: &'a Object) -> Self {
        let pods = view.dependents(job.uid()).filter(|(place, _)| &*place.resource == PODS);
        let pods: Vec<&Object> = pods.map(|(_, pod)| pod).collect();
        let count = |phase: &str| {
            let ended = pods.iter().filter(|pod| pod.text("/status/phase") == phase).count();
            i64::try_from(ended).unwrap_or(i64::MAX)
        };
        let failed = pods.iter().filter(|pod| pod.text("/status/phase") == "Failed");
        let last_failure = failed.filter_map(|pod| finished_at(pod)).max();
        Self {
            view,
            place,
            job,
            succeeded: count("Succeeded").max(job.integer("/status/succeeded").unwrap_or(0)),
            failed: count("Failed").max(job.integer("/status/failed").unwrap_or(0)),
            active: pods.into_iter().filter(|pod| is_active(pod)).collect(),
            last_failure,
        }
    }

    fn parallelism(&self) -> i64 {
        self.job.integer("/spec/parallelism").unwrap_or(1)
    }

    fn deadline(&self) -> Option<Timestamp> {
        let patience = self.job.integer("/spec/activeDeadlineSeconds")?;
        self.job.time("/status/startTime").map(|start| after(start, SignedDuration::from_secs(patience)))
    }

    fn verdict(&self, now: Timestamp) -> Option<Verdict> {
        if self.failed > self.job.integer("/spec/backoffLimit").unwrap_or(6) {
            return Some(Verdict::BackoffLimitExceeded);
        }
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            return Some(Verdict::DeadlineExceeded);
        }
        let is_complete = match self.job.integer("/spec/completions") {
            Some(completions) => self.succeeded >= completions,
            // Without a number one success is enough, once all pods have ended.
            None => self.succeeded > 0 && self.active.is_empty(),
        };
        is_complete.then_some(Verdict::Complete)
    }

    /// How many pods are to run.
    fn wanted(&self) -> i64 {
        match self.job.integer("/spec/completions") {
            Some(completions) => self.parallelism().min(completions - self.succeeded).max(0),
            None if self.succeeded > 0 => {
                i64::try_from(self.active.len()).unwrap_or(0).min(self.parallelism())
            }
            None => self.parallelism(),
        }
    }

    fn going_on(&self, now: Timestamp) -> Step {
        let present = i64::try_from(self.active.len()).unwrap_or(i64::MAX);
        let wanted = self.wanted();
        let surplus = usize::try_from(present - wanted).unwrap_or(0);
        if surplus > 0 {
            return Step::ask(self.active.iter().take(surplus).map(|pod| self.deleted(pod)).collect());
        }
        let next_try = self.next_try();
        let missing = usize::try_from(wanted - present).unwrap_or(0).min(BURST);
        if missing > 0 && next_try.is_none_or(|time| time <= now) {
            return Step::ask((0..missing).map(|_| self.created()).collect());
        }
        let wake = [next_try.filter(|time| missing > 0 && *time > now), self.deadline()];
        self.written(&json!({}), wake.into_iter().flatten().min(), now)
    }

    /// When a pod may be made after the last one failed.
    fn next_try(&self) -> Option<Timestamp> {
        let earlier = u32::try_from(self.failed - 1).unwrap_or(0);
        self.last_failure.map(|time| after(time, BACKOFF.delay(earlier)))
    }

    fn suspended(&self, now: Timestamp) -> Step {
        if !self.active.is_empty() {
            return Step::ask(self.active.iter().map(|pod| self.deleted(pod)).collect());
        }
        let conditions: Vec<Value> = self.job.list("/status/conditions").cloned().collect();
        let conditions =
            with_condition(&conditions, "Suspended", ("True", "JobSuspended", "Job suspended"), now);
        self.written(&json!({"startTime": null, "conditions": conditions}), None, now)
    }

    fn ended(&self, verdict: Verdict, now: Timestamp) -> Step {
        let (targets, reason, message) = match verdict {
            Verdict::Complete => (
                ["SuccessCriteriaMet", "Complete"],
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            ),
            Verdict::BackoffLimitExceeded => (
                ["FailureTarget", "Failed"],
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            ),
            Verdict::DeadlineExceeded => (
                ["FailureTarget", "Failed"],
                "DeadlineExceeded",
                "Job was active longer than specified deadline",
            ),
        };
        if !self.active.is_empty() {
            return Step::ask(self.active.iter().map(|pod| self.deleted(pod)).collect());
        }
        let mut conditions: Vec<Value> = self.job.list("/status/conditions").cloned().collect();
        for target in targets {
            conditions = with_condition(&conditions, target, ("True", reason, message), now);
            for condition in conditions.iter_mut().filter(|condition| condition["type"] == target) {
                condition["lastProbeTime"] = seconds(now).into();
            }
        }
        let mut patch = json!({"conditions": conditions});
        let report = Report::new(self.job, COMPONENT);
        let report = if verdict == Verdict::Complete {
            patch["completionTime"] = seconds(now).into();
            report.done("Completed", "Job completed")
        } else {
            report.done(reason, message)
        };
        let mut step = self.written(&patch, None, now);
        step.calls = step.calls.into_iter().map(|call| call.reporting(report.clone())).collect();
        step
    }

    /// Writes the counts and `more`, if that changes anything.
    fn written(&self, more: &Value, wake: Option<Timestamp>, now: Timestamp) -> Step {
        let ready = self.active.iter().filter(|pod| is_ready(pod)).count();
        let mut patch = json!({
            "active": nonzero(i64::try_from(self.active.len()).unwrap_or(i64::MAX)),
            "ready": ready,
            "terminating": 0,
            "succeeded": nonzero(self.succeeded),
            "failed": nonzero(self.failed),
            "uncountedTerminatedPods": {},
        });
        if self.job.condition("Suspended").is_some() && self.job.at("/spec/suspend") != true {
            let conditions: Vec<Value> = self.job.list("/status/conditions").cloned().collect();
            let said = ("False", "JobResumed", "Job resumed");
            patch["conditions"] = with_condition(&conditions, "Suspended", said, now).into();
        }
        for (field, value) in more.as_object().into_iter().flatten() {
            patch[field] = value.clone();
        }
        let status = self.job.at("/status");
        // An empty object patches nothing, but must be there once.
        let is_new = !is_merged(status, &patch) || status["uncountedTerminatedPods"].is_null();
        let call = Call::patch_status(self.view, self.place, self.job, &patch);
        Step { calls: is_new.then_some(call).into_iter().collect(), wake }
    }

    fn created(&self) -> Call {
        let mut pod = pod_of(self.job);
        for prefix in ["batch.kubernetes.io/", ""] {
            pod["metadata"]["labels"][format!("{prefix}controller-uid")] = self.job.uid().into();
            pod["metadata"]["labels"][format!("{prefix}job-name")] = self.job.name().into();
        }
        let report = Report::new(self.job, COMPONENT)
            .done("SuccessfulCreate", "Created pod: {}")
            .refused("FailedCreate", "Error creating: ");
        Call::create(self.view, PODS, self.job.namespace(), pod).reporting(report)
    }

    fn deleted(&self, pod: &Object) -> Call {
        let report =
            Report::new(self.job, COMPONENT).done("SuccessfulDelete", format!("Deleted pod: {}", pod.name()));
        Call::delete(self.view, &pod_place(pod), pod, None).reporting(report)
    }
}

/// Deletes a Job that has ended, `ttlSecondsAfterFinished` later.
fn expired(view: &View, place: &Place, job: &Object, now: Timestamp) -> Step {
    let Some(seconds) = job.integer("/spec/ttlSecondsAfterFinished") else { return Step::default() };
    let end = ["Complete", "Failed"].into_iter().filter_map(|kind| job.condition(kind));
    let end =
        end.filter_map(|condition| condition["lastTransitionTime"].as_str()?.parse::<Timestamp>().ok()).max();
    let Some(end) = end else { return Step::default() };
    let time = after(end, SignedDuration::from_secs(seconds));
    if time <= now {
        return Step::ask(vec![Call::delete(view, place, job, Some("Foreground"))]);
    }
    Step::wait(Some(time))
}

fn finished_at(pod: &Object) -> Option<Timestamp> {
    let ends = pod.list("/status/containerStatuses").filter_map(|status| {
        status.pointer("/state/terminated/finishedAt")?.as_str()?.parse::<Timestamp>().ok()
    });
    ends.max().or_else(|| pod.time("/metadata/creationTimestamp"))
}

#[cfg(test)]
mod tests;
