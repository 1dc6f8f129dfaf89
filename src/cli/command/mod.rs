//! Commands of users: patches of Rollouts and of their dependents.
//!
//! Under the name of the reference's plugin, commands are sent without checks. Under the other names, Serin reads the
//! Rollout first and reports commands without effect.

mod analysis_run;
mod commander;
mod create;
mod difference;
mod history;
mod image;
mod manner;
mod new;
mod obstacle;
mod promote;
mod revision;
mod simple;
mod target;
mod undo;
mod wait;

use clap::Subcommand;

pub(super) use create::{Create, create};
pub(super) use history::{History, history};
pub(super) use promote::{Promote, promote};
pub(super) use simple::{Abort, Plain, Restart, Retry, Terminate, abort, pause, restart, retry, terminate};
pub(super) use undo::{Undo, undo};

use super::failure::{Failure, Program};

/// The part to set.
#[derive(Debug, Subcommand)]
pub(super) enum Set {
    /// Set the images of containers of a Rollout, or of the Deployment in its workloadRef.
    Image(Box<image::Image>),
}

/// Sets a part of pod templates.
pub(super) async fn set(what: Set, program: Program) -> Result<(), Failure> {
    let Set::Image(flags) = what;
    image::image(*flags, program).await
}
