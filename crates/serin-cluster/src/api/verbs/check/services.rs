//! What is wrong with services, or with changes of them.

use std::net::IpAddr;

use serde_json::Value;

use super::super::super::status::Cause;
use super::super::super::store::object::{at, items, text};
use super::super::metadata::check_labels;
use super::super::refuse::{duplicate, duplicate_inside, not_allowed, required, unsupported, wrong};
use super::forms;

/// How long a client may be remembered, in seconds.
const AFFINITY_MAX: i64 = 86_400;

/// Whether it has no address of its own.
pub(in super::super) fn is_headless(service: &Value) -> bool {
    items(service, &["spec", "clusterIPs"]) == ["None"]
}

fn kind(service: &Value) -> &str {
    text(service, &["spec", "type"])
}

/// Whether it can be reached from outside of the cluster.
pub(in super::super) fn is_reached_from_outside(service: &Value) -> bool {
    match kind(service) {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !items(service, &["spec", "externalIPs"]).is_empty(),
        _ => false,
    }
}

/// Whether its balancer asks nodes if they have a pod of it.
pub(in super::super) fn needs_health_check(service: &Value) -> bool {
    kind(service) == "LoadBalancer" && text(service, &["spec", "externalTrafficPolicy"]) == "Local"
}

/// What is wrong with a service.
pub(super) fn object(service: &Value) -> Vec<Cause> {
    let mut causes = by_kind(service);
    causes.extend(ports(items(service, &["spec", "ports"])));
    causes.extend(check_labels("spec.selector", at(service, &["spec", "selector"])));
    causes.extend(affinity(service));
    causes.extend(addresses(service));
    for (index, address) in items(service, &["spec", "externalIPs"]).iter().enumerate() {
        let field = format!("spec.externalIPs[{index}]");
        causes.extend(forms::endpoint(&field, address.as_str().unwrap_or_default()));
    }
    let kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    causes.extend(forms::word("spec", at(service, &["spec"]), "type", &kinds));
    causes.extend(node_ports(service));
    if !at(service, &["spec", "allocateLoadBalancerNodePorts"]).is_null() && kind(service) != "LoadBalancer" {
        let why = "may only be used when `type` is 'LoadBalancer'";
        causes.push(not_allowed("spec.allocateLoadBalancerNodePorts", why));
    }
    if !at(service, &["spec", "loadBalancerClass"]).is_null() && kind(service) != "LoadBalancer" {
        causes.push(not_allowed("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"));
    }
    causes.extend(traffic(service));
    causes
}

fn by_kind(service: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let kind = kind(service);
    if items(service, &["spec", "ports"]).is_empty() && !is_headless(service) && kind != "ExternalName" {
        causes.push(required("spec.ports", ""));
    }
    match kind {
        "LoadBalancer" | "NodePort" if is_headless(service) => {
            let why = format!("may not be set to 'None' for {kind} services");
            causes.push(wrong("spec.clusterIPs[0]", &"None".into(), &why));
        }
        "ExternalName" => {
            let why = "may not be set for ExternalName services";
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if !at(service, &["spec", field]).is_null() {
                    causes.push(not_allowed(format!("spec.{field}"), why));
                }
            }
            let name = text(service, &["spec", "externalName"]);
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                causes.push(required("spec.externalName", ""));
            } else {
                causes.extend(forms::subdomain("spec.externalName", name));
            }
        }
        _ => {}
    }
    causes
}

fn ports(ports: &[Value]) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut names = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let here = format!("spec.ports[{index}]");
        let name = text(port, &["name"]);
        if name.is_empty() && ports.len() > 1 {
            causes.push(required(format!("{here}.name"), ""));
        } else if !name.is_empty() {
            causes.extend(forms::label(&format!("{here}.name"), name));
            if names.contains(&name) {
                causes.push(duplicate(format!("{here}.name"), name));
            }
            names.push(name);
        }
        causes.extend(forms::port_number(format!("{here}.port"), at(port, &["port"])));
        causes.extend(forms::word(&here, port, "protocol", &["SCTP", "TCP", "UDP"]));
        causes.extend(forms::port(&format!("{here}.targetPort"), at(port, &["targetPort"])));
        let protocol = text(port, &["appProtocol"]);
        if !protocol.is_empty() {
            causes.extend(forms::qualified_name(&format!("{here}.appProtocol"), protocol));
        }
    }
    causes
}

