//! The garbage collector: deletes what has lost all its owners, and does what the finalizers `foregroundDeletion` and
//! `orphan` ask for.
//!
//! An owner counts as absent only after the API itself has said so: a view may show a dependent before its owner.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::actor::{Actor, Step};
use super::request::Call;
use crate::api::request::{Response, Verb};
use crate::api::status::Reason;
use crate::view::{Change, Object, Owner, Place, View};

/// The finalizer of an object that goes after its dependents.
const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of an object that leaves its dependents behind.
const ORPHAN: &str = "orphan";
/// How many absent owners are remembered.
const REMEMBERED: usize = 10_000;

/// The garbage collector.
#[derive(Debug, Default)]
pub(super) struct Garbage {
    /// Place and uid of owners that the API knows not.
    absent: BTreeSet<(Place, String)>,
}

/// How an owner stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// It is there.
    Solid,
    /// It waits for this dependent to go.
    Waiting,
    /// It is not there.
    Absent,
    /// The view does not have it; the API is to be asked.
    Unseen(Place),
    /// Its kind is not served, or not listed yet.
    Unknown,
}

impl Actor for Garbage {
    fn concerned(&self, view: &View, change: &Change) -> Vec<Place> {
        let mut places = Vec::new();
        for object in change.objects() {
            places.extend(view.dependents(object.uid()).map(|(place, _)| place.clone()));
            // Owners that wait for it.
            places.extend(object.owners().filter_map(|owner| view.place_of(owner.uid).cloned()));
        }
        if change.object().is_some_and(|object| object.owners().next().is_some() || object.is_deleted()) {
            places.push(change.place.clone());
        }
        places.sort();
        places.dedup();
        places
    }

    fn step(&self, view: &View, place: &Place, _: Timestamp) -> Step {
        let Some(object) = view.get(place) else { return Step::default() };
        if object.is_deleted() {
            let finalizers: Vec<&str> = object.finalizers().collect();
            if finalizers.contains(&ORPHAN) {
                return orphan(view, place, object);
            }
            if finalizers.contains(&FOREGROUND) {
                return foreground(view, place, object);
            }
            return Step::default();
        }
        self.owned(view, place, object)
    }

    fn answered(&mut self, _: &Place, call: &Call, response: &Response, _: Timestamp) {
        if call.request.verb != Verb::Get {
            return;
        }
        let Some(asked) = call.report.as_ref().and_then(|report| report.about["uid"].as_str()) else {
            return;
        };
        let is_absent = match response {
            Response::Done { body, .. } => body["metadata"]["uid"] != asked,
            Response::Refused(status) => status.reason == Reason::NotFound,
        };
        if is_absent {
            if self.absent.len() >= REMEMBERED {
                self.absent.clear();
            }
            self.absent.insert((call.place.clone(), asked.to_owned()));
        }
    }
}

impl Garbage {
    fn owned(&self, view: &View, place: &Place, object: &Object) -> Step {
        let owners: Vec<Owner<'_>> = object.owners().collect();
        if owners.is_empty() {
            return Step::default();
        }
        let standings: Vec<Standing> =
            owners.iter().map(|owner| self.standing(view, object, owner)).collect();
        let mut unseen = Vec::new();
        for (owner, standing) in owners.iter().zip(&standings) {
            match standing {
                Standing::Unseen(at) => unseen.push(asked(view, at, owner.uid)),
                Standing::Unknown => return Step::default(),
                Standing::Solid | Standing::Waiting | Standing::Absent => {}
            }
        }
        if !unseen.is_empty() {
            return Step::ask(unseen);
        }
        if standings.contains(&Standing::Solid) {
            let kept = |index: usize| standings[index] == Standing::Solid;
            if (0..owners.len()).all(kept) {
                return Step::default();
            }
            let list = object.list("/metadata/ownerReferences").enumerate();
            let list: Vec<Value> =
                list.filter(|(index, _)| kept(*index)).map(|(_, owner)| owner.clone()).collect();
            return Step::ask(vec![Call::patch(
                view,
                place,
                object,
                json!({"metadata": {"ownerReferences": list}}),
            )]);
        }
        let is_awaited = standings.contains(&Standing::Waiting);
        let has_blocking =
            || view.dependents(object.uid()).any(|(_, dependent)| blocks(dependent, object.uid()));
        let policy = if object.finalizers().any(|finalizer| finalizer == ORPHAN) {
            "Orphan"
        } else if object.finalizers().any(|finalizer| finalizer == FOREGROUND)
            || (is_awaited && has_blocking())
        {
            "Foreground"
        } else {
            "Background"
        };
        Step::ask(vec![Call::delete(view, place, object, Some(policy))])
    }

