//! The verbs of the real kubectl.

use serde_json::Value;

use crate::embedded::Embedded;

const POD: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "labels": {"app": "one"}},
  "spec": {"containers": [{"name": "web", "image": "argoproj/rollouts-demo:blue", "ports": [{"containerPort": 8080}]}]}}"#;

fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[tokio::test]
async fn objects_are_made_read_and_deleted() {
    let Some(api) = Embedded::start().await else { return };
    assert_eq!(api.kubectl_with(&["create", "-f", "-"], POD).await, "pod/one created\n");
    let again = api.run_with(&["create", "-f", "-"], POD).await;
    assert!(
        again.stderr.contains(
            r#"Error from server (AlreadyExists): error when creating "STDIN": pods "one" already exists"#
        ),
        "{}",
        again.stderr
    );

    let table = api.kubectl(&["get", "pods"]).await;
    assert_eq!(words(&table)[0], ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
    assert_eq!(words(&table)[1][..4], ["one", "0/1", "Pending", "0"]);
    let wide = api.kubectl(&["get", "pods", "-o", "wide"]).await;
    assert_eq!(words(&wide)[0][5..], ["IP", "NODE", "NOMINATED", "NODE", "READINESS", "GATES"]);
    let json: Value = serde_json::from_str(&api.kubectl(&["get", "pod", "one", "-o", "json"]).await).unwrap();
    assert_eq!(json["spec"]["containers"][0]["ports"][0]["protocol"], "TCP");
    let yaml = api.kubectl(&["get", "pod", "one", "-o", "yaml"]).await;
    assert!(yaml.starts_with("apiVersion: v1\nkind: Pod\n"), "{yaml}");
    let uid = api.kubectl(&["get", "pods", "-o", "jsonpath={.items[0].metadata.uid}"]).await;
    assert_eq!(json["metadata"]["uid"], uid.as_str());
    assert_eq!(api.kubectl(&["get", "pods", "-l", "app!=one", "-o", "name"]).await, "");
    assert_eq!(api.kubectl(&["get", "po,cm", "-A", "-o", "name"]).await.lines().next(), Some("pod/one"));

    let described = api.kubectl(&["describe", "pod", "one"]).await;
    assert!(described.contains("argoproj/rollouts-demo:blue"), "{described}");
    assert_eq!(
        api.kubectl(&["delete", "pod", "one", "--now"]).await,
        "pod \"one\" deleted from default namespace\n"
    );
    let gone = api.run_with(&["get", "pod", "one"], "").await;
    assert_eq!(gone.stderr, "Error from server (NotFound): pods \"one\" not found\n");
}

#[tokio::test]
async fn what_kubectl_sends_as_protobuf_is_understood() {
    let Some(api) = Embedded::start().await else { return };
    for (args, made) in [
        ("create namespace other", "namespace/other created\n"),
        ("create configmap c --from-literal=a=b -n other", "configmap/c created\n"),
        ("create secret generic s --from-literal=a=b -n other", "secret/s created\n"),
        ("create deployment d --image=x --replicas=0 -n other", "deployment.apps/d created\n"),
        (
            "create pdb p --selector=app=d --min-available=50% -n other",
            "poddisruptionbudget.policy/p created\n",
        ),
        ("create ingress i --rule=a/b*=c:80 -n other", "ingress.networking.k8s.io/i created\n"),
    ] {
        assert_eq!(api.kubectl(&args.split(' ').collect::<Vec<_>>()).await, made);
    }
    let read = async |path: &str| {
        let text = api.kubectl(&["get", "--raw", path]).await;
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(read("/api/v1/namespaces/other/secrets/s").await["data"]["a"], "Yg==");
    let deployment = read("/apis/apps/v1/namespaces/other/deployments/d").await;
    assert_eq!(deployment["spec"]["replicas"], 0);
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0]["image"], "x");
    let budget = read("/apis/policy/v1/namespaces/other/poddisruptionbudgets/p").await;
    assert_eq!(budget["spec"]["minAvailable"], "50%");
    let ingress = read("/apis/networking.k8s.io/v1/namespaces/other/ingresses/i").await;
    assert_eq!(ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"]["number"], 80);
}

#[tokio::test]
async fn objects_are_changed_in_every_way() {
    let Some(api) = Embedded::start().await else { return };
    api.kubectl(&["create", "deployment", "d", "--image=x:1"]).await;
    let read =
        async |path: &str| api.kubectl(&["get", "deploy", "d", "-o", &format!("jsonpath={path}")]).await;
    for (kind, patch, path, expected) in [
        (
            "strategic",
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"x","image":"x:2"}]}}}}"#,
            "{.spec.template.spec.containers[0].image}",
            "x:2",
        ),
        ("merge", r#"{"metadata":{"labels":{"tier":"web"}}}"#, "{.metadata.labels.tier}", "web"),
        (
            "json",
            r#"[{"op":"replace","path":"/metadata/labels/tier","value":"db"}]"#,
            "{.metadata.labels.tier}",
            "db",
        ),
    ] {
        api.kubectl(&["patch", "deploy", "d", "--type", kind, "-p", patch]).await;
        assert_eq!(read(path).await, expected, "{kind}");
    }
    assert_eq!(
        api.kubectl(&["label", "deploy", "d", "tier=web", "--overwrite"]).await,
        "deployment.apps/d labeled\n"
    );
    assert_eq!(read("{.metadata.labels.tier}").await, "web");
    api.kubectl(&["annotate", "deploy", "d", "note=yes"]).await;
    assert_eq!(read("{.metadata.annotations.note}").await, "yes");
    assert_eq!(api.kubectl(&["scale", "deploy", "d", "--replicas=3"]).await, "deployment.apps/d scaled\n");
    assert_eq!(read("{.spec.replicas}").await, "3");
    api.kubectl(&["set", "image", "deployment/d", "x=x:3"]).await;
    assert_eq!(read("{.spec.template.spec.containers[0].image}").await, "x:3");
    let waited = ["wait", "deploy/d", "--for=jsonpath={.spec.replicas}=3", "--timeout=10s"];
    assert_eq!(api.kubectl(&waited).await, "deployment.apps/d condition met\n");
}

