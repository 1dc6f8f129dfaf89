//! The controllers of a cluster, as small as the embedded cluster needs them: replica sets, deployments, jobs, garbage
//! collection, namespaces, endpoints and disruption budgets.
//!
//! An [`Actor`] is a pure function from what is seen to the requests to make and the time to look again. [`Crew`] holds
//! the view and what is due, without a clock or requests, so that it can be driven in virtual time against a store in
//! process; [`run`] connects it to an API by HTTP. They are plain clients: each works against a real API server, too.
//!
//! Deliberately absent: quotas, node failures, indexed jobs, rate limits.

mod actor;
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
mod roster;
#[cfg(test)]
mod world;

pub use actor::{Actor, Step};
pub use crew::{Crew, Ticket};
pub use driver::{http_request, run};
pub(crate) use endpoints::target_port;
pub use request::{Call, FIELD_MANAGER, Report};
pub use roster::ActorName;
