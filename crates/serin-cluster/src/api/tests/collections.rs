//! Lists and watches.

use super::*;

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
