//! The conditions of a Rollout: one row a type, one row a reason.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$row:meta])* $word:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$row])* $word,)+ }

        impl $name {
            /// Every one, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => stringify!($word),)+ }
            }
        }
    };
}

words! {
    /// What a condition is about.
    ConditionType {
        /// The spec cannot be carried out as it is.
        InvalidSpec,
        /// Enough pods are available.
        Available,
        /// An update goes on, or has come to its end.
        Progressing,
        /// The current revision is the stable one.
        Completed,
        /// Everything that the spec asks for runs.
        Healthy,
        /// Somebody or a time is waited for.
        Paused,
        /// A ReplicaSet cannot make its pods.
        ReplicaFailure,
        /// The API server refuses a write of the controller.
        Blocked,
    }
}

words! {
    /// Why a condition has its value.
    ConditionReason {
        /// The spec cannot be carried out as it is.
        InvalidSpec,
        /// The number of available pods.
        AvailableReason,
        /// Whether the current revision is the stable one.
        RolloutCompleted,
        /// Whether everything that the spec asks for runs.
        RolloutHealthy,
        /// A ReplicaSet was made for a new revision.
        NewReplicaSetCreated,
        /// A ReplicaSet could not be made.
        ReplicaSetCreateError,
        /// The update has come further.
        ReplicaSetUpdated,
        /// The update has come to its end.
        NewReplicaSetAvailable,
        /// Pods of the stable revision are missing.
        ReplicaSetNotAvailable,
        /// The update has come no further for longer than its deadline.
        ProgressDeadlineExceeded,
        /// The update was given up.
        RolloutAborted,
        /// The update begins again after it was given up.
        RolloutRetry,
        /// The controller waits.
        RolloutPaused,
        /// The controller goes on.
        RolloutResumed,
        /// The controller lacks a right.
        Forbidden,
        /// The API server, an admission webhook or a quota refuses an object.
        Rejected,
        /// The ReplicaSet of the newest revision has lost the label by which it is found.
        LostLabel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_on_the_wire() {
        assert_eq!(ConditionType::InvalidSpec.as_str(), "InvalidSpec");
        assert_eq!(ConditionReason::AvailableReason.as_str(), "AvailableReason");
        assert_eq!(ConditionType::ALL.len(), 8);
    }
}
