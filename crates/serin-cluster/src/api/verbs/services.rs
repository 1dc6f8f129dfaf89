//! Services: their cluster addresses and node ports.
//!
//! There is one family of addresses, as in most clusters.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::super::status::{Cause, Status};
use super::super::store::Store;
use super::super::store::object::{at, copy, items, name, remove, set, text};
use super::check::services::{addresses, is_headless, is_reached_from_outside, needs_health_check};
use super::refuse::{invalid_kind, wrong};

/// The range that cluster addresses are from: 10.96.0.0/16.
const NETWORK: [u8; 2] = [10, 96];
/// What a service that is only tried has as its address.
const TRIED: &str = "10.96.0.0";
/// Ports that nodes open for services.
const NODE_PORTS: std::ops::Range<u64> = 30_000..32_768;

/// Gives a new service its addresses and ports.
pub(super) fn begin_create(store: &mut Store, service: &mut Value, is_dry_run: bool) -> Result<(), Status> {
    let given = text(service, &["spec", "clusterIP"]).to_owned();
    if !given.is_empty() && items(service, &["spec", "clusterIPs"]).is_empty() {
        set(service, &["spec", "clusterIPs"], json!([given]));
    }
    complete_families(service, None)?;
    allocate_address(store, service, is_dry_run)?;
    let mut opened = Opened::of(store, is_dry_run);
    if opens_node_ports(service) {
        open_new_ports(store, service, &mut opened)?;
    }
    if needs_health_check(service) && at(service, &["spec", "healthCheckNodePort"]).is_null() {
        set(service, &["spec", "healthCheckNodePort"], opened.free(store).into());
    }
    Ok(())
}

/// Keeps what a change leaves out of what was allocated, and allocates what it comes to need.
pub(super) fn begin_update(
    store: &mut Store,
    live: &Value,
    service: &mut Value,
    is_dry_run: bool,
) -> Result<(), Status> {
    keep_allocated(live, service);
    sync_addresses(live, service);
    complete_families(service, Some(live))?;
    if !has_address(live) {
        allocate_address(store, service, is_dry_run)?;
    }
    let mut opened = Opened::of(store, is_dry_run);
    if opens_node_ports(service) {
        open_changed_ports(store, live, service, &mut opened)?;
    }
    let needs_check = needs_health_check(service) && !needs_health_check(live);
    if needs_check && at(service, &["spec", "healthCheckNodePort"]).is_null() {
        set(service, &["spec", "healthCheckNodePort"], opened.free(store).into());
    }
    Ok(())
}

/// Drops what a service of another kind does not have, unless the request has changed it.
pub(super) fn drop_unneeded(live: &Value, service: &mut Value) {
    let is_same = |service: &Value, field: &str| at(live, &["spec", field]) == at(service, &["spec", field]);
    let mut dropped: Vec<&str> = Vec::new();
    if has_address(live) && !has_address(service) {
        if is_same(service, "clusterIP") && is_same(service, "clusterIPs") {
            dropped.extend(["clusterIP", "clusterIPs"]);
        }
        dropped.extend(["ipFamilies", "ipFamilyPolicy"].into_iter().filter(|field| is_same(service, field)));
    }
    let needs_check = needs_health_check(live) && !needs_health_check(service);
    let was_balanced = kind(live) == "LoadBalancer" && kind(service) != "LoadBalancer";
    let is_closed = is_reached_from_outside(live) && !is_reached_from_outside(service);
    let fields = [
        ("healthCheckNodePort", needs_check),
        ("allocateLoadBalancerNodePorts", was_balanced),
        ("loadBalancerClass", was_balanced),
        ("externalTrafficPolicy", is_closed),
        ("internalTrafficPolicy", !has_address(service)),
    ];
    dropped.extend(
        fields.into_iter().filter(|(field, is_so)| *is_so && is_same(service, field)).map(|(field, _)| field),
    );
    let (old, new) = (node_ports(live), node_ports(service));
    if opens_node_ports(live) && !opens_node_ports(service) && new.is_subset(&old) {
        for port in ports(service) {
            remove(port, &["nodePort"]);
        }
    }
    for field in dropped {
        remove(service, &["spec", field]);
    }
    if kind(service) != "LoadBalancer" {
        set(service, &["status", "loadBalancer"], json!({}));
    }
}

fn kind(service: &Value) -> &str {
    text(service, &["spec", "type"])
}

