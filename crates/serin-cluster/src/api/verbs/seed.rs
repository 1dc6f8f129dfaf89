//! Objects that every cluster starts with.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::request::{Request, Target, Verb};
use super::super::store::{Settings, Store};

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

impl Store {
    /// A store with the namespaces and the service that every cluster has.
    #[must_use]
    pub fn new(settings: &Settings, now: Timestamp) -> Self {
        let mut store = Self::empty(settings);
        for name in NAMESPACES {
            store.seed("namespaces", None, json!({"metadata": {"name": name}}), now);
        }
        let service = json!({
            "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {
                "clusterIP": "10.96.0.1",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            },
        });
        store.seed("services", Some("default"), service, now);
        store
    }

    /// Plants what a cluster has from its beginning.
    fn seed(&mut self, resource: &str, namespace: Option<&str>, body: Value, now: Timestamp) {
        let target = Target {
            version: "v1".to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
            ..Target::default()
        };
        let request = Request { verb: Verb::Create, target, body, ..Request::default() };
        let seeded = self.dispatch(&request, now);
        debug_assert!(seeded.is_ok(), "{seeded:?}");
    }
}
