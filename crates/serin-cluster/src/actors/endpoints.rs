//! Endpoints and `EndpointSlices`: the addresses of the pods that a Service selects.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::actor::{Actor, Step};
use super::pods::{PODS, has_labels, is_over, is_ready};
use super::request::{Call, controlled_by};
use crate::view::{Change, Object, Place, View};
use serin_values::text_hash::text_hash;

/// The resource of Services.
pub(super) const SERVICES: &str = "services";
/// The resource of Endpoints.
const ENDPOINTS: &str = "endpoints";
/// The resource of `EndpointSlices`.
const SLICES: &str = "endpointslices.discovery.k8s.io";
/// The label of a slice that names its Service.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";
const MANAGER_LABEL: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";
const HEADLESS_LABEL: &str = "service.kubernetes.io/headless";
/// How many endpoints a slice has at most.
const SLICE_SIZE: usize = 100;
/// How many addresses an Endpoints object has at most.
const MOST_ADDRESSES: usize = 1_000;

/// Keeps the Endpoints of Services.
#[derive(Debug)]
pub(super) struct Endpoints;

/// Keeps the `EndpointSlices` of Services.
#[derive(Debug)]
pub(super) struct Slices;

/// One pod behind a Service.
#[derive(Debug, Clone, PartialEq)]
struct Endpoint {
    address: String,
    node: Value,
    target: Value,
    is_ready: bool,
    is_serving: bool,
    is_terminating: bool,
    /// The ports of the Service as this pod has them.
    ports: Vec<Value>,
}

impl Actor for Endpoints {
    fn concerned(&self, view: &View, change: &Change) -> Vec<Place> {
        concerned(view, change, ENDPOINTS)
    }

    fn step(&self, view: &View, place: &Place, _: Timestamp) -> Step {
        if !view.is_listed(PODS) || !view.is_listed(ENDPOINTS) {
            return Step::default();
        }
        let at = Place::new(ENDPOINTS, &place.namespace, &place.name);
        let present = view.get(&at);
        let Some(service) = view.get(place) else {
            let calls = present.map(|object| Call::delete(view, &at, object, None));
            return Step::ask(calls.into_iter().collect());
        };
        if !is_selecting(service) || service.is_deleted() {
            return Step::default();
        }
        let wanted = endpoints_object(service, &endpoints(view, service));
        let call = match present {
            None => Call::create(view, ENDPOINTS, &place.namespace, wanted),
            Some(object) if object.at("/subsets") == &wanted["subsets"] => return Step::default(),
            Some(object) => Call::patch(view, &at, object, json!({"subsets": wanted["subsets"]})),
        };
        Step::ask(vec![call])
    }
}

impl Actor for Slices {
    fn concerned(&self, view: &View, change: &Change) -> Vec<Place> {
        if &*change.place.resource == SLICES {
            let services = change.objects().filter_map(|slice| slice.label(SERVICE_LABEL));
            return services.map(|name| Place::new(SERVICES, &change.place.namespace, name)).collect();
        }
        concerned(view, change, SLICES)
    }

    fn step(&self, view: &View, place: &Place, _: Timestamp) -> Step {
        let Some(service) = view.get(place) else { return Step::default() };
        if !view.is_listed(PODS) || !view.is_listed(SLICES) || !is_selecting(service) || service.is_deleted()
        {
            return Step::default();
        }
        let wanted = slices(service, &endpoints(view, service));
        let present = view.within(SLICES, &place.namespace);
        let ours = |slice: &&Object| {
            slice.label(SERVICE_LABEL) == Some(place.name.as_str())
                && slice.label(MANAGER_LABEL) == Some(MANAGER)
        };
        let present: Vec<&Object> = present.filter(ours).collect();
        let mut calls = Vec::new();
        for slice in &wanted {
            let name = slice["metadata"]["name"].as_str().unwrap_or_default();
            let at = Place::new(SLICES, &place.namespace, name);
            match view.get(&at) {
                None => calls.push(Call::create(view, SLICES, &place.namespace, slice.clone())),
                Some(old) if is_same(old, slice) => {}
                Some(old) => {
                    let patch = json!({"endpoints": slice["endpoints"], "ports": slice["ports"]});
                    calls.push(Call::patch(view, &at, old, patch));
                }
            }
        }
        let is_wanted = |old: &Object| wanted.iter().any(|slice| slice["metadata"]["name"] == old.name());
        let surplus = present.into_iter().filter(|old| !is_wanted(old) && !old.is_deleted());
        calls.extend(
            surplus
                .map(|old| Call::delete(view, &Place::new(SLICES, &place.namespace, old.name()), old, None)),
        );
        Step::ask(calls)
    }
}