fn has_address(service: &Value) -> bool {
    kind(service) != "ExternalName"
}

fn opens_node_ports(service: &Value) -> bool {
    matches!(kind(service), "NodePort" | "LoadBalancer")
}

/// Whether every port is opened, and not only those that name a number.
fn opens_every_port(service: &Value) -> bool {
    kind(service) == "NodePort"
        || at(service, &["spec", "allocateLoadBalancerNodePorts"]) == &Value::Bool(true)
}

fn ports(service: &mut Value) -> impl Iterator<Item = &mut Value> {
    service.pointer_mut("/spec/ports").and_then(Value::as_array_mut).into_iter().flatten()
}

fn node_ports(service: &Value) -> BTreeSet<u64> {
    items(service, &["spec", "ports"]).iter().filter_map(|port| port["nodePort"].as_u64()).collect()
}

fn keep_allocated(live: &Value, service: &mut Value) {
    if has_address(live) && has_address(service) {
        if text(service, &["spec", "clusterIP"]).is_empty() {
            copy(service, live, &["spec", "clusterIP"]);
        }
        if items(service, &["spec", "clusterIPs"]).is_empty() {
            copy(service, live, &["spec", "clusterIPs"]);
        }
    }
    if opens_node_ports(live)
        && opens_node_ports(service)
        && opens_every_port(live)
        && opens_every_port(service)
    {
        let used: BTreeSet<u64> = node_ports(live).intersection(&node_ports(service)).copied().collect();
        let old = items(live, &["spec", "ports"]).to_vec();
        for port in ports(service).filter(|port| port.get("nodePort").is_none()) {
            let same = old.iter().rev().find(|old| old.get("name") == port.get("name"));
            let number = same.and_then(|old| old["nodePort"].as_u64());
            if let Some(number) = number.filter(|number| !used.contains(number)) {
                set(port, &["nodePort"], number.into());
            }
        }
    }
    if needs_health_check(live)
        && needs_health_check(service)
        && at(service, &["spec", "healthCheckNodePort"]).is_null()
    {
        copy(service, live, &["spec", "healthCheckNodePort"]);
    }
}

/// The one address and the list of addresses say the same, whichever of them was changed.
fn sync_addresses(live: &Value, service: &mut Value) {
    let (was, is) = (text(live, &["spec", "clusterIP"]), text(service, &["spec", "clusterIP"]).to_owned());
    if items(service, &["spec", "clusterIPs"]).is_empty() && was == is {
        copy(service, live, &["spec", "clusterIPs"]);
    }
    let is_same_list = items(live, &["spec", "clusterIPs"]) == items(service, &["spec", "clusterIPs"]);
    if was != is && is_same_list {
        if is.is_empty() {
            remove(service, &["spec", "clusterIPs"]);
        } else {
            set(service, &["spec", "clusterIPs"], json!([is]));
        }
    }
}

fn refused(service: &Value, causes: &[Cause]) -> Result<(), Status> {
    if causes.is_empty() { Ok(()) } else { Err(invalid_kind("", "Service", name(service), causes)) }
}

/// Says of which families the addresses are.
fn complete_families(service: &mut Value, live: Option<&Value>) -> Result<(), Status> {
    if !has_address(service) || live.is_some_and(|live| prefers_both(live, service)) {
        return Ok(());
    }
    let selects = at(service, &["spec", "selector"]).as_object().is_some_and(|selector| !selector.is_empty());
    let is_unselective = text(service, &["spec", "clusterIP"]) == "None" && !selects;
    if text(service, &["spec", "ipFamilyPolicy"]).is_empty() {
        let before = live.map_or("", |live| text(live, &["spec", "ipFamilyPolicy"]));
        let policy = match before {
            "" if is_unselective => "RequireDualStack",
            "" => "SingleStack",
            before => before,
        };
        set(service, &["spec", "ipFamilyPolicy"], policy.into());
    }
    refused(service, &addresses(service))?;
    let is_single = text(service, &["spec", "ipFamilyPolicy"]) == "SingleStack";
    let families = |service: &Value| items(service, &["spec", "ipFamilies"]).to_vec();
    if let Some(live) = live.filter(|_| is_single)
        && families(live) == families(service)
        && families(service).len() > 1
    {
        set(service, &["spec", "ipFamilies"], json!([families(service)[0]]));
    }
    refused(service, &contradictions(service, live))?;
    if families(service).is_empty() {
        set(service, &["spec", "ipFamilies"], json!(["IPv4"]));
    }
    if is_unselective {
        // Nobody knows which families its endpoints have.
        if families(service).len() == 1 && !is_single {
            let first = families(service)[0].clone();
            let second = if first == "IPv4" { "IPv6" } else { "IPv4" };
            set(service, &["spec", "ipFamilies"], json!([first, second]));
        }
        return Ok(());
    }
    refused(service, &unconfigured(service))
}

