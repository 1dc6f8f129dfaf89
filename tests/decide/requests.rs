//! Old pods go when their time has come, but never while something may still send requests to them.

use serin_core::api::keys;
use serin_core::api::rollout_status::TrafficWeights;
use serin_core::domain::plan::Purpose;
use serin_core::rollout::decide;
use serin_core::rollout::snapshot::Snapshot;

use crate::recordings::play;

/// The settled end of a scenario, but the pods of the old revision are there, and their time is over; and its hash.
fn with_old_pods(scenario: &str) -> (Snapshot, String) {
    let mut snapshot = play(scenario).snapshot();
    let wanted = snapshot.rollout.spec.replicas.unwrap();
    let old = snapshot.replica_sets.iter_mut().find(|rs| rs.replicas == 0).unwrap();
    (old.replicas, old.status.replicas, old.status.available) = (wanted, wanted, wanted);
    old.annotations.insert(keys::DESIRED_REPLICAS.to_owned(), wanted.to_string());
    old.annotations.insert(keys::SCALE_DOWN_DEADLINE.to_owned(), "2026-01-01T00:00:00Z".to_owned());
    let hash = old.labels[keys::POD_HASH_LABEL].clone();
    (snapshot, hash)
}

fn do_they_go(snapshot: &Snapshot) -> bool {
    let plan = decide(snapshot, "2026-01-02T00:00:00Z".parse().unwrap());
    plan.ops().any(|op| op.purposes.iter().any(|p| matches!(p, Purpose::ScaleReplicaSet { to: 0, .. })))
}

/// Asserts that the old pods go, but not once `change` has made something refer to them.
#[track_caller]
fn assert_kept(scenario: &str, change: impl Fn(&mut Snapshot, String)) {
    let (mut snapshot, hash) = with_old_pods(scenario);
    assert!(do_they_go(&snapshot), "nothing refers to them");
    change(&mut snapshot, hash);
    assert!(!do_they_go(&snapshot), "something refers to them");
}

fn select(snapshot: &mut Snapshot, service: &str, hash: String) {
    let selector = &mut snapshot.services.get_mut(service).unwrap().selector;
    selector.insert(keys::POD_HASH_LABEL.to_owned(), hash);
}

fn weights(snapshot: &mut Snapshot) -> &mut TrafficWeights {
    snapshot.rollout.status.as_mut().unwrap().canary.weights.as_mut().unwrap()
}

#[test]
fn pods_that_a_service_selects_stay() {
    for (scenario, service) in [
        ("nginx-steps", "stable"),
        ("nginx-steps", "canary"),
        ("bg-manual", "active"),
        ("bg-manual", "preview"),
    ] {
        assert_kept(scenario, |snapshot, hash| select(snapshot, service, hash));
    }
}

#[test]
fn pods_that_weights_speak_of_stay() {
    assert_kept("nginx-steps", |snapshot, hash| weights(snapshot).canary.pod_template_hash = Some(hash));
    assert_kept("nginx-steps", |snapshot, hash| weights(snapshot).stable.pod_template_hash = Some(hash));
}

#[test]
fn pods_that_the_status_says_are_selected_stay() {
    assert_kept("bg-manual", |snapshot, hash| {
        snapshot.rollout.status.as_mut().unwrap().blue_green.active_selector = Some(hash);
    });
    assert_kept("bg-manual", |snapshot, hash| {
        snapshot.rollout.status.as_mut().unwrap().blue_green.preview_selector = Some(hash);
    });
}
