//! Cluster, namespace and requests of user commands.

use std::time::Duration;

use clap::{Arg, Args};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, Selector};
use kube::{Client, Resource};

use super::cluster::{CLUSTER_HEADING, ClusterFlags};
use super::failure::{Failure, Program};
use super::given::Given;
use serin_controller::failure::root_cause;
use serin_core::api::{Rollout, decode};
use serin_insight::legible::Legible;
use serin_values::duration;

/// Flags of kubectl that every user command has.
#[derive(Debug, Default, Args)]
pub(super) struct UserFlags {
    /// Namespace [default: that of the context]
    #[arg(long, short, value_name = "NAMESPACE", help_heading = CLUSTER_HEADING)]
    namespace: Option<String>,
    /// Timeout of each request, as in 10s; 0 waits without limit
    #[arg(long, value_name = "DURATION", value_parser = limit, default_value = "0",
          help_heading = CLUSTER_HEADING)]
    request_timeout: Limit,
    #[command(flatten)]
    cluster: ClusterFlags,
    /// Has no effect: nothing is cached
    #[arg(long, value_name = "DIRECTORY", hide = true)]
    cache_dir: Option<String>,
    /// Has no effect: nothing is logged
    #[arg(long = "kloglevel", short = 'v', value_name = "LEVEL", hide = true)]
    klog_level: Option<i32>,
    /// Has no effect: nothing is logged
    #[arg(long = "loglevel", value_name = "LEVEL", hide = true)]
    log_level: Option<String>,
}

impl UserFlags {
    /// The given flags that select the cluster.
    #[must_use]
    pub(super) fn given(&self) -> Given {
        self.cluster.given()
    }
}

/// Flags of a command that sends no requests: it accepts and hides the flags that select a cluster.
pub(super) fn without_use(flag: Arg) -> Arg {
    let is_hidden = flag.get_help_heading() == Some(CLUSTER_HEADING) || flag.is_hide_set();
    flag.hide(is_hidden)
}

/// A time limit; `None` is unlimited.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limit(pub(super) Option<Duration>);

/// Parses a time limit: a Go duration or a number of seconds; 0 is unlimited.
pub(super) fn limit(text: &str) -> Result<Limit, String> {
    let seconds = text.parse().ok().map(Duration::from_secs);
    let duration = || duration::go_duration(text).and_then(|duration| Duration::try_from(duration).ok());
    let limit = seconds.or_else(duration).ok_or("expected a duration such as 15s or 1m30s")?;
    Ok(Limit(Some(limit).filter(|limit| !limit.is_zero())))
}

/// A namespace of a cluster, and the client of the user.
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) namespace: String,
    /// The flags that selected the cluster.
    pub(super) given: Given,
    limit: Limit,
}

impl Cluster {
    pub(super) async fn open(flags: UserFlags) -> Result<Self, Failure> {
        let given = flags.given();
        let config = flags.cluster.config().await?;
        let namespace = flags.namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client = serin_client::client(config)
            .map_err(|error| Failure::Failed(format!("cannot create a client: {}", root_cause(&error))))?;
        Ok(Self { client, namespace, given, limit: flags.request_timeout })
    }

    /// The same cluster, with another namespace if one is given.
    pub(super) fn within(self, namespace: Option<String>) -> Self {
        Self { namespace: namespace.unwrap_or(self.namespace), ..self }
    }

    /// Awaits a response within the request timeout.
    pub(super) async fn ask<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
        let Some(limit) = self.limit.0 else { return Ok(request.await?) };
        match tokio::time::timeout(limit, request).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Failure::TimedOut(format!("no answer from the API server within {limit:?}"))),
        }
    }

    /// Lists the objects of a kind. Returns none if the cluster does not have the kind.
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

    /// Lists the objects of a kind in the namespace, as stored.
    pub(super) fn objects<K: Resource<DynamicType = ()>>(&self) -> Api<DynamicObject> {
        self.objects_of(&ApiResource::erase::<K>(&()))
    }

    /// Lists the objects of a kind in the namespace, as stored.
    pub(super) fn objects_of(&self, kind: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, kind)
    }

    /// Lists the objects of a kind in all namespaces, as stored.
    pub(super) fn all_objects<K: Resource<DynamicType = ()>>(&self) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &ApiResource::erase::<K>(&()))
    }

    /// The API of the Rollouts in the namespace.
    pub(super) fn rollouts(&self) -> Api<DynamicObject> {
        self.objects::<Rollout>()
    }

    /// Gets an object, as stored.
    pub(super) async fn stored<K: Resource<DynamicType = ()>>(
        &self,
        name: &str,
        program: Program,
    ) -> Result<DynamicObject, Failure> {
        self.get(&ApiResource::erase::<K>(&()), name, program).await
    }

    /// Gets an object, as stored.
    pub(super) async fn get(
        &self,
        kind: &ApiResource,
        name: &str,
        program: Program,
    ) -> Result<DynamicObject, Failure> {
        self.ask_about(kind, name, program, self.objects_of(kind).get(name)).await
    }

    /// Awaits the response to a request for one object. A "not found" failure suggests existing names.
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

    /// True if the namespace does not exist, as far as the user may know.
    async fn is_nowhere(&self) -> bool {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        matches!(self.ask(namespaces.get_metadata(&self.namespace)).await, Err(Failure::NotFound(_)))
    }

    /// The "not found" failure, with a similar name that exists.
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
            return Failure::NotFound(format!("namespace {place:?} not found"));
        }
        let hint = nearest(name, &names).map(|near| format!("; did you mean {near:?}?"));
        let hint = hint.unwrap_or_default();
        Failure::NotFound(format!("{word} {name:?} not found in namespace {place:?}{hint}"))
    }
}

/// The resource of Rollouts.
pub(super) fn rollouts() -> ApiResource {
    ApiResource::erase::<Rollout>(&())
}

/// The selector labels of a Rollout, if it has a selector of its own.
pub(super) fn own_selector(rollout: &Rollout) -> Option<Selector> {
    Selector::try_from(rollout.spec.selector.clone()?).ok()
}

/// Gets a Rollout, as stored, and parses it.
pub(super) fn rollout(stored: DynamicObject) -> Result<Rollout, Failure> {
    typed(stored)
}

/// Parses a stored object as far as possible, and reports unreadable fields.
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

/// Parses a stored object.
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

/// The candidate that is most similar to `name`, if any is similar enough.
pub(super) fn nearest<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    /// The lowest similarity for a suggestion.
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
