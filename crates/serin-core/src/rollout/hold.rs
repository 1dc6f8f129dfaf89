//! Status writes that can wait.
//!
//! While pods come up and go away one by one, the counts in the status change and nothing that anybody waits for does:
//! every such write would cost a request, and a look at the Rollout by everybody who watches it. They are kept until
//! something that matters changes, and for [`COUNTS`] at most.

use jiff::{SignedDuration, Timestamp};

use crate::api::{ConditionStatus, RolloutCondition, RolloutPhase, RolloutStatus};
use crate::domain::condition::ConditionType;
use serin_values::time::after;

/// How long counts wait: a moment, in which what changes together arrives. Whoever reads them sees none that is older.
const COUNTS: SignedDuration = SignedDuration::from_secs(1);
/// How long a plan that evicts Pods keeps what its evictions end.
const EVICTIONS: SignedDuration = SignedDuration::from_secs(10);

/// How long a new spec waits for the objects that it names: those of one manifest arrive one after the other.
const ARRIVING: SignedDuration = SignedDuration::from_secs(2);

/// Until when a spec that nothing was said about yet waits for the objects that it names.
pub(super) fn until_arrived(held_since: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let until = after(held_since.unwrap_or(now), ARRIVING);
    (until > now).then_some(until)
}

/// What the wait depends on beside the two statuses.
pub(super) struct Wait {
    /// When a difference was first kept.
    pub held_since: Option<Timestamp>,
    /// The time of the decision.
    pub now: Timestamp,
    /// How long it may last at most: progress counts from when it is written.
    pub longest: SignedDuration,
    /// Whether the plan evicts Pods, so that what the conditions would say of them ends with it.
    pub evicts: bool,
}

/// Until when the write of `next` over `before` waits, if it does.
pub(super) fn until(before: Option<&RolloutStatus>, next: &RolloutStatus, wait: &Wait) -> Option<Timestamp> {
    before.filter(|before| **before != *next && is_alike(before, next, wait.evicts))?;
    let usual = if wait.evicts { EVICTIONS } else { COUNTS };
    let until = after(wait.held_since.unwrap_or(wait.now), usual.min(wait.longest));
    (until > wait.now).then_some(until)
}

/// Whether the two differ in nothing but counts and what merely follows from them.
fn is_alike(before: &RolloutStatus, next: &RolloutStatus, evicts: bool) -> bool {
    let mut same = next.clone();
    same.replicas = before.replicas;
    same.updated_replicas = before.updated_replicas;
    same.ready_replicas = before.ready_replicas;
    same.available_replicas = before.available_replicas;
    same.hpa_replicas = before.hpa_replicas;
    if next.phase == Some(RolloutPhase::Progressing) {
        same.message.clone_from(&before.message);
    }
    if are_alike(&before.conditions, &next.conditions, evicts) {
        same.conditions.clone_from(&before.conditions);
    }
    same == *before
}