fn affinity(service: &Value) -> Vec<Cause> {
    let spec = at(service, &["spec"]);
    let mut causes: Vec<Cause> =
        forms::word("spec", spec, "sessionAffinity", &["ClientIP", "None"]).into_iter().collect();
    let config = at(spec, &["sessionAffinityConfig"]);
    match text(spec, &["sessionAffinity"]) {
        "ClientIP" => {
            let seconds = at(config, &["clientIP", "timeoutSeconds"]);
            let number = seconds.as_i64().unwrap_or_default();
            if !(1..=AFFINITY_MAX).contains(&number) {
                let field = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
                let why = format!("must be greater than 0 and less than {AFFINITY_MAX}");
                causes.push(wrong(field, seconds, &why));
            }
        }
        "None" if !config.is_null() => {
            let why = "must not be set when session affinity is None";
            causes.push(not_allowed("spec.sessionAffinityConfig", why));
        }
        _ => {}
    }
    causes
}

/// What is wrong with the addresses of a service and their families.
pub(in super::super) fn addresses(service: &Value) -> Vec<Cause> {
    if kind(service) == "ExternalName" {
        return Vec::new();
    }
    let spec = at(service, &["spec"]);
    let (first, all) = (text(spec, &["clusterIP"]), items(spec, &["clusterIPs"]));
    let (field, shown) = ("spec.clusterIPs", at(spec, &["clusterIPs"]));
    let mut causes = Vec::new();
    match (first, all.first()) {
        ("", None) => {}
        ("", Some(_)) => causes.push(wrong(field, shown, "must be empty when `clusterIP` is not specified")),
        (_, None) => causes.push(required(field, "")),
        (first, Some(one)) if one != first => {
            causes.push(wrong(field, shown, "first value must match `clusterIP`"));
        }
        (_, Some(_)) => {}
    }
    causes.extend(families(spec));
    let mut is_unreadable = false;
    for (index, address) in all.iter().enumerate() {
        if index == 0 && address == "None" {
            if all.len() > 1 {
                is_unreadable = true;
                causes.push(wrong(field, shown, "'None' must be the first and only value"));
            }
            continue;
        }
        let fault = forms::address(&format!("{field}[{index}]"), address.as_str().unwrap_or_default());
        is_unreadable |= fault.is_some();
        causes.extend(fault);
    }
    if all.len() > 2 {
        causes.push(wrong(field, shown, "may only hold up to 2 values"));
    }
    if !is_unreadable && all.len() > 1 {
        let is_six = |address: &Value| {
            address
                .as_str()
                .and_then(|text| text.parse().ok())
                .is_some_and(|address: IpAddr| address.is_ipv6())
        };
        if is_six(&all[0]) == is_six(&all[1]) {
            causes.push(wrong(field, shown, "may specify no more than one IP for each IP family"));
        }
    }
    causes
}

fn families(spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut seen: Vec<&Value> = Vec::new();
    for (index, family) in items(spec, &["ipFamilies"]).iter().enumerate() {
        let (here, name) = (format!("spec.ipFamilies[{index}]"), family.as_str().unwrap_or_default());
        if !["IPv4", "IPv6"].contains(&name) {
            causes.push(unsupported(here.clone(), name, &["IPv4", "IPv6"]));
        }
        if seen.contains(&family) {
            causes.push(duplicate(here, name));
        }
        seen.push(family);
    }
    let policy = text(spec, &["ipFamilyPolicy"]);
    let known = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    if !policy.is_empty() && !known.contains(&policy) {
        causes.push(unsupported("spec.ipFamilyPolicy", policy, &known));
    }
    causes
}

