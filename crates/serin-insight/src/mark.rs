//! The state of an object, in one of a few values that views show as a symbol.

use serin_core::api::{AnalysisPhase, RolloutPhase};

/// The state of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is as it should be.
    Good,
    /// It has failed.
    Bad,
    /// It has a problem that may be solved without a change of the object.
    Warning,
    /// It is changing.
    Progressing,
    /// It has not started.
    Waiting,
    /// Its state is unknown, or undecided.
    Unknown,
    /// It is paused.
    Paused,
    /// It is neither good nor bad.
    Neutral,
}

impl Mark {
    /// The state of a Rollout.
    #[must_use]
    pub const fn of_rollout(phase: RolloutPhase) -> Self {
        match phase {
            RolloutPhase::Healthy => Self::Good,
            RolloutPhase::Degraded => Self::Bad,
            RolloutPhase::Progressing => Self::Progressing,
            RolloutPhase::Paused => Self::Paused,
        }
    }

    /// The state of an analysis, a measurement or an experiment.
    #[must_use]
    pub const fn of_analysis(phase: AnalysisPhase) -> Self {
        match phase {
            AnalysisPhase::Successful => Self::Good,
            AnalysisPhase::Failed => Self::Bad,
            AnalysisPhase::Error => Self::Warning,
            AnalysisPhase::Running => Self::Progressing,
            AnalysisPhase::Pending => Self::Waiting,
            AnalysisPhase::Inconclusive | AnalysisPhase::Unknown => Self::Unknown,
        }
    }

    /// The state of a pod with this `reason`, in the words of `kubectl get pods`.
    #[must_use]
    pub fn of_pod(reason: &str) -> Self {
        match reason {
            "Running" | "Completed" | "Succeeded" => Self::Good,
            "Pending" | "Terminating" | "ContainerCreating" | "PodInitializing" => Self::Progressing,
            "Failed" | "InvalidImageName" | "CrashLoopBackOff" | "OOMKilled" | "Evicted" => Self::Bad,
            "ImagePullBackOff" | "RegistryUnavailable" => Self::Warning,
            _ if reason.starts_with("Signal:") || reason.starts_with("ExitCode:") => Self::Bad,
            _ if reason.starts_with("Err") || reason.ends_with("Error") => Self::Warning,
            _ => reason.strip_prefix("Init:").map_or(Self::Unknown, Self::of_init),
        }
    }

    /// The state of an init container: the number of completed ones, or the reason why one is blocked.
    fn of_init(reason: &str) -> Self {
        if reason.contains('/') { Self::Progressing } else { Self::of_pod(reason) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_as_its_reason_says() {
        for (reason, mark) in [
            ("Running", Mark::Good),
            ("ContainerCreating", Mark::Progressing),
            ("ImagePullBackOff", Mark::Warning),
            ("ErrImagePull", Mark::Warning),
            ("CreateContainerConfigError", Mark::Warning),
            ("CrashLoopBackOff", Mark::Bad),
            ("ExitCode:3", Mark::Bad),
            ("Init:0/2", Mark::Progressing),
            ("Init:CrashLoopBackOff", Mark::Bad),
            ("Init:Signal:9", Mark::Bad),
            ("NotReady", Mark::Unknown),
        ] {
            assert_eq!(Mark::of_pod(reason), mark, "{reason}");
        }
    }
}
