//! `serin undo`: rolls back to an earlier revision.

use std::io::{self, IsTerminal};

use clap::Args;
use k8s_openapi::api::core::v1::PodTemplate;
use kube::api::{DynamicObject, Patch};
use kube::core::ApiResource;
use serde_json::{Value, json};

use super::super::client;
use super::super::failure::{Failure, Program};
use super::super::output::{has_colours, print};
use super::commander::Commander;
use super::difference::difference;
use super::manner::Done;
use super::revision::{Revision, revisions};
use super::target::Target;
use super::wait::{Beginning, Goal};
use serin_core::api::Rollout;
use serin_core::domain::template::{restored, templates_equal};
use serin_core::rollout::workload::WorkloadKind;

/// Flags of `serin undo`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Undo {
    #[command(flatten)]
    target: Target,
    /// The revision to roll back to; 0 is the one before the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    to_revision: i64,
    #[command(flatten)]
    beginning: Beginning,
}

/// The object that contains the template of a Rollout.
struct Holder {
    kind: ApiResource,
    name: String,
    object: DynamicObject,
    /// The path of the template in the object.
    path: &'static str,
}

/// Rolls back to earlier revisions.
pub(in crate::cli) async fn undo(flags: Undo, program: Program) -> Result<(), Failure> {
    let Undo { target, to_revision, beginning } = flags;
    let Beginning { waiting, manner, user } = beginning;
    let commander = Commander::open(user, manner, program).await?;
    let one = async |name: &str| go_back(&commander, name, to_revision).await;
    let done = commander.each(target, "undo the last update of", one).await?;
    commander.wait(waiting, done, Goal::Settled).await
}

async fn go_back(commander: &Commander, name: &str, to_revision: i64) -> Result<Done, Failure> {
    let (stored, rollout) = commander.look(name).await?;
    let revisions = revisions(&commander.cluster, &rollout).await?;
    let revision =
        chosen(&revisions, to_revision).map_err(|why| Failure::Failed(format!("rollout '{name}' {why}")))?;
    let holder = holder(commander, stored.clone(), &rollout).await?;
    let current = holder.object.data.pointer(holder.path).cloned().unwrap_or_default();
    let number = revision.number;
    if templates_equal(revision.template(), &current, &revision.ephemeral()) {
        let words = format!("skipped rollback (current template already matches revision {number})");
        if commander.program.is_plugin() {
            return Ok(Done { said: words, object: stored.clone(), rollout: stored, is_changed: false });
        }
        return Err(Failure::Failed(format!(
            "nothing to undo: rollout '{name}' already has the template of revision {number}"
        )));
    }
    let template = restored(revision.template(), &revision.ephemeral());
    show(commander, name, number, &current, &template)?;
    let done = Done::changed(name, replace(commander, holder, template).await?, "undo");
    // Waits for the Rollout, which may not be the changed object.
    Ok(if rollout.spec.workload_ref.is_none() { done } else { Done { rollout: stored, ..done } })
}

/// The requested revision.
fn chosen(revisions: &[Revision], number: i64) -> Result<&Revision, String> {
    let numbers = || {
        let numbers: Vec<String> = revisions.iter().map(|revision| revision.number.to_string()).collect();
        numbers.join(", ")
    };
    match (number, revisions) {
        (_, []) => Err("has no revisions yet".to_owned()),
        (0, [only]) => Err(format!("has only one revision, {}, and nothing to roll back to", only.number)),
        (0, [_, previous, ..]) => Ok(previous),
        _ => {
            let found = revisions.iter().find(|revision| revision.number == number);
            found.ok_or_else(|| format!("has no revision {number}; it has {}", numbers()))
        }
    }
}

/// The object that contains the template: the Rollout or its workload.
async fn holder(commander: &Commander, stored: DynamicObject, rollout: &Rollout) -> Result<Holder, Failure> {
    let Some(reference) = &rollout.spec.workload_ref else {
        let name = stored.metadata.name.clone().unwrap_or_default();
        return Ok(Holder { kind: client::rollouts(), name, object: stored, path: "/spec/template" });
    };
    let name = reference.name.clone().unwrap_or_default();
    let kind = match WorkloadKind::of(reference) {
        Some(WorkloadKind::Deployment) => ApiResource::erase::<k8s_openapi::api::apps::v1::Deployment>(&()),
        Some(WorkloadKind::ReplicaSet) => ApiResource::erase::<k8s_openapi::api::apps::v1::ReplicaSet>(&()),
        Some(WorkloadKind::PodTemplate) => ApiResource::erase::<PodTemplate>(&()),
        None => {
            let (version, kind) = (reference.api_version.as_deref(), reference.kind.as_deref());
            let (version, kind) = (version.unwrap_or_default(), kind.unwrap_or_default());
            return Err(Failure::Failed(format!(
                "spec.workloadRef: unsupported workload {version} {kind}: expected apps/v1 Deployment, \
                 apps/v1 ReplicaSet or v1 PodTemplate"
            )));
        }
    };
    let path = if kind.kind == "PodTemplate" { "/template" } else { "/spec/template" };
    let object = commander.get(&kind, &name).await?;
    Ok(Holder { kind, name, object, path })
}

/// Prints the difference of the templates on a terminal, and in dry runs.
fn show(commander: &Commander, name: &str, number: i64, from: &Value, to: &Value) -> Result<(), Failure> {
    let is_read = io::stdout().is_terminal() || commander.manner.is_dry();
    if commander.program.is_plugin() || commander.manner.is_for_programs() || !is_read {
        return Ok(());
    }
    let lines = difference(from, to, has_colours())?;
    print(&format!("The template of rollout '{name}' becomes that of revision {number}:\n{lines}"))
}

async fn replace(commander: &Commander, holder: Holder, template: Value) -> Result<DynamicObject, Failure> {
    let Holder { kind, name, mut object, path } = holder;
    if commander.manner.is_local() {
        if let Some(place) = object.data.pointer_mut(path) {
            *place = template;
        }
        return Ok(object);
    }
    let patch = json!([{"op": "replace", "path": path, "value": template}]);
    let patch = serde_json::from_value(patch).map_err(|error| Failure::Failed(error.to_string()))?;
    commander.patch(&kind, &name, &Patch::<&Value>::Json(patch)).await
}