/// Whether a service of both families, where there are both, is left as it is.
fn prefers_both(live: &Value, service: &Value) -> bool {
    let is_same = |path: &[&str]| at(live, path) == at(service, path);
    text(service, &["spec", "ipFamilyPolicy"]) == "PreferDualStack"
        && ["type", "ipFamilyPolicy", "clusterIPs", "ipFamilies"]
            .iter()
            .all(|field| is_same(&["spec", field]))
}

fn contradictions(service: &Value, live: Option<&Value>) -> Vec<Cause> {
    let field = "spec.ipFamilyPolicy";
    let policy = at(service, &["spec", "ipFamilyPolicy"]);
    let mut causes = Vec::new();
    if policy == "SingleStack" {
        let why = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
        for (list, what) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
            if items(service, &["spec", list]).len() == 2 {
                causes.push(wrong(field, policy, &format!("{why} {what} are specified")));
            }
        }
    } else if let Some(live) = live {
        for (list, what) in [("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")] {
            let (was, is) = (items(live, &["spec", list]).len(), items(service, &["spec", list]).len());
            if is > 0 && is < was {
                causes.push(wrong(
                    field,
                    policy,
                    &format!("must be 'SingleStack' to release the secondary {what}"),
                ));
            }
        }
    }
    for (index, address) in items(service, &["spec", "clusterIPs"]).iter().enumerate() {
        let is_six = address.as_str().is_some_and(|address| address.contains(':'));
        if is_six && items(service, &["spec", "ipFamilies"]).get(index).is_none() {
            let shown = at(service, &["spec", "clusterIPs"]);
            causes.push(wrong(
                format!("spec.clusterIPs[{index}]"),
                shown,
                "IPv6 is not configured on this cluster",
            ));
        }
    }
    causes
}

/// What only a cluster with two families has.
fn unconfigured(service: &Value) -> Vec<Cause> {
    let policy = at(service, &["spec", "ipFamilyPolicy"]);
    let mut causes = Vec::new();
    if policy == "RequireDualStack" {
        let why = "this cluster is not configured for dual-stack services";
        causes.push(wrong("spec.ipFamilyPolicy", policy, why));
    }
    for (index, family) in items(service, &["spec", "ipFamilies"]).iter().enumerate() {
        if family != "IPv4" {
            causes.push(wrong(format!("spec.ipFamilies[{index}]"), family, "not configured on this cluster"));
        }
    }
    causes
}

fn allocate_address(store: &mut Store, service: &mut Value, is_dry_run: bool) -> Result<(), Status> {
    if !has_address(service) || is_headless(service) {
        return Ok(());
    }
    let given = items(service, &["spec", "clusterIPs"]).first().and_then(Value::as_str).map(str::to_owned);
    let services = store.range("", "services", None);
    let taken: BTreeSet<String> =
        services.map(|(_, service)| text(service, &["spec", "clusterIP"]).to_owned()).collect();
    let address = match given {
        Some(given) => {
            let fault = if !is_in_network(&given) {
                "the provided IP is not in the valid range. The range of valid IPs is 10.96.0.0/16"
            } else if taken.contains(&given) && !is_dry_run {
                "provided IP is already allocated"
            } else {
                ""
            };
            if !fault.is_empty() {
                let shown = at(service, &["spec", "clusterIPs"]);
                let why = format!("failed to allocate IP {given}: {fault}");
                return refused(service, &[wrong("spec.clusterIPs", shown, &why)]);
            }
            given
        }
        None if is_dry_run => TRIED.to_owned(),
        None => loop {
            let [first, second] = NETWORK;
            let number = store.draw.below(0xFF00) + 0x80;
            let address = format!("{first}.{second}.{}.{}", number >> 8, number & 0xFF);
            if !taken.contains(&address) {
                break address;
            }
        },
    };
    if name(service).is_empty() && !is_dry_run {
        // The record of the address names the service.
        let why = format!(
            "failed to allocate IP: IPAddress.networking.k8s.io {address:?} is invalid: spec.parentRef.name: Required value"
        );
        return refused(service, &[wrong("spec.clusterIPs", &json!([""]), &why)]);
    }
    set(service, &["spec", "clusterIPs"], json!([address]));
    set(service, &["spec", "clusterIP"], address.into());
    Ok(())
}