    fn standing(&self, view: &View, object: &Object, owner: &Owner<'_>) -> Standing {
        if let Some(known) = view.place_of(owner.uid).and_then(|place| view.get(place)) {
            let is_here = known.namespace().is_empty() || known.namespace() == object.namespace();
            if !is_here {
                // An owner in another namespace is none.
                return Standing::Absent;
            }
            let is_waiting =
                known.is_deleted() && known.finalizers().any(|finalizer| finalizer == FOREGROUND);
            return if is_waiting { Standing::Waiting } else { Standing::Solid };
        }
        let Some(resource) = view.resource_of(owner.api_version, owner.kind) else {
            return Standing::Unknown;
        };
        if resource.is_watchable && !view.is_listed(&resource.name) {
            return Standing::Unknown;
        }
        let namespace = if resource.is_namespaced { object.namespace() } else { "" };
        let at = Place::new(&resource.name, namespace, owner.name);
        if self.absent.contains(&(at.clone(), owner.uid.to_owned())) {
            return Standing::Absent;
        }
        Standing::Unseen(at)
    }
}

/// Reads an owner; the uid that was expected goes along.
fn asked(view: &View, place: &Place, uid: &str) -> Call {
    let report = super::Report { about: json!({"uid": uid}), component: "", done: None, refused: None };
    Call::get(view, place).reporting(report)
}

/// Whether `dependent` keeps its owner `uid` from going.
fn blocks(dependent: &Object, uid: &str) -> bool {
    dependent.owners().any(|owner| owner.uid == uid && owner.is_blocking)
}

fn foreground(view: &View, place: &Place, object: &Object) -> Step {
    if view.dependents(object.uid()).any(|(_, dependent)| blocks(dependent, object.uid())) {
        // They are deleted as dependents, and their going brings us back.
        return Step::default();
    }
    Step::ask(vec![without_finalizer(view, place, object, FOREGROUND)])
}

fn orphan(view: &View, place: &Place, object: &Object) -> Step {
    let calls: Vec<Call> = view
        .dependents(object.uid())
        .map(|(at, dependent)| super::pods::release(view, at, dependent, object.uid()))
        .collect();
    if calls.is_empty() {
        return Step::ask(vec![without_finalizer(view, place, object, ORPHAN)]);
    }
    Step::ask(calls)
}

fn without_finalizer(view: &View, place: &Place, object: &Object, finalizer: &str) -> Call {
    let left: Vec<&str> = object.finalizers().filter(|other| *other != finalizer).collect();
    Call::patch(view, place, object, json!({"metadata": {"finalizers": left}}))
}

#[cfg(test)]
mod tests {
    use super::super::ActorName;
    use super::super::world::World;
    use super::*;

    const SETS: &str = "replicasets.apps";

    fn owner(kind: &str, name: &str, uid: &str) -> Value {
        let group = if kind == "Rollout" { "argoproj.io/v1alpha1" } else { "apps/v1" };
        json!({"apiVersion": group, "kind": kind, "name": name, "uid": uid, "blockOwnerDeletion": true})
    }

    fn owned(owners: &[Value]) -> Value {
        json!({"metadata": {"ownerReferences": owners}})
    }