#[tokio::test]
async fn manifests_are_applied_by_client_and_by_server() {
    let Some(api) = Embedded::start().await else { return };
    let manifest = |image: &str| POD.replace("rollouts-demo:blue", image);
    for (flag, name) in [("--server-side=false", "one"), ("--server-side", "two")] {
        let rename = |text: String| text.replace(r#""name": "one""#, &format!(r#""name": "{name}""#));
        api.kubectl_with(&["apply", flag, "-f", "-"], &rename(manifest("a:1"))).await;
        api.kubectl_with(&["apply", flag, "-f", "-"], &rename(manifest("a:2"))).await;
        let image = "jsonpath={.spec.containers[*].image}";
        assert_eq!(api.kubectl(&["get", "pod", name, "-o", image]).await, "argoproj/a:2");
        let wrong = rename(manifest("a:3")).replace(r#""image":"#, r#""imagge":"#);
        let refused = api.run_with(&["apply", flag, "-f", "-"], &wrong).await;
        assert!(!refused.is_success && refused.stderr.contains("imagge"), "{flag}: {}", refused.stderr);
    }
    let unchanged = api.kubectl_with(&["apply", "-f", "-"], &manifest("a:2")).await;
    assert_eq!(unchanged, "pod/one unchanged\n");
}

#[tokio::test]
async fn a_watch_prints_what_happens() {
    let Some(api) = Embedded::start().await else { return };
    api.kubectl(&["create", "configmap", "a", "--from-literal=x=1"]).await;
    let mut watch = api.follow(&["get", "configmaps", "-w"]);
    assert_eq!(watch.words().await, ["NAME", "DATA", "AGE"]);
    assert_eq!(watch.words().await[..2], ["a", "1"]);
    api.kubectl(&["create", "configmap", "b"]).await;
    assert_eq!(watch.words().await[..2], ["b", "0"]);
    api.kubectl(&["patch", "configmap", "a", "--type=merge", "-p", r#"{"data":{"y":"2"}}"#]).await;
    assert_eq!(watch.words().await[..2], ["a", "2"]);
}

#[tokio::test]
async fn what_is_served_is_described() {
    let Some(api) = Embedded::start().await else { return };
    let resources = api.kubectl(&["api-resources", "--no-headers", "-o", "wide"]).await;
    assert!(
        words(&resources)
            .iter()
            .any(|line| line[..5] == ["replicasets", "rs", "apps/v1", "true", "ReplicaSet"])
    );
    let versions = api.kubectl(&["api-versions"]).await;
    assert!(versions.lines().any(|line| line == "autoscaling/v2"), "{versions}");
    assert!(api.kubectl(&["version"]).await.contains("Server Version: v1.36.3"));
    assert_eq!(api.kubectl(&["get", "--raw", "/readyz"]).await, "ok");
    assert_eq!(api.kubectl(&["auth", "can-i", "delete", "pods"]).await, "yes\n");
    assert!(api.kubectl(&["auth", "can-i", "--list"]).await.contains("*.*"));
    assert!(api.kubectl(&["explain", "pod.spec.containers.image"]).await.contains("FIELD: image <string>"));
    let event = r#"{"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "default"}, "type": "Normal",
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"}, "reason": "Tested", "message": "m",
        "lastTimestamp": "2026-01-01T00:00:00Z"}"#;
    api.kubectl_with(&["create", "-f", "-"], event).await;
    assert_eq!(words(&api.kubectl(&["events"]).await)[1][1..], ["Normal", "Tested", "Pod/p", "m"]);
}

#[tokio::test]
async fn a_rollout_is_served_as_its_definition_says() {
    let Some(api) = Embedded::start().await else { return };
    let checkout = env!("CARGO_MANIFEST_DIR");
    api.kubectl(&["apply", "--server-side", "-f", &format!("{checkout}/crds/rollout-crd.yaml")]).await;
    let established = ["wait", "--for=condition=Established", "crd/rollouts.argoproj.io", "--timeout=10s"];
    api.kubectl(&established).await;
    api.kubectl(&["apply", "-f", &format!("{checkout}/examples/canary-basic.yaml")]).await;
    let table = api.kubectl(&["get", "ro"]).await;
    assert_eq!(words(&table)[0], ["NAME", "DESIRED", "CURRENT", "UP-TO-DATE", "AVAILABLE", "AGE"]);
    let name = words(&table)[1][0];
    api.kubectl(&["scale", "rollout", name, "--replicas=7"]).await;
    assert_eq!(words(&api.kubectl(&["get", "rollout", name]).await)[1][1], "7");
    assert!(api.kubectl(&["explain", "rollout.spec.strategy"]).await.contains("blueGreen\t<Object>"));
}
