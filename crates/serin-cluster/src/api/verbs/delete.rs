//! Deleting: at once, after a grace period, or when the last finalizer is gone.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::codec::{self, Reader};
use super::super::status::{Cause, Status};
use super::super::store::object::{
    at, finalizers, generation, is_terminating, items, name, namespace, resource_version, set, text, time,
    uid,
};
use super::super::store::selector::Selector;
use super::super::store::{Key, Resource, Store};
use super::call::{Answer, Call};
use super::versions::view;
use super::{definitions, options, page, refuse, strategy};
use serin_values::time::after;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// What a DELETE asks for, in its body or its query.
#[derive(Debug, Clone, Default)]
pub(super) struct DeleteOptions {
    pub(super) grace: Option<i64>,
    pub(super) propagation: Option<String>,
    orphan_dependents: Option<bool>,
    pub(super) uid: Option<String>,
    pub(super) resource_version: Option<String>,
    /// `All`, or nothing.
    pub(super) dry_run: Vec<String>,
}

impl DeleteOptions {
    /// What a DELETE sent as its body, else what its query says.
    pub(super) fn read(call: &Call<'_>) -> Result<Self, Status> {
        let options = &call.request.options;
        let body = &call.request.body;
        let kind = text(body, &["kind"]);
        if !kind.is_empty() && kind != "DeleteOptions" {
            let version = text(body, &["apiVersion"]);
            return Err(refuse::bad_request(format!(
                "no kind \"{kind}\" is registered for version \"{version}\" in scheme \"pkg/runtime/scheme.go:111\""
            )));
        }
        let read = match codec::decode("meta/v1.DeleteOptions", body, Reader::Json) {
            Some(decoded) if !body.is_null() => Self::of(&decoded.map_err(refuse::bad_request)?.object),
            Some(_) | None => Self {
                grace: options.grace_period_seconds,
                propagation: options.propagation_policy.clone(),
                orphan_dependents: options.orphan_dependents,
                dry_run: options.dry_run.clone(),
                ..Self::default()
            },
        };
        read.check_words()?;
        Ok(read)
    }

    /// The options that an object is.
    pub(super) fn of(object: &Value) -> Self {
        let words = |path: &[&str]| at(object, path).as_str().map(str::to_owned);
        let dry_run = items(object, &["dryRun"]).iter().filter_map(Value::as_str);
        Self {
            grace: object["gracePeriodSeconds"].as_i64(),
            propagation: words(&["propagationPolicy"]),
            orphan_dependents: object["orphanDependents"].as_bool(),
            uid: words(&["preconditions", "uid"]),
            resource_version: words(&["preconditions", "resourceVersion"]),
            dry_run: dry_run.map(str::to_owned).collect(),
        }
    }

    /// Refuses words that mean nothing.
    pub(super) fn check_words(&self) -> Result<(), Status> {
        let causes = self.faults();
        if causes.is_empty() {
            return Ok(());
        }
        Err(refuse::invalid_kind("meta.k8s.io", "DeleteOptions", "", &causes))
    }

    pub(super) const fn is_dry_run(&self) -> bool {
        !self.dry_run.is_empty()
    }

    fn faults(&self) -> Vec<Cause> {
        let field = "propagationPolicy";
        let mut causes = Vec::new();
        if let Some(policy) = self.propagation.as_deref() {
            if self.orphan_dependents.is_some() {
                let why = "orphanDependents and deletionPropagation cannot be both set";
                causes.push(refuse::wrong(field, &policy.into(), why));
            }
            if !["Foreground", "Background", "Orphan"].contains(&policy) {
                causes.push(refuse::unsupported(
                    field,
                    policy,
                    &["Foreground", "Background", "Orphan", "nil"],
                ));
            }
        }
        causes.extend(options::dry_run(&self.dry_run));
        causes
    }

    /// Refuses an object that is not the one that is meant.
    pub(super) fn check(&self, resource: &Resource, object: &Value) -> Result<(), Status> {
        if let Some(expected) = self.uid.as_deref().filter(|expected| *expected != uid(object)) {
            let why = format!(
                "the UID in the precondition ({expected}) does not match the UID in record ({}). The object might have \
                 been deleted and then recreated",
                uid(object)
            );
            return Err(refuse::precondition(resource, name(object), &why));
        }
        let current = resource_version(object);
        if let Some(expected) = self.resource_version.as_deref().filter(|expected| *expected != current) {
            let why = format!(
                "the ResourceVersion in the precondition ({expected}) does not match the ResourceVersion in record \
                 ({current}). The object might have been modified"
            );
            return Err(refuse::precondition(resource, name(object), &why));
        }
        Ok(())
    }
}