    /// A Rollout `r` with ReplicaSet `rs` with pod `p`.
    fn world() -> World {
        let mut world = World::new(ActorName::Garbage);
        world.put("rollouts.argoproj.io", "shop", "r", json!({"metadata": {"uid": "r"}}));
        let mut set = owned(&[owner("Rollout", "r", "r")]);
        set["metadata"]["uid"] = "rs".into();
        world.put(SETS, "shop", "rs", set);
        world.put("pods", "shop", "p", owned(&[owner("ReplicaSet", "rs", "rs")]));
        world.settle();
        world
    }

    fn names(world: &World) -> Vec<String> {
        let all = ["rollouts.argoproj.io", SETS, "pods"].map(|resource| world.all(resource));
        all.iter().flatten().map(|object| object.name().to_owned()).collect()
    }

    #[test]
    fn what_is_owned_stays() {
        let world = world();
        assert_eq!(names(&world), ["r", "rs", "p"]);
        assert!(world.log.is_empty(), "{:?}", world.log);
    }

    #[test]
    fn dependents_of_a_deleted_owner_go_all_the_way_down() {
        let mut world = world();
        world.remove("rollouts.argoproj.io", "shop", "r");
        world.settle();
        assert!(names(&world).is_empty());
    }

    #[test]
    fn a_name_that_lives_on_with_another_uid_is_no_owner() {
        let mut world = world();
        world.remove("rollouts.argoproj.io", "shop", "r");
        world.put("rollouts.argoproj.io", "shop", "r", json!({"metadata": {"uid": "r2"}}));
        world.settle();
        assert_eq!(names(&world), ["r"]);
    }

    #[test]
    fn a_dependent_that_is_seen_before_its_owner_stays() {
        let mut world = World::new(ActorName::Garbage);
        world.put("pods", "shop", "p", owned(&[owner("ReplicaSet", "rs", "rs")]));
        world.catch_up();
        world.put(SETS, "shop", "rs", json!({"metadata": {"uid": "rs"}}));
        world.act();
        world.settle();
        assert_eq!(names(&world), ["rs", "p"]);
        assert_eq!(world.log[0].verb, Verb::Get);
    }

    #[test]
    fn foreground_deletion_ends_with_the_owner() {
        let mut world = world();
        world.change("pods", "shop", "p", |pod| pod["metadata"]["finalizers"] = json!(["held/here"]));
        world.delete(&Place::new("rollouts.argoproj.io", "shop", "r"), "Foreground");
        world.settle();
        assert_eq!(names(&world), ["r", "rs", "p"]);
        assert!(world.get(SETS, "shop", "rs").unwrap().finalizers().any(|f| f == FOREGROUND));
        world.remove("pods", "shop", "p");
        world.settle();
        assert!(names(&world).is_empty());
    }

    #[test]
    fn orphans_are_let_go_before_their_owner_goes() {
        let mut world = world();
        world.delete(&Place::new("rollouts.argoproj.io", "shop", "r"), "Orphan");
        world.settle();
        assert_eq!(names(&world), ["rs", "p"]);
        assert_eq!(world.get(SETS, "shop", "rs").unwrap().owners().count(), 0);
    }

    #[test]
    fn of_several_owners_the_absent_one_is_struck_off() {
        let mut world = world();
        let owners = [owner("ReplicaSet", "rs", "rs"), owner("ReplicaSet", "gone", "gone")];
        world.put("pods", "shop", "q", owned(&owners));
        world.settle();
        let pod = world.get("pods", "shop", "q").unwrap();
        assert_eq!(pod.owners().map(|owner| owner.name).collect::<Vec<_>>(), ["rs"]);
    }

    #[test]
    fn an_owner_of_a_kind_that_is_not_served_keeps_its_dependents() {
        let mut world = World::new(ActorName::Garbage);
        world.put("pods", "shop", "p", owned(&[owner("Mystery", "m", "m")]));
        world.settle();
        assert_eq!(names(&world), ["p"]);
    }
}
