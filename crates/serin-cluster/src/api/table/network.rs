//! Rows of what leads to pods: services, endpoints, ingresses.

use serde_json::Value;

use super::column::{AGE, BuiltIn, NAME, text as column, wide};
use super::format::{NONE, items, labels, name, number, or_none, shortened, text};
use serin_kubernetes::age;

pub(super) fn find(group: &str, plural: &str) -> Option<BuiltIn> {
    match (group, plural) {
        ("", "services") => Some(SERVICES),
        ("", "endpoints") => Some(ENDPOINTS),
        ("discovery.k8s.io", "endpointslices") => Some(ENDPOINT_SLICES),
        ("networking.k8s.io", "ingresses") => Some(INGRESSES),
        ("networking.k8s.io", "ingressclasses") => Some(INGRESS_CLASSES),
        _ => None,
    }
}

/// How many entries of a list are printed.
const SHOWN: usize = 3;

const SERVICES: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Type").of("core/v1.ServiceSpec", "type"),
        column("Cluster-IP").of("core/v1.ServiceSpec", "clusterIP"),
        column("External-IP").of("core/v1.ServiceSpec", "externalIPs"),
        column("Port(s)").of("core/v1.ServiceSpec", "ports"),
        AGE,
        wide("Selector").of("core/v1.ServiceSpec", "selector"),
    ],
    cells: |service, now| {
        let spec = &service["spec"];
        vec![
            name(service),
            spec["type"].clone(),
            or_none(text(&spec["clusterIPs"][0])).into(),
            external_address(service).into(),
            service_ports(&spec["ports"]).into(),
            age::of(service, now),
            labels(&spec["selector"]).into(),
        ]
    },
};

const ENDPOINTS: BuiltIn = BuiltIn {
    columns: &[NAME, column("Endpoints").of("core/v1.Endpoints", "subsets"), AGE],
    cells: |endpoints, now| {
        let addresses: Vec<String> = items(&endpoints["subsets"]).iter().flat_map(subset_addresses).collect();
        vec![name(endpoints), or_none(shortened(&addresses, SHOWN, ",")).into(), age::of(endpoints, now)]
    },
};

const ENDPOINT_SLICES: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("AddressType").of("discovery/v1.EndpointSlice", "addressType"),
        column("Ports").of("discovery/v1.EndpointSlice", "ports"),
        column("Endpoints").of("discovery/v1.EndpointSlice", "endpoints"),
        AGE,
    ],
    cells: |slice, now| {
        let port = |port: &Value| match (port["port"].as_i64(), text(&port["name"])) {
            (Some(number), _) => number.to_string(),
            (None, "") => "*".to_owned(),
            (None, name) => name.to_owned(),
        };
        let ports: Vec<String> = items(&slice["ports"]).iter().map(port).collect();
        let endpoints = items(&slice["endpoints"]).iter();
        let addresses = endpoints.flat_map(|endpoint| items(&endpoint["addresses"]));
        let addresses: Vec<String> = addresses.map(|address| text(address).to_owned()).collect();
        vec![
            name(slice),
            slice["addressType"].clone(),
            or_unset(shortened(&ports, SHOWN, ",")).into(),
            or_unset(shortened(&addresses, SHOWN, ",")).into(),
            age::of(slice, now),
        ]
    },
};

const INGRESSES: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Class").meaning(
            "The name of the IngressClass resource that should be used for additional configuration",
        ),
        column("Hosts").meaning("Hosts that incoming requests are matched against before the ingress rule"),
        column("Address").meaning("Address is a list containing ingress points for the load-balancer"),
        column("Ports").meaning("Ports of TLS configurations that open"),
        AGE,
    ],
    cells: |ingress, now| {
        let spec = &ingress["spec"];
        let ports = if items(&spec["tls"]).is_empty() { "80" } else { "80, 443" };
        vec![
            name(ingress),
            or_none(text(&spec["ingressClassName"])).into(),
            hosts(&spec["rules"]).into(),
            balancer_addresses(ingress).join(",").into(),
            ports.into(),
            age::of(ingress, now),
        ]
    },
};

const INGRESS_CLASSES: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Controller").meaning("Controller that is responsible for handling this class"),
        column("Parameters").meaning("A reference to a resource with additional parameters"),
        AGE,
    ],
    cells: |class, now| {
        let parameters = &class["spec"]["parameters"];
        let kind = text(&parameters["kind"]);
        let described = match text(&parameters["apiGroup"]) {
            _ if parameters.is_null() => NONE.to_owned(),
            "" => format!("{kind}/{}", text(&parameters["name"])),
            group => format!("{kind}.{group}/{}", text(&parameters["name"])),
        };
        vec![name(class), class["spec"]["controller"].clone(), described.into(), age::of(class, now)]
    },
};

fn or_unset(text: String) -> String {
    if text.is_empty() { "<unset>".to_owned() } else { text }
}

/// Where a load balancer answers for an object.
fn balancer_addresses(object: &Value) -> Vec<String> {
    let points = items(&object["status"]["loadBalancer"]["ingress"]).iter();
    let address = |point: &Value| match text(&point["ip"]) {
        "" => text(&point["hostname"]).to_owned(),
        ip => ip.to_owned(),
    };
    points.map(address).filter(|address| !address.is_empty()).collect()
}

fn external_address(service: &Value) -> String {
    let spec = &service["spec"];
    let external = items(&spec["externalIPs"]).iter().map(|ip| text(ip).to_owned());
    match text(&spec["type"]) {
        "ExternalName" => text(&spec["externalName"]).to_owned(),
        "LoadBalancer" => {
            let addresses = balancer_addresses(service).into_iter().chain(external).collect::<Vec<_>>();
            if addresses.is_empty() { "<pending>".to_owned() } else { addresses.join(",") }
        }
        _ => or_none(external.collect::<Vec<_>>().join(",")),
    }
}

fn service_ports(ports: &Value) -> String {
    let port = |port: &Value| match number(&port["nodePort"]) {
        0 => format!("{}/{}", number(&port["port"]), text(&port["protocol"])),
        node => format!("{}:{node}/{}", number(&port["port"]), text(&port["protocol"])),
    };
    or_none(items(ports).iter().map(port).collect::<Vec<_>>().join(","))
}

/// Each address of a subset with each of its ports; of a subset without ports, each address.
fn subset_addresses(subset: &Value) -> Vec<String> {
    let addresses: Vec<&str> =
        items(&subset["addresses"]).iter().map(|address| text(&address["ip"])).collect();
    let ports = items(&subset["ports"]);
    if ports.is_empty() {
        return addresses.into_iter().map(str::to_owned).collect();
    }
    let with_port = |ip: &str, port: i64| {
        if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
    };
    ports.iter().flat_map(|port| addresses.iter().map(|ip| with_port(ip, number(&port["port"])))).collect()
}

fn hosts(rules: &Value) -> String {
    let named = items(rules).iter().map(|rule| text(&rule["host"]).to_owned());
    let named: Vec<String> = named.filter(|host| !host.is_empty()).collect();
    if named.is_empty() { "*".to_owned() } else { shortened(&named, SHOWN, ",") }
}
