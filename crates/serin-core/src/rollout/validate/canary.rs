//! The fields of `spec.strategy.canary`, but for its routers and steps.

use super::blue_green::check_anti_affinity;
use super::error::{Findings, Path};
use super::{limits, names, roles, routing, steps};
use crate::api::{CanaryStrategy, LabelSelector, TrafficRouting};

/// Checks a canary strategy of the Rollout `name` with that selector.
pub(super) fn check(
    canary: &CanaryStrategy,
    name: &str,
    selector: &LabelSelector,
    path: &Path,
    found: &mut Findings,
) {
    check_service_names(canary, path, found);
    check_services(canary, path, found);
    check_limits(canary, path, found);
    check_needs_routing(canary, path, found);
    check_ping_pong(canary, path, found);
    check_anti_affinity(canary.anti_affinity.as_ref(), path, found);
    check_roles(canary, selector, path, found);
    if let Some(routing) = &canary.traffic_routing {
        routing::check(routing, name, &path.field("trafficRouting"), found);
    }
    for (index, step) in canary.steps.iter().enumerate() {
        steps::check(step, canary.traffic_routing.as_ref(), path, index, found);
    }
}

fn check_service_names(canary: &CanaryStrategy, path: &Path, found: &mut Findings) {
    names::check_service(canary.stable_service.as_deref(), &path.field("stableService"), found);
    names::check_service(canary.canary_service.as_deref(), &path.field("canaryService"), found);
    if let Some(pair) = &canary.ping_pong {
        let path = path.field("pingPong");
        names::check_service(Some(&pair.ping_service), &path.field("pingService"), found);
        names::check_service(Some(&pair.pong_service), &path.field("pongService"), found);
    }
}

fn check_services(canary: &CanaryStrategy, path: &Path, found: &mut Findings) {
    let needing = canary.traffic_routing.as_ref().and_then(|routing| needs_both_services(canary, routing));
    match (&canary.stable_service, &canary.canary_service) {
        (Some(stable), Some(other)) if stable == other => {
            let (problem, remedy) = ("is also the canaryService", "use two Services with the same selector");
            found.invalid_but(&path.field("stableService"), stable.as_str(), problem, remedy);
        }
        (stable, other) => {
            let Some(router) = needing else { return };
            for (field, service) in [("stableService", stable), ("canaryService", other)] {
                if service.is_none() {
                    let problem = format!("trafficRouting.{router} splits traffic between two Services");
                    found.required(&path.field(field), problem);
                }
            }
        }
    }
}

/// The first router that cannot do without stableService and canaryService.
fn needs_both_services(canary: &CanaryStrategy, routing: &TrafficRouting) -> Option<&'static str> {
    let ping_pong = canary.ping_pong.is_some();
    let has_subsets = routing.istio.as_ref().is_some_and(|istio| istio.destination_rule.is_some());
    [
        ("istio", routing.istio.is_some() && !has_subsets && !ping_pong),
        ("nginx", routing.nginx.is_some()),
        ("alb", routing.alb.is_some() && !ping_pong),
        ("smi", routing.smi.is_some()),
        ("ambassador", routing.ambassador.is_some()),
        ("appMesh", routing.app_mesh.is_some()),
        ("traefik", routing.traefik.is_some()),
        ("apisix", routing.apisix.is_some()),
    ]
    .into_iter()
    .find_map(|(name, needs)| needs.then_some(name))
}

fn check_limits(canary: &CanaryStrategy, path: &Path, found: &mut Findings) {
    let (surge, unavailable) = (canary.max_surge.as_ref(), canary.max_unavailable.as_ref());
    limits::check(surge, &path.field("maxSurge"), found);
    limits::check(unavailable, &path.field("maxUnavailable"), found);
    if let Some(surge) = surge.filter(|surge| limits::is_zero(Some(surge)) && limits::is_zero(unavailable)) {
        let problem = "maxSurge and maxUnavailable must not both be 0: no pod could be replaced";
        found.invalid_but(&path.field("maxSurge"), limits::written(surge), problem, "raise one of them");
    }
}

fn check_roles(canary: &CanaryStrategy, selector: &LabelSelector, path: &Path, found: &mut Findings) {
    roles::check(canary.canary_metadata.as_ref(), selector, &path.field("canaryMetadata"), found);
    roles::check(canary.stable_metadata.as_ref(), selector, &path.field("stableMetadata"), found);
}

fn check_needs_routing(canary: &CanaryStrategy, path: &Path, found: &mut Findings) {
    let routed = canary.traffic_routing.is_some();
    let only = "can only be used with trafficRouting";
    if let Some(seconds) = canary.scale_down_delay_seconds {
        let path = path.field("scaleDownDelaySeconds");
        if !routed {
            found.invalid_but(&path, seconds, only, "remove it or set trafficRouting");
        } else if canary.dynamic_stable_scale {
            let problem = "cannot be used with dynamicStableScale, which shrinks the stable revision itself";
            found.invalid_but(&path, seconds, problem, "remove one of them");
        }
    }
    if canary.dynamic_stable_scale && !routed {
        let path = path.field("dynamicStableScale");
        found.invalid_but(&path, true, only, "remove it or set trafficRouting");
    }
}

fn check_ping_pong(canary: &CanaryStrategy, path: &Path, found: &mut Findings) {
    let Some(services) = &canary.ping_pong else { return };
    if let Some(routing) = &canary.traffic_routing {
        routing::check_ping_pong(services, routing, path, found);
    }
    let path_of = |field: &str| path.field("pingPong").field(field);
    let (first, second) = (services.ping_service.as_str(), services.pong_service.as_str());
    for (field, service) in [("pingService", first), ("pongService", second)] {
        if service.is_empty() {
            found.required(&path_of(field), "pingPong needs two Services");
        }
    }
    if first == second && !first.is_empty() {
        found.invalid_but(&path_of("pingService"), first, "is also the pongService", "use two Services");
    }
}
