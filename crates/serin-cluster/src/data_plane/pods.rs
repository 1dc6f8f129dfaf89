//! Which pods are to listen, where, and how their readiness is probed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;

use super::loopback;
use super::persona::{Persona, persona};
use crate::actors::target_port;
use crate::kubelet::PodKey;
use crate::view::{Object, View};

/// The port of a pod of which nothing says a port.
const DEFAULT_PORT: u16 = 8080;

/// A pod that is to listen.
#[derive(Debug, Clone, PartialEq)]
pub struct Listening {
    /// The pod.
    pub key: PodKey,
    /// Its address as the API has it.
    pub address: Ipv4Addr,
    /// Where it listens.
    pub bind: Ipv4Addr,
    /// Its ports.
    pub ports: BTreeSet<u16>,
    /// Who it is.
    pub persona: Persona,
    /// How each container is probed.
    pub probes: Vec<Probe>,
}

/// How the readiness of a container is found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The container.
    pub container: String,
    /// What is tried.
    pub check: Check,
    /// From one try to the next.
    pub period: Duration,
    /// How long a try may take.
    pub timeout: Duration,
    /// After how many failures in a row a ready container is unready.
    pub failures: u32,
    /// After how many successes in a row an unready container is ready.
    pub successes: u32,
}

/// What a probe tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// `GET` is answered with 200 to 399.
    Http {
        /// Path.
        path: String,
        /// Port of the pod.
        port: u16,
    },
    /// A connection is accepted.
    Tcp {
        /// Port of the pod.
        port: u16,
    },
    /// Nothing; it listens, that is enough. So it is without a probe, and with one that nothing here can run.
    Nothing,
}

/// The pods that are to listen, by uid: those that run servers and are not being deleted.
#[must_use]
pub fn listening(view: &View, network: u8) -> BTreeMap<String, Listening> {
    let pods = view.all("pods").filter(|pod| is_serving(pod));
    pods.filter_map(|pod| {
        let address: Ipv4Addr = pod.text("/status/podIP").parse().ok()?;
        let listening = Listening {
            key: PodKey { namespace: pod.namespace().to_owned(), name: pod.name().to_owned() },
            address,
            bind: loopback(address, network),
            ports: ports(view, pod),
            persona: persona(view, pod),
            probes: pod.list("/spec/containers").map(probe).collect(),
        };
        Some((pod.uid().to_owned(), listening))
    })
    .collect()
}

fn is_serving(pod: &Object) -> bool {
    let restarts = pod.at("/spec/restartPolicy").as_str().unwrap_or("Always") == "Always";
    let mut statuses = pod.list("/status/containerStatuses");
    restarts && !pod.is_deleted() && statuses.any(|status| !status["state"]["running"].is_null())
}

/// The ports that containers, their probes and the Services in front of the pod name.
fn ports(view: &View, pod: &Object) -> BTreeSet<u16> {
    let number = |value: &Value| value.as_i64().and_then(|port| u16::try_from(port).ok());
    let containers = || pod.list("/spec/containers");
    let declared = containers().flat_map(|c| c["ports"].as_array().into_iter().flatten());
    let mut ports: BTreeSet<u16> = declared.filter_map(|port| number(&port["containerPort"])).collect();
    for container in containers() {
        ports.extend(match probe(container).check {
            Check::Http { port, .. } | Check::Tcp { port } => Some(port),
            Check::Nothing => None,
        });
    }
    for service in view.within("services", pod.namespace()) {
        let selector = crate::view::texts(service.at("/spec/selector"));
        if !selector.is_empty() && selector.iter().all(|(key, value)| pod.label(key) == Some(value)) {
            let targets = service.list("/spec/ports").filter_map(|port| target_port(port, pod));
            ports.extend(targets.filter_map(|port| u16::try_from(port).ok()));
        }
    }
    if ports.is_empty() {
        ports.insert(DEFAULT_PORT);
    }
    ports
}

