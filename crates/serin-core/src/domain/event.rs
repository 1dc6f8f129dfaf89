//! The Events that users see on a Rollout: one row a reason.

use std::fmt;

/// Whether an Event reports the ordinary course of things or a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    /// The ordinary course of things.
    Normal,
    /// Something that somebody should look at.
    Warning,
}

impl EventType {
    /// The value of the Event's `type` field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident: $type:ident,)+) => {
        /// The closed list of Event reasons; notification triggers and dashboards match on their names.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum EventReason { $($(#[$doc])* $name,)+ }

        impl EventReason {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The value of the Event's `reason` field.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The type that Events of this reason have.
            #[must_use]
            pub const fn event_type(self) -> EventType {
                match self { $(Self::$name => EventType::$type,)+ }
            }
        }
    };
}

reasons! {
    /// The controller sees the Rollout for the first time in its life.
    RolloutAddedToInformer: Normal,
    /// The Rollout was deleted.
    RolloutDeleted: Normal,
    /// The Rollout's revision annotation changed.
    RolloutUpdated: Normal,
    /// A ReplicaSet was created for a revision.
    NewReplicaSetCreated: Normal,
    /// The template of a ReplicaSet is no longer the one that it was created for.
    ReplicaSetEdited: Warning,
    /// A ReplicaSet could not be created.
    ReplicaSetCreateError: Warning,
    /// The size of a ReplicaSet changed.
    ScalingReplicaSet: Normal,
    /// A Service's selector changed.
    SwitchService: Normal,
    /// An update began.
    RolloutNotCompleted: Normal,
    /// A revision became the stable one.
    RolloutCompleted: Normal,
    /// A canary step was completed.
    RolloutStepCompleted: Normal,
    /// The controller began to wait.
    RolloutPaused: Normal,
    /// The controller stopped waiting.
    RolloutResumed: Normal,
    /// The update was given up.
    RolloutAborted: Warning,
    /// A metric of an AnalysisRun has ended well.
    MetricSuccessful: Normal,
    /// A metric of an AnalysisRun has ended badly.
    MetricFailed: Warning,
    /// A metric of an AnalysisRun could not be measured.
    MetricError: Warning,
    /// A metric of an AnalysisRun has ended neither well nor badly.
    MetricInconclusive: Normal,
    /// An AnalysisRun has ended well.
    AnalysisRunSuccessful: Normal,
    /// An AnalysisRun has ended badly.
    AnalysisRunFailed: Warning,
    /// An AnalysisRun could not be carried out.
    AnalysisRunError: Warning,
    /// An AnalysisRun has ended neither well nor badly.
    AnalysisRunInconclusive: Normal,
    /// Steps were left out because the revision is known to serve.
    SkipSteps: Normal,
    /// The share of traffic changed.
    TrafficWeightUpdated: Normal,
    /// A router's object could not be written.
    TrafficRoutingError: Warning,
    /// A canary Ingress is created.
    CreatingCanaryIngress: Normal,
    /// A canary Ingress is changed.
    PatchingCanaryIngress: Normal,
    /// The size that the Rollout does not set is that of its workload.
    ReplicasFromWorkload: Normal,
    /// The size that the Rollout does not set any more is the one that it has.
    ReplicasKept: Normal,
    /// A workload gives up more pods than the Rollout has in their place, as its size asks for.
    ScalingWorkload: Warning,
    /// The API server refused a write, or the controller lacks a right.
    ReconciliationError: Warning,
}

impl fmt::Display for EventReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An Event to be sent about the Rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventNote {
    /// Why it is sent.
    pub reason: EventReason,
    /// What happened, for a person.
    pub message: String,
}

impl EventNote {
    /// An Event about the Rollout that is decided on.
    #[must_use]
    pub fn new(reason: EventReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_named_as_they_are_sent() {
        assert_eq!(EventReason::RolloutStepCompleted.to_string(), "RolloutStepCompleted");
        assert_eq!(EventReason::RolloutAborted.event_type().as_str(), "Warning");
        assert_eq!(EventReason::ScalingReplicaSet.event_type().as_str(), "Normal");
        let names: std::collections::BTreeSet<_> = EventReason::ALL.iter().map(|r| r.as_str()).collect();
        assert_eq!(names.len(), EventReason::ALL.len(), "a reason is listed twice");
    }
}
