//! The actors by name.

use std::collections::BTreeSet;

use super::actor::Actor;
use super::{deployments, disruption, endpoints, garbage, jobs, namespaces, replica_sets};

/// The actors by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActorName {
    /// Makes and deletes the pods of ReplicaSets.
    ReplicaSets,
    /// Makes and scales the ReplicaSets of Deployments.
    Deployments,
    /// Makes the pods of Jobs.
    Jobs,
    /// Deletes what has lost its owners.
    Garbage,
    /// Empties namespaces that are being deleted, and furnishes new ones.
    Namespaces,
    /// Keeps Endpoints and `EndpointSlices` of Services.
    Endpoints,
    /// Keeps the status of `PodDisruptionBudgets`.
    Disruption,
}

impl ActorName {
    /// All of them.
    #[must_use]
    pub fn all() -> BTreeSet<Self> {
        use ActorName::{Deployments, Disruption, Endpoints, Garbage, Jobs, Namespaces, ReplicaSets};
        [ReplicaSets, Deployments, Jobs, Garbage, Namespaces, Endpoints, Disruption].into()
    }

    /// New actors of that name.
    pub(super) fn actors(self) -> Vec<Box<dyn Actor>> {
        match self {
            Self::ReplicaSets => vec![Box::new(replica_sets::ReplicaSets::default())],
            Self::Deployments => vec![Box::new(deployments::Deployments)],
            Self::Jobs => vec![Box::new(jobs::Jobs)],
            Self::Garbage => vec![Box::new(garbage::Garbage::default())],
            Self::Namespaces => {
                vec![Box::new(namespaces::Namespaces::default()), Box::new(namespaces::Furniture)]
            }
            Self::Endpoints => vec![Box::new(endpoints::Endpoints), Box::new(endpoints::Slices)],
            Self::Disruption => vec![Box::new(disruption::Disruption)],
        }
    }
}
