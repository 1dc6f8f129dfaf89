//! Services: their cluster addresses and node ports.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::store::Store;
use super::super::store::object::{at, copy, fill, items, remove, set, text};

/// The range that cluster addresses are from: 10.96.0.0/16.
const NETWORK: [u64; 2] = [10, 96];
/// Ports that nodes open for services.
const NODE_PORTS: std::ops::Range<u64> = 30_000..32_768;

/// Gives a new service its addresses.
pub(super) fn before_create(store: &mut Store, service: &mut Value) {
    set(service, &["status"], json!({"loadBalancer": {}}));
    allocate(store, service);
}

/// Keeps the addresses of a service whose PUT leaves them out, and gives it what its new type needs.
pub(super) fn before_update(store: &mut Store, live: &Value, service: &mut Value) {
    let (was, is) = (text(live, &["spec", "type"]), text(service, &["spec", "type"]).to_owned());
    if is == "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"] {
            remove(service, &["spec", field]);
        }
        return;
    }
    if was != "ExternalName" && text(service, &["spec", "clusterIP"]).is_empty() {
        copy(service, live, &["spec", "clusterIP"]);
        copy(service, live, &["spec", "clusterIPs"]);
    }
    if was != "ExternalName" {
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            if at(service, &["spec", field]).is_null() {
                copy(service, live, &["spec", field]);
            }
        }
    }
    let ports = items(live, &["spec", "ports"]).to_vec();
    if let Some(Value::Array(list)) = service.pointer_mut("/spec/ports") {
        for port in list {
            let same =
                ports.iter().find(|old| old["port"] == port["port"] && old["protocol"] == port["protocol"]);
            let node_port = same.map_or(Value::Null, |old| at(old, &["nodePort"]).clone());
            if !node_port.is_null() && is != "ClusterIP" {
                fill(port, &["nodePort"], node_port);
            }
        }
    }
    allocate(store, service);
}

fn allocate(store: &mut Store, service: &mut Value) {
    let kind = text(service, &["spec", "type"]).to_owned();
    if kind == "ExternalName" {
        return;
    }
    let given = text(service, &["spec", "clusterIP"]).to_owned();
    if given == "None" {
        set(service, &["spec", "clusterIPs"], json!(["None"]));
        // Without a selector nobody knows which families its endpoints have.
        let selects =
            at(service, &["spec", "selector"]).as_object().is_some_and(|selector| !selector.is_empty());
        let (families, policy) = if selects {
            (json!(["IPv4"]), "SingleStack")
        } else {
            (json!(["IPv4", "IPv6"]), "RequireDualStack")
        };
        fill(service, &["spec", "ipFamilies"], families);
        fill(service, &["spec", "ipFamilyPolicy"], policy);
        return;
    }
    let address = if given.is_empty() { free_address(store) } else { given };
    set(service, &["spec", "clusterIPs"], json!([address]));
    set(service, &["spec", "clusterIP"], address.into());
    fill(service, &["spec", "ipFamilies"], json!(["IPv4"]));
    fill(service, &["spec", "ipFamilyPolicy"], "SingleStack");
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        allocate_node_ports(store, service);
    }
}

fn free_address(store: &mut Store) -> String {
    let taken: BTreeSet<String> = store
        .range("", "services", None)
        .map(|(_, service)| text(service, &["spec", "clusterIP"]).to_owned())
        .collect();
    let [first, second] = NETWORK;
    loop {
        let number = store.rng.below(0xFF00) + 0x80;
        let address = format!("{first}.{second}.{}.{}", number >> 8, number & 0xFF);
        if !taken.contains(&address) {
            return address;
        }
    }
}

fn allocate_node_ports(store: &mut Store, service: &mut Value) {
    let mut taken: BTreeSet<u64> = store
        .range("", "services", None)
        .flat_map(|(_, service)| items(service, &["spec", "ports"]))
        .filter_map(|port| port["nodePort"].as_u64())
        .collect();
    let Some(Value::Array(ports)) = service.pointer_mut("/spec/ports") else {
        return;
    };
    for port in ports.iter_mut().filter(|port| port.get("nodePort").is_none()) {
        let number = loop {
            let number = NODE_PORTS.start + store.rng.below(NODE_PORTS.end - NODE_PORTS.start);
            if taken.insert(number) {
                break number;
            }
        };
        set(port, &["nodePort"], number.into());
    }
}