/// Ports that nodes open are of kinds that have some, and each number is there once.
fn node_ports(service: &Value) -> Vec<Cause> {
    let ports = items(service, &["spec", "ports"]);
    let opened = |port: &Value| at(port, &["nodePort"]).as_i64().filter(|number| *number != 0);
    let mut causes = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        if kind(service) == "ClusterIP" && opened(port).is_some() {
            let why = "may not be used when `type` is 'ClusterIP'";
            causes.push(not_allowed(format!("spec.ports[{index}].nodePort"), why));
        }
    }
    for (index, port) in ports.iter().enumerate() {
        let is_same = |other: &Value| opened(other) == opened(port) && other["protocol"] == port["protocol"];
        if opened(port).is_some() && ports[..index].iter().any(is_same) {
            causes.push(duplicate_inside(
                format!("spec.ports[{index}].nodePort"),
                &port["nodePort"].to_string(),
            ));
        }
    }
    for (index, port) in ports.iter().enumerate() {
        let is_same = |other: &Value| other["port"] == port["port"] && other["protocol"] == port["protocol"];
        if ports[..index].iter().any(is_same) {
            // The server shows what it compares.
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                port["protocol"], port["port"],
            );
            causes.push(duplicate_inside(format!("spec.ports[{index}]"), &shown));
        }
    }
    causes
}

fn traffic(service: &Value) -> Vec<Cause> {
    let spec = at(service, &["spec"]);
    let mut causes = Vec::new();
    let policy = text(spec, &["externalTrafficPolicy"]);
    if is_reached_from_outside(service) {
        causes.extend(forms::word("spec", spec, "externalTrafficPolicy", &["Cluster", "Local"]));
    } else if !policy.is_empty() {
        let why = "may only be set for externally-accessible services";
        causes.push(wrong("spec.externalTrafficPolicy", &policy.into(), why));
    }
    let port = at(spec, &["healthCheckNodePort"]);
    if !port.is_null() && !needs_health_check(service) {
        let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        causes.push(wrong("spec.healthCheckNodePort", port, why));
    }
    let policy = text(spec, &["internalTrafficPolicy"]);
    if policy.is_empty() && ["ClusterIP", "NodePort", "LoadBalancer"].contains(&kind(service)) {
        causes.push(required("spec.internalTrafficPolicy", ""));
    } else if !policy.is_empty() && !["Cluster", "Local"].contains(&policy) {
        causes.push(unsupported("spec.internalTrafficPolicy", policy, &["Cluster", "Local"]));
    }
    let nearness = text(spec, &["trafficDistribution"]);
    let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    if !nearness.is_empty() && !known.contains(&nearness) {
        causes.push(unsupported("spec.trafficDistribution", nearness, &known));
    }
    causes
}

/// What is wrong with a change: addresses stay, unless the kind comes to have none or some.
pub(super) fn change(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let is_external = kind(old) == "ExternalName" || kind(new) == "ExternalName";
    if !(is_external || is_headless(old) && is_headless(new)) {
        causes.extend(kept("clusterIPs", "clusterIP", old, new));
    }
    if !(is_external || is_headless(old) || is_headless(new)) {
        causes.extend(kept("ipFamilies", "ipFamily", old, new));
    }
    if needs_health_check(old)
        && needs_health_check(new)
        && at(old, &["spec", "healthCheckNodePort"]) != at(new, &["spec", "healthCheckNodePort"])
    {
        causes.push(not_allowed("spec.healthCheckNodePort", forms::IMMUTABLE));
    }
    causes
}

fn kept(field: &str, one: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let (was, is) = (items(old, &["spec", field]), items(new, &["spec", field]));
    let shown = at(new, &["spec", field]);
    if is.is_empty() && !was.is_empty() {
        return vec![wrong(format!("spec.{field}[0]"), shown, &format!("primary {one} can not be unset"))];
    }
    let changed = was.iter().zip(is).enumerate().filter(|(_, (was, is))| was != is);
    changed
        .map(|(index, _)| wrong(format!("spec.{field}[{index}]"), shown, "may not change once set"))
        .collect()
}

/// What is wrong with a status.
pub(super) fn status(service: &Value) -> Vec<Cause> {
    let field = "status.loadBalancer.ingress";
    let points = items(service, &["status", "loadBalancer", "ingress"]);
    if kind(service) != "LoadBalancer" && !points.is_empty() {
        return vec![not_allowed(field, "may only be used when `spec.type` is 'LoadBalancer'")];
    }
    let mut causes = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let (address, name) = (text(point, &["ip"]), text(point, &["hostname"]));
        if !address.is_empty() {
            causes.extend(forms::address(&format!("{field}[{index}].ip"), address));
        }
        if !name.is_empty() {
            causes.extend(forms::subdomain(&format!("{field}[{index}].hostname"), name));
        }
    }
    causes
}
