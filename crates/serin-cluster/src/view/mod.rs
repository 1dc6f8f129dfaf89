//! What the actors of a cluster see of it: objects by place, by uid and by owner, kept up to date by watches and by the
//! answers to the actors' own requests.
//!
//! An answer counts at once, so that nothing is done twice because a watch lags. That is sound because versions of one
//! resource are comparable: an answer that is no newer than what the watch has shown already tells nothing new, and
//! what a delete has removed stays removed until the watch tells so.

mod object;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

pub use object::{Object, Owner, Place, texts};
pub use watch::{Detail, Sight, discover, follow};

/// A resource that the API serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Plural name and group: `pods`, `replicasets.apps`.
    pub name: Arc<str>,
    /// Version to use.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Whether objects live in namespaces.
    pub is_namespaced: bool,
    /// Whether it can be listed and watched.
    pub is_watchable: bool,
    /// Whether collections of it can be deleted.
    pub is_deletable: bool,
}

impl Resource {
    /// The built-in resource of version `v1` whose objects live in namespaces; `name` as in [`Self::name`].
    #[must_use]
    pub fn namespaced(name: &str, kind: &str) -> Self {
        Self {
            name: name.into(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            is_namespaced: true,
            is_watchable: true,
            is_deletable: true,
        }
    }

    /// The path below which its objects are, in `namespace` or everywhere.
    #[must_use]
    pub fn path(&self, namespace: &str) -> String {
        let (plural, group) = self.name.split_once('.').unwrap_or((&self.name, ""));
        let root = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
        let namespace = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        format!("{root}/{}{namespace}/{plural}", self.version)
    }

    /// Its group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.name.split_once('.').map_or("", |(_, group)| group)
    }
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where.
    pub place: Place,
    /// As it was seen before.
    pub old: Option<Object>,
    /// As it is; none when it is gone.
    pub new: Option<Object>,
}

impl Change {
    /// The object as it is, or else as it was.
    #[must_use]
    pub fn object(&self) -> Option<&Object> {
        self.new.as_ref().or(self.old.as_ref())
    }

    /// The object as it was and as it is.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.old.iter().chain(&self.new)
    }
}

#[derive(Debug, Default)]
struct Stock {
    objects: BTreeMap<(String, String), Object>,
    /// The version up to which the watch has shown everything; none before the first list.
    seen: Option<u64>,
    /// Objects by uid that a delete of ours has removed, and the watch still shows or may show.
    gone: BTreeSet<String>,
}

/// The objects of a cluster.
#[derive(Debug, Default)]
pub struct View {
    resources: BTreeMap<Arc<str>, Resource>,
    stocks: BTreeMap<Arc<str>, Stock>,
    by_uid: BTreeMap<String, Place>,
    dependents: BTreeMap<String, BTreeSet<Place>>,
}

impl View {
    /// These are the resources that the API serves. Objects of others are forgotten.
    pub fn know(&mut self, resources: Vec<Resource>) -> Vec<Change> {
        self.resources =
            resources.into_iter().map(|resource| (Arc::clone(&resource.name), resource)).collect();
        let is_known = |name: &Arc<str>| self.resources.contains_key(name);
        let vanished: Vec<_> = self.stocks.keys().filter(|name| !is_known(name)).cloned().collect();
        let mut changes = Vec::new();
        for name in vanished {
            changes.extend(self.relisted(&name, Vec::new(), u64::MAX));
            self.stocks.remove(&name);
        }
        changes
    }

