//! Writes of single objects.

use super::*;

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
