//! The causes for the state of a Rollout, and a forecast, from the controller's own decisions.
//!
//! The input is a [`Picture`]: objects at one point in time. [`explain`] is a pure function of it.
//!
//! | module | what it has |
//! |---|---|
//! | `picture`, `scene` | the objects, and the Rollout as its controller sees it |
//! | `cause` | the causes, as data |
//! | `find`, `references`, `availability`, `pods`, `lease` | finds the causes |
//! | `forecast`, `writes` | runs the next decisions in a model where pods start at once |
//! | `account` | all of it together |

mod account;
mod availability;
mod cause;
mod find;
mod forecast;
mod lease;
mod naming;
mod picture;
mod pods;
mod references;
mod scene;
mod writes;

pub use account::{Account, explain};
pub use cause::{Cause, Finding, FirstStep, Mistake, Place, Revision, Serving, StrayLabel, WayBack};
pub use forecast::{Assumption, End, Forecast, Times};
pub use lease::{Controller, lease_name};
pub use picture::{About, Picture};
pub use pods::Trouble;
pub use writes::{Change, StatusChange, Write};
