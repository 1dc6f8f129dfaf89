//! Reads the objects for an explanation from a cluster, with selectors that are as narrow as possible.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Api;
use kube::api::{DynamicObject, ListParams, ObjectList};
use kube::core::{ApiResource, Expression, GroupVersionKind, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::client::{self, Cluster};
use crate::cli::failure::{Failure, Program};
use serin_clock::Clock;
use serin_core::api::{Rollout, keys};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::Remembered;
use serin_insight::explain::{Picture, lease_name};
use serin_machine::content;
use serin_machine::entry::Entry;
use serin_machine::kinds;
use serin_machine::observe::Observed;

/// The usual namespace of a controller.
const USUAL_NAMESPACE: &str = "argo-rollouts";

/// A kind to read.
#[derive(Debug, Clone)]
struct Kind {
    resource: ApiResource,
    /// True if an explanation works without this kind.
    is_optional: bool,
}

impl Kind {
    fn needed(kind: ObjectKind) -> Self {
        let of = kind.resource();
        let gvk = GroupVersionKind::gvk(of.group, of.versions[0], of.kind);
        Self { resource: ApiResource::from_gvk_with_plural(&gvk, of.plural), is_optional: false }
    }

    fn optional(group: &str, kind: &str, plural: &str) -> Self {
        let gvk = GroupVersionKind::gvk(group, "v1", kind);
        Self { resource: ApiResource::from_gvk_with_plural(&gvk, plural), is_optional: true }
    }
}

/// Reads everything about the Rollout `name`.
pub(super) async fn read(cluster: &Cluster, name: &str, program: Program) -> Result<Picture, Failure> {
    let stored = cluster.stored::<Rollout>(name, program).await?;
    let mut picture = Picture::new(&cluster.namespace, name, Clock::System.now());
    let kind = Kind::needed(ObjectKind::Rollout);
    let rollout = picture_of(&kind, &stored)?;
    let mut wire =
        serde_json::from_value(rollout.clone()).map_err(|error| Failure::Failed(error.to_string()))?;
    let entry = (kinds::row(ObjectKind::Rollout).prune)(&mut wire);
    picture.add([rollout]);

    let all = ListParams::default();
    let reader = Reader { cluster };
    reader.replica_sets(&entry, &mut picture).await?;
    reader.list(&Kind::needed(ObjectKind::Service), &all, &mut picture).await?;
    if entry.observed.of_kind(ObjectKind::Ingress).next().is_some() {
        reader.list(&Kind::needed(ObjectKind::Ingress), &all, &mut picture).await?;
    }
    let pods = pods_of(&picture, &entry.id.uid);
    reader.list(&Kind::optional("", "Pod", "pods"), &pods, &mut picture).await?;
    if let Some(workload) = entry.observed.workload() {
        let kind = Kind { is_optional: true, ..Kind::needed(workload.kind) };
        reader.list(&kind, &named(&workload.key.name), &mut picture).await?;
    }
    if entry.observed.pods {
        let budgets = Kind::optional("policy", "PodDisruptionBudget", "poddisruptionbudgets");
        reader.list(&budgets, &all, &mut picture).await?;
    }
    reader.other_rollouts(&entry, &mut picture).await?;
    let id = stored.metadata.labels.as_ref().and_then(|labels| labels.get(keys::INSTANCE_ID_LABEL));
    reader.leases(id.map(String::as_str), &mut picture).await?;
    Ok(keep_own(picture))
}

/// The part of an object's metadata that is kept.
#[derive(Clone, Deserialize)]
struct Owned {
    metadata: Named,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    name: String,
    #[serde(default)]
    owner_references: Vec<OwnerReference>,
}

struct Reader<'a> {
    cluster: &'a Cluster,
}

