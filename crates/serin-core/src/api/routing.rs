//! `trafficRouting`: which router splits the traffic, and what it is told to work on.

use std::collections::BTreeMap;

use macro_rules_attribute::apply;
use serde_json::Value;

use super::wire::{null_as_default, wire};

/// What splits traffic between the revisions. Several routers may be set; each gets the same weights.
#[apply(wire)]
pub struct TrafficRouting {
    /// Istio's VirtualServices and DestinationRules.
    pub istio: Option<IstioRouting>,
    /// Canary Ingresses of ingress-nginx, and of controllers that read its annotations.
    pub nginx: Option<NginxRouting>,
    /// Actions of the AWS load balancer controller.
    pub alb: Option<AlbRouting>,
    /// A TrafficSplit of the Service Mesh Interface.
    pub smi: Option<SmiRouting>,
    /// Mappings of Ambassador (Emissary).
    pub ambassador: Option<AmbassadorRouting>,
    /// A VirtualService of AWS App Mesh.
    pub app_mesh: Option<AppMeshRouting>,
    /// A weighted TraefikService.
    pub traefik: Option<TraefikRouting>,
    /// A route of APISIX.
    pub apisix: Option<ApisixRouting>,
    /// Configuration of router plugins, by the name of the plugin.
    pub plugins: BTreeMap<String, Value>,
    /// Routes that steps may create; earlier ones go first.
    pub managed_routes: Vec<ManagedRoute>,
    /// Weight that stands for all traffic; 100 if not set.
    pub max_traffic_weight: Option<i32>,
}

/// A route that steps may create.
#[apply(wire)]
#[derive(Eq)]
pub struct ManagedRoute {
    /// Name of the route.
    pub name: String,
}

/// Istio's objects; either `virtualService` or `virtualServices` must be set.
#[apply(wire)]
#[derive(Eq)]
pub struct IstioRouting {
    /// The VirtualService whose weights are set.
    pub virtual_service: Option<IstioVirtualService>,
    /// The VirtualServices whose weights are set.
    pub virtual_services: Vec<IstioVirtualService>,
    /// The DestinationRule whose subsets follow the revisions.
    pub destination_rule: Option<IstioDestinationRule>,
}

/// A VirtualService whose weights are set.
#[apply(wire)]
#[derive(Eq)]
pub struct IstioVirtualService {
    /// Name, or `name.namespace`.
    pub name: String,
    /// Names of the HTTP routes to work on; not needed where there is only one.
    pub routes: Vec<String>,
    /// TLS routes to work on.
    pub tls_routes: Vec<IstioTlsRoute>,
    /// TCP routes to work on.
    pub tcp_routes: Vec<IstioTcpRoute>,
}

/// Which TLS routes of a VirtualService to work on.
#[apply(wire)]
#[derive(Eq)]
pub struct IstioTlsRoute {
    /// Port of the route; 0 or not set means any.
    pub port: i64,
    /// SNI host names of the route.
    pub sni_hosts: Vec<String>,
}

/// Which TCP routes of a VirtualService to work on.
#[apply(wire)]
#[derive(Eq)]
pub struct IstioTcpRoute {
    /// Port of the route; 0 or not set means any.
    pub port: i64,
}

/// A DestinationRule whose subsets follow the revisions.
#[apply(wire)]
#[derive(Eq)]
pub struct IstioDestinationRule {
    /// Name, in the Rollout's namespace.
    pub name: String,
    /// Name of the subset that selects the canary.
    pub canary_subset_name: String,
    /// Name of the subset that selects the stable revision.
    pub stable_subset_name: String,
    /// Subsets whose weights are left alone.
    pub additional_subset_names: Vec<String>,
}

/// The Ingress that the canary Ingress is derived from; one of `stableIngress` and `stableIngresses` must be set.
#[apply(wire)]
#[derive(Eq)]
pub struct NginxRouting {
    /// Prefix of the annotations; nginx.ingress.kubernetes.io if not set.
    pub annotation_prefix: Option<String>,
    /// Name of the Ingress that routes to the stable Service.
    pub stable_ingress: Option<String>,
    /// Names of the Ingresses that route to the stable Service.
    pub stable_ingresses: Vec<String>,
    /// Annotations of the canary Ingress, their keys without the prefix.
    pub additional_ingress_annotations: BTreeMap<String, String>,
    /// Annotations of the canary Ingress, their keys as they are.
    pub canary_ingress_annotations: BTreeMap<String, String>,
}

