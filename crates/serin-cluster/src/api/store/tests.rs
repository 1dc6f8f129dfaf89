use serde_json::{Value, json};

use super::super::request::{Options, PatchType, Request, Response, Target, Verb};
use super::super::status::{Reason, Status};
use super::*;

mod kinds;

/// A store and a client of it.
struct World {
    store: Store,
    now: Timestamp,
}

fn target(path: &str) -> Target {
    let mut parts = path.trim_start_matches('/').split('/');
    let mut next = || parts.next().map(str::to_owned);
    let first = next().expect("api or apis");
    let group = if first == "apis" { next().expect("a group") } else { String::new() };
    let mut target = Target { group, version: next().expect("a version"), ..Target::default() };
    let mut resource = next().expect("a resource");
    if resource == "namespaces" {
        let name = next();
        match next() {
            Some(inner) if !["finalize", "status"].contains(&inner.as_str()) => {
                target.namespace = name;
                resource = inner;
            }
            subresource => {
                return Target { resource, name, subresource, ..target };
            }
        }
    }
    Target { resource, name: next(), subresource: next(), ..target }
}

fn request(verb: Verb, path: &str, body: Value) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut options = Options::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').expect("key=value");
        let value = value.to_owned();
        match key {
            "labelSelector" => options.label_selector = Some(value),
            "fieldSelector" => options.field_selector = Some(value),
            "limit" => options.limit = value.parse().ok(),
            "continue" => options.continue_token = Some(value),
            "resourceVersion" => options.resource_version = Some(value),
            "resourceVersionMatch" => options.resource_version_match = Some(value),
            "allowWatchBookmarks" => options.allow_bookmarks = value == "true",
            "sendInitialEvents" => options.send_initial_events = Some(value == "true"),
            "timeoutSeconds" => options.timeout_seconds = value.parse().ok(),
            "dryRun" => options.dry_run.push(value.clone()),
            other => panic!("{other} is no option of these tests"),
        }
    }
    Request {
        verb,
        patch_type: Some(PatchType::Merge),
        target: target(path),
        options,
        body,
        ..Request::default()
    }
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

impl World {
    fn new() -> Self {
        Self::with(&Settings::default())
    }

    fn with(settings: &Settings) -> Self {
        let now: Timestamp = "2026-01-01T00:00:00.75Z".parse().expect("a time");
        Self { store: Store::new(settings, now), now }
    }

    fn send(&mut self, verb: Verb, path: &str, body: Value) -> Result<(u16, Value), Status> {
        match self.store.handle(&request(verb, path, body), self.now) {
            Response::Done { code, body, .. } => Ok((code, body)),
            Response::Refused(status) => Err(status),
        }
    }

    fn ok(&mut self, verb: Verb, path: &str, body: Value) -> Value {
        self.send(verb, path, body).unwrap_or_else(|status| panic!("{path}: {}", status.message)).1
    }

    fn refused(&mut self, verb: Verb, path: &str, body: Value) -> Status {
        match self.send(verb, path, body) {
            Err(status) => status,
            Ok((code, body)) => panic!("{path}: {code} {body}"),
        }
    }

    fn get(&mut self, path: &str) -> Value {
        self.ok(Verb::Get, path, Value::Null)
    }

    fn patch(&mut self, path: &str, change: Value) -> Value {
        self.ok(Verb::Patch, path, change)
    }

    fn make_map(&mut self, name: &str) -> Value {
        self.ok(Verb::Create, MAPS, json!({"metadata": {"name": name}}))
    }

    fn watch(&mut self, path: &str) -> Cursor {
        self.store.watch(&request(Verb::Watch, path, Value::Null), self.now).expect("a watch")
    }

    /// The events that a watch has not seen, as `TYPE name`.
    fn seen(&self, cursor: &mut Cursor) -> Vec<String> {
        let events = self.store.next(cursor, self.now);
        events
            .iter()
            .map(|event| format!("{} {}", event.event.as_str(), object::name(&event.object)))
            .collect()
    }