impl Reader<'_> {
    /// Adds the ReplicaSets of the Rollout: those that match its selector, and those that it owns but that no longer
    /// match. For others, only metadata is requested.
    async fn replica_sets(&self, rollout: &Entry, picture: &mut Picture) -> Result<(), Failure> {
        let kind = Kind::needed(ObjectKind::ReplicaSet);
        let hashed = ListParams::default().labels(keys::POD_HASH_LABEL);
        let own = rollout.rollout().and_then(content::Rollout::object);
        let own = own.as_ref().and_then(client::own_selector);
        let Some(mut own) = own else { return self.list(&kind, &hashed, picture).await };
        own.extend(Expression::Exists(keys::POD_HASH_LABEL.to_owned()));
        let own = ListParams::default().labels_from(&own);
        let (owned, ()) =
            tokio::try_join!(self.owned(&kind, &hashed, &rollout.id.uid), self.list(&kind, &own, picture))?;
        let matched: BTreeSet<&str> = picture.names(&kind.resource.kind).collect();
        let missed: Vec<String> = owned.into_iter().filter(|name| !matched.contains(name.as_str())).collect();
        for name in missed {
            self.list(&kind, &named(&name), picture).await?;
        }
        Ok(())
    }

    /// The names of the objects that are owned by `uid`. Everything else of the list is dropped while it is read.
    async fn owned(&self, kind: &Kind, selector: &ListParams, uid: &str) -> Result<Vec<String>, Failure> {
        let objects = self.cluster.objects_of(&kind.resource);
        let failed = |error: kube::core::request::Error| Failure::Failed(error.to_string());
        let request = Request::new(objects.resource_url()).list_metadata(selector).map_err(failed)?;
        let list: ObjectList<Owned> = self.cluster.ask(self.cluster.client.request(request)).await?;
        let is_own = |one: &Owned| one.metadata.owner_references.iter().any(|owner| owner.uid == uid);
        Ok(list.items.into_iter().filter(is_own).map(|one| one.metadata.name).collect())
    }

    async fn list(&self, kind: &Kind, selector: &ListParams, picture: &mut Picture) -> Result<(), Failure> {
        self.list_in(&self.cluster.objects_of(&kind.resource), kind, selector, picture).await
    }

    /// Adds the objects of a list. A kind that the cluster does not have has no objects.
    async fn list_in(
        &self,
        api: &Api<DynamicObject>,
        kind: &Kind,
        selector: &ListParams,
        picture: &mut Picture,
    ) -> Result<(), Failure> {
        let request = async {
            match api.list(selector).await {
                Err(error) if Failure::is_unknown_kind(&error) => Ok(Vec::new()),
                answer => answer.map(|list| list.items),
            }
        };
        match self.cluster.ask(request).await {
            Ok(objects) => {
                let objects: Result<Vec<_>, _> = objects.iter().map(|one| picture_of(kind, one)).collect();
                picture.add(objects?);
                Ok(())
            }
            Err(Failure::Refused(said)) if kind.is_optional => {
                picture.explain.unread.insert(kind.resource.plural.clone(), said);
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// The Rollouts that the Services of this Rollout claim as their manager.
    async fn other_rollouts(&self, entry: &Entry, picture: &mut Picture) -> Result<(), Failure> {
        let services = picture.items.iter().filter(|one| one["kind"] == "Service");
        let is_named = |name: &str| entry.observed.of_kind(ObjectKind::Service).any(|key| key.name == name);
        let named = services.filter(|one| one["metadata"]["name"].as_str().is_some_and(is_named));
        let owner = |one: &Value| {
            Some(one["metadata"]["annotations"].get(keys::MANAGED_BY_ROLLOUTS)?.as_str()?.to_owned())
        };
        let owners: Vec<String> = named.filter_map(owner).filter(|owner| *owner != entry.id.name).collect();
        for owner in owners {
            self.list(&Kind::needed(ObjectKind::Rollout), &self::named(&owner), picture).await?;
        }
        Ok(())
    }

    /// Adds the Leases of controllers: of the instance that the Rollout asks for, or of the default instance. If the
    /// user must not list all namespaces, reads the usual namespace only.
    async fn leases(&self, instance_id: Option<&str>, picture: &mut Picture) -> Result<(), Failure> {
        let kind = Kind::optional("coordination.k8s.io", "Lease", "leases");
        for id in [instance_id, None] {
            let selector = named(&lease_name(id));
            let client = || self.cluster.client.clone();
            self.list_in(&Api::all_with(client(), &kind.resource), &kind, &selector, picture).await?;
            let Some(said) = picture.explain.unread.remove("leases") else {
                if picture.items.iter().any(|one| one["kind"] == "Lease") {
                    return Ok(());
                }
                continue;
            };
            let usual = Api::namespaced_with(client(), USUAL_NAMESPACE, &kind.resource);
            self.list_in(&usual, &kind, &selector, picture).await?;
            if !picture.items.iter().any(|one| one["kind"] == "Lease") {
                picture.explain.unread.insert("leases".to_owned(), said);
                return Ok(());
            }
        }
        Ok(())
    }
}

fn named(name: &str) -> ListParams {
    ListParams::default().fields(&format!("metadata.name={name}"))
}

/// A selector for the pods of the Rollout's ReplicaSets, by pod hash.
fn pods_of(picture: &Picture, rollout: &str) -> ListParams {
    let of_any = ListParams::default().labels(keys::POD_HASH_LABEL);
    let sets = picture.all::<ReplicaSet>("ReplicaSet");
    let own = |set: &&ReplicaSet| {
        let owners = set.metadata.owner_references.as_ref();
        owners.is_none_or(|owners| owners.iter().any(|owner| owner.uid == rollout))
    };
    let selected = |set: &ReplicaSet| {
        let labels = set.spec.as_ref()?.selector.match_labels.as_ref()?;
        labels.get(keys::POD_HASH_LABEL).cloned()
    };
    match sets.iter().filter(own).map(selected).collect::<Option<BTreeSet<String>>>() {
        // One of them selects pods of any hash.
        None => of_any,
        // There are no pods, but the request shows whether the user may list them.
        Some(hashes) if hashes.is_empty() => of_any.limit(1),
        Some(hashes) => {
            ListParams::default().labels_from(&Expression::In(keys::POD_HASH_LABEL.to_owned(), hashes).into())
        }
    }
}

/// An object as JSON with its kind, which list items omit.
fn picture_of(kind: &Kind, object: &DynamicObject) -> Result<Value, Failure> {
    let mut value = serde_json::to_value(object).map_err(|error| Failure::Failed(error.to_string()))?;
    value["apiVersion"] = json!(kind.resource.api_version);
    value["kind"] = json!(kind.resource.kind);
    Ok(value)
}

/// Removes objects of others: ReplicaSets, pods, Services and Ingresses.
fn keep_own(mut picture: Picture) -> Picture {
    let Ok(Observed::Complete(snapshot)) = picture.observe(Remembered::default()) else {
        picture.items.retain(|one| one["kind"] == keys::ROLLOUT || one["kind"] == "Lease");
        return picture;
    };
    let sets: Vec<&str> = snapshot.replica_sets.iter().map(|rs| rs.id.uid.as_str()).collect();
    let workload =
        snapshot.workload.as_ref().and_then(|workload| workload.as_ref().ok()).map(|one| &one.id.uid);
    picture.items.retain(|one| {
        let text = |path: &str| one.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let (name, uid) = (text("/metadata/name"), text("/metadata/uid"));
        match text("/kind") {
            "ReplicaSet" => sets.contains(&uid) || workload.is_some_and(|workload| workload == uid),
            "Pod" => {
                let owners = one.pointer("/metadata/ownerReferences").and_then(Value::as_array);
                owners.into_iter().flatten().any(|owner| sets.iter().any(|uid| owner["uid"] == *uid))
            }
            "Service" => snapshot.services.contains_key(name),
            "Ingress" => snapshot.objects.iter().any(|(object, _)| object.key.name == name),
            _ => true,
        }
    });
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(sets: &[(&str, Value, Value)]) -> Picture {
        let mut picture = Picture::new("shop", "demo", Clock::System.now());
        picture.add(sets.iter().map(|(name, owner, selector)| {
            let owners = json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "a", "uid": owner}]);
            let owners = if owner.is_null() { Value::Null } else { owners };
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name, "ownerReferences": owners},
                "spec": {"selector": {"matchLabels": selector}}})
        }));
        picture
    }

    #[test]
    fn pods_are_asked_for_by_the_hashes_of_the_rollouts_own_replica_sets() {
        let hash = |hash: &str| json!({keys::POD_HASH_LABEL: hash});
        let own = ("a", json!("u"), hash("1"));
        let orphan = ("b", Value::Null, hash("2"));
        let foreign = ("c", json!("v"), hash("3"));
        let wide = ("d", json!("u"), json!({"app": "demo"}));
        for (sets, selector, limit) in [
            (vec![own.clone(), orphan, foreign.clone()], "rollouts-pod-template-hash in (1,2)", None),
            (vec![own, wide], "rollouts-pod-template-hash", None),
            (vec![foreign], "rollouts-pod-template-hash", Some(1)),
        ] {
            let params = pods_of(&picture(&sets), "u");
            assert_eq!((params.label_selector.as_deref(), params.limit), (Some(selector), limit));
        }
    }
}
