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
