//! Execution of commands: dry runs and output.

use clap::{Args, ValueEnum};
use kube::api::{DynamicObject, PatchParams};

use super::super::failure::Failure;
use super::super::output::{Form, print};
use serin_core::api::keys;

/// Flags of every command that changes objects.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Manner {
    /// Change nothing and show the result: computed locally (client), or by the API server (server)
    #[arg(long, value_name = "WHO")]
    dry_run: Option<DryRun>,
    /// Output format for the resulting objects: json, yaml, name, or jsonpath=TEMPLATE
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
}

/// The kind of dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// Computes the result locally, and sends only read requests.
    Client,
    /// The API server validates the request and stores nothing.
    Server,
    /// No dry run.
    None,
}

/// The result of a command.
#[derive(Debug)]
pub(super) struct Done {
    /// The message for users.
    pub(super) said: String,
    /// The resulting object.
    pub(super) object: DynamicObject,
    /// The Rollout as it was when the command was sent.
    pub(super) rollout: DynamicObject,
    /// True if the command changed something.
    pub(super) is_changed: bool,
}

impl Done {
    /// The result for the changed Rollout `object`. `words` follow its name in the message.
    pub(super) fn changed(name: &str, object: DynamicObject, words: &str) -> Self {
        Self { said: format!("rollout '{name}' {words}"), rollout: object.clone(), object, is_changed: true }
    }

    /// The result of a command without effect.
    pub(super) fn unchanged(name: &str, object: DynamicObject, words: &str) -> Self {
        Self { is_changed: false, ..Self::changed(name, object, words) }
    }
}

impl Manner {
    /// True if only read requests may be sent.
    pub(super) fn is_local(&self) -> bool {
        self.dry_run == Some(DryRun::Client)
    }

    /// True if nothing is changed.
    pub(super) fn is_dry(&self) -> bool {
        matches!(self.dry_run, Some(DryRun::Client | DryRun::Server))
    }

    pub(super) fn params(&self) -> PatchParams {
        PatchParams { dry_run: self.is_dry(), ..PatchParams::default() }
    }

    /// Prints the message for users, unless the output is for programs.
    pub(super) fn tell(&self, said: &str) -> Result<(), Failure> {
        if self.form().is_some() {
            return Ok(());
        }
        let note = match self.dry_run {
            Some(DryRun::Client) => " (dry run)",
            Some(DryRun::Server) => " (server dry run)",
            Some(DryRun::None) | None => "",
        };
        print(&format!("{said}{note}\n"))
    }

    /// Prints the resulting objects for programs.
    pub(super) fn tell_programs(&self, objects: &[DynamicObject]) -> Result<(), Failure> {
        match (self.form(), objects) {
            (None, _) | (Some(_), []) => Ok(()),
            (Some(form), [object]) => print(&form.object(object)?),
            (Some(form), objects) => print(&form.objects(keys::ROLLOUT, objects)?),
        }
    }

    /// True if the output is for programs.
    pub(super) fn is_for_programs(&self) -> bool {
        self.form().is_some()
    }

    fn form(&self) -> Option<&Form> {
        Form::for_programs(self.output.as_ref())
    }
}
