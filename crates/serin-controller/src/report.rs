//! The words for what became of a plan: its class in the metrics, its Event, its line in the log.

use std::fmt::Write as _;

use super::metrics::ErrorClass;
use serin_core::domain::event::{EventNote, EventReason};
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::{Action, ObjectKind, Op, Plan, Purpose};
use serin_core::rollout::snapshot::{Failure, FailureCause};
use serin_machine::carry::{Ending, Outcome};

/// The class of an ending that is an error.
pub(super) fn error_class(ending: &Ending) -> Option<ErrorClass> {
    match ending {
        Ending::Done | Ending::NamespaceEnds(_) => None,
        Ending::Conflict(_) => Some(ErrorClass::Conflict),
        Ending::Transient(_) => Some(ErrorClass::Transient),
        Ending::Refused(failure) => Some(match failure.cause {
            FailureCause::AlreadyExists { .. } => ErrorClass::Conflict,
            FailureCause::Forbidden(_) => ErrorClass::Forbidden,
            FailureCause::Rejected(_) => ErrorClass::Rejected,
        }),
    }
}

/// The Event that reports a refusal; none where the next decision deals with it.
pub(super) fn warning(plan: &Plan, failure: &Failure) -> Option<EventNote> {
    let said = match &failure.cause {
        FailureCause::AlreadyExists { .. } => return None,
        FailureCause::Forbidden(said) | FailureCause::Rejected(said) => said,
    };
    let (kind, name) = (failure.kind.name(), &failure.name);
    let is_refused = |op: &&Op| op.kind == failure.kind && op.name == failure.name;
    let op = plan.ops().find(is_refused);
    let is_routing = op.is_some_and(|op| op.purposes.iter().any(|one| matches!(one, Purpose::Route { .. })));
    let is_creation = op.is_some_and(|op| matches!(op.action, Action::Create { .. }));
    let (reason, message) = if is_routing {
        (EventReason::TrafficRoutingError, said.clone())
    } else if is_creation && failure.kind == ObjectKind::ReplicaSet {
        let message = format!("Failed to create new replica set \"{name}\": {said}");
        (EventReason::ReplicaSetCreateError, message)
    } else {
        let message = format!("The API server refused the write of {kind} \"{name}\": {said}");
        (EventReason::ReconciliationError, message)
    };
    Some(EventNote::new(reason, message))
}

/// One line for a plan that did something, or that could not.
pub(super) fn log(object: &ObjectRef, plan: &Plan, outcome: &Outcome) {
    let (namespace, name) = (&object.key.namespace, &object.key.name);
    for note in &plan.notes {
        tracing::debug!(namespace, name, "{note}");
    }
    if plan.is_empty() {
        return;
    }
    let did = describe(plan);
    match &outcome.ending {
        Ending::Done => tracing::info!(namespace, name, did, "carried out a plan"),
        Ending::Conflict(why) => {
            tracing::debug!(namespace, name, did, why, "met another state than expected");
        }
        Ending::Transient(why) => {
            tracing::warn!(namespace, name, did, why, "could not finish a plan; tries again");
        }
        Ending::NamespaceEnds(why) => {
            tracing::info!(namespace, name, why, "waits for its end with its namespace");
        }
        Ending::Refused(failure) => {
            tracing::debug!(namespace, name, did, ?failure, "a write was refused");
        }
    }
}

fn describe(plan: &Plan) -> String {
    let mut did = String::new();
    for op in plan.ops() {
        for purpose in &op.purposes {
            let _ = write!(did, "{purpose:?} {}, ", op.name);
        }
    }
    if !plan.status.patch.is_null() {
        did.push_str("status");
    }
    did.trim_end_matches(", ").to_owned()
}
