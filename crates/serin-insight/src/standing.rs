//! The phase and message of a Rollout, as clients of the API must read them.

use serin_core::api::{Rollout, RolloutPhase};
use serin_core::rollout::phase;

/// A phase and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The phase.
    pub phase: RolloutPhase,
    /// The reason; may be empty.
    pub message: String,
}

impl Standing {
    /// The standing of `rollout`. The controller's status counts unless it is older than the user's last change or
    /// the end of a pause. Degraded always counts, because no one must wait for it forever.
    #[must_use]
    pub fn of(rollout: &Rollout) -> Self {
        let mut status = rollout.status.clone().unwrap_or_default();
        if !is_observed(rollout) {
            return Self::progressing("waiting for rollout spec update to be observed");
        }
        let is_degraded = status.phase == Some(RolloutPhase::Degraded);
        if status.controller_pause && status.pause_conditions.is_empty() && !is_degraded {
            return Self::progressing("waiting for rollout to unpause");
        }
        if status.phase.is_none() {
            phase::derive(rollout, &mut status);
        }
        let phase = status.phase.unwrap_or(RolloutPhase::Progressing);
        Self { phase, message: status.message.unwrap_or_default() }
    }

    fn progressing(message: &str) -> Self {
        Self { phase: RolloutPhase::Progressing, message: message.to_owned() }
    }

    /// The phase as it is stored.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        word(self.phase)
    }

    /// Phase and message in a line, as `status` prints them.
    #[must_use]
    pub fn line(&self) -> String {
        if self.message.is_empty() {
            self.word().to_owned()
        } else {
            format!("{} - {}", self.word(), self.message)
        }
    }

    /// The line of `status --watch=false`: a Healthy or Degraded Rollout gets one word.
    #[must_use]
    pub fn last_line(&self) -> String {
        match self.phase {
            RolloutPhase::Healthy | RolloutPhase::Degraded => self.word().to_owned(),
            RolloutPhase::Progressing | RolloutPhase::Paused => self.line(),
        }
    }
}

/// A phase as it is stored.
#[must_use]
pub const fn word(phase: RolloutPhase) -> &'static str {
    match phase {
        RolloutPhase::Healthy => "Healthy",
        RolloutPhase::Degraded => "Degraded",
        RolloutPhase::Progressing => "Progressing",
        RolloutPhase::Paused => "Paused",
    }
}

/// True if the controller has observed the last change of a Rollout, according to its status.
#[must_use]
pub fn is_observed(rollout: &Rollout) -> bool {
    let observed = rollout.status.as_ref().and_then(|status| status.observed_generation.as_ref());
    let observed = observed.and_then(|observed| observed.parse::<i64>().ok());
    rollout.metadata.generation.zip(observed).is_none_or(|(generation, observed)| observed >= generation)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn line(status: &Value) -> String {
        let rollout = json!({"metadata": {"generation": 3}, "spec": {}, "status": status});
        Standing::of(&serde_json::from_value(rollout).unwrap()).line()
    }

    #[test]
    fn what_users_asked_for_last_comes_before_what_was_written() {
        for (status, expected) in [
            (
                json!({"observedGeneration": "2", "phase": "Healthy"}),
                "Progressing - waiting for rollout spec update to be observed",
            ),
            (json!({"observedGeneration": "3", "phase": "Healthy"}), "Healthy"),
            (json!({"observedGeneration": "4", "phase": "Healthy"}), "Healthy"),
            (json!({"observedGeneration": "a1b2", "phase": "Healthy"}), "Healthy"),
            (
                json!({"observedGeneration": "3", "phase": "Paused", "controllerPause": true}),
                "Progressing - waiting for rollout to unpause",
            ),
            // A promoted preview with additional pods that do not become ready.
            (
                json!({"observedGeneration": "3", "phase": "Degraded", "message": "late", "controllerPause": true}),
                "Degraded - late",
            ),
            (
                json!({"phase": "Degraded", "message": "RolloutAborted: why"}),
                "Degraded - RolloutAborted: why",
            ),
            (Value::Null, "Progressing - more replicas need to be updated"),
        ] {
            assert_eq!(line(&status), expected, "{status}");
        }
    }
}
