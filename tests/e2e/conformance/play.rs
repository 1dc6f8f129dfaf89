//! Plays a scenario in a namespace of its own, as its user would.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::DeleteParams;
use serde::Deserialize;
use serde_json::{Value, json};
use serin_clock::{self as clock, Clock};
use serin_cluster::namespace;
use serin_core::api::keys;
use tokio::time::Instant;

use crate::api::{Objects, PatchForm};
use crate::conformance::journal::Run;
use crate::conformance::kinds::Kind;
use crate::conformance::scenario::{Act, Scenario, is_at};
use crate::healthy::judge;
use crate::watch::Watched;
use crate::world::World;

/// The name of the Rollout in each scenario.
const SUBJECT: &str = "demo";

/// How long the last writes and events may take after the script is over.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A scenario that was played.
pub(crate) struct Played {
    pub(crate) namespace: String,
    pub(crate) run: Run,
    /// What was seen and when, a line each.
    pub(crate) trace: String,
    /// Why it did not come to its end.
    pub(crate) failure: Option<String>,
}

/// Plays a scenario to its end, or to the first line that fails. An error is one of the stage.
pub(crate) async fn play(world: &impl World, name: &str, scenario: &Scenario) -> Result<Played, String> {
    let client = world.client().await?;
    let namespace =
        namespace::create(&client, &format!("c-{name}")).await.map_err(|error| error.to_string())?;
    let objects = Objects::new(client, namespace.clone());
    let watched = Watched::start(&objects).await?;
    let player = Player { scenario, objects, clock: world.clock() };
    let failure = player.whole_script().await.err();
    clock::sleep(LAST_WORDS).await;
    let healthy = judge(player.objects.client(), &namespace).await.map_err(|error| error.to_string())?;
    let (run, trace, faults) = watched
        .with(|journal| (journal.run(&namespace), journal.trace().to_owned(), journal.faults().to_vec()));
    drop(watched);
    player.leave().await?;
    let wrong = [faults, healthy.complaints].concat();
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    Ok(Played { namespace, run, trace, failure })
}

struct Player<'a> {
    scenario: &'a Scenario,
    objects: Objects,
    clock: Clock,
}

impl Player<'_> {
    async fn whole_script(&self) -> Result<(), String> {
        self.apply(&self.scenario.manifest).await.map_err(|why| format!("the manifest: {why}"))?;
        for line in &self.scenario.script {
            let done = self.act(&line.act).await;
            done.map_err(|why| format!("line {}, '{}': {why}", line.number, line.text))?;
        }
        Ok(())
    }

    async fn leave(&self) -> Result<(), String> {
        let namespaces = Api::<Namespace>::all(self.objects.client().clone());
        let deleted = namespaces.delete(&self.objects.namespace, &DeleteParams::background()).await;
        deleted.map(drop).map_err(|error| error.to_string())
    }

    async fn act(&self, act: &Act) -> Result<(), String> {
        match act {
            Act::Wait { phase, step, limit } => self.wait(phase, *step, *limit).await,
            Act::Update(version) => {
                let annotations = json!({"annotations": {"v": version}});
                self.spec(json!({"template": {"metadata": annotations}})).await
            }
            Act::Image(image) => {
                self.replace("/spec/template/spec/containers/0/image", image.as_str().into()).await
            }
            Act::Spec(patch) => self.spec(patch.clone()).await,
            Act::Status(patch) => self.status(patch.clone()).await,
            Act::Promote => self.status(json!({"pauseConditions": null})).await,
            Act::PromoteFull => self.status(json!({"promoteFull": true})).await,
            Act::Abort => self.status(json!({"abort": true})).await,
            Act::Retry => self.status(json!({"abort": false})).await,
            Act::Pause => self.spec(json!({"paused": true})).await,
            Act::Resume => self.spec(json!({"paused": false})).await,
            Act::Scale(replicas) => self.spec(json!({"replicas": replicas})).await,
            Act::Restart => {
                let now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                self.spec(json!({"restartAt": now})).await
            }
            Act::Undo(revision) => self.undo(revision).await,
            Act::Patch { kind, name, body } => {
                self.objects.patch(*kind, name, None, PatchForm::Merge, body).await
            }
            Act::Delete { kind, name } => self.objects.delete(*kind, name).await,
            Act::Apply(name) => {
                let manifest = self.scenario.later.get(name).ok_or("no such manifest")?;
                self.apply(manifest).await
            }
            Act::Settle(duration) => {
                clock::sleep(*duration).await;
                Ok(())
            }
        }
    }

    async fn apply(&self, manifest: &str) -> Result<(), String> {
        for document in serde_yaml::Deserializer::from_str(manifest) {
            let object = Value::deserialize(document).map_err(|error| error.to_string())?;
            let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
            let kind = kind.as_str().and_then(Kind::named).ok_or_else(|| format!("no kind {kind} here"))?;
            let name = name.as_str().ok_or("an object without a name")?;
            self.objects.patch(kind, name, None, PatchForm::Apply, &object).await?;
        }
        Ok(())
    }

    async fn spec(&self, patch: Value) -> Result<(), String> {
        let body = json!({"spec": patch});
        self.objects.patch(Kind::Rollout, SUBJECT, None, PatchForm::Merge, &body).await
    }

    async fn status(&self, patch: Value) -> Result<(), String> {
        let body = json!({"status": patch});
        self.objects.patch(Kind::Rollout, SUBJECT, Some("status"), PatchForm::Merge, &body).await
    }

    async fn replace(&self, path: &str, value: Value) -> Result<(), String> {
        let body = json!([{"op": "replace", "path": path, "value": value}]);
        self.objects.patch(Kind::Rollout, SUBJECT, None, PatchForm::Operations, &body).await
    }

    async fn undo(&self, revision: &str) -> Result<(), String> {
        let sets = self.objects.list(Kind::ReplicaSet).await?;
        let of_revision = |set: &&Value| set["metadata"]["annotations"][keys::REVISION] == revision;
        let set =
            sets.iter().find(of_revision).ok_or_else(|| format!("no ReplicaSet has revision {revision}"))?;
        let mut template = set["spec"]["template"].clone();
        if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
            labels.remove(keys::POD_HASH_LABEL);
        }
        self.replace("/spec/template", template).await
    }

    async fn wait(&self, phase: &str, step: Option<i64>, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        loop {
            let rollout = self.objects.get(Kind::Rollout, SUBJECT).await?;
            if is_at(&rollout, phase, step) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let status = &rollout["status"];
                return Err(format!(
                    "not within {limit:?}: generation {} observed {}, phase {}, step {}, message {}",
                    rollout["metadata"]["generation"],
                    status["observedGeneration"],
                    status["phase"],
                    status["currentStepIndex"],
                    status["message"],
                ));
            }
            clock::sleep(Duration::from_millis(100)).await;
        }
    }
}
