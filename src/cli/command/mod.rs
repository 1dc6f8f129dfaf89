//! What users command: patches of Rollouts and of what belongs to them.
//!
//! Under the name of the reference's plugin a command is sent as it is given. Under Serin's own the Rollout is looked at
//! first, so that a command that has nothing to do says so.

mod analysis_run;
mod commander;
mod create;
mod difference;
mod history;
mod image;
mod manner;
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

/// What is set.
#[derive(Debug, Subcommand)]
pub(super) enum Set {
    /// Sets the images of containers of a Rollout, or of the Deployment that it takes its template from.
    Image(Box<image::Image>),
}

/// Sets a part of templates.
pub(super) async fn set(what: Set, program: Program) -> Result<(), Failure> {
    let Set::Image(flags) = what;
    image::image(*flags, program).await
}