/// Whether the conditions say the same, but for how an update that goes on last progressed; and, if the plan evicts
/// Pods, but for whether all are there.
fn are_alike(before: &[RolloutCondition], next: &[RolloutCondition], evicts: bool) -> bool {
    let goes_on = |c: &RolloutCondition| {
        c.type_ == ConditionType::Progressing.as_str() && c.status == ConditionStatus::True
    };
    let of_pods = [ConditionType::Available, ConditionType::Healthy].map(ConditionType::as_str);
    let is_passing = |b: &RolloutCondition, c: &RolloutCondition| {
        goes_on(b) && goes_on(c) || evicts && of_pods.contains(&c.type_.as_str())
    };
    let is_alike =
        |c: &RolloutCondition| before.iter().any(|b| b == c || b.type_ == c.type_ && is_passing(b, c));
    before.len() == next.len() && next.iter().all(is_alike)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn status(change: &serde_json::Value) -> RolloutStatus {
        let mut status = json!({
            "phase": "Progressing", "message": "more replicas need to be updated", "replicas": 2, "currentStepIndex": 0,
            "conditions": [condition("Progressing", "NewReplicaSetCreated"), condition("Completed", "RolloutCompleted")],
        });
        for (key, value) in change.as_object().expect("an object") {
            status[key] = value.clone();
        }
        serde_json::from_value(status).expect("a status")
    }

    fn condition(kind: &str, reason: &str) -> serde_json::Value {
        let time = "2026-01-01T00:00:00Z";
        json!({
            "type": kind, "reason": reason, "status": "True", "message": "",
            "lastUpdateTime": time, "lastTransitionTime": time,
        })
    }

    fn held(held_since: Option<Timestamp>) -> Wait {
        Wait { held_since, now: NOW, longest: MINUTE, evicts: false }
    }

    fn wait(change: &serde_json::Value, held_since: Option<Timestamp>) -> Option<i64> {
        until(Some(&status(&json!({}))), &status(change), &held(held_since)).map(Timestamp::as_second)
    }

    #[test]
    fn counts_wait_while_pods_come_up() {
        let conditions =
            [condition("Completed", "RolloutCompleted"), condition("Progressing", "ReplicaSetUpdated")];
        let change = json!({"replicas": 3, "message": "updated replicas are still becoming available"});
        assert_eq!(wait(&change, None), Some(1));
        assert_eq!(wait(&json!({"availableReplicas": 1, "conditions": conditions}), None), Some(1));
    }

    #[test]
    fn what_has_waited_long_enough_is_written() {
        let change = json!({"replicas": 3});
        assert_eq!(wait(&change, Some(NOW - SignedDuration::from_millis(900))), Some(0));
        assert_eq!(wait(&change, Some(NOW - SignedDuration::from_secs(1))), None);
    }

    #[test]
    fn a_deadline_that_is_near_shortens_the_wait() {
        let (before, next) = (status(&json!({})), status(&json!({"replicas": 3})));
        let wait = Wait { longest: SignedDuration::from_millis(200), ..held(None) };
        assert_eq!(until(Some(&before), &next, &wait).map(Timestamp::as_millisecond), Some(200));
    }

    #[test]
    fn counts_of_a_settled_rollout_wait_for_a_moment() {
        let settled =
            |replicas: i32| status(&json!({"phase": "Healthy", "message": null, "replicas": replicas}));
        let until = until(Some(&settled(2)), &settled(1), &held(None)).map(Timestamp::as_second);
        assert_eq!(until, Some(1));
    }

    #[test]
    fn what_an_eviction_ends_is_not_written_before_it() {
        let available = |value: &str| {
            let mut available = condition("Available", "AvailableReason");
            available["status"] = json!(value);
            json!({"conditions": [condition("Progressing", "ReplicaSetUpdated"), available]})
        };
        let until = |evicts, held_since| {
            let wait = Wait { evicts, ..held(held_since) };
            until(Some(&status(&available("False"))), &status(&available("True")), &wait)
                .map(Timestamp::as_second)
        };
        assert_eq!(until(true, None), Some(10));
        assert_eq!(
            until(true, Some(NOW - SignedDuration::from_secs(10))),
            None,
            "the eviction may be refused"
        );
        assert_eq!(until(false, None), None);
    }

    #[test]
    fn everything_else_is_written_at_once() {
        assert_eq!(wait(&json!({}), None), None, "there is nothing to write");
        for change in [
            json!({"phase": "Healthy", "replicas": 3}),
            json!({"currentStepIndex": 1}),
            json!({"observedGeneration": "2"}),
            json!({"conditions": [condition("Progressing", "NewReplicaSetCreated")]}),
            json!({"conditions": [condition("Progressing", "NewReplicaSetCreated"), condition("Completed", "x")]}),
        ] {
            assert_eq!(wait(&change, None), None, "{change}");
        }
        assert_eq!(until(None, &status(&json!({})), &held(None)), None, "a first status");
    }
}
