//! The controller of ReplicaSets: as many pods as wanted, and a status that says how many there are.
//!
//! Pods are claimed by the selector: orphans that match are adopted, pods that no longer match are let go. The effects
//! of its own requests are in the view before it looks again, so that a watch that lags makes nothing twice.

mod controlled;
mod rank;
mod status;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

pub(super) use self::controlled::REPLICA_SETS;
use self::controlled::controlled;
use super::actor::{Actor, Step};
use super::pods::{PODS, adopt, is_active, is_selected, pod_of, pod_place, release};
use super::request::{Call, Report};
use crate::api::request::{Response, Verb};
use crate::view::{Change, Object, Place, View};
use serin_values::backoff::Backoff;
use serin_values::time::after;

/// How many pods one step makes or deletes at most.
const BURST: usize = 250;
/// How long after a refused creation the next pod is tried.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(16));
/// Who its Events come from.
const COMPONENT: &str = "replicaset-controller";

/// Why the last pods could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    message: String,
    times: u32,
    /// No pod is made before.
    until: Timestamp,
}

/// The controller of ReplicaSets.
#[derive(Debug, Default)]
pub(super) struct ReplicaSets {
    failures: BTreeMap<Place, Failure>,
}

impl Actor for ReplicaSets {
    fn concerned(&self, view: &View, change: &Change) -> Vec<Place> {
        match &*change.place.resource {
            REPLICA_SETS => vec![change.place.clone()],
            PODS => concerned_by_pod(view, change),
            _ => Vec::new(),
        }
    }

    fn step(&self, view: &View, place: &Place, now: Timestamp) -> Step {
        let Some(set) = view.get(place) else { return Step::default() };
        if !view.is_listed(PODS) {
            return Step::default();
        }
        let claims = claims(view, set);
        if !claims.is_empty() {
            return Step::ask(claims);
        }
        let active: Vec<&Object> = controlled(view, set).filter(|pod| is_active(pod)).collect();
        let failure = self.failures.get(place);
        let changes = if set.is_deleted() { Vec::new() } else { scaled(view, set, &active, failure, now) };
        if !changes.is_empty() {
            return Step::ask(changes);
        }
        let wanted = set.integer("/spec/replicas").unwrap_or(1);
        let is_short = i64::try_from(active.len()).is_ok_and(|count| count < wanted);
        let failure = failure.filter(|_| is_short && !set.is_deleted());
        let (patch, wake) =
            status::status(set, &active, failure.map(|failure| failure.message.as_str()), now);
        let wake = [wake, failure.map(|failure| failure.until)].into_iter().flatten().min();
        match patch {
            Some(patch) => Step { calls: vec![Call::patch_status(view, place, set, &patch)], wake },
            None => Step::wait(wake),
        }
    }

    fn answered(&mut self, place: &Place, call: &Call, response: &Response, now: Timestamp) {
        if call.request.verb != Verb::Create {
            return;
        }
        match response {
            Response::Done { .. } => {
                self.failures.remove(place);
            }
            Response::Refused(status) => {
                let old = self.failures.get(place);
                // Several pods of one step that are refused count once.
                let times = old.map_or(1, |old| if old.until > now { old.times } else { old.times + 1 });
                let until = after(now, BACKOFF.delay(times - 1));
                let failure = Failure { message: status.message.clone(), times, until };
                self.failures.insert(place.clone(), failure);
            }
        }
    }
}

/// The ReplicaSets that a change of a pod concerns: the one that controls it, or those that would adopt it.
fn concerned_by_pod(view: &View, change: &Change) -> Vec<Place> {
    let mut places = Vec::new();
    for pod in change.objects() {
        match pod.controller() {
            Some(owner) if owner.kind == "ReplicaSet" => {
                places.push(Place::new(REPLICA_SETS, pod.namespace(), owner.name));
            }
            Some(_) => {}
            None => {
                let sets = view.within(REPLICA_SETS, pod.namespace());
                let sets = sets.filter(|set| is_selected(set.at("/spec/selector"), pod));
                places.extend(sets.map(|set| Place::new(REPLICA_SETS, set.namespace(), set.name())));
            }
        }
    }
    places.sort();
    places.dedup();
    places
}

/// Adopts pods that match and nobody controls; lets those go that no longer match.
fn claims(view: &View, set: &Object) -> Vec<Call> {
    if set.is_deleted() {
        return Vec::new();
    }
    let selector = set.at("/spec/selector");
    let strays = controlled(view, set).filter(|pod| !pod.is_deleted() && !is_selected(selector, pod));
    let mut calls: Vec<Call> = strays.map(|pod| release(view, &pod_place(pod), pod, set.uid())).collect();
    let orphans = view.within(PODS, set.namespace());
    let orphans =
        orphans.filter(|pod| pod.controller().is_none() && is_active(pod) && is_selected(selector, pod));
    calls.extend(orphans.map(|pod| adopt(view, &pod_place(pod), pod, set)));
    calls
}

/// The pods to make or to delete.
fn scaled(
    view: &View,
    set: &Object,
    active: &[&Object],
    failure: Option<&Failure>,
    now: Timestamp,
) -> Vec<Call> {
    let wanted = usize::try_from(set.integer("/spec/replicas").unwrap_or(1)).unwrap_or(0);
    if active.len() < wanted {
        if failure.is_some_and(|failure| failure.until > now) {
            return Vec::new();
        }
        // After a refusal one pod tries whether it is over.
        let count = if failure.is_some() { 1 } else { (wanted - active.len()).min(BURST) };
        return (0..count).map(|_| created(view, set)).collect();
    }
    let surplus = (active.len() - wanted).min(BURST);
    let victims = rank::first_to_go(view, set, active, now).into_iter().take(surplus);
    victims.map(|pod| deleted(view, set, pod)).collect()
}

fn created(view: &View, set: &Object) -> Call {
    let report = Report::new(set, COMPONENT)
        .done("SuccessfulCreate", "Created pod: {}")
        .refused("FailedCreate", "Error creating: ");
    Call::create(view, PODS, set.namespace(), pod_of(set)).reporting(report)
}

fn deleted(view: &View, set: &Object, pod: &Object) -> Call {
    let report = Report::new(set, COMPONENT)
        .done("SuccessfulDelete", format!("Deleted pod: {}", pod.name()))
        .refused("FailedDelete", "Error deleting: ");
    Call::delete(view, &pod_place(pod), pod, None).reporting(report)
}

#[cfg(test)]
mod tests;