/// What is left of an object after a DELETE.
pub(super) enum Outcome {
    /// It is gone; this is its last state.
    Gone(Arc<Value>),
    /// It is still there and ends later.
    Held(Arc<Value>),
}

/// What a grace period has to do with a DELETE.
enum Grace {
    /// Nothing: the kind has none, or it is over.
    None,
    /// An earlier request set it, and this one does not shorten it.
    Pending,
    /// It begins or is shortened: seconds and end.
    Set { seconds: i64, until: Timestamp },
}

impl Store {
    pub(super) fn delete(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        let options = DeleteOptions::read(call)?;
        strategy::admit_delete(call, call.name())?;
        let key = call.key(call.name());
        let outcome = self.delete_object(call, &key, call.name(), &options)?;
        Ok(match outcome {
            Outcome::Held(object) => Answer::ok((*view(&call.resource, &object)).clone()),
            Outcome::Gone(object) if shows_the_deleted(&call.resource) => {
                Answer::ok((*view(&call.resource, &object)).clone())
            }
            Outcome::Gone(object) => Answer::ok(success(&call.resource, &object)),
        })
    }

    pub(super) fn delete_collection(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        let options = DeleteOptions::read(call)?;
        let request = &call.request.options;
        page::check_list_options(request, false)?;
        let labels = request.label_selector.as_deref();
        let selector = Selector::parse(&call.resource, labels, request.field_selector.as_deref())?;
        let list = self.list(call)?;
        let (group, plural) = &call.resource.stored;
        let selected: Vec<(Key, String)> = self
            .range(group, plural, call.namespace())
            .filter(|(_, object)| selector.selects(object))
            .map(|(key, object)| (key.clone(), name(object).to_owned()))
            .collect();
        for (key, name) in selected {
            strategy::admit_delete(call, &name)?;
            self.delete_object(call, &key, &name, &options)?;
        }
        Ok(list)
    }

