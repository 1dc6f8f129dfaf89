//! Which ReplicaSets requests may still reach: by weight, by record, or through a Service.

use super::context::Context;
use super::snapshot::{ReplicaSetView, ServiceView};
use super::valid::Strategy;

/// Whether anything that the snapshot shows may still send requests to the ReplicaSet. Its pods must stay.
pub(super) fn reach(cx: &Context<'_>, rs: &ReplicaSetView) -> bool {
    let status = cx.status;
    let weights = status.canary.weights.iter().flat_map(|weights| [&weights.canary, &weights.stable]);
    let recorded = [
        &status.stable_rs,
        &status.current_pod_hash,
        &status.blue_green.active_selector,
        &status.blue_green.preview_selector,
    ];
    let mut hashes = recorded.into_iter().chain(weights.map(|destination| &destination.pod_template_hash));
    hashes.any(|hash| hash.as_deref() == Some(rs.hash())) || reach_by_service(cx, rs)
}

/// Whether a Service that requests may come through selects the ReplicaSet.
pub(super) fn reach_by_service(cx: &Context<'_>, rs: &ReplicaSetView) -> bool {
    let [main, trial] = services(cx);
    main.into_iter().chain(trial).any(|name| selects(cx, name, rs))
}

/// Whether a Service selects the ReplicaSet that is not the other one of a ping-pong pair: that one stays with its
/// revision, also when the step takes all pods from it.
pub(super) fn reach_but_by_trial(cx: &Context<'_>, rs: &ReplicaSetView) -> bool {
    let [main, _] = services(cx);
    main.into_iter().any(|name| selects(cx, name, rs))
}

fn selects(cx: &Context<'_>, service: &str, rs: &ReplicaSetView) -> bool {
    cx.service(service).and_then(ServiceView::selected_hash) == Some(rs.hash())
}

/// The Services that requests may come through, and apart from them the other one of a ping-pong pair. Of a ping-pong pair
/// one rests but for the time of an update: nobody is sent to the revision that it still selects.
fn services<'a>(cx: &Context<'a>) -> [Vec<&'a str>; 2] {
    let (main, trial) = match &cx.spec.strategy {
        Strategy::Canary(canary) => {
            let pair = canary.ping_pong.map(|pair| pair.roles(cx.status.canary.stable_ping_pong));
            let (stable, trial) = pair.unzip();
            let trial = trial.filter(|_| !cx.is_fully_promoted() && !cx.status.abort);
            (vec![canary.stable_service, canary.canary_service, stable], trial)
        }
        Strategy::BlueGreen(blue_green) => {
            (vec![Some(blue_green.active_service), blue_green.preview_service], None)
        }
    };
    [main.into_iter().flatten().collect(), trial.into_iter().collect()]
}
