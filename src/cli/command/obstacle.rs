//! Obstacles that block a command, according to the status of the Rollout.
//!
//! While the spec is invalid, the controller carries out only an abort. While the API server refuses a write,
//! everything that depends on that write waits.

use jiff::{SignedDuration, Timestamp};

use super::super::failure::Failure;
use serin_core::api::Rollout;
use serin_insight::facts::{blocked, invalid_spec};

/// Time to wait for a refused write. The controller retries within 30 s, so it has retried at least once by then.
const PATIENCE: SignedDuration = SignedDuration::from_mins(1);

/// The failure if a Rollout cannot be `done` (as in `promoted`) because its spec is invalid.
pub(super) fn of_spec(rollout: &Rollout, done: &str) -> Result<(), Failure> {
    let Some(said) = invalid_spec(rollout) else { return Ok(()) };
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    Err(Failure::Failed(format!("rollout '{name}' cannot be {done} until its spec is valid: {said}")))
}

/// The note for commands that are sent while the API server refuses a write.
pub(super) fn note(rollout: &Rollout) -> Option<String> {
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    blocked(rollout).map(|said| {
        format!(
            "rollout '{name}': the API server refuses a write, and dependent \
                                         changes wait: {said}"
        )
    })
}

/// The time since when a wait has seen a refused write.
#[derive(Debug, Default)]
pub(super) struct Blockage {
    since: Option<Timestamp>,
}

impl Blockage {
    /// The failure of a wait if a write has been refused for too long.
    pub(super) fn look(&mut self, rollout: &Rollout, now: Timestamp) -> Option<Failure> {
        let Some(said) = blocked(rollout) else {
            self.since = None;
            return None;
        };
        let since = *self.since.get_or_insert(now);
        let name = rollout.metadata.name.as_deref().unwrap_or_default();
        let is_over = now.duration_since(since) >= PATIENCE;
        is_over.then(|| Failure::Failed(format!("rollout '{name}' is blocked by a refused write: {said}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rollout(kind: &str, generation: i64) -> Rollout {
        let time = "2026-01-01T00:00:00Z";
        let condition = json!({"type": kind, "status": "True", "reason": "why", "message": "quota",
            "lastUpdateTime": time, "lastTransitionTime": time});
        let meta = json!({"name": "demo", "generation": generation});
        let status = json!({"observedGeneration": "1", "conditions": [condition]});
        serde_json::from_value(json!({"metadata": meta, "spec": {}, "status": status})).unwrap()
    }

    #[test]
    fn an_invalid_spec_counts_until_it_is_changed() {
        let said = "rollout 'demo' cannot be promoted until its spec is valid: quota";
        let refused = of_spec(&rollout("InvalidSpec", 1), "promoted");
        assert_eq!(refused, Err(Failure::Failed(said.to_owned())));
        assert_eq!(of_spec(&rollout("InvalidSpec", 2), "promoted"), Ok(()));
        assert_eq!(of_spec(&rollout("Blocked", 1), "promoted"), Ok(()));
    }

    #[test]
    fn a_refused_write_ends_a_wait_after_a_while() {
        let (refused, well) = (rollout("Blocked", 1), rollout("Healthy", 1));
        let begin = Timestamp::UNIX_EPOCH;
        let mut blockage = Blockage::default();
        assert_eq!(blockage.look(&refused, begin), None);
        assert_eq!(blockage.look(&well, begin + PATIENCE), None);
        assert_eq!(blockage.look(&refused, begin + PATIENCE), None);
        let said = "rollout 'demo' is blocked by a refused write: quota";
        let failure = blockage.look(&refused, begin + 2 * PATIENCE);
        assert_eq!(failure, Some(Failure::Failed(said.to_owned())));
        assert_eq!(note(&well), None);
        assert!(note(&refused).unwrap().ends_with("wait: quota"));
    }
}
