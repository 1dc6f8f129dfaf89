//! What both worlds say of the same: discovery, explanations, tables.

use http::Request;
use serde_json::{Value, json};
use serin_clock::Clock;
use serin_cluster::api::kinds::{Kind, built_in};
use serin_cluster::api::table::{Include, Printer};

use crate::embedded::Embedded;
use crate::support::cluster;

/// The kinds that people explain, get and describe.
const EXPLAINED: [&str; 26] = [
    "namespaces",
    "pods",
    "services",
    "endpoints",
    "endpointslices",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "events",
    "replicasets",
    "deployments",
    "jobs",
    "ingresses",
    "ingressclasses",
    "leases",
    "poddisruptionbudgets",
    "horizontalpodautoscalers",
    "nodes",
    "customresourcedefinitions",
    "podtemplates",
    "roles",
    "rollouts",
    "experiments",
    "analysisruns",
    "analysistemplates",
    "clusteranalysistemplates",
];

/// The fields in an explanation: depth and name of each.
fn fields(explanation: &str) -> Vec<&str> {
    let lines = explanation.lines().filter(|line| line.contains("\t<"));
    lines.map(|line| line.split('\t').next().unwrap()).collect()
}

#[tokio::test]
async fn explanations_name_the_same_fields() {
    let (Some(real), Some(embedded)) = (cluster().await, Embedded::start().await) else { return };
    let crds = format!("{}/crds", env!("CARGO_MANIFEST_DIR"));
    embedded.kubectl(&["apply", "--server-side", "-k", &crds]).await;
    for name in EXPLAINED {
        let args = ["explain", "--recursive", name];
        let expected = real.plane.kubectl(&args).await.unwrap().success().unwrap();
        let explained = embedded.kubectl(&args).await;
        assert!(!fields(&expected).is_empty(), "{name}: {expected}");
        assert_eq!(fields(&explained), fields(&expected), "{name}");
    }
}

/// The resource of that name in an aggregated discovery document.
fn discovered<'a>(document: &'a Value, kind: &Kind) -> &'a Value {
    let groups = document["items"].as_array().unwrap();
    let group =
        groups.iter().find(|group| group["metadata"]["name"].as_str().unwrap_or_default() == kind.group);
    let versions = group.and_then(|group| group["versions"].as_array()).into_iter().flatten();
    let version = versions.into_iter().find(|version| version["version"] == kind.version.as_str());
    let mut resources = version.and_then(|version| version["resources"].as_array()).into_iter().flatten();
    resources.find(|resource| resource["resource"] == kind.plural.as_str()).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn kinds_are_discovered_alike() {
    let Some(real) = cluster().await else { return };
    let real = real.plane.client().await.unwrap();
    let embedded = crate::embedded::front().client("default");
    for root in ["/api", "/apis"] {
        let request = || {
            let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
            Request::get(root).header("accept", accept).body(Vec::new()).unwrap()
        };
        let expected: Value = real.request(request()).await.unwrap();
        let given: Value = embedded.request(request()).await.unwrap();
        for kind in built_in().iter().filter(|kind| kind.group.is_empty() == (root == "/api")) {
            let mut expected = discovered(&expected, kind).clone();
            assert!(!expected.is_null(), "{} is not built in", kind.plural);
            // What would need a node with processes is not served.
            if let Some(Value::Array(parts)) = expected.get_mut("subresources") {
                parts.retain(|part| {
                    !["attach", "exec", "portforward", "proxy"]
                        .contains(&part["subresource"].as_str().unwrap())
                });
            }
            assert_eq!(discovered(&given, kind), &expected, "{}", kind.plural);
        }
    }
}

/// A table without the metadata of its objects: columns and cells.
fn printed(table: &Value) -> (Vec<Value>, Vec<Value>) {
    let columns = table["columnDefinitions"].as_array().unwrap().clone();
    let rows = table["rows"].as_array().into_iter().flatten();
    (
        columns,
        rows.map(|row| json!([row["cells"], row["conditions"], row["object"]["metadata"]["name"]])).collect(),
    )
}

/// Objects that fill the columns of their kinds in different ways.
const OBJECTS: &str = include_str!("objects.yaml");

#[tokio::test]
async fn tables_have_the_same_columns_and_cells() {
    let Some(cluster) = cluster().await else { return };
    let plane = &cluster.plane;
    let namespace = plane.namespace("tables").await.unwrap();
    let args = ["apply", "--server-side", "-n", &namespace, "-f", "-"];
    plane.kubectl_with(plane.admin_kubeconfig(), &args, OBJECTS).await.unwrap().success().unwrap();
    let wait = ["wait", "-n", &namespace, "--for=condition=Failed", "job/fails", "--timeout=60s"];
    plane.kubectl(&wait).await.unwrap().success().unwrap();
    let client = plane.client().await.unwrap();
    let get = async |path: &str, accept: &str| {
        let request = Request::get(path).header("accept", accept).body(Vec::new()).unwrap();
        client.request::<Value>(request).await.unwrap()
    };
    let definition =
        get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rollouts.argoproj.io", "*/*").await;
    let custom = Kind::from_definition(&definition);
    let stored = built_in().iter().filter(|kind| kind.is_stored()).map(|kind| (kind, None));
    for (kind, definition) in stored.chain(custom.iter().map(|kind| (kind, Some(&definition)))) {
        let printer = Printer::new(kind, definition);
        let root = if kind.group.is_empty() { "/api" } else { "/apis" };
        let scope = if kind.namespaced { format!("/namespaces/{namespace}") } else { String::new() };
        let path = format!("{root}/{}{scope}/{}", kind.api_version(), kind.plural);
        let is_same = async || {
            let objects = get(&path, "application/json").await;
            let expected = get(&path, "application/json;as=Table;v=v1;g=meta.k8s.io").await;
            let table = printer.table(&objects, Include::Metadata, Clock::System.now());
            let (mut given, mut expected) = (printed(&table), printed(&expected));
            // An autoscaler in its first version does not say in which order its metrics were given.
            if kind.api_version() == "autoscaling/v1" {
                for row in given.1.iter_mut().chain(&mut expected.1) {
                    row[0][2] = Value::Null;
                }
            }
            if given == expected {
                Ok(())
            } else {
                Err(format!("{path}:\n{given:#?}\nexpected:\n{expected:#?}"))
            }
        };
        // Ages may grow, and objects change, between two requests.
        let mut outcome = is_same().await;
        for _ in 0..10 {
            if outcome.is_ok() {
                break;
            }
            outcome = is_same().await;
        }
        assert_eq!(outcome, Ok(()));
    }
}
