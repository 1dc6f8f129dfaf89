//! Histories that a long run has found, as short as they can be.

use serde_json::{Value, json};

use super::History;
use super::act::{Act, Lost};
use super::judge::End;
use super::shape::{Shape, Source};

/// Plays acts that follow each other by so many seconds.
fn play(spec: Value, acts: Vec<(u16, Act)>) -> Result<End, String> {
    play_shape(Shape::of(spec), acts)
}

fn play_shape(shape: Shape, acts: Vec<(u16, Act)>) -> Result<End, String> {
    History { shape, acts }.play()
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

/// The deadline of another revision was said to have passed for as long as the Rollout was paused.
#[test]
fn a_verdict_about_one_revision_is_not_one_about_the_next() {
    let canary = json!({
        "stableService": "stable", "canaryService": "canary", "trafficRouting": {"nginx": {"stableIngress": "web"}},
    });
    let spec = json!({"replicas": 3, "progressDeadlineSeconds": 20, "strategy": {"canary": canary}});
    let shape = Shape { source: Source::Workload("never"), latency: 0, ..Shape::of(spec) };
    let acts = vec![(0, template(1, true)), (22, Act::Lose(Lost::Workload)), (0, Act::Pause)];
    assert_eq!(play_shape(shape, acts), Ok(End::Paused));
}

/// The last pod that was missing was asked for no more while the spec was invalid: nothing was missing, and the deadline
/// was said to have passed.
#[test]
fn a_verdict_ends_when_nothing_is_missing() {
    let strategy = json!({"canary": {"canaryService": "canary"}});
    let spec = json!({"replicas": 1, "progressDeadlineSeconds": 10, "strategy": strategy});
    let shape = Shape { latency: 0, ..Shape::of(spec) };
    let acts = vec![
        (0, Act::Unready { is_stable: true }),
        (11, Act::Pause),
        (0, Act::Lose(Lost::Service("canary"))),
        (0, Act::Scale(0)),
        (2, Act::Lose(Lost::Service("stable"))),
    ];
    assert_eq!(play_shape(shape, acts), Ok(End::Paused));
}

/// The stable revision, which became that with no pods, cannot have any. The step took all pods from the canary, which kept
/// the only available one, and was never reached.
#[test]
fn a_step_that_takes_the_only_available_pod_is_passed_after_the_deadline() {
    for services in [json!({}), json!({"pingPong": {"pingService": "ping", "pongService": "pong"}})] {
        let mut canary = services;
        canary["steps"] = json!([{"setWeight": 70}, {"setWeight": 0}]);
        let spec = json!({"replicas": 0, "progressDeadlineSeconds": 20, "strategy": {"canary": canary}});
        let shape = Shape { latency: 0, ..Shape::of(spec) };
        let acts = vec![(0, template(1, true)), (0, Act::Scale(1)), (0, template(1, false))];
        assert_eq!(play_shape(shape, acts), Ok(End::Healthy));
    }
}

/// The same, where the pod of an abandoned revision had to stay for those of the stable one that never came.
#[test]
fn a_step_that_waits_for_broken_stable_pods_is_passed_after_the_deadline() {
    let canary = json!({
        "stableService": "stable", "canaryService": "canary",
        "steps": [{"setWeight": 1}, {"pause": {"duration": 1}}, {"pause": {"duration": 20}}],
    });
    let spec = json!({"replicas": 0, "progressDeadlineSeconds": 20, "strategy": {"canary": canary}});
    let shape = Shape { latency: 2500, ..Shape::of(spec) };
    let acts =
        vec![(0, template(1, true)), (21, template(2, false)), (0, Act::Scale(2)), (3, template(1, false))];
    assert_eq!(play_shape(shape, acts), Ok(End::Healthy));
}

/// Users were to come back from a canary without an available pod as fast as stable pods came, and the guard refused to
/// write a weight for it.
#[test]
fn a_canary_without_available_pods_loses_all_traffic_at_once() {
    let canary = json!({
        "stableService": "stable", "canaryService": "canary", "dynamicStableScale": true,
        "steps": [{"setWeight": 70}, {"pause": {"duration": "5s"}}, {"pause": {}}, {"setWeight": 0}],
        "trafficRouting": {"nginx": {"stableIngress": "web"}},
    });
    let spec = json!({"replicas": 2, "progressDeadlineSeconds": 20, "strategy": {"canary": canary}});
    let shape = Shape { latency: 0, ..Shape::of(spec) };
    let acts = vec![(0, template(2, false)), (0, Act::Unready { is_stable: false }), (0, template(1, false))];
    assert_eq!(play_shape(shape, acts), Ok(End::Healthy));
}
