//! The controllers of a cluster, as small as the embedded cluster needs them: replica sets, deployments, jobs, garbage
//! collection, namespaces, endpoints and disruption budgets.
//!
//! An [`Actor`] is a pure function from what is seen to the requests to make and the time to look again. [`Crew`] holds
//! the view and what is due, without a clock or requests, so that it can be driven in virtual time against a store in
//! process; [`run`] connects it to an API by HTTP. They are plain clients: each works against a real API server, too.
//!
//! Deliberately absent: quotas, node failures, indexed jobs, rate limits.

mod crew;
mod deployments;
mod disruption;
mod driver;
#[cfg(test)]
mod embedded_tests;
mod endpoints;
mod garbage;
mod jobs;
mod namespaces;
mod pods;
mod replica_sets;
mod request;
#[cfg(test)]
mod world;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use crew::{Crew, Ticket};
pub use driver::{http_request, run};
pub(crate) use endpoints::target_port;
pub use request::{Call, Report};

use super::api::request::Response;
use super::view::{Change, Place, View};

/// The name of the field manager and user agent that the actors write as: that of the program whose part they play.
pub const FIELD_MANAGER: &str = "kube-controller-manager";

/// What an actor wants to be done, and when it wants to look again even if nothing changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Requests; they may be sent at the same time.
    pub calls: Vec<Call>,
    /// When time alone will change the answer.
    pub wake: Option<Timestamp>,
}

impl Step {
    /// Nothing to do before `time`.
    #[must_use]
    pub fn wait(time: Option<Timestamp>) -> Self {
        Self { calls: Vec::new(), wake: time }
    }

    /// These requests.
    #[must_use]
    pub fn ask(calls: Vec<Call>) -> Self {
        Self { calls, wake: None }
    }
}

/// A controller: keeps the objects at some places as they should be.
pub trait Actor: std::fmt::Debug + Send {
    /// The places whose objects a change concerns.
    fn concerned(&self, view: &View, change: &Change) -> Vec<Place>;

    /// What to do about the object at `place`. While its requests are under way it is not asked again.
    fn step(&self, view: &View, place: &Place, now: Timestamp) -> Step;

    /// How a request went; for what is to be remembered of it and is not in the view.
    fn answered(&mut self, _place: &Place, _call: &Call, _response: &Response, _now: Timestamp) {}
}

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

    fn actors(self) -> Vec<Box<dyn Actor>> {
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
