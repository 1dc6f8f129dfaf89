//! What there is to say of services.

use std::net::{IpAddr, Ipv6Addr};

use serde_json::Value;

use super::super::super::store::object::{at, items, text};
use super::super::check::services::is_headless;

const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";

pub(super) fn all(service: &Value) -> Vec<String> {
    let spec = at(service, &["spec"]);
    let kind = text(spec, &["type"]);
    let (is_external, is_headless) = (kind == "ExternalName", kind == "ClusterIP" && is_headless(service));
    let has_addresses = !items(spec, &["externalIPs"]).is_empty();
    let mut said = Vec::new();
    let mut say = |is_so: bool, what: &str| said.extend(is_so.then(|| what.to_owned()));
    say(
        !at(service, &["metadata", "annotations", TOPOLOGY_HINTS]).is_null(),
        &format!("annotation {TOPOLOGY_HINTS} is deprecated, please use {TOPOLOGY_MODE} instead"),
    );
    let ignored = "is ignored for headless services";
    let is_balanced = !text(spec, &["loadBalancerIP"]).is_empty();
    say(is_headless && is_balanced, &format!("spec.loadBalancerIP {ignored}"));
    say(is_headless && has_addresses, &format!("spec.externalIPs {ignored}"));
    let is_sticky = text(spec, &["sessionAffinity"]) != "None";
    say(is_headless && is_sticky, &format!("spec.SessionAffinity {ignored}"));
    for (index, address) in items(spec, &["externalIPs"]).iter().enumerate() {
        let form = odd_form(&format!("spec.externalIPs[{index}]"), address.as_str().unwrap_or_default());
        say(form.is_some(), &form.unwrap_or_default());
    }
    say(
        has_addresses && !is_headless && !is_external,
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
    );
    let address = odd_form("spec.loadBalancerIP", text(spec, &["loadBalancerIP"]));
    say(address.is_some(), &address.unwrap_or_default());
    say(is_external && has_addresses, "spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    say(
        !is_external && !text(spec, &["externalName"]).is_empty(),
        "spec.externalName is ignored when spec.type is not \"ExternalName\"",
    );
    say(
        text(spec, &["trafficDistribution"]) == "PreferClose",
        "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
    );
    said
}

/// Addresses have one form each.
fn odd_form(field: &str, address: &str) -> Option<String> {
    let parsed: Ipv6Addr = address.parse().ok()?;
    if let IpAddr::V4(four) = IpAddr::V6(parsed).to_canonical() {
        return Some(format!("{field}: non-standard IP address {address:?} is invalid: use \"{four}\""));
    }
    let form = parsed.to_string();
    (form != address).then(|| {
        format!("{field}: IPv6 address {address:?} should be in RFC 5952 canonical format ({form:?})")
    })
}