fn probe(container: &Value) -> Probe {
    let probe = &container["readinessProbe"];
    let port = |value: &Value| -> Option<u16> {
        let number = match value {
            Value::String(name) => {
                let mut known = container["ports"].as_array().into_iter().flatten();
                known
                    .find(|port| port["name"] == name.as_str())
                    .and_then(|port| port["containerPort"].as_i64())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                value.as_i64()
            }
        };
        number.and_then(|port| u16::try_from(port).ok())
    };
    let http = port(&probe["httpGet"]["port"]).map(|port| {
        let path = probe["httpGet"]["path"].as_str().unwrap_or("/");
        let slash = if path.starts_with('/') { "" } else { "/" };
        Check::Http { path: format!("{slash}{path}"), port }
    });
    let tcp = port(&probe["tcpSocket"]["port"]).map(|port| Check::Tcp { port });
    let count = |field: &str, default: u32| {
        probe[field].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(default).max(1)
    };
    Probe {
        container: container["name"].as_str().unwrap_or_default().to_owned(),
        check: http.or(tcp).unwrap_or(Check::Nothing),
        period: Duration::from_secs(count("periodSeconds", 10).into()),
        timeout: Duration::from_secs(count("timeoutSeconds", 1).into()),
        failures: count("failureThreshold", 3),
        successes: count("successThreshold", 1),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn pod(name: &str) -> Value {
        json!({
            "metadata": {"namespace": "shop", "name": name, "uid": name, "resourceVersion": "1", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "rollouts-demo:blue",
                "ports": [{"name": "web", "containerPort": 8081}]}]},
            "status": {"podIP": "10.244.0.5", "containerStatuses": [{"name": "c", "state": {"running": {}}}]},
        })
    }

    fn view(pods: Vec<Value>) -> View {
        let mut view = View::default();
        view.relisted(&Arc::from("pods"), pods, 1);
        view
    }

    #[test]
    fn only_running_servers_listen() {
        let mut jobs = pod("job");
        jobs["spec"]["restartPolicy"] = "Never".into();
        let mut waiting = pod("waiting");
        waiting["status"]["containerStatuses"] = json!([{"state": {"waiting": {"reason": "ErrImagePull"}}}]);
        let mut ending = pod("ending");
        ending["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z".into();
        let mut nowhere = pod("nowhere");
        nowhere["status"]["podIP"] = Value::Null;
        let found = listening(&view(vec![pod("a"), jobs, waiting, ending, nowhere]), 200);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(found["a"].bind, Ipv4Addr::new(127, 200, 0, 5));
    }

    #[test]
    fn ports_come_from_containers_probes_and_services() {
        let mut probed = pod("probed");
        probed["spec"]["containers"][0]["readinessProbe"] = json!({"tcpSocket": {"port": 9000}});
        let mut bare = pod("bare");
        bare["spec"]["containers"][0]["ports"] = Value::Null;
        bare["metadata"]["labels"] = json!({});
        let mut view = view(vec![probed, bare]);
        let service = json!({"metadata": {"namespace": "shop", "name": "s", "uid": "s", "resourceVersion": "1"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "web"}, {"port": 81, "targetPort": 7000}]}});
        view.applied(&Arc::from("services"), service);
        let found = listening(&view, 244);
        assert_eq!(found["probed"].ports, BTreeSet::from([7000, 8081, 9000]));
        assert_eq!(found["bare"].ports, BTreeSet::from([DEFAULT_PORT]));
    }

    #[test]
    fn probes_are_read_with_their_defaults() {
        let mut with = pod("a");
        with["spec"]["containers"][0]["readinessProbe"] =
            json!({"httpGet": {"path": "ready", "port": "web"}, "periodSeconds": 2, "failureThreshold": 1});
        let found = listening(&view(vec![with, pod("b")]), 244);
        let probe = &found["a"].probes[0];
        assert_eq!(probe.check, Check::Http { path: "/ready".into(), port: 8081 });
        let expected = (Duration::from_secs(2), Duration::from_secs(1), 1, 1);
        assert_eq!((probe.period, probe.timeout, probe.failures, probe.successes), expected);
        assert_eq!(found["b"].probes[0].check, Check::Nothing);
    }
}
