//! Sending commands, and telling what came of them.

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

/// What is to be merged into a Rollout.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Patches {
    /// By way of the subresource.
    pub(super) status: Option<Value>,
    /// Into the Rollout itself.
    pub(super) spec: Option<Value>,
}

/// Who sends the commands of a user.
pub(super) struct Commander {
    pub(super) cluster: Cluster,
    pub(super) program: Program,
    pub(super) manner: Manner,
}

impl Commander {
    pub(super) async fn open(user: UserFlags, manner: Manner, program: Program) -> Result<Self, Failure> {
        Ok(Self { cluster: Cluster::open(user).await?, program, manner })
    }

    /// What a user types to give another command to a Rollout.
    pub(super) fn command(&self, verb: &str, name: &str) -> String {
        let words = format!("{verb} {name} -n {}", self.cluster.namespace);
        self.cluster.given.own(self.program, &words)
    }

    /// Commands each of the Rollouts, and tells what came of it. Under the name of the reference's plugin the first
    /// failure is the end; else the others get their command, too. `what` is that command, for a question to the user.
    pub(super) async fn each(
        &self,
        target: Target,
        what: &str,
        act: impl AsyncFn(&str) -> Result<Done, Failure>,
    ) -> Result<Vec<Done>, Failure> {
        self.each_of(target.names(&self.cluster, what).await?, act).await
    }

    /// Commands each of the objects of these names, as [`Self::each`] does.
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

    /// Tells what may keep a command from being carried out.
    fn warn(&self, done: &Done) {
        if self.program.is_plugin() || !done.is_changed {
            return;
        }
        let rollout = client::rollout(done.rollout.clone()).ok();
        if let Some(note) = rollout.as_ref().and_then(obstacle::note) {
            eprintln!("{note}");
        }
    }

    /// Waits for what was commanded, if the user wants to wait and anything was.
    pub(super) async fn wait(&self, waiting: Waiting, done: Vec<Done>, goal: Goal) -> Result<(), Failure> {
        if !waiting.is_asked_for() || self.manner.is_dry() {
            return Ok(());
        }
        let changed = done.into_iter().filter(|one| one.is_changed).map(|one| one.rollout).collect();
        waiting.wait(&self.cluster, changed, goal, self.program).await
    }

    /// The Rollout of that name, as it is stored, and as its type.
    pub(super) async fn look(&self, name: &str) -> Result<(DynamicObject, Rollout), Failure> {
        let stored = self.cluster.stored::<Rollout>(name, self.program).await?;
        Ok((stored.clone(), client::rollout(stored)?))
    }

    /// Merges patches into a Rollout. What comes of it.
    pub(super) async fn merge(&self, name: &str, patches: Patches) -> Result<DynamicObject, Failure> {
        let kind = client::rollouts();
        let Patches { status, spec } = patches;
        let mut object = None;
        if let Some(status) = status {
            object = self.merge_status(name, &status).await?;
            if object.is_none() {
                // There is no subresource: one patch holds both.
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

    /// Merges `status` into the status of a Rollout; nothing where its definition has no subresource for that.
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

    /// Merges `patch` into an object. `before` is what it is known to be.
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

    /// Sends a patch, whatever the manner.
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

    /// The object of a kind and name.
    pub(super) async fn get(&self, kind: &ApiResource, name: &str) -> Result<DynamicObject, Failure> {
        self.cluster.get(kind, name, self.program).await
    }

    /// What would come of a patch.
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
