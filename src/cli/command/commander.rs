//! Sends commands and reports their results.

use kube::api::{DynamicObject, Patch};
use kube::core::ApiResource;
use serde_json::Value;

use super::super::client::{self, Cluster, UserFlags};
use super::super::failure::{Failure, Program};
use super::manner::{Done, Manner};
use super::obstacle;
use super::target::Target;
use super::wait::{Goal, Waiting};
use serin_core::api::Rollout;
use serin_values::merge_patch::apply_merge_patch;

/// A merge patch of a Rollout.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Patches {
    /// The patch of the status subresource.
    pub(super) status: Option<Value>,
    /// The patch of the main resource.
    pub(super) spec: Option<Value>,
}

/// Sends the commands of a user.
pub(super) struct Commander {
    pub(super) cluster: Cluster,
    pub(super) program: Program,
    pub(super) manner: Manner,
}

impl Commander {
    pub(super) async fn open(user: UserFlags, manner: Manner, program: Program) -> Result<Self, Failure> {
        Ok(Self { cluster: Cluster::open(user).await?, program, manner })
    }

    /// The command line of another verb for a Rollout.
    pub(super) fn command(&self, verb: &str, name: &str) -> String {
        let words = format!("{verb} {name} -n {}", self.cluster.namespace);
        self.cluster.given.own(self.program, &words)
    }

    /// Sends a command to each Rollout and reports the results. Under the name of the reference's plugin, stops at
    /// the first failure. `what` names the command in the confirmation prompt.
    pub(super) async fn each(
        &self,
        target: Target,
        what: &str,
        act: impl AsyncFn(&str) -> Result<Done, Failure>,
    ) -> Result<Vec<Done>, Failure> {
        self.each_of(target.names(&self.cluster, what).await?, act).await
    }

    /// Sends a command to each named object, as [`Self::each`] does.
    pub(super) async fn each_of(
        &self,
        names: Vec<String>,
        act: impl AsyncFn(&str) -> Result<Done, Failure>,
    ) -> Result<Vec<Done>, Failure> {
        let mut done = Vec::new();
        let mut failures = Vec::new();
        for name in names {
            match act(&name).await {
                Ok(one) => {
                    self.manner.tell(&one.said)?;
                    self.warn(&one);
                    done.push(one);
                }
                Err(failure) if self.program.is_plugin() => return Err(failure),
                Err(failure) => failures.push(failure),
            }
        }
        let objects: Vec<_> = done.iter().map(|one| one.object.clone()).collect();
        self.manner.tell_programs(&objects)?;
        Failure::together(failures).map(|()| done)
    }

    /// Reports obstacles that may block a command.
    fn warn(&self, done: &Done) {
        if self.program.is_plugin() || !done.is_changed {
            return;
        }
        let rollout = client::rollout(done.rollout.clone()).ok();
        if let Some(note) = rollout.as_ref().and_then(obstacle::note) {
            eprintln!("{note}");
        }
    }

    /// Waits for the effect of the commands if the user asked for that and anything changed.
    pub(super) async fn wait(&self, waiting: Waiting, done: Vec<Done>, goal: Goal) -> Result<(), Failure> {
        if !waiting.is_asked_for() || self.manner.is_dry() {
            return Ok(());
        }
        let changed = done.into_iter().filter(|one| one.is_changed).map(|one| one.rollout).collect();
        waiting.wait(&self.cluster, changed, goal, self.program).await
    }

    /// Gets a Rollout, as stored and parsed.
    pub(super) async fn look(&self, name: &str) -> Result<(DynamicObject, Rollout), Failure> {
        let stored = self.cluster.stored::<Rollout>(name, self.program).await?;
        Ok((stored.clone(), client::rollout(stored)?))
    }

    /// Applies patches to a Rollout and returns the result.
    pub(super) async fn merge(&self, name: &str, patches: Patches) -> Result<DynamicObject, Failure> {
        let kind = client::rollouts();
        let Patches { status, spec } = patches;
        let mut object = None;
        if let Some(status) = status {
            object = self.merge_status(name, &status).await?;
            if object.is_none() {
                // Without a status subresource, one patch contains both parts.
                let whole = spec.map_or_else(|| status.clone(), |spec| apply_merge_patch(&status, &spec));
                return self.merge_into(&kind, name, &whole, None).await;
            }
        }
        match (spec, object) {
            (Some(spec), object) => self.merge_into(&kind, name, &spec, object).await,
            (None, Some(object)) => Ok(object),
            (None, None) => self.get(&kind, name).await,
        }
    }

    /// Merges `status` into the status of a Rollout. Returns `None` if its definition has no status subresource.
    async fn merge_status(&self, name: &str, status: &Value) -> Result<Option<DynamicObject>, Failure> {
        if self.manner.is_local() {
            return self.merged(&client::rollouts(), name, status, None).await.map(Some);
        }
        let request = async {
            let params = self.manner.params();
            match self.cluster.rollouts().patch_status(name, &params, &Patch::Merge(status)).await {
                Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(None),
                answer => answer.map(Some),
            }
        };
        self.cluster.ask(request).await
    }

    /// Merges `patch` into an object. `before` is its last known state.
    pub(super) async fn merge_into(
        &self,
        kind: &ApiResource,
        name: &str,
        patch: &Value,
        before: Option<DynamicObject>,
    ) -> Result<DynamicObject, Failure> {
        if self.manner.is_local() {
            return self.merged(kind, name, patch, before).await;
        }
        self.patch(kind, name, &Patch::Merge(patch)).await
    }

    /// Sends a patch, also in a dry run.
    pub(super) async fn patch(
        &self,
        kind: &ApiResource,
        name: &str,
        patch: &Patch<&Value>,
    ) -> Result<DynamicObject, Failure> {
        let params = self.manner.params();
        let objects = self.cluster.objects_of(kind);
        self.cluster.ask_about(kind, name, self.program, objects.patch(name, &params, patch)).await
    }

    /// Gets an object.
    pub(super) async fn get(&self, kind: &ApiResource, name: &str) -> Result<DynamicObject, Failure> {
        self.cluster.get(kind, name, self.program).await
    }

    /// Computes the result of a patch locally.
    async fn merged(
        &self,
        kind: &ApiResource,
        name: &str,
        patch: &Value,
        before: Option<DynamicObject>,
    ) -> Result<DynamicObject, Failure> {
        let before = match before {
            Some(before) => before,
            None => self.get(kind, name).await?,
        };
        let failed = |error: serde_json::Error| Failure::Failed(format!("cannot read {name:?}: {error}"));
        let before = serde_json::to_value(before).map_err(failed)?;
        serde_json::from_value(apply_merge_patch(&before, patch)).map_err(failed)
    }
}
