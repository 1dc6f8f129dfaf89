//! What the commands of users share: which cluster and namespace, and how they ask.

use std::time::Duration;

use clap::{Arg, Args};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, Selector};
use kube::{Client, Resource};

use super::CLUSTER_HEADING;
use super::cluster::ClusterFlags;
use super::failure::{Failure, Program};
use super::given::Given;
use super::view::Legible;
use crate::controller::failure::root_cause;
use serin_core::api::{Rollout, decode};
use serin_values::duration;

/// The flags of kubectl that every command of users has.
#[derive(Debug, Default, Args)]
pub(super) struct UserFlags {
    /// Namespace [default: that of the context]
    #[arg(long, short, value_name = "NAMESPACE", help_heading = CLUSTER_HEADING)]
    namespace: Option<String>,
    /// How long an answer may take, as in 10s; 0 waits for ever
    #[arg(long, value_name = "DURATION", value_parser = limit, default_value = "0",
          help_heading = CLUSTER_HEADING)]
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

impl UserFlags {
    /// What was given of the flags about the cluster.
    #[must_use]
    pub(super) fn given(&self) -> Given {
        self.cluster.given()
    }
}

/// The flags of a command that asks no cluster: those that choose one are accepted, as by every command, and not shown.
pub(super) fn without_use(flag: Arg) -> Arg {
    let is_hidden = flag.get_help_heading() == Some(CLUSTER_HEADING) || flag.is_hide_set();
    flag.hide(is_hidden)
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
    /// What was said about the cluster.
    pub(super) given: Given,
    limit: Limit,
}

impl Cluster {
    pub(super) async fn open(flags: UserFlags) -> Result<Self, Failure> {
        let given = flags.given();
        let config = flags.cluster.config().await?;
        let namespace = flags.namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client = serin_client::client(config)
            .map_err(|error| Failure::Failed(format!("cannot make a client: {}", root_cause(&error))))?;
        Ok(Self { client, namespace, given, limit: flags.request_timeout })
    }

    /// The same cluster, in another namespace if one is given.
    pub(super) fn within(self, namespace: Option<String>) -> Self {
        Self { namespace: namespace.unwrap_or(self.namespace), ..self }
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

    /// The objects of a kind in the namespace, as they are stored.
    pub(super) fn objects<K: Resource<DynamicType = ()>>(&self) -> Api<DynamicObject> {
        self.objects_of(&ApiResource::erase::<K>(&()))
    }

    /// The objects of a kind in the namespace, as they are stored.
    pub(super) fn objects_of(&self, kind: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, kind)
    }

    /// The objects of a kind in all namespaces, as they are stored.
    pub(super) fn all_objects<K: Resource<DynamicType = ()>>(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &ApiResource::erase::<K>(&()))
    }

    /// The Rollouts of the namespace.
    pub(super) fn rollouts(&self) -> Api<DynamicObject> {
        self.objects::<Rollout>()
    }

    /// The object of that kind and name, as it is stored.
    pub(super) async fn stored<K: Resource<DynamicType = ()>>(
        &self,
        name: &str,
        program: Program,
    ) -> Result<DynamicObject, Failure> {
        self.get(&ApiResource::erase::<K>(&()), name, program).await
    }

    /// The object of that kind and name, as it is stored.
    pub(super) async fn get(
        &self,
        kind: &ApiResource,
        name: &str,
        program: Program,
    ) -> Result<DynamicObject, Failure> {
        self.ask_about(kind, name, program, self.objects_of(kind).get(name)).await
    }

    /// What a request about one object is answered with. Where that does not exist, those are named that do.
    pub(super) async fn ask_about<T>(
        &self,
        kind: &ApiResource,
        name: &str,
        program: Program,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Failure> {
        match self.ask(request).await {
            Err(Failure::NotFound(_)) => Err(self.unknown_object(kind, name, program).await),
            Err(failure) => Err(failure.about(&kind.kind)),
            Ok(answer) => Ok(answer),
        }
    }

    /// Whether there is no such namespace, as far as the user may know.
    async fn is_nowhere(&self) -> bool {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        matches!(self.ask(namespaces.get_metadata(&self.namespace)).await, Err(Failure::NotFound(_)))
    }

    /// That there is no such object, and which the user may have meant.
    pub(super) async fn unknown<K: Resource<DynamicType = ()>>(
        &self,
        name: &str,
        program: Program,
    ) -> Failure {
        self.unknown_object(&ApiResource::erase::<K>(&()), name, program).await
    }

    async fn unknown_object(&self, kind: &ApiResource, name: &str, program: Program) -> Failure {
        let word = &kind.kind;
        if program.is_plugin() {
            let (word, group) = (word.to_lowercase(), &kind.group);
            return Failure::NotFound(format!("{word}.{group} {name:?} not found"));
        }
        let known = self.ask(self.objects_of(kind).list_metadata(&ListParams::default())).await;
        let names: Vec<String> = known
            .map(|list| list.items)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|one| one.metadata.name)
            .collect();
        let place = &self.namespace;
        if names.is_empty() && self.is_nowhere().await {
            return Failure::NotFound(format!("there is no namespace {place:?}"));
        }
        let hint = nearest(name, &names).map(|near| format!("; did you mean {near:?}?"));
        let hint = hint.unwrap_or_default();
        Failure::NotFound(format!("there is no {word} {name:?} in the namespace {place:?}{hint}"))
    }
}

/// Where Rollouts are.
pub(super) fn rollouts() -> ApiResource {
    ApiResource::erase::<Rollout>(&())
}

/// The labels of the pods of a Rollout, where it says them itself.
pub(super) fn own_selector(rollout: &Rollout) -> Option<Selector> {
    Selector::try_from(rollout.spec.selector.clone()?).ok()
}

/// A Rollout, as it is stored, as the type.
pub(super) fn rollout(stored: DynamicObject) -> Result<Rollout, Failure> {
    typed(stored)
}

/// An object, as it is stored, as far as it can be read, and what of it could not be.
pub(super) fn legible<K>(stored: DynamicObject) -> Result<(K, Option<String>), Failure>
where
    K: Resource<DynamicType = ()> + Legible,
{
    let name = stored.metadata.name.clone().unwrap_or_default();
    let unreadable = |error: &str| format!("cannot read the {} {name:?}: {error}", K::kind(&()));
    let failed = |error: &str| Failure::Failed(unreadable(error));
    let value = serde_json::to_value(stored).map_err(|error| failed(&error.to_string()))?;
    let (object, problems) = K::read(value).map_err(|error| failed(&error.to_string()))?;
    Ok((object, (!problems.is_empty()).then(|| unreadable(&problems.join("; also ")))))
}

/// An object, as it is stored, as its type.
pub(super) fn typed<K>(stored: DynamicObject) -> Result<K, Failure>
where
    K: Resource<DynamicType = ()> + serde::de::DeserializeOwned,
{
    let name = stored.metadata.name.clone().unwrap_or_default();
    let kind = K::kind(&());
    let unreadable = |error: String| Failure::Failed(format!("cannot read the {kind} {name:?}: {error}"));
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