    /// Deletes one object as far as it goes now.
    pub(super) fn delete_object(
        &mut self,
        call: &Call<'_>,
        key: &Key,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Outcome, Status> {
        let resource = &call.resource;
        let live = self.read(key).cloned().ok_or_else(|| refuse::not_found(resource, name))?;
        options.check(resource, &live)?;
        let grace = grace(resource, &live, options, call.now);
        if matches!(grace, Grace::Pending) {
            return Ok(Outcome::Held(live));
        }
        let mut marked = (*live).clone();
        let mut held = strategy::is_held(resource, &live);
        held |= set_finalizers(resource, &mut marked, options);
        let defines =
            resource.is("apiextensions.k8s.io", "customresourcedefinitions") && !options.is_dry_run();
        if defines && !self.clear_objects(&live, call.now) {
            definitions::wait_for_objects(&mut marked);
        }
        let finalized = !finalizers(&marked).is_empty();
        let mut ends_later = held || finalized;
        match grace {
            Grace::Set { seconds, until } => {
                mark(&mut marked, seconds, until, !is_terminating(&live));
                ends_later |= seconds > 0;
                if options.is_dry_run() {
                    return Ok(Outcome::Held(Arc::new(marked)));
                }
                let stored = self.put_if_changed(key, &live, marked);
                if ends_later {
                    return Ok(Outcome::Held(stored));
                }
            }
            Grace::None if ends_later => {
                strategy::mark_terminating(resource, &mut marked);
                if !is_marked(&live) {
                    mark_now(resource, &mut marked, &live, call.now);
                }
                if options.is_dry_run() {
                    return Ok(Outcome::Held(Arc::new(marked)));
                }
                return Ok(Outcome::Held(self.put_if_changed(key, &live, marked)));
            }
            Grace::None | Grace::Pending => {}
        }
        if options.is_dry_run() {
            return Ok(Outcome::Gone(live));
        }
        Ok(Outcome::Gone(self.drop_object(resource, key).unwrap_or(live)))
    }

    /// Removes an object; a definition that waited for it to go goes, too.
    pub(super) fn drop_object(&mut self, resource: &Resource, key: &Key) -> Option<Arc<Value>> {
        let last = self.take(key);
        if let Some(custom) = &resource.custom {
            self.release_definition(&custom.definition);
        }
        last
    }

    fn put_if_changed(&mut self, key: &Key, live: &Arc<Value>, object: Value) -> Arc<Value> {
        if object == **live { Arc::clone(live) } else { self.put(key, object) }
    }
}

/// Whether a deletion at once is answered with the object; by most kinds it is with a Status.
fn shows_the_deleted(resource: &Resource) -> bool {
    let shown = ["pods", "namespaces", "services", "serviceaccounts"];
    resource.group.is_empty() && shown.contains(&resource.plural.as_str())
}

/// Whether an object was marked as deleted without a grace period that still runs.
fn is_marked(object: &Value) -> bool {
    is_terminating(object)
        && at(object, &["metadata", "deletionGracePeriodSeconds"]).as_i64().unwrap_or(0) == 0
}

fn mark(object: &mut Value, seconds: i64, until: Timestamp, first: bool) {
    set(object, &["metadata", "deletionTimestamp"], time(until).into());
    set(object, &["metadata", "deletionGracePeriodSeconds"], seconds.into());
    if first {
        count(object);
    }
}

/// Marks what has no grace period but finalizers.
fn mark_now(resource: &Resource, object: &mut Value, live: &Value, now: Timestamp) {
    if !is_terminating(live) {
        set(object, &["metadata", "deletionTimestamp"], time(now).into());
        count(object);
    }
    if !resource.is("", "namespaces") {
        set(object, &["metadata", "deletionGracePeriodSeconds"], 0.into());
    }
}

fn count(object: &mut Value) {
    if let Some(generation) = generation(object).filter(|generation| *generation > 0) {
        set(object, &["metadata", "generation"], (generation + 1).into());
    }
}

/// Pods alone end gracefully, when they are on a node and still run.
fn grace(resource: &Resource, live: &Value, options: &DeleteOptions, now: Timestamp) -> Grace {
    if !resource.is("", "pods") {
        return Grace::None;
    }
    // A negative period counts as one second.
    let asked = options.grace.map(|seconds| if seconds < 0 { 1 } else { seconds });
    if is_terminating(live) {
        return shortened(live, asked, now);
    }
    let own = at(live, &["spec", "terminationGracePeriodSeconds"]).as_i64().unwrap_or(0);
    let seconds = match (text(live, &["spec", "nodeName"]), text(live, &["status", "phase"])) {
        ("", _) | (_, "Failed" | "Succeeded") => 0,
        _ => asked.unwrap_or(if own < 0 { 1 } else { own }),
    };
    Grace::Set { seconds, until: after(now, SignedDuration::from_secs(seconds)) }
}

/// A period that runs can only be made shorter.
fn shortened(live: &Value, asked: Option<i64>, now: Timestamp) -> Grace {
    let running = at(live, &["metadata", "deletionGracePeriodSeconds"]).as_i64().unwrap_or(0);
    if running == 0 {
        return Grace::None;
    }
    let Some(seconds) = asked.filter(|seconds| *seconds < running) else {
        return Grace::Pending;
    };
    let end: Option<Timestamp> = text(live, &["metadata", "deletionTimestamp"]).parse().ok();
    let until = end.map_or(now, |end| after(end, SignedDuration::from_secs(seconds - running)));
    if until < now {
        return Grace::Set { seconds: seconds.min(1), until: now };
    }
    Grace::Set { seconds, until }
}

/// Sets the finalizers that make the garbage collector orphan dependents or delete them first; whether they changed.
fn set_finalizers(resource: &Resource, object: &mut Value, options: &DeleteOptions) -> bool {
    if resource.is("", "events") {
        return false;
    }
    let had: Vec<String> = finalizers(object).into_iter().map(str::to_owned).collect();
    let orphan = match (options.orphan_dependents, options.propagation.as_deref()) {
        (Some(orphan), _) => orphan,
        (None, Some(policy)) => policy == "Orphan",
        (None, None) if had.iter().any(|finalizer| finalizer == ORPHAN) => true,
        // The first version of Jobs orphaned its pods, and still does.
        (None, None) => resource.is("batch", "jobs") && !had.iter().any(|finalizer| finalizer == FOREGROUND),
    };
    let foreground = match (options.orphan_dependents, options.propagation.as_deref()) {
        (Some(_), _) => false,
        (None, Some(policy)) => policy == "Foreground",
        (None, None) => had.iter().any(|finalizer| finalizer == FOREGROUND),
    };
    let mut wanted: Vec<String> =
        had.iter().filter(|finalizer| !matches!(finalizer.as_str(), ORPHAN | FOREGROUND)).cloned().collect();
    wanted.extend(orphan.then(|| ORPHAN.to_owned()));
    wanted.extend(foreground.then(|| FOREGROUND.to_owned()));
    if wanted == had {
        return false;
    }
    set(object, &["metadata", "finalizers"], wanted.into());
    if items(object, &["metadata", "finalizers"]).is_empty() {
        super::super::store::object::remove(object, &["metadata", "finalizers"]);
        return false;
    }
    true
}

fn success(resource: &Resource, object: &Value) -> Value {
    let mut details = json!({"name": name(object), "kind": resource.plural, "uid": uid(object)});
    if !resource.group.is_empty() {
        details["group"] = resource.group.clone().into();
    }
    debug_assert!(resource.namespaced || namespace(object).is_empty());
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
