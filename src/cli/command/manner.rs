//! How a command is carried out.

use clap::{Args, ValueEnum};
use kube::api::{DynamicObject, PatchParams};

use super::super::failure::Failure;
use super::super::output::{Form, print};
use serin_core::api::keys;

/// Flags of every command.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Manner {
    /// Change nothing: show what would come of it, by itself (client) or by what the API server says (server)
    #[arg(long, value_name = "WHO")]
    dry_run: Option<DryRun>,
    /// Print the resulting objects for programs: json, yaml, name, or jsonpath=TEMPLATE
    #[arg(long, short, value_name = "FORM")]
    output: Option<Form>,
}

/// Who says what would come of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// This program; nothing but reads is sent.
    Client,
    /// The API server, which checks everything and stores nothing.
    Server,
    /// Nobody: the command is carried out.
    None,
}

/// What came of a command.
#[derive(Debug)]
pub(super) struct Done {
    /// What users are told.
    pub(super) said: String,
    /// What came of it.
    pub(super) object: DynamicObject,
    /// The Rollout that it is about, as it was when that was done.
    pub(super) rollout: DynamicObject,
    /// Whether anything was to be done at all.
    pub(super) is_changed: bool,
}

impl Done {
    /// That `object`, the Rollout of that name, was changed, in `words`.
    pub(super) fn changed(name: &str, object: DynamicObject, words: &str) -> Self {
        Self { said: format!("rollout '{name}' {words}"), rollout: object.clone(), object, is_changed: true }
    }

    /// That there was nothing to be done.
    pub(super) fn unchanged(name: &str, object: DynamicObject, words: &str) -> Self {
        Self { is_changed: false, ..Self::changed(name, object, words) }
    }
}

impl Manner {
    /// Whether nothing but reads may be sent.
    pub(super) fn is_local(&self) -> bool {
        self.dry_run == Some(DryRun::Client)
    }

    /// Whether nothing is changed.
    pub(super) fn is_dry(&self) -> bool {
        matches!(self.dry_run, Some(DryRun::Client | DryRun::Server))
    }

    pub(super) fn params(&self) -> PatchParams {
        PatchParams { dry_run: self.is_dry(), ..PatchParams::default() }
    }

    /// Tells what came of a command, unless programs are to be told in the end.
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

    /// Tells programs what came of commands.
    pub(super) fn tell_programs(&self, objects: &[DynamicObject]) -> Result<(), Failure> {
        match (self.form(), objects) {
            (None, _) | (Some(_), []) => Ok(()),
            (Some(form), [object]) => print(&form.object(object)?),
            (Some(form), objects) => print(&form.objects(keys::ROLLOUT, objects)?),
        }
    }

    /// Whether the results are for programs.
    pub(super) fn is_for_programs(&self) -> bool {
        self.form().is_some()
    }

    fn form(&self) -> Option<&Form> {
        Form::for_programs(self.output.as_ref())
    }
}
