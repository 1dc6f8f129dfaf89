//! Status symbols.

use super::colour::Colour;
use serin_core::api::{AnalysisPhase, RolloutPhase};

/// The state that a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Good,
    Bad,
    Warning,
    Progressing,
    Waiting,
    Unknown,
    Paused,
    Neutral,
}

impl Mark {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Good => "✔",
            Self::Bad => "✖",
            Self::Warning => "⚠",
            Self::Progressing => "◌",
            Self::Waiting => "◷",
            Self::Unknown => "?",
            Self::Paused => "॥",
            Self::Neutral => "•",
        }
    }

    pub(super) const fn colour(self) -> Option<Colour> {
        match self {
            Self::Good => Some(Colour::Green),
            Self::Bad | Self::Warning => Some(Colour::Red),
            Self::Progressing => Some(Colour::Blue),
            Self::Waiting | Self::Unknown => Some(Colour::Yellow),
            Self::Paused | Self::Neutral => None,
        }
    }

    pub(super) const fn of_rollout(phase: RolloutPhase) -> Self {
        match phase {
            RolloutPhase::Healthy => Self::Good,
            RolloutPhase::Degraded => Self::Bad,
            RolloutPhase::Progressing => Self::Progressing,
            RolloutPhase::Paused => Self::Paused,
        }
    }

    /// The symbol of an analysis, a measurement or an experiment.
    pub(super) const fn of_analysis(phase: AnalysisPhase) -> Self {
        match phase {
            AnalysisPhase::Successful => Self::Good,
            AnalysisPhase::Failed => Self::Bad,
            AnalysisPhase::Error => Self::Warning,
            AnalysisPhase::Running => Self::Progressing,
            AnalysisPhase::Pending => Self::Waiting,
            AnalysisPhase::Inconclusive | AnalysisPhase::Unknown => Self::Unknown,
        }
    }

    /// The symbol of a pod with this `reason`, in the words of `kubectl get pods`.
    pub(super) fn of_pod(reason: &str) -> Self {
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

    /// The symbol of an init container: the number of completed ones, or the reason why one is blocked.
    fn of_init(reason: &str) -> Self {
        if reason.contains('/') { Self::Progressing } else { Self::of_pod(reason) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_as_its_reason_says() {
        for (reason, sign) in [
            ("Running", "✔"),
            ("ContainerCreating", "◌"),
            ("ImagePullBackOff", "⚠"),
            ("ErrImagePull", "⚠"),
            ("CreateContainerConfigError", "⚠"),
            ("CrashLoopBackOff", "✖"),
            ("ExitCode:3", "✖"),
            ("Init:0/2", "◌"),
            ("Init:CrashLoopBackOff", "✖"),
            ("Init:Signal:9", "✖"),
            ("NotReady", "?"),
        ] {
            assert_eq!(Mark::of_pod(reason).sign(), sign, "{reason}");
        }
    }
}