/// Whether an address is one of the network, but neither its first nor its last.
fn is_in_network(address: &str) -> bool {
    let parts = address.parse::<Ipv4Addr>().map(|address| address.octets());
    parts.is_ok_and(|[first, second, third, fourth]| {
        [first, second] == NETWORK && ![[0, 0], [255, 255]].contains(&[third, fourth])
    })
}

/// The ports that nodes open.
struct Opened {
    taken: BTreeSet<u64>,
    /// What is only tried gets numbers that no port has, in order.
    tried: Option<u64>,
}

impl Opened {
    fn of(store: &Store, is_dry_run: bool) -> Self {
        let services = store.range("", "services", None).map(|(_, service)| service);
        let opened = |service: &Value| {
            let check = at(service, &["spec", "healthCheckNodePort"]).as_u64();
            node_ports(service).into_iter().chain(check).collect::<Vec<u64>>()
        };
        let taken = services.flat_map(|service| opened(service)).collect();
        Self { taken, tried: is_dry_run.then_some(NODE_PORTS.end) }
    }

    fn free(&mut self, store: &mut Store) -> u64 {
        if let Some(tried) = &mut self.tried {
            *tried += 1;
            return *tried;
        }
        loop {
            let number = NODE_PORTS.start + store.draw.below(NODE_PORTS.end - NODE_PORTS.start);
            if self.taken.insert(number) {
                return number;
            }
        }
    }

    /// Takes a port that was asked for.
    fn take(&mut self, service: &Value, index: usize, number: u64) -> Result<(), Status> {
        let why = if !NODE_PORTS.contains(&number) {
            "provided port is not in the valid range. The range of valid ports is 30000-32767"
        } else if self.taken.insert(number) {
            return Ok(());
        } else {
            "provided port is already allocated"
        };
        refused(service, &[wrong(format!("spec.ports[{index}].nodePort"), &number.into(), why)])
    }
}

/// Opens the ports of a new service; ports of the same number share one.
fn open_new_ports(store: &mut Store, service: &mut Value, all: &mut Opened) -> Result<(), Status> {
    let list = items(service, &["spec", "ports"]).to_vec();
    let mut opened: Vec<(Value, u64)> = Vec::new();
    for (index, port) in list.iter().enumerate() {
        let asked = port["nodePort"].as_u64();
        if asked.is_none() && !opens_every_port(service) {
            continue;
        }
        let shared = opened.iter().find(|(number, _)| *number == port["port"]).map(|(_, opened)| *opened);
        let number = match (shared, asked) {
            (Some(shared), None) => shared,
            (Some(shared), Some(asked)) if shared == asked => shared,
            (Some(_), Some(asked)) => {
                all.take(service, index, asked)?;
                asked
            }
            (None, _) => {
                let mut any = list.iter().filter(|other| other["port"] == port["port"]);
                let number = match any.find_map(|other| other["nodePort"].as_u64()) {
                    Some(asked) => {
                        all.take(service, index, asked)?;
                        asked
                    }
                    None => all.free(store),
                };
                opened.push((port["port"].clone(), number));
                number
            }
        };
        set_node_port(service, index, number);
    }
    Ok(())
}

fn open_changed_ports(
    store: &mut Store,
    live: &Value,
    service: &mut Value,
    all: &mut Opened,
) -> Result<(), Status> {
    let old = node_ports(live);
    let mut asked_before = BTreeSet::new();
    for (index, port) in items(service, &["spec", "ports"]).to_vec().iter().enumerate() {
        match port["nodePort"].as_u64() {
            Some(asked) if !old.contains(&asked) && asked_before.insert(asked) => {
                all.take(service, index, asked)?;
            }
            None if opens_every_port(service) => {
                let number = all.free(store);
                set_node_port(service, index, number);
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

fn set_node_port(service: &mut Value, index: usize, number: u64) {
    if let Some(port) = ports(service).nth(index) {
        set(port, &["nodePort"], number.into());
    }
}