fn is_same(old: &Object, slice: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    ["endpoints", "ports"].into_iter().all(|field| list(&old.json()[field]) == list(&slice[field]))
}

/// The Services that a change concerns: itself, those that select the pod, the one of an object of ours.
fn concerned(view: &View, change: &Change, ours: &str) -> Vec<Place> {
    let namespace = &change.place.namespace;
    match &*change.place.resource {
        SERVICES => vec![change.place.clone()],
        PODS => {
            let selects =
                |service: &&Object| change.objects().any(|pod| has_labels(service.at("/spec/selector"), pod));
            let services = view.within(SERVICES, namespace).filter(selects);
            services.map(|service| Place::new(SERVICES, namespace, service.name())).collect()
        }
        resource if resource == ours => vec![Place::new(SERVICES, namespace, &change.place.name)],
        _ => Vec::new(),
    }
}

/// Whether the Service has pods by a selector.
fn is_selecting(service: &Object) -> bool {
    let selector = service.at("/spec/selector").as_object();
    selector.is_some_and(|selector| !selector.is_empty()) && service.text("/spec/type") != "ExternalName"
}

/// The pods behind `service` that have an address, by name.
fn endpoints(view: &View, service: &Object) -> Vec<Endpoint> {
    let is_published = service.at("/spec/publishNotReadyAddresses") == true;
    let pods = view.within(PODS, service.namespace());
    let pods = pods.filter(|pod| has_labels(service.at("/spec/selector"), pod) && !is_over(pod));
    pods.filter_map(|pod| {
        let address = pod.text("/status/podIP");
        if address.is_empty() {
            return None;
        }
        let is_terminating = pod.is_deleted();
        let target =
            json!({"kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid()});
        Some(Endpoint {
            address: address.to_owned(),
            node: pod.at("/spec/nodeName").clone(),
            target,
            is_ready: is_published || (is_ready(pod) && !is_terminating),
            is_serving: is_published || is_ready(pod),
            is_terminating,
            ports: ports(service, pod),
        })
    })
    .collect()
}

/// The ports of `service` as `pod` has them; one that names a port which the pod has not is left out.
fn ports(service: &Object, pod: &Object) -> Vec<Value> {
    let ports = service.list("/spec/ports").filter_map(|port| {
        let number = target_port(port, pod)?;
        let mut found = json!({"port": number, "protocol": port["protocol"].as_str().unwrap_or("TCP")});
        for field in ["name", "appProtocol"] {
            if let Some(text) = port[field].as_str() {
                found[field] = text.into();
            }
        }
        Some(found)
    });
    ports.collect()
}

/// The port of the pod that a port of a Service leads to.
pub(crate) fn target_port(port: &Value, pod: &Object) -> Option<i64> {
    match &port["targetPort"] {
        Value::Null => port["port"].as_i64(),
        Value::String(name) => {
            let all = pod.list("/spec/containers").flat_map(|c| c["ports"].as_array().into_iter().flatten());
            let mut named = all.filter(|known| known["name"] == name.as_str());
            named.next().and_then(|known| known["containerPort"].as_i64())
        }
        Value::Number(number) if number.as_i64() == Some(0) => port["port"].as_i64(),
        Value::Number(number) => number.as_i64(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Endpoints by the ports that they have.
fn by_ports(endpoints: &[Endpoint]) -> Vec<(Vec<Value>, Vec<&Endpoint>)> {
    let mut groups: BTreeMap<String, (Vec<Value>, Vec<&Endpoint>)> = BTreeMap::new();
    for endpoint in endpoints {
        let key = Value::from(endpoint.ports.clone()).to_string();
        groups.entry(key).or_insert_with(|| (endpoint.ports.clone(), Vec::new())).1.push(endpoint);
    }
    groups.into_values().collect()
}

fn endpoints_object(service: &Object, endpoints: &[Endpoint]) -> Value {
    let counted: Vec<Endpoint> =
        endpoints.iter().filter(|endpoint| !endpoint.is_terminating).take(MOST_ADDRESSES).cloned().collect();
    let addresses = |group: &[&Endpoint], is_ready: bool| -> Vec<Value> {
        let some = group.iter().filter(|endpoint| endpoint.is_ready == is_ready);
        let address = |endpoint: &&Endpoint| {
            let mut address = json!({"ip": endpoint.address, "targetRef": endpoint.target});
            if !endpoint.node.is_null() {
                address["nodeName"] = endpoint.node.clone();
            }
            address
        };
        some.map(address).collect()
    };
    let subsets = by_ports(&counted).into_iter().map(|(ports, group)| {
        let mut subset = json!({});
        let lists = [
            ("addresses", addresses(&group, true)),
            ("notReadyAddresses", addresses(&group, false)),
            ("ports", ports),
        ];
        for (field, list) in lists {
            if !list.is_empty() {
                subset[field] = list.into();
            }
        }
        subset
    });
    let subsets: Vec<Value> = subsets.collect();
    let mut labels = service.at("/metadata/labels").clone();
    if service.text("/spec/clusterIP") == "None" {
        labels[HEADLESS_LABEL] = "".into();
    }
    json!({
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": service.name(), "namespace": service.namespace(), "labels": labels},
        "subsets": if subsets.is_empty() { Value::Null } else { subsets.into() },
    })
}

/// The slices of `service`; one without endpoints where there are none. The names tell only how many there are.
fn slices(service: &Object, endpoints: &[Endpoint]) -> Vec<Value> {
    let mut groups = by_ports(endpoints);
    if groups.is_empty() {
        groups.push((Vec::new(), Vec::new()));
    }
    let mut slices = Vec::new();
    for (ports, group) in groups {
        let chunks: Vec<&[&Endpoint]> =
            if group.is_empty() { vec![&[]] } else { group.chunks(SLICE_SIZE).collect() };
        for chunk in chunks {
            let number = slices.len();
            let hash = text_hash(&format!("{}/{number}", service.uid()));
            let name = format!("{}-{}", service.name(), &hash[hash.len().saturating_sub(5)..]);
            slices.push(slice(service, &name, &ports, chunk));
        }
    }
    slices
}

fn slice(service: &Object, name: &str, ports: &[Value], endpoints: &[&Endpoint]) -> Value {
    let endpoint = |endpoint: &&Endpoint| {
        let mut described = json!({
            "addresses": [endpoint.address],
            "conditions": {
                "ready": endpoint.is_ready,
                "serving": endpoint.is_serving,
                "terminating": endpoint.is_terminating,
            },
            "targetRef": endpoint.target,
        });
        if !endpoint.node.is_null() {
            described["nodeName"] = endpoint.node.clone();
        }
        described
    };
    let named = |port: &Value| {
        let mut port = port.clone();
        if port["name"].is_null() {
            port["name"] = "".into();
        }
        port
    };
    let mut labels = service.at("/metadata/labels").clone();
    labels[SERVICE_LABEL] = service.name().into();
    labels[MANAGER_LABEL] = MANAGER.into();
    if service.text("/spec/clusterIP") == "None" {
        labels[HEADLESS_LABEL] = "".into();
    }
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": name,
            "generateName": format!("{}-", service.name()),
            "namespace": service.namespace(),
            "labels": labels,
            "ownerReferences": [controlled_by(service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "ports": ports.iter().map(named).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::ActorName;
    use super::super::world::World;
    use super::*;

    fn world() -> World {
        let mut world = World::new(ActorName::Endpoints);
        let ports = json!([{"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP"}]);
        let service =
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"selector": {"app": "web"}, "ports": ports}});
        world.put(SERVICES, "shop", "web", service);
        world
    }

    fn pod(address: &str, is_ready: bool, port: i64) -> Value {
        json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {"nodeName": "node", "containers": [{"ports": [{"name": "web", "containerPort": port}]}]},
            "status": {"phase": "Running", "podIP": address,
                "conditions": [{"type": "Ready", "status": if is_ready { "True" } else { "False" }}]},
        })
    }

    fn subsets(world: &World) -> Value {
        world.get(ENDPOINTS, "shop", "web").unwrap().at("/subsets").clone()
    }

    fn addresses(subset: &Value) -> Vec<&str> {
        subset.as_array().into_iter().flatten().filter_map(|address| address["ip"].as_str()).collect()
    }

    #[test]
    fn ready_and_unready_pods_are_told_apart() {
        let mut world = world();
        world.put(PODS, "shop", "a", pod("10.0.0.1", true, 8080));
        world.put(PODS, "shop", "b", pod("10.0.0.2", false, 8080));
        world.put(PODS, "shop", "none", pod("", false, 8080));
        world.put(PODS, "other", "c", pod("10.0.0.3", true, 8080));
        world.settle();
        let subsets = subsets(&world);
        assert_eq!(subsets.as_array().unwrap().len(), 1);
        assert_eq!(addresses(&subsets[0]["addresses"]), ["10.0.0.1"]);
        assert_eq!(addresses(&subsets[0]["notReadyAddresses"]), ["10.0.0.2"]);
        assert_eq!(subsets[0]["ports"], json!([{"name": "http", "port": 8080, "protocol": "TCP"}]));
        assert_eq!(subsets[0]["addresses"][0]["targetRef"]["name"], "a");
        let slice = &world.all(SLICES)[0];
        assert_eq!((slice.label(SERVICE_LABEL), slice.label("a")), (Some("web"), Some("b")));
        assert_eq!(
            slice.at("/endpoints/0/conditions"),
            &json!({"ready": true, "serving": true, "terminating": false})
        );
        assert_eq!(slice.at("/endpoints/1/conditions/ready"), false);
        assert_eq!(slice.controller().map(|owner| owner.kind), Some("Service"));
    }

    #[test]
    fn a_pod_that_ends_leaves_and_says_so_in_the_slice() {
        let mut world = world();
        world.put(PODS, "shop", "a", pod("10.0.0.1", true, 8080));
        world.settle();
        world.delete(&Place::new(PODS, "shop", "a"), "");
        world.settle();
        assert_eq!(subsets(&world), Value::Null);
        let expected = json!({"ready": false, "serving": true, "terminating": true});
        assert_eq!(world.all(SLICES)[0].at("/endpoints/0/conditions"), &expected);
        world.remove(PODS, "shop", "a");
        world.settle();
        assert_eq!(world.all(SLICES)[0].at("/endpoints"), &json!([]));
    }

    #[test]
    fn a_new_selector_takes_other_pods() {
        let mut world = world();
        world.put(PODS, "shop", "a", pod("10.0.0.1", true, 8080));
        let mut other = pod("10.0.0.2", true, 9090);
        other["metadata"]["labels"]["app"] = "other".into();
        world.put(PODS, "shop", "b", other);
        world.settle();
        world.change(SERVICES, "shop", "web", |service| service["spec"]["selector"]["app"] = "other".into());
        world.settle();
        assert_eq!(addresses(&subsets(&world)[0]["addresses"]), ["10.0.0.2"]);
        assert_eq!(world.all(SLICES)[0].at("/ports/0/port"), 9090);
    }

    #[test]
    fn pods_with_different_ports_are_in_different_subsets() {
        let mut world = world();
        world.put(PODS, "shop", "a", pod("10.0.0.1", true, 8080));
        world.put(PODS, "shop", "b", pod("10.0.0.2", true, 9090));
        world.settle();
        assert_eq!((subsets(&world).as_array().unwrap().len(), world.all(SLICES).len()), (2, 2));
        world.remove(PODS, "shop", "b");
        world.settle();
        assert_eq!(world.all(SLICES).len(), 1);
    }

    #[test]
    fn many_endpoints_need_several_slices() {
        let mut world = world();
        for number in 0..150 {
            world.put(PODS, "shop", &format!("p{number}"), pod(&format!("10.0.1.{number}"), true, 8080));
        }
        world.settle();
        let sizes: Vec<usize> =
            world.all(SLICES).iter().map(|slice| slice.list("/endpoints").count()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 150);
        assert_eq!(sizes.len(), 2);
    }

    #[test]
    fn a_service_without_selector_keeps_what_the_user_wrote() {
        let mut world = world();
        world.put(SERVICES, "shop", "manual", json!({"spec": {"ports": [{"port": 80}]}}));
        world.put(ENDPOINTS, "shop", "manual", json!({"subsets": [{"addresses": [{"ip": "192.0.2.7"}]}]}));
        world.settle();
        let manual = world.get(ENDPOINTS, "shop", "manual").unwrap();
        assert_eq!(manual.at("/subsets/0/addresses/0/ip"), "192.0.2.7");
    }

    #[test]
    fn endpoints_go_with_their_service() {
        let mut world = world();
        world.settle();
        world.remove(SERVICES, "shop", "web");
        world.settle();
        assert!(world.get(ENDPOINTS, "shop", "web").is_none());
    }
}
