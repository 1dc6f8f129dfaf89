//! What the commands of users share: which cluster and namespace, and how they ask.

use std::time::Duration;

use clap::Args;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Client, Resource};
use serde_json::Value;

use super::cluster::ClusterFlags;
use super::failure::{Failure, Program};
use crate::api::{Rollout, decode};
use crate::controller::failure::root_cause;
use crate::domain::duration;
use crate::domain::merge_patch::apply_merge_patch;

/// The flags of kubectl that every command of users has.
#[derive(Debug, Default, Args)]
pub(super) struct UserFlags {
    /// Namespace [default: that of the context]
    #[arg(long, short, value_name = "NAMESPACE", help_heading = "Which cluster, and as whom")]
    namespace: Option<String>,
    /// How long an answer may take, as in 10s; 0 waits for ever
    #[arg(long, value_name = "DURATION", value_parser = limit, default_value = "0",
          help_heading = "Which cluster, and as whom")]
    request_timeout: Limit,
    #[command(flatten)]
    cluster: ClusterFlags,
    /// Nothing is cached
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    cache_dir: Option<String>,
    /// Nothing is logged
    #[arg(long = "kloglevel", short = 'v', value_name = "LEVEL", hide = true)]
    klog_level: Option<i32>,
    /// Nothing is logged
    #[arg(long = "loglevel", value_name = "LEVEL", hide = true)]
    log_level: Option<String>,
}

/// How long something may take; no end where there is none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limit(pub(super) Option<Duration>);

/// Reads a limit: a duration as Go writes it, or a number of seconds; 0 is none.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    let seconds = text.parse().ok().map(Duration::from_secs);
    let duration = || duration::go_duration(text).and_then(|duration| Duration::try_from(duration).ok());
    let limit = seconds.or_else(duration).ok_or("a duration is written as in 15s or 1m30s")?;
    Ok(Limit(Some(limit).filter(|limit| !limit.is_zero())))
}

/// A namespace of a cluster, as a user reaches it.
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) namespace: String,
    limit: Limit,
}

impl Cluster {
    pub(super) async fn open(flags: UserFlags) -> Result<Self, Failure> {
        let config = flags.cluster.config().await?;
        let namespace = flags.namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config)
            .map_err(|error| Failure::Failed(format!("cannot make a client: {}", root_cause(&error))))?;
        Ok(Self { client, namespace, limit: flags.request_timeout })
    }

    /// What a request is answered with, within the time that it may take.
    pub(super) async fn ask<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
        let Some(limit) = self.limit.0 else { return Ok(request.await?) };
        match tokio::time::timeout(limit, request).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Failure::TimedOut(format!("no answer from the API server within {limit:?}"))),
        }
    }

    /// The objects of a kind; none where the cluster does not know the kind.
    pub(super) async fn list<T>(&self, selector: &ListParams) -> Result<Vec<T>, Failure>
    where
        T: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + serde::de::DeserializeOwned
            + Clone
            + std::fmt::Debug,
    {
        let objects = Api::<T>::namespaced(self.client.clone(), &self.namespace);
        let known = async {
            match objects.list(selector).await {
                Err(error) if Failure::is_unknown_kind(&error) => Ok(Vec::new()),
                answer => answer.map(|list| list.items),
            }
        };
        self.ask(known).await
    }

    /// The Rollouts of the namespace.
    pub(super) fn rollouts(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &ApiResource::erase::<Rollout>(&()))
    }

    /// The Rollouts of all namespaces.
    pub(super) fn all_rollouts(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &ApiResource::erase::<Rollout>(&()))
    }

    /// The Rollout of that name, as it is stored.
    pub(super) async fn stored(&self, name: &str, program: Program) -> Result<DynamicObject, Failure> {
        match self.ask(self.rollouts().get(name)).await {
            Err(Failure::NotFound(_)) => Err(self.unknown(name, program).await),
            answer => answer,
        }
    }

    /// Merges `patch` into a Rollout.
    pub(super) async fn patch(&self, name: &str, patch: &Value, program: Program) -> Result<(), Failure> {
        let patch = Patch::Merge(patch);
        match self.ask(self.rollouts().patch(name, &PatchParams::default(), &patch)).await {
            Err(Failure::NotFound(_)) => Err(self.unknown(name, program).await),
            answer => answer.map(|_| ()),
        }
    }

    /// Merges `status` into the status of a Rollout. Where its definition has no subresource for that, it goes into the
    /// Rollout itself, together with `spec`. Returns whether it did.
    pub(super) async fn patch_status(
        &self,
        name: &str,
        status: &Value,
        spec: Option<&Value>,
        program: Program,
    ) -> Result<bool, Failure> {
        let request = async {
            let patch = Patch::Merge(status);
            match self.rollouts().patch_status(name, &PatchParams::default(), &patch).await {
                Err(kube::Error::Api(answer)) if answer.code == 404 => Ok(false),
                answer => answer.map(|_| true),
            }
        };
        if self.ask(request).await? {
            return Ok(false);
        }
        let whole = spec.map_or_else(|| status.clone(), |spec| apply_merge_patch(status, spec));
        self.patch(name, &whole, program).await.map(|()| true)
    }

    /// That there is no such Rollout, and which the user may have meant.
    pub(super) async fn unknown(&self, name: &str, program: Program) -> Failure {
        if program == Program::Plugin {
            return Failure::NotFound(format!("rollout.argoproj.io {name:?} not found"));
        }
        let known = self.ask(self.rollouts().list_metadata(&ListParams::default())).await;
        let names: Vec<String> = known
            .map(|list| list.items)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|one| one.metadata.name)
            .collect();
        let hint = nearest(name, &names).map(|near| format!("; did you mean {near:?}?"));
        let place = &self.namespace;
        let hint = hint.unwrap_or_default();
        Failure::NotFound(format!("there is no Rollout {name:?} in the namespace {place:?}{hint}"))
    }
}

/// A Rollout, as it is stored, as the type.
pub(super) fn rollout(stored: DynamicObject) -> Result<Rollout, Failure> {
    let name = stored.metadata.name.clone().unwrap_or_default();
    let unreadable = |error: String| Failure::Failed(format!("cannot read the Rollout {name:?}: {error}"));
    let value = serde_json::to_value(stored).map_err(|error| unreadable(error.to_string()))?;
    decode(value).map_err(|error| unreadable(error.to_string()))
}

/// The name that is most like `name`, if any is like it at all.
pub(super) fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    /// From here on, two names are like each other.
    const ALIKE: f64 = 0.8;
    let likeness = |other: &'a String| (strsim::jaro_winkler(name, other), other.as_str());
    let alike = names.iter().map(likeness).filter(|(likeness, _)| *likeness >= ALIKE);
    alike.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_alike_is_meant() {
        let names = ["checkout", "cart", "catalogue"].map(str::to_owned);
        for (name, near) in [("chekout", Some("checkout")), ("carts", Some("cart")), ("payments", None)] {
            assert_eq!(nearest(name, &names), near, "{name}");
        }
    }

    #[test]
    fn limits_are_durations_or_seconds() {
        for (text, seconds) in [("10", Some(10)), ("1m30s", Some(90)), ("0", None), ("0s", None)] {
            assert_eq!(limit(text).unwrap().0, seconds.map(Duration::from_secs), "{text}");
        }
        assert!(limit("soon").is_err() && limit("-1s").is_err());
    }
}