/// The Ingress whose action carries the weights; one of `ingress` and `ingresses` must be set.
#[apply(wire)]
#[derive(Eq)]
pub struct AlbRouting {
    /// Name of the Ingress.
    pub ingress: Option<String>,
    /// Names of the Ingresses.
    pub ingresses: Vec<String>,
    /// Port of the Services.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub service_port: i32,
    /// Service that the Ingress names; the stable Service if not set.
    pub root_service: Option<String>,
    /// Prefix of the annotations; alb.ingress.kubernetes.io if not set.
    pub annotation_prefix: Option<String>,
    /// Keeps a client on the revision that it met first.
    pub stickiness_config: Option<StickinessConfig>,
}

/// Keeps a client on the revision that it met first.
#[apply(wire)]
#[derive(Eq)]
pub struct StickinessConfig {
    /// Whether clients stick to a revision.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub enabled: bool,
    /// For how many seconds, from 1 to 604800.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub duration_seconds: i64,
}

/// A TrafficSplit of the Service Mesh Interface.
#[apply(wire)]
#[derive(Eq)]
pub struct SmiRouting {
    /// Service that clients use; the stable Service if not set.
    pub root_service: Option<String>,
    /// Name of the TrafficSplit; that of the Rollout if not set.
    pub traffic_split_name: Option<String>,
}

/// Mappings of Ambassador (Emissary).
#[apply(wire)]
#[derive(Eq)]
pub struct AmbassadorRouting {
    /// Names of the Mappings that route to the stable Service.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub mappings: Vec<String>,
}

/// A VirtualService of AWS App Mesh.
#[apply(wire)]
#[derive(Eq)]
pub struct AppMeshRouting {
    /// The VirtualService whose router carries the weights.
    pub virtual_service: Option<AppMeshVirtualService>,
    /// The VirtualNodes of the two revisions.
    pub virtual_node_group: Option<AppMeshVirtualNodeGroup>,
}

/// A VirtualService whose router carries the weights.
#[apply(wire)]
#[derive(Eq)]
pub struct AppMeshVirtualService {
    /// Name, in the Rollout's namespace.
    pub name: String,
    /// Names of the routes to work on; all if none is named.
    pub routes: Vec<String>,
}

/// The VirtualNodes of the two revisions.
#[apply(wire)]
#[derive(Eq)]
pub struct AppMeshVirtualNodeGroup {
    /// VirtualNode of the canary.
    pub canary_virtual_node_ref: Option<AppMeshVirtualNodeRef>,
    /// VirtualNode of the stable revision.
    pub stable_virtual_node_ref: Option<AppMeshVirtualNodeRef>,
}

/// A VirtualNode.
#[apply(wire)]
#[derive(Eq)]
pub struct AppMeshVirtualNodeRef {
    /// Name, in the Rollout's namespace.
    pub name: String,
}

/// A weighted TraefikService.
#[apply(wire)]
#[derive(Eq)]
pub struct TraefikRouting {
    /// Name of the TraefikService, in the Rollout's namespace.
    pub weighted_traefik_service_name: String,
}

/// A route of APISIX.
#[apply(wire)]
#[derive(Eq)]
pub struct ApisixRouting {
    /// The ApisixRoute whose weights are set.
    pub route: Option<ApisixRoute>,
}

/// An ApisixRoute whose weights are set.
#[apply(wire)]
#[derive(Eq)]
pub struct ApisixRoute {
    /// Name, in the Rollout's namespace.
    pub name: String,
    /// Names of the rules to work on; the one named like the route if none is named.
    pub rules: Vec<String>,
}

/// How a text is compared; exactly one of the three must be set.
#[apply(wire)]
#[derive(Eq)]
pub struct StringMatch {
    /// The whole text.
    pub exact: Option<String>,
    /// How the text begins.
    pub prefix: Option<String>,
    /// A regular expression for the text.
    pub regex: Option<String>,
}

/// Which requests are copied: those that fit everything that is set.
#[apply(wire)]
#[derive(Eq)]
pub struct RouteMatch {
    /// Method of the request.
    pub method: Option<StringMatch>,
    /// Path of the request.
    pub path: Option<StringMatch>,
    /// Headers of the request, by name.
    pub headers: BTreeMap<String, StringMatch>,
}