    fn pass(&mut self, seconds: i64) {
        self.now += jiff::SignedDuration::from_secs(seconds);
    }
}

fn version(object: &Value) -> &str {
    object::resource_version(object)
}

#[test]
fn a_created_object_has_what_the_system_sets() {
    let mut world = World::new();
    let (code, made) = world
        .send(
            Verb::Create,
            MAPS,
            json!({"metadata": {"name": "one", "labels": {"a": "b"}}, "data": {"k": "v"}}),
        )
        .expect("it is made");
    assert_eq!(code, 201);
    assert_eq!(made["kind"], "ConfigMap");
    assert_eq!(made["apiVersion"], "v1");
    assert_eq!(made["metadata"]["namespace"], "default");
    assert_eq!(made["metadata"]["creationTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(made["metadata"]["uid"].as_str().map(str::len), Some(36));
    assert_eq!(version(&made), world.store.revision().to_string());
    assert_eq!(world.get(&format!("{MAPS}/one")), made);
}

#[test]
fn generated_names_end_with_five_characters() {
    let mut world = World::new();
    let made = world.ok(Verb::Create, MAPS, json!({"metadata": {"generateName": "g-"}}));
    let name = object::name(&made);
    assert!(name.starts_with("g-") && name.len() == 7, "{name}");
}

#[test]
fn a_name_is_taken_once() {
    let mut world = World::new();
    world.make_map("one");
    let status = world.refused(Verb::Create, MAPS, json!({"metadata": {"name": "one"}}));
    assert_eq!(status.reason, Reason::AlreadyExists);
    assert_eq!(status.message, "configmaps \"one\" already exists");
    assert_eq!(status.details, json!({"name": "one", "kind": "configmaps"}));
}

#[test]
fn what_is_not_there_is_not_found() {
    let mut world = World::new();
    for verb in [Verb::Get, Verb::Delete, Verb::Patch] {
        let status = world.refused(verb, &format!("{MAPS}/nope"), json!({}));
        assert_eq!(status.reason, Reason::NotFound);
        assert_eq!(status.message, "configmaps \"nope\" not found");
    }
    let status = world.refused(Verb::Get, "/api/v1/namespaces/default/foos/x", Value::Null);
    assert_eq!(status.message, "the server could not find the requested resource");
}

#[test]
fn a_namespace_has_to_be_there_to_create_but_not_to_list() {
    let mut world = World::new();
    let maps = "/api/v1/namespaces/nope/configmaps";
    let status = world.refused(Verb::Create, maps, json!({"metadata": {"name": "x"}}));
    assert_eq!(status.message, "namespaces \"nope\" not found");
    assert_eq!(world.ok(Verb::List, maps, Value::Null)["items"], json!([]));
}

#[test]
fn kind_namespace_and_version_of_a_body_have_to_fit() {
    let mut world = World::new();
    let other = world.refused(Verb::Create, MAPS, json!({"metadata": {"name": "x", "namespace": "b"}}));
    assert_eq!(
        other.message,
        "the namespace of the provided object does not match the namespace sent on the request"
    );
    let kind = world.refused(Verb::Create, MAPS, json!({"kind": "Foo", "metadata": {"name": "x"}}));
    assert_eq!(kind.reason, Reason::BadRequest);
    let body = json!({"metadata": {"name": "x", "resourceVersion": "4"}});
    let versioned = world.refused(Verb::Create, MAPS, body);
    assert_eq!(versioned.message, "resourceVersion should not be set on objects to be created");
    assert_eq!((versioned.reason.code(), versioned.to_json().get("reason")), (500, None));
}

#[test]
fn an_update_needs_the_current_version_or_none() {
    let mut world = World::new();
    let path = format!("{MAPS}/one");
    let first = world.make_map("one");
    let body = |version: &str| json!({"metadata": {"name": "one", "resourceVersion": version}, "data": {"v": version}});
    let second = world.ok(Verb::Update, &path, body(version(&first)));
    assert_ne!(version(&first), version(&second));
    let stale = world.refused(Verb::Update, &path, body(version(&first)));
    assert_eq!(stale.reason, Reason::Conflict);
    assert_eq!(
        stale.message,
        "Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes \
         to the latest version and try again"
    );
    assert_eq!(stale.details, json!({"name": "one", "kind": "configmaps"}));
    world.ok(Verb::Update, &path, body(""));
    let wrong = world.refused(Verb::Update, &path, body("abc"));
    assert_eq!(wrong.message, "strconv.ParseUint: parsing \"abc\": invalid syntax");
}

#[test]
fn a_version_in_a_patch_is_a_precondition() {
    let mut world = World::new();
    world.make_map("one");
    let stale = json!({"metadata": {"resourceVersion": "1"}, "data": {"k": "v"}});
    assert_eq!(world.refused(Verb::Patch, &format!("{MAPS}/one"), stale).reason, Reason::Conflict);
}

#[test]
fn a_uid_is_a_precondition_of_an_update() {
    let mut world = World::new();
    let made = world.make_map("one");
    let path = format!("{MAPS}/one");
    let put = world.refused(Verb::Update, &path, json!({"metadata": {"name": "one", "uid": "abc"}}));
    assert_eq!(put.reason, Reason::Conflict);
    let end = format!("UID in precondition: abc, UID in object meta: {}", object::uid(&made));
    assert!(put.message.contains("Key: /registry/configmaps/default/one") && put.message.ends_with(&end));
    let refused = world.refused(Verb::Patch, &path, json!({"metadata": {"uid": "1"}}));
    assert_eq!(refused.reason, Reason::Invalid);
    assert_eq!(
        refused.message,
        "ConfigMap \"one\" is invalid: metadata.uid: Invalid value: \"1\": field is immutable"
    );
}

#[test]
fn a_write_that_changes_nothing_keeps_the_version_and_tells_nobody() {
    let mut world = World::new();
    let made = world.ok(Verb::Create, MAPS, json!({"metadata": {"name": "one"}, "data": {"k": "v"}}));
    let mut watch = world.watch(&format!("{MAPS}?resourceVersion={}", version(&made)));
    let same = world.patch(&format!("{MAPS}/one"), json!({"data": {"k": "v"}}));
    assert_eq!(same, made);
    let same = world.ok(
        Verb::Update,
        &format!("{MAPS}/one"),
        json!({"metadata": {"name": "one"}, "data": {"k": "v"}}),
    );
    assert_eq!(same, made);
    assert!(world.seen(&mut watch).is_empty());
}

#[test]
fn names_in_a_body_and_in_the_url_are_the_same() {
    let mut world = World::new();
    world.make_map("one");
    let path = format!("{MAPS}/one");
    let other = world.refused(Verb::Update, &path, json!({"metadata": {"name": "two"}}));
    assert_eq!(other.message, "the name of the object (two) does not match the name on the URL (one)");
    let none = world.refused(Verb::Update, &path, json!({"data": {}}));
    assert_eq!(
        none.message,
        "the name of the object (one based on URL) was undeterminable: name must be provided"
    );
}

#[test]
fn dry_runs_leave_nothing() {
    let mut world = World::new();
    let before = world.store.revision();
    let made = world.ok(Verb::Create, &format!("{MAPS}?dryRun=All"), json!({"metadata": {"name": "one"}}));
    assert_eq!(made["metadata"].get("resourceVersion"), None);
    world.refused(Verb::Get, &format!("{MAPS}/one"), Value::Null);
    assert_eq!(world.store.revision(), before);
    let kept = world.make_map("one");
    let changed = world.patch(&format!("{MAPS}/one?dryRun=All"), json!({"data": {"k": "v"}}));
    assert_eq!(changed["data"]["k"], "v");
    world.ok(Verb::Delete, &format!("{MAPS}/one?dryRun=All"), Value::Null);
    assert_eq!(world.get(&format!("{MAPS}/one")), kept);
}

#[test]
fn a_deletion_answers_with_what_was_deleted() {
    let mut world = World::new();
    let made = world.make_map("one");
    let gone = world.ok(Verb::Delete, &format!("{MAPS}/one"), Value::Null);
    assert_eq!(gone["status"], "Success");
    assert_eq!(gone["details"], json!({"name": "one", "kind": "configmaps", "uid": object::uid(&made)}));
}

#[test]
fn preconditions_of_a_deletion_hold() {
    let mut world = World::new();
    let made = world.make_map("one");
    let path = format!("{MAPS}/one");
    let status = world.refused(Verb::Delete, &path, json!({"preconditions": {"uid": "abc"}}));
    assert_eq!(status.reason, Reason::Conflict);
    assert_eq!(status.details["kind"], "ConfigMap");
    assert!(status.message.contains("the UID in the precondition (abc) does not match"));
    let status = world.refused(Verb::Delete, &path, json!({"preconditions": {"resourceVersion": "1"}}));
    assert!(status.message.contains("the ResourceVersion in the precondition (1) does not match"));
    let right = json!({"preconditions": {"uid": object::uid(&made), "resourceVersion": version(&made)}});
    world.ok(Verb::Delete, &path, right);
}

#[test]
fn finalizers_hold_an_object_until_the_last_is_gone() {
    let mut world = World::new();
    let path = format!("{MAPS}/one");
    world.ok(Verb::Create, MAPS, json!({"metadata": {"name": "one", "finalizers": ["a/b"]}}));
    let marked = world.ok(Verb::Delete, &path, Value::Null);
    assert_eq!(marked["metadata"]["deletionTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 0);
    let again = world.ok(Verb::Delete, &path, Value::Null);
    assert_eq!(again, marked);
    let status = world.refused(Verb::Patch, &path, json!({"metadata": {"finalizers": ["a/b", "a/c"]}}));
    assert!(status.message.ends_with("found new finalizers []string{\"a/c\"}"));
    let mut watch = world.watch(&format!("{MAPS}?resourceVersion={}", version(&marked)));
    let last = world.patch(&path, json!({"metadata": {"finalizers": null}}));
    assert_eq!(version(&last), version(&marked));
    world.refused(Verb::Get, &path, Value::Null);
    assert_eq!(world.seen(&mut watch), ["DELETED one"]);
}

#[test]
fn propagation_policies_set_their_finalizers() {
    let mut world = World::new();
    let path = format!("{MAPS}/one");
    world.make_map("one");
    let foreground = world.ok(Verb::Delete, &path, json!({"propagationPolicy": "Foreground"}));
    assert_eq!(foreground["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    world.patch(&path, json!({"metadata": {"finalizers": null}}));
    world.ok(Verb::Create, MAPS, json!({"metadata": {"name": "one", "finalizers": ["a/b"]}}));
    let orphan = world.ok(Verb::Delete, &path, json!({"propagationPolicy": "Orphan"}));
    assert_eq!(orphan["metadata"]["finalizers"], json!(["a/b", "orphan"]));
    let wrong = world.refused(Verb::Delete, &path, json!({"propagationPolicy": "Bogus"}));
    assert_eq!(
        wrong.message,
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Bogus\": supported values: \
         \"Foreground\", \"Background\", \"Orphan\", \"nil\""
    );
}

#[test]
fn a_collection_is_deleted_by_selector() {
    let mut world = World::new();
    world.ok(Verb::Create, MAPS, json!({"metadata": {"name": "a", "labels": {"x": "y"}}}));
    world.make_map("b");
    let deleted = world.ok(Verb::DeleteCollection, &format!("{MAPS}?labelSelector=x=y"), Value::Null);
    assert_eq!(deleted["items"].as_array().map(Vec::len), Some(1));
    world.refused(Verb::Get, &format!("{MAPS}/a"), Value::Null);
    world.get(&format!("{MAPS}/b"));
}

#[test]
fn lists_are_ordered_and_their_items_have_no_kind() {
    let mut world = World::new();
    world.make_map("b");
    world.make_map("a");
    let list = world.ok(Verb::List, MAPS, Value::Null);
    assert_eq!(list["kind"], "ConfigMapList");
    assert_eq!(list["metadata"]["resourceVersion"], world.store.revision().to_string());
    let names: Vec<&str> = object::items(&list, &["items"]).iter().map(object::name).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(list["items"][0].get("kind"), None);
}

#[test]
fn pages_show_one_state_and_say_what_remains() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world.make_map(name);
    }
    let first = world.ok(Verb::List, &format!("{MAPS}?limit=2"), Value::Null);
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    let token = first["metadata"]["continue"].as_str().expect("a token").to_owned();
    world.ok(Verb::Delete, &format!("{MAPS}/c"), Value::Null);
    let second = world.ok(Verb::List, &format!("{MAPS}?limit=2&continue={token}"), Value::Null);
    assert_eq!(object::name(&second["items"][0]), "c");
    assert_eq!(version(&second), version(&first));
    assert_eq!(second["metadata"].get("continue"), None);
    world.store.compact(world.store.revision());
    let late = world.refused(Verb::List, &format!("{MAPS}?continue={token}"), Value::Null);
    assert_eq!((late.reason, late.reason.code()), (Reason::Expired, 410));
    let bad = world.refused(Verb::List, &format!("{MAPS}?continue=abc"), Value::Null);
    assert!(bad.message.starts_with("invalid continue token: continue key is not valid"));
}

#[test]
fn a_list_can_be_of_an_exact_past() {
    let mut world = World::new();
    let made = world.make_map("a");
    world.make_map("b");
    let past = format!("{MAPS}?resourceVersion={}&resourceVersionMatch=Exact", version(&made));
    let list = world.ok(Verb::List, &past, Value::Null);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(version(&list), version(&made));
    let future = world.refused(Verb::List, &format!("{MAPS}?resourceVersion=999999999"), Value::Null);
    assert_eq!(future.reason.code(), 504);
    assert!(future.message.starts_with("Timeout: Too large resource version: 999999999, current: "));
    let without = world.refused(Verb::List, &format!("{MAPS}?resourceVersionMatch=Exact"), Value::Null);
    assert!(without.message.contains("resourceVersionMatch is forbidden unless resourceVersion is provided"));
}

#[test]
fn a_watch_without_a_version_begins_with_what_is_there() {
    let mut world = World::new();
    world.make_map("a");
    let mut watch = world.watch(MAPS);
    world.make_map("b");
    world.patch(&format!("{MAPS}/a"), json!({"data": {"k": "v"}}));
    world.ok(Verb::Delete, &format!("{MAPS}/b"), Value::Null);
    assert_eq!(world.seen(&mut watch), ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b"]);
    assert!(world.seen(&mut watch).is_empty());
}

#[test]
fn objects_enter_and_leave_a_selection() {
    let mut world = World::new();
    world.make_map("a");
    let now = world.store.revision();
    let mut watch = world.watch(&format!("{MAPS}?labelSelector=x=y&resourceVersion={now}"));
    world.patch(&format!("{MAPS}/a"), json!({"metadata": {"labels": {"x": "y"}}}));
    world.patch(&format!("{MAPS}/a"), json!({"data": {"k": "v"}}));
    let left = world.patch(&format!("{MAPS}/a"), json!({"metadata": {"labels": {"x": "z"}}}));
    world.ok(Verb::Delete, &format!("{MAPS}/a"), Value::Null);
    let events = world.store.next(&mut watch, world.now);
    let words: Vec<_> = events.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(words, ["ADDED", "MODIFIED", "DELETED"]);
    let last = &events[2].object;
    assert_eq!(version(last), version(&left));
    assert_eq!(object::label(last, "x"), Some("y"));
}

#[test]
fn a_deletion_is_told_with_its_own_version() {
    let mut world = World::new();
    let made = world.make_map("a");
    let mut watch = world.watch(&format!("{MAPS}?resourceVersion={}", version(&made)));
    world.ok(Verb::Delete, &format!("{MAPS}/a"), Value::Null);
    let events = world.store.next(&mut watch, world.now);
    assert_eq!(version(&events[0].object), world.store.revision().to_string());
}

#[test]
fn a_watch_from_a_forgotten_past_ends_with_410() {
    let mut world = World::with(&Settings { log_capacity: 4, ..Settings::default() });
    let made = world.make_map("a");
    for number in 0..5 {
        world.patch(&format!("{MAPS}/a"), json!({"data": {"k": number.to_string()}}));
    }
    let mut watch = world.watch(&format!("{MAPS}?resourceVersion={}", version(&made)));
    let events = world.store.next(&mut watch, world.now);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event, EventType::Error);
    assert_eq!((&events[0].object["code"], &events[0].object["reason"]), (&json!(410), &json!("Expired")));
    assert!(watch.is_over() && world.store.next(&mut watch, world.now).is_empty());
}

#[test]
fn initial_events_end_with_a_marked_bookmark() {
    let mut world = World::new();
    world.make_map("a");
    let path =
        format!("{MAPS}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
    let mut watch = world.watch(&path);
    let events = world.store.next(&mut watch, world.now);
    assert_eq!((events[0].event, events[1].event), (EventType::Added, EventType::Bookmark));
    let expected = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {
        "resourceVersion": world.store.revision().to_string(),
        "annotations": {"k8s.io/initial-events-end": "true"}}});
    assert_eq!(*events[1].object, expected);
    let without = format!("{MAPS}?sendInitialEvents=true");
    let refused =
        world.store.watch(&request(Verb::Watch, &without, Value::Null), world.now).expect_err("refused");
    assert!(
        refused.message.contains("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
    );
}

#[test]
fn bookmarks_come_every_minute_and_before_the_end() {
    let mut world = World::new();
    let now = world.store.revision();
    let mut watch =
        world.watch(&format!("{MAPS}?resourceVersion={now}&allowWatchBookmarks=true&timeoutSeconds=100"));
    assert!(world.seen(&mut watch).is_empty());
    world.ok(Verb::Create, "/api/v1/namespaces", json!({"metadata": {"name": "other"}}));
    world.pass(60);
    let events = world.store.next(&mut watch, world.now);
    assert_eq!(version(&events[0].object), world.store.revision().to_string());
    world.pass(38);
    assert_eq!(world.seen(&mut watch), ["BOOKMARK "]);
}

#[test]
fn a_namespace_is_held_by_its_own_finalizer() {
    let mut world = World::new();
    let made = world.ok(Verb::Create, "/api/v1/namespaces", json!({"metadata": {"name": "a"}}));
    assert_eq!(made["metadata"]["labels"]["kubernetes.io/metadata.name"], "a");
    assert_eq!(
        (&made["spec"], &made["status"]),
        (&json!({"finalizers": ["kubernetes"]}), &json!({"phase": "Active"}))
    );
    let going = world.ok(Verb::Delete, "/api/v1/namespaces/a", Value::Null);
    assert_eq!(going["status"]["phase"], "Terminating");
    assert_eq!(going["metadata"].get("deletionGracePeriodSeconds"), None);
    let status =
        world.refused(Verb::Create, "/api/v1/namespaces/a/configmaps", json!({"metadata": {"name": "x"}}));
    assert_eq!(status.reason, Reason::Forbidden);
    assert_eq!(
        status.message,
        "configmaps \"x\" is forbidden: unable to create new content in namespace a because it is being terminated"
    );
    assert_eq!(status.details["causes"][0]["reason"], "NamespaceTerminating");
    let status = world.refused(Verb::Delete, "/api/v1/namespaces/default", Value::Null);
    assert_eq!(status.message, "namespaces \"default\" is forbidden: this namespace may not be deleted");
}
