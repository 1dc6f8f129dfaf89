//! Creates objects.

use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::super::client::Cluster;
use super::super::failure::Failure;
use super::super::lint::Sound;
use super::manner::Manner;
use serin_core::api::keys;

/// The supported kinds: kind, whether it is namespaced, and plural.
const KINDS: [(&str, bool, &str); 5] = [
    (keys::ROLLOUT, true, "rollouts"),
    (keys::EXPERIMENT, true, "experiments"),
    (keys::ANALYSIS_TEMPLATE, true, "analysistemplates"),
    (keys::CLUSTER_ANALYSIS_TEMPLATE, false, "clusteranalysistemplates"),
    (keys::ANALYSIS_RUN, true, "analysisruns"),
];

/// An object to create.
pub(super) struct New {
    kind: ApiResource,
    is_namespaced: bool,
    namespace: Option<String>,
    object: DynamicObject,
}

impl New {
    /// Checks that the kind is supported.
    pub(super) fn of(sound: Sound) -> Result<Self, Failure> {
        let Sound { file, api_version, kind, json } = sound;
        let known = KINDS.iter().find(|(name, ..)| *name == kind && api_version == keys::API_VERSION);
        let Some((kind, is_namespaced, plural)) = known else {
            let kinds: Vec<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
            let kinds = kinds.join(", ");
            return Err(Failure::Failed(format!(
                "{file}: unsupported kind {kind} ({api_version}): expected one of {kinds}; use `kubectl \
                 create` for others"
            )));
        };
        Self::read(kind, plural, *is_namespaced, json)
    }

    /// Its kind.
    pub(super) fn kind(&self) -> &str {
        &self.kind.kind
    }

    /// An `AnalysisRun`.
    pub(super) fn analysis_run(json: Value) -> Result<Self, Failure> {
        Self::read(keys::ANALYSIS_RUN, "analysisruns", true, json)
    }

    fn read(kind: &str, plural: &str, is_namespaced: bool, json: Value) -> Result<Self, Failure> {
        let object: DynamicObject =
            serde_json::from_value(json).map_err(|error| Failure::Failed(error.to_string()))?;
        let kind = GroupVersionKind::gvk(keys::GROUP, keys::VERSION, kind);
        let kind = ApiResource::from_gvk_with_plural(&kind, plural);
        Ok(Self { kind, is_namespaced, namespace: object.metadata.namespace.clone(), object })
    }

    /// Creates the object and reports it. A namespace in the object overrides the user's namespace.
    pub(super) async fn make(self, cluster: &Cluster, manner: &Manner) -> Result<DynamicObject, Failure> {
        let namespace = self.namespace.as_deref().unwrap_or(&cluster.namespace);
        let api: Api<DynamicObject> = if self.is_namespaced {
            Api::namespaced_with(cluster.client.clone(), namespace, &self.kind)
        } else {
            Api::all_with(cluster.client.clone(), &self.kind)
        };
        let params = PostParams { dry_run: manner.is_dry(), ..PostParams::default() };
        let made = if manner.is_local() {
            self.object
        } else {
            let made = cluster.ask(api.create(&params, &self.object)).await;
            made.map_err(|failure| failure.about(&self.kind.kind))?
        };
        let name = made.metadata.name.clone().or_else(|| made.metadata.generate_name.clone());
        let word = self.kind.kind.to_lowercase();
        manner.tell(&format!("{word}.{}/{} created", keys::GROUP, name.unwrap_or_default()))?;
        Ok(made)
    }
}
