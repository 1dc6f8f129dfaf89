//! The fields of `spec.strategy.canary.trafficRouting` that can be judged without the objects that they name.

use serde_json::json;

use super::error::{Findings, Path};
use super::nginx;
use crate::api::TrafficRouting;
use crate::api::routing::StringMatch;
use crate::api::strategy::PingPong;
use crate::domain::weight::WEIGHT_MAX_DEFAULT;
use crate::rollout::labels::routers;

/// The weight that stands for all traffic.
pub(super) fn full_weight(routing: Option<&TrafficRouting>) -> i32 {
    routing.map_or(WEIGHT_MAX_DEFAULT, TrafficRouting::total_weight)
}

/// The routers that a Rollout can name, without plugins.
const ROUTERS: [&str; 8] = ["nginx", "istio", "alb", "smi", "ambassador", "appMesh", "traefik", "apisix"];

/// Checks the routing at `path` of the Rollout with that name.
///
/// Beyond the reference, `maxTrafficWeight` must be positive: there is no share of nothing. And a router must be named:
/// the API server drops a misspelt one, and with none all requests would go to the stable revision while the status says
/// otherwise.
pub(super) fn check(routing: &TrafficRouting, rollout: &str, path: &Path, found: &mut Findings) {
    if routers(routing).is_empty() {
        let problem = "names no router; the API server drops unknown names";
        let remedy = format!("name one of {} and plugins, or remove trafficRouting", ROUTERS.join(", "));
        found.invalid_but(path, json!(routing), problem, remedy);
    }
    if let Some(nginx) = &routing.nginx {
        nginx::check(nginx, rollout, &path.field("nginx"), found);
    }
    let Some(max) = routing.max_traffic_weight else {
        return;
    };
    let path = path.field("maxTrafficWeight");
    if routing.nginx.is_none() && routing.plugins.is_empty() {
        found.invalid_but(&path, max, "works with nginx and plugins only", "remove it");
    } else if max < 1 {
        found.invalid(&path, max, "must be 1 or more");
    }
}

/// Checks that a router works with ping-pong Services; `path` is that of the strategy.
pub(super) fn check_ping_pong(
    services: &PingPong,
    routing: &TrafficRouting,
    path: &Path,
    found: &mut Findings,
) {
    if routing.alb.is_none() && routing.istio.is_none() && routing.plugins.is_empty() {
        found.invalid_but(
            &path.field("pingPong"),
            format!("{}, {}", services.ping_service, services.pong_service),
            "works with the routers alb, istio and plugins only",
            "use stableService and canaryService instead",
        );
    }
    if routing.alb.as_ref().is_some_and(|alb| alb.root_service.is_none()) {
        found.required(
            &path.field("trafficRouting.alb.rootService"),
            "with pingPong, alb needs the Service that the Ingress names",
        );
    }
}

/// Checks that `name` is one of the managed routes.
pub(super) fn check_managed(
    name: &str,
    routing: &TrafficRouting,
    path: &Path,
    step: &Path,
    found: &mut Findings,
) {
    if routing.managed_routes.is_empty() {
        let problem = format!("must list the route {name:?}, which a step creates");
        found.required(&path.field("trafficRouting.managedRoutes"), problem);
    } else if routing.managed_routes.iter().all(|route| route.name != name) {
        let names: Vec<&str> = routing.managed_routes.iter().map(|route| route.name.as_str()).collect();
        found.invalid(
            &step.field("name"),
            name,
            format!("must be one of trafficRouting.managedRoutes, which are {}", names.join(", ")),
        );
    }
}

/// Checks that a text is compared in exactly one way.
pub(super) fn check_match(text: &StringMatch, path: &Path, found: &mut Findings) {
    let ways = [("exact", &text.exact), ("prefix", &text.prefix), ("regex", &text.regex)];
    let set: Vec<&str> = ways.iter().filter(|(_, way)| way.is_some()).map(|(name, _)| *name).collect();
    match set.as_slice() {
        [_] => {}
        [] => found.required(path, "set one of exact, prefix and regex"),
        several => found.invalid_but(
            path,
            several.join(", "),
            "must have exactly one of exact, prefix and regex",
            "keep one of them",
        ),
    }
}
