//! The interface of an actor: a function from a view of the cluster to requests.

use jiff::Timestamp;

use super::request::Call;
use crate::api::request::Response;
use crate::view::{Change, Place, View};

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
