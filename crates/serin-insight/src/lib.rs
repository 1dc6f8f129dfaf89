//! Facts about Rollouts, causes for their state, and a forecast, as data.
//!
//! Everything here is a pure function of objects and time. Sentences, symbols, columns and commands are those of the
//! program that shows the facts.
//!
//! | module | what it has |
//! |---|---|
//! | [`facts`] | roles of ReplicaSets, steps and weights, the end of a pause, reported problems |
//! | [`standing`] | phase and message, corrected for changes that the controller has not observed |
//! | [`wait`] | the thing that a Rollout waits for, according to its status |
//! | [`report`], [`revision`] | the status and a revision, for programs |
//! | [`mark`] | good or bad: the state of an object in one of eight values |
//! | [`surroundings`], [`dependents`], [`object`] | the objects of a namespace, and the ones that belong to a Rollout |
//! | [`legible`] | parses objects with unreadable fields |
//! | [`rounding`] | remaining and elapsed times in whole seconds |
//! | [`explain`] | the causes for the state of a Rollout, and a forecast, from the controller's own decisions |

pub mod dependents;
pub mod explain;
pub mod facts;
pub mod legible;
pub mod mark;
pub mod object;
pub mod report;
pub mod revision;
pub mod rounding;
pub mod standing;
pub mod surroundings;
pub mod wait;
