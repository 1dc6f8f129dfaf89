//! What `deploy/` installs: rights that are no wider than needed, and a pod that any cluster admits.

#![allow(clippy::unwrap_used, reason = "the code of tests may panic, outside of test functions, too")]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};
use serin_testbed::Source;

fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap()).collect()
}

/// Every object in the files of `deploy/`.
fn objects() -> Vec<Value> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(checkout("deploy")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files = files.iter().filter(|file| file.file_name().unwrap() != "kustomization.yaml");
    files.flat_map(|file| documents(&fs::read_to_string(file).unwrap())).collect()
}

fn of_kind(kind: &str) -> Vec<Value> {
    let found: Vec<Value> = objects().into_iter().filter(|object| object["kind"] == kind).collect();
    assert!(!found.is_empty(), "deploy/ has a {kind}");
    found
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn no_role_has_a_wildcard_or_lists_secrets() {
    for role in [of_kind("ClusterRole"), of_kind("Role")].concat() {
        let name = &role["metadata"]["name"];
        for rule in role["rules"].as_array().unwrap() {
            for field in ["apiGroups", "resources", "verbs"] {
                let words = words(&rule[field]);
                assert!(!words.is_empty(), "{name}: a rule says its {field}: {rule}");
                assert!(!words.iter().any(|word| word.contains('*')), "{name}: {rule}");
            }
            let is_about_secrets = words(&rule["resources"]).iter().any(|word| word.starts_with("secrets"));
            let is_by_name = words(&rule["verbs"]) == ["get"];
            assert!(!is_about_secrets || is_by_name, "{name}: {rule}");
            let grants = ["escalate", "bind", "impersonate"];
            assert!(!words(&rule["verbs"]).iter().any(|verb| grants.contains(verb)), "{name}: {rule}");
        }
    }
}

#[test]
fn the_bindings_bind_the_service_account_to_roles_that_exist() {
    for binding in [of_kind("ClusterRoleBinding"), of_kind("RoleBinding")].concat() {
        let role = &binding["roleRef"];
        let mut roles = of_kind(role["kind"].as_str().unwrap()).into_iter();
        assert!(roles.any(|it| it["metadata"]["name"] == role["name"]), "{role}");
        let [account] = &of_kind("ServiceAccount")[..] else { panic!("one service account") };
        let subject = &binding["subjects"][0];
        assert_eq!(
            (&subject["name"], &subject["namespace"]),
            (&account["metadata"]["name"], &account["metadata"]["namespace"])
        );
    }
}

#[test]
fn the_pod_needs_no_privilege() {
    let [deployment] = &of_kind("Deployment")[..] else { panic!("one Deployment") };
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    for forbidden in ["hostNetwork", "hostPID", "hostIPC", "volumes"] {
        assert!(pod[forbidden].is_null(), "{forbidden}");
    }
    let [container] = &pod["containers"].as_array().unwrap()[..] else { panic!("one container") };
    let context = &container["securityContext"];
    assert_eq!(context["allowPrivilegeEscalation"], false);
    assert_eq!(context["readOnlyRootFilesystem"], true);
    assert_eq!(context["capabilities"]["drop"], json!(["ALL"]));
    for amount in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
        assert!(container["resources"].pointer(amount).is_some(), "{amount}");
    }
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": "healthz"}));
    }
    let ports = [("healthz", 8080), ("metrics", 8090)];
    assert_eq!(
        container["ports"],
        json!(ports.map(|(name, port)| json!({"name": name, "containerPort": port})))
    );
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    for (key, value) in deployment["spec"]["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(labels[key], *value);
    }
}

/// What the controller asks for: API group, resources, verbs. The code that asks is in `crates/serin-controller`.
const ASKED: [(&str, &str, &str); 15] = [
    ("argoproj.io", "rollouts", "list watch patch"),
    ("argoproj.io", "rollouts/status", "patch"),
    ("argoproj.io", "analysisruns", "get list watch patch delete"),
    ("argoproj.io", "analysisruns/finalizers", "update"),
    ("batch", "jobs", "get list watch create delete"),
    ("", "secrets", "get"),
    ("argoproj.io", "rollouts/finalizers", "update"),
    ("apps", "replicasets", "get list watch create patch delete"),
    ("apps", "deployments", "get list watch patch"),
    ("", "podtemplates", "get list watch"),
    ("", "pods", "list watch patch"),
    ("", "pods/eviction", "create"),
    ("", "services", "list watch patch"),
    ("networking.k8s.io", "ingresses", "get list watch create patch"),
    ("", "events", "create"),
];

#[test]
fn the_rights_are_those_that_the_controller_asks_for() {
    let role = of_kind("ClusterRole").into_iter().find(|role| role["metadata"]["name"] == "argo-rollouts");
    let role = role.expect("the role of the controller");
    let rules = role["rules"].as_array().unwrap().iter().map(|rule| {
        let of = |field: &str| words(&rule[field]).join(" ");
        (of("apiGroups"), of("resources"), of("verbs"))
    });
    let asked =
        ASKED.map(|(group, resource, verbs)| (group.to_owned(), resource.to_owned(), verbs.to_owned()));
    assert_eq!(rules.collect::<Vec<_>>(), asked);
    let in_namespace = of_kind("Role");
    let [leases] = &in_namespace[0]["rules"].as_array().unwrap()[..] else { panic!("one rule") };
    assert_eq!(words(&leases["verbs"]), ["get", "create", "update"]);
}

#[test]
fn the_metrics_are_found_by_their_service() {
    let [service] = &of_kind("Service")[..] else { panic!("one Service") };
    let [deployment] = &of_kind("Deployment")[..] else { panic!("one Deployment") };
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    for (key, value) in service["spec"]["selector"].as_object().unwrap() {
        assert_eq!(labels[key], *value);
    }
    let port = json!({"name": "metrics", "port": 8090, "targetPort": "metrics"});
    assert_eq!(service["spec"]["ports"], json!([port]));
    assert!(deployment["spec"]["replicas"].as_u64() > Some(1), "there is somebody to take over");
}

#[test]
fn kustomize_builds_it_with_the_definitions() {
    let source = match Source::find() {
        Ok(source) => source,
        Err(error) => return support::skip(&error),
    };
    let output = Command::new(source.kubectl()).arg("kustomize").arg(checkout("deploy")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let built = documents(std::str::from_utf8(&output.stdout).unwrap());
    let count = |kind: &str| built.iter().filter(|object| object["kind"] == kind).count();
    assert_eq!(built.len(), objects().len() + count("CustomResourceDefinition"), "every file is named");
    let crd_files = fs::read_dir(checkout("crds")).unwrap().count() - 1;
    assert_eq!(count("CustomResourceDefinition"), crd_files, "all of crds/ but its Kustomization");
    assert!(crd_files >= 5);
}

#[tokio::test]
async fn a_real_api_server_admits_all_of_it() {
    let Some(cluster) = support::cluster().await else { return };
    let args = ["apply", "--server-side", "-k"].map(std::ffi::OsString::from);
    let all = [&args[..], &[checkout("deploy").into_os_string()]].concat();
    let output = cluster.plane.kubectl(&all).await.unwrap();
    let warnings = output.stderr.clone();
    output.success().unwrap();
    assert!(!warnings.contains("Warning"), "{warnings}");
    // The namespace enforces the restricted standard; its pod is admitted and runs.
    let deployments =
        ["rollout", "status", "--namespace", "argo-rollouts", "deployment/argo-rollouts", "--timeout=30s"];
    cluster.plane.kubectl(&deployments).await.unwrap().success().unwrap();
}
