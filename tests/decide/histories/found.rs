//! Histories that a long run has found, as short as they can be.

use serde_json::{Value, json};

use super::History;
use super::act::Act;
use super::judge::End;
use super::shape::Shape;

/// Plays acts that follow each other by so many seconds.
fn play(spec: Value, acts: Vec<(u16, Act)>) -> Result<End, String> {
    History { shape: Shape::of(spec), acts }.play()
}

fn template(number: u32, is_broken: bool) -> Act {
    Act::Template { number, is_broken }
}

/// The deadline took it back, the window brought it on its way again, and so on.
#[test]
fn a_return_within_the_window_that_fails_stays_aborted() {
    for strategy in
        [json!({"canary": {"stableService": "stable"}}), json!({"blueGreen": {"activeService": "active"}})]
    {
        let spec = json!({
            "replicas": 1, "progressDeadlineSeconds": 20, "progressDeadlineAbort": true,
            "rollbackWindow": {"revisions": 1}, "strategy": strategy,
        });
        let acts = vec![(0, template(2, true)), (1, template(2, false)), (40, template(2, true))];
        assert_eq!(play(spec, acts), Ok(End::Aborted));
    }
}

/// No weight was known yet, and the stable revision was to have the pods for none.
#[test]
fn a_canary_that_gets_a_router_while_it_begins_keeps_its_stable_pods() {
    let routed = json!({"canary": {
        "stableService": "stable", "canaryService": "canary", "dynamicStableScale": true,
        "trafficRouting": {"nginx": {"stableIngress": "web"}},
    }});
    let spec = json!({"replicas": 1, "strategy": {"canary": {}}});
    let acts = vec![(0, template(2, false)), (0, Act::Strategy(routed))];
    assert_eq!(play(spec, acts), Ok(End::Healthy));
}

/// The pods of an aborted revision were to go while they alone were available.
#[test]
fn an_aborted_revision_stays_while_it_alone_serves() {
    let blue_green = json!({"blueGreen": {"activeService": "active", "previewService": "preview"}});
    let spec = json!({"replicas": 1, "progressDeadlineSeconds": 20, "strategy": blue_green});
    let acts = vec![
        (0, Act::Edit { is_stable: true }),
        (0, Act::Abort),
        (14, Act::Unready { is_stable: true }),
        (16, template(1, false)),
    ];
    assert_eq!(play(spec, acts), Ok(End::Aborted));
}

/// A weight of 0 was to take all pods from the canary while those of the stable revision were not available.
#[test]
fn a_canary_without_traffic_stays_while_it_alone_is_available() {
    let canary = json!({
        "stableService": "stable", "canaryService": "canary", "maxUnavailable": "100%",
        "steps": [{"setWeight": 1}, {"setWeight": 0}], "trafficRouting": {"nginx": {"stableIngress": "web"}},
    });
    let spec = json!({"replicas": 4, "progressDeadlineSeconds": 20, "strategy": {"canary": canary}});
    let acts =
        vec![(0, Act::Unready { is_stable: true }), (0, Act::Edit { is_stable: true }), (0, Act::Restart)];
    assert_eq!(play(spec, acts), Ok(End::Healthy));
}

/// The active Service selected the revision that was to have no preview pods.
#[test]
fn a_canary_that_becomes_a_preview_without_pods_keeps_them_while_users_reach_them() {
    let canary = json!({
        "stableService": "stable", "canaryService": "canary", "steps": [{"setWeight": 1}, {"pause": {"duration": "5s"}}],
    });
    let spec = json!({"replicas": 1, "progressDeadlineSeconds": 20, "strategy": {"canary": canary}});
    let blue_green = json!({"blueGreen": {"activeService": "active", "previewReplicaCount": 0, "previewService": "preview"}});
    assert_eq!(play(spec, vec![(0, template(2, false)), (0, Act::Strategy(blue_green))]), Ok(End::Healthy));
}

/// Users were with a revision that was abandoned at its last weight; the next one took the place of the stable pods that they
/// were to come back to.
#[test]
fn users_come_back_from_an_abandoned_revision() {
    for services in [
        json!({"pingPong": {"pingService": "ping", "pongService": "pong"}}),
        json!({"stableService": "stable", "canaryService": "canary"}),
    ] {
        let mut canary = services;
        canary["steps"] = json!([{"setWeight": 1}, {"setWeight": 100}, {"pause": {}}]);
        let spec = json!({"replicas": 1, "progressDeadlineSeconds": 20, "strategy": {"canary": canary}});
        let acts = vec![(0, Act::Edit { is_stable: true }), (1, template(2, false))];
        assert_eq!(play(spec, acts), Ok(End::Paused));
    }
}

/// The fewest pods of a ReplicaSet were taken for pods that the weight needs, and kept it.
#[test]
fn an_abort_takes_the_weight_from_a_canary_of_the_fewest_pods() {
    let canary = json!({
        "stableService": "stable", "canaryService": "canary", "dynamicStableScale": true, "minPodsPerReplicaSet": 2,
        "steps": [{"setWeight": 1}], "trafficRouting": {"nginx": {"stableIngress": "web"}},
    });
    let spec = json!({"replicas": 1, "progressDeadlineSeconds": 20, "strategy": {"canary": canary}});
    let acts = vec![(0, template(2, false)), (0, Act::Pause), (1, Act::PromoteFull), (0, Act::Abort)];
    assert_eq!(play(spec, acts), Ok(End::Aborted));
}