    /// The resources that the API serves.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// The resource of this name.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.get(name)
    }

    /// The resource of a kind.
    #[must_use]
    pub fn resource_of(&self, api_version: &str, kind: &str) -> Option<&Resource> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.resources.values().find(|resource| resource.kind == kind && resource.group() == group)
    }

    /// Whether all objects of the resource have been listed once.
    #[must_use]
    pub fn is_listed(&self, resource: &str) -> bool {
        self.stocks.get(resource).is_some_and(|stock| stock.seen.is_some())
    }

    /// The object at `place`.
    #[must_use]
    pub fn get(&self, place: &Place) -> Option<&Object> {
        let key = (place.namespace.clone(), place.name.clone());
        self.stocks.get(&place.resource)?.objects.get(&key)
    }

    /// The object `name` in `namespace`.
    #[must_use]
    pub fn find(&self, resource: &str, namespace: &str, name: &str) -> Option<&Object> {
        self.stocks.get(resource)?.objects.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The objects in `namespace`, by name.
    pub fn within<'a>(
        &'a self,
        resource: &str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        let start = (namespace.to_owned(), String::new());
        let stock = self.stocks.get(resource);
        let range = stock.into_iter().flat_map(move |stock| stock.objects.range(start.clone()..));
        range.take_while(move |((of, _), _)| of == namespace).map(|(_, object)| object)
    }

    /// All objects, by namespace and name.
    pub fn all<'a>(&'a self, resource: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        self.stocks.get(resource).into_iter().flat_map(|stock| stock.objects.values())
    }

    /// Where the object with this uid is.
    #[must_use]
    pub fn place_of(&self, uid: &str) -> Option<&Place> {
        self.by_uid.get(uid)
    }

    /// The objects that name `uid` as an owner.
    pub fn dependents(&self, uid: &str) -> impl Iterator<Item = (&Place, &Object)> {
        let places = self.dependents.get(uid).into_iter().flatten();
        places.filter_map(|place| Some((place, self.get(place)?)))
    }

    /// The watch of the resource `name` shows an object that is there.
    pub fn applied(&mut self, name: &Arc<str>, json: Value) -> Option<Change> {
        let object = Object::new(json);
        let stock = self.stock(name);
        stock.seen = stock.seen.max(Some(object.version()));
        if stock.gone.contains(object.uid()) {
            return None;
        }
        self.put(name, object)
    }

    /// The watch of the resource `name` shows that an object is gone.
    pub fn deleted(&mut self, name: &Arc<str>, json: Value) -> Option<Change> {
        let object = Object::new(json);
        let stock = self.stock(name);
        stock.seen = stock.seen.max(Some(object.version()));
        stock.gone.remove(object.uid());
        let place = Place::new(name, object.namespace(), object.name());
        let is_same = self.get(&place).is_some_and(|known| known.uid() == object.uid());
        if is_same { self.take(&place) } else { None }
    }

    /// A list at `version` has these objects and no others.
    pub fn relisted(&mut self, name: &Arc<str>, items: Vec<Value>, version: u64) -> Vec<Change> {
        let items: Vec<Object> = items.into_iter().map(Object::new).collect();
        let uids: BTreeSet<&str> = items.iter().map(Object::uid).collect();
        let stock = self.stock(name);
        stock.seen = Some(version);
        stock.gone.retain(|uid| uids.contains(uid.as_str()));
        let is_left = |object: &Object| !uids.contains(object.uid()) && object.version() <= version;
        let vanished = stock.objects.values().filter(|object| is_left(object));
        let vanished: Vec<Place> =
            vanished.map(|object| Place::new(name, object.namespace(), object.name())).collect();
        let kept: Vec<Object> =
            items.iter().filter(|object| !stock.gone.contains(object.uid())).cloned().collect();
        let mut changes: Vec<Change> = vanished.iter().filter_map(|place| self.take(place)).collect();
        changes.extend(kept.into_iter().filter_map(|object| self.put(name, object)));
        changes
    }

    /// The answer to a request shows an object that is there.
    pub fn answered(&mut self, name: &Arc<str>, json: &Value) -> Option<Change> {
        let object = Object::new(json.clone());
        let place = Place::new(name, object.namespace(), object.name());
        let is_known = self.get(&place).is_some_and(|known| known.uid() == object.uid());
        let stock = self.stock(name);
        let is_old = stock.seen.is_some_and(|seen| object.version() <= seen);
        // The watch has shown this one already; where it is not known any more, it is gone.
        if stock.gone.contains(object.uid()) || (is_old && !is_known) {
            return None;
        }
        self.put(name, object)
    }

    /// The answer to a request shows that the object `uid` at `place` is gone.
    pub fn removed(&mut self, place: &Place, uid: &str) -> Option<Change> {
        if self.get(place).is_none_or(|known| known.uid() != uid) {
            return None;
        }
        self.stock(&place.resource).gone.insert(uid.to_owned());
        self.take(place)
    }

    fn stock(&mut self, name: &Arc<str>) -> &mut Stock {
        self.stocks.entry(Arc::clone(name)).or_default()
    }

    fn put(&mut self, name: &Arc<str>, object: Object) -> Option<Change> {
        let place = Place {
            resource: Arc::clone(name),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
        };
        let old = self.get(&place).cloned();
        if old.as_ref().is_some_and(|old| object.version() <= old.version()) {
            return None;
        }
        if let Some(old) = &old {
            self.unlink(&place, old);
        }
        self.by_uid.insert(object.uid().to_owned(), place.clone());
        for owner in object.owners() {
            self.dependents.entry(owner.uid.to_owned()).or_default().insert(place.clone());
        }
        let key = (place.namespace.clone(), place.name.clone());
        self.stock(name).objects.insert(key, object.clone());
        Some(Change { place, old, new: Some(object) })
    }

    fn take(&mut self, place: &Place) -> Option<Change> {
        let key = (place.namespace.clone(), place.name.clone());
        let old = self.stock(&place.resource).objects.remove(&key)?;
        self.unlink(place, &old);
        Some(Change { place: place.clone(), old: Some(old), new: None })
    }

    fn unlink(&mut self, place: &Place, object: &Object) {
        self.by_uid.remove(object.uid());
        for owner in object.owners() {
            if let Some(places) = self.dependents.get_mut(owner.uid) {
                places.remove(place);
                if places.is_empty() {
                    self.dependents.remove(owner.uid);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str, uid: &str, version: u64) -> Value {
        let owners = json!([{"kind": "ReplicaSet", "name": "web", "uid": "owner", "controller": true}]);
        json!({"metadata": {"namespace": "shop", "name": name, "uid": uid,
            "resourceVersion": version.to_string(), "ownerReferences": owners}})
    }

    fn names(view: &View) -> Vec<&str> {
        view.within("pods", "shop").map(Object::name).collect()
    }

    #[test]
    fn an_answer_counts_before_the_watch_shows_it_and_survives_an_older_list() {
        let (mut view, pods) = (View::default(), Arc::from("pods"));
        view.relisted(&pods, vec![pod("a", "1", 5)], 9);
        assert!(view.answered(&pods, &pod("b", "2", 12)).is_some());
        assert_eq!(names(&view), ["a", "b"]);
        assert!(view.relisted(&pods, vec![pod("a", "1", 5)], 11).is_empty());
        assert_eq!(names(&view), ["a", "b"]);
        let changes = view.relisted(&pods, vec![pod("a", "1", 5)], 12);
        assert_eq!((changes.len(), names(&view)), (1, vec!["a"]));
    }

    #[test]
    fn an_answer_that_the_watch_has_overtaken_raises_no_ghost() {
        let (mut view, pods) = (View::default(), Arc::from("pods"));
        view.relisted(&pods, vec![], 9);
        view.applied(&pods, pod("b", "2", 12));
        view.deleted(&pods, pod("b", "2", 13));
        assert!(view.answered(&pods, &pod("b", "2", 12)).is_none());
        assert!(names(&view).is_empty());
    }

    #[test]
    fn what_was_removed_stays_removed_while_the_watch_lags() {
        let (mut view, pods) = (View::default(), Arc::from("pods"));
        view.relisted(&pods, vec![pod("a", "1", 5)], 9);
        assert!(view.removed(&Place::new("pods", "shop", "a"), "1").is_some());
        assert!(view.applied(&pods, pod("a", "1", 10)).is_none());
        assert!(view.relisted(&pods, vec![pod("a", "1", 10)], 10).is_empty());
        assert!(names(&view).is_empty());
        view.deleted(&pods, pod("a", "1", 11));
        assert!(view.applied(&pods, pod("a", "7", 12)).is_some());
    }

    #[test]
    fn owners_and_uids_lead_to_objects() {
        let (mut view, pods) = (View::default(), Arc::from("pods"));
        view.applied(&pods, pod("a", "1", 5));
        assert_eq!(view.dependents("owner").map(|(place, _)| place.name.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(view.place_of("1"), Some(&Place::new("pods", "shop", "a")));
        view.deleted(&pods, pod("a", "1", 6));
        assert_eq!((view.dependents("owner").count(), view.place_of("1")), (0, None));
    }

    #[test]
    fn objects_of_a_resource_that_is_no_longer_served_are_gone() {
        let (mut view, pods) = (View::default(), Arc::from("pods"));
        view.applied(&pods, pod("a", "1", 5));
        assert_eq!(view.know(Vec::new()).len(), 1);
        assert!(!view.is_listed("pods"));
    }
}
