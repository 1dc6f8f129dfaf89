//! What the real kubectl prints, with the embedded API and with a real API server: the same, but for uids, times and
//! addresses. The real one has no controllers, so that in both nothing changes but what is asked for.

use std::path::PathBuf;
use std::process::Stdio;

use regex::Regex;
use serin_testbed::{ControlPlane, PlaneError};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::embedded::Embedded;
use crate::support;

/// kubectl for one of the two.
struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    cache: TempDir,
}

/// A namespace of the same name in both.
struct Both {
    real: Kubectl,
    embedded: Kubectl,
    namespace: &'static str,
    // Ends with the test.
    _api: Embedded,
}

impl Kubectl {
    fn new((program, kubeconfig): (PathBuf, PathBuf)) -> Self {
        Self { program, kubeconfig, cache: tempfile::tempdir().unwrap() }
    }

    /// Exit code, output and complaints, normalised.
    async fn run(&self, args: &[&str], input: &str, editor: &str) -> String {
        let mut command = Command::new(&self.program);
        command.args(args).env("KUBECONFIG", &self.kubeconfig).env("KUBE_EDITOR", editor);
        command.env("KUBERC", "off").env("KUBECACHEDIR", self.cache.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A kubectl that does not read its input may be gone by now.
        let _gone = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes: &[u8]| normal(&String::from_utf8_lossy(bytes));
        format!("{:?}\n{}{}", output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

/// A text without what must differ: uids, versions, times, ages, addresses, and the widths of columns.
fn normal(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, name) in [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
        (r#"(resourceVersion"?: )"\d+""#, "${1}VERSION"),
        (r"(Resource Version: +)\d+", "${1}VERSION"),
        (r"\b\d+s( ago)?\b", "AGE"),
        (r"10\.96\.\d+\.\d+", "ADDRESS"),
        (r"kube-api-access-\w{5}", "kube-api-access-NAME"),
        (r"kubectl-edit-\d+", "kubectl-edit-NUMBER"),
        (r"https://(127\.0\.0\.1|localhost):\d+", "SERVER"),
        (r" +", " "),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

async fn real() -> Option<(PathBuf, PathBuf)> {
    static PLANE: OnceCell<Result<ControlPlane, PlaneError>> = OnceCell::const_new();
    let plane =
        PLANE.get_or_init(ControlPlane::start_api_alone).await.as_ref().map_err(support::skip).ok()?;
    Some((plane.kubectl_program(), plane.admin_kubeconfig().to_owned()))
}

impl Both {
    /// None, after saying why, where there is no real API server to be had.
    async fn start(namespace: &'static str) -> Option<Self> {
        let api = Embedded::start().await?;
        let both = Self {
            real: Kubectl::new(real().await?),
            embedded: Kubectl::new(api.access()),
            namespace,
            _api: api,
        };
        both.same(&format!("create namespace {namespace}"), "").await;
        // Pods are not admitted without it; in a whole cluster a controller makes it.
        both.same("create serviceaccount default", "").await;
        Some(both)
    }

    /// Runs a command, given as words, in both, and returns what both print.
    async fn same(&self, command: &str, input: &str) -> String {
        self.same_args(&command.split(' ').collect::<Vec<_>>(), input, "").await
    }

    async fn same_args(&self, args: &[&str], input: &str, editor: &str) -> String {
        let args = [args, &["-n", self.namespace]].concat();
        let (real, embedded) =
            tokio::join!(self.real.run(&args, input, editor), self.embedded.run(&args, input, editor));
        assert_eq!(embedded, real, "kubectl {}", args.join(" "));
        real
    }
}

const MANIFEST: &str = r"
apiVersion: v1
kind: ConfigMap
metadata: {name: c, labels: {app: a}}
data: {k: v}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  replicas: 0
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: main, image: 'demo:1'}]}
";

/// One object of each main kind.
const KINDS: &str = include_str!("kinds.yaml");

#[tokio::test]
async fn objects_are_printed_alike_in_every_form() {
    let Some(both) = Both::start("forms").await else { return };
    both.same("create -f -", KINDS).await;
    for form in ["", "wide", "name", "json", "yaml", "jsonpath={.items[*].metadata.name}"] {
        for kinds in [
            "pods,services,configmaps,secrets,serviceaccounts",
            "deployments,replicasets,jobs",
            "ingresses,poddisruptionbudgets,horizontalpodautoscalers,leases,endpointslices,podtemplates",
        ] {
            let form = if form.is_empty() { "--show-labels".to_owned() } else { format!("--output={form}") };
            let printed = both.same(&format!("get {kinds} {form} --show-managed-fields"), "").await;
            assert!(printed.starts_with("Some(0)") && printed.len() > 10, "{kinds} {form}: {printed}");
        }
    }
    both.same("get pods --output=custom-columns=N:.metadata.name,I:.spec.containers[*].image", "").await;
    both.same("get pods --output=go-template={{range.items}}{{.metadata.name}}{{end}}", "").await;
    both.same("get pods --selector=app=a --field-selector=status.phase=Pending --no-headers", "").await;
    both.same("get pods --sort-by=.metadata.name", "").await;
    both.same("get pod none", "").await;
    both.same("get nonsense", "").await;
}

#[tokio::test]
async fn objects_are_described_alike() {
    let Some(both) = Both::start("described").await else { return };
    both.same("create -f -", KINDS).await;
    for kind in [
        "pod",
        "service",
        "configmap",
        "secret",
        "serviceaccount",
        "deployment",
        "replicaset",
        "job",
        "ingress",
        "poddisruptionbudget",
        "horizontalpodautoscaler",
        "lease",
        "endpointslice",
        "podtemplate",
    ] {
        let described = both.same(&format!("describe {kind}"), "").await;
        assert!(described.contains("Name: "), "{kind}: {described}");
    }
}

#[tokio::test]
async fn templates_are_filled_in_alike() {
    let Some(both) = Both::start("templates").await else { return };
    let made = both.same("create --dry-run=server --output=yaml -f -", include_str!("templates.yaml")).await;
    assert_eq!(made.matches("terminationMessagePolicy: File").count() / 4, 5, "{made}");
}

#[tokio::test]
async fn manifests_are_applied_alike() {
    let Some(both) = Both::start("applied").await else { return };
    let changed = MANIFEST.replace("k: v", "k: w").replace("demo:1", "demo:2");
    for how in ["--server-side=false", "--server-side --field-manager=me", "--server-side --force-conflicts"]
    {
        for dry_run in ["none", "client", "server"] {
            both.same(&format!("apply {how} --dry-run={dry_run} -f -"), MANIFEST).await;
        }
        both.same(
            &format!("diff {} -f -", if how.contains("=false") { how } else { "--server-side" }),
            MANIFEST,
        )
        .await;
        both.same(&format!("apply {how} -f -"), &changed).await;
        both.same(&format!("apply {how} -f -"), &changed).await;
        both.same("get deployment,configmap --output=yaml --show-managed-fields", "").await;
        for wrong in [
            ("k: v", "k: 1"),
            ("replicas: 0", "replicas: x"),
            ("image:", "imagge:"),
            ("kind: Deployment", "kind: Nothing"),
        ] {
            let refused = both.same(&format!("apply {how} -f -"), &MANIFEST.replace(wrong.0, wrong.1)).await;
            assert!(refused.starts_with("Some(1)"), "{wrong:?}: {refused}");
        }
    }
    both.same("apply --validate=ignore -f -", &MANIFEST.replace("image:", "imagge: x, image:")).await;
    both.same("apply --validate=warn -f -", &MANIFEST.replace("image:", "imagge: x, image:")).await;
    both.same("apply view-last-applied deployment/d", "").await;
    let list = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}]}"#;
    both.same("create -f -", list).await;
}

#[tokio::test]
async fn objects_are_changed_alike() {
    let Some(both) = Both::start("changed").await else { return };
    both.same("create -f -", MANIFEST).await;
    both.same("create -f -", MANIFEST).await;
    for (kind, patch) in [
        ("strategic", r#"{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"demo:2"}]}}}}"#),
        ("merge", r#"{"metadata":{"labels":{"tier":"web"}}}"#),
        ("json", r#"[{"op":"replace","path":"/metadata/labels/tier","value":"db"}]"#),
        ("json", r#"[{"op":"test","path":"/metadata/labels/tier","value":"x"}]"#),
        ("json", r#"[{"op":"remove","path":"/metadata/labels/none"}]"#),
    ] {
        both.same(&format!("patch deployment d --type={kind} --output=yaml -p {patch}"), "").await;
        both.same(&format!("patch deployment d --type={kind} -p {patch}"), "").await;
    }
    for command in [
        "label deployment d tier=x",
        "label deployment d tier=x --overwrite",
        "label deployment d tier-",
        "label deployment d a=-",
        "annotate deployment d note=yes",
        "annotate deployment d note-",
        "scale deployment d --replicas=2",
        "scale deployment d --replicas=3 --current-replicas=5",
        "set image deployment/d main=demo:3",
        "set env deployment/d A=b",
        "set resources deployment/d --limits=cpu=1500m",
        "autoscale deployment d --min=1 --max=3 --cpu=50%",
        "expose deployment d --port=80",
        "rollout pause deployment/d",
        "rollout resume deployment/d",
        "rollout restart deployment/none",
        "wait deployment/d --for=jsonpath={.spec.replicas}=2 --timeout=10s",
        "wait deployment/d --for=condition=Available --timeout=1s",
        "wait deployment/none --for=delete --timeout=1s",
        "create token default --duration=x",
        "auth can-i create pods",
        "auth can-i create pods --as-group=system:masters --as=x",
        "events",
    ] {
        both.same(command, "").await;
    }
    both.same_args(&["edit", "deployment", "d"], "", "sed -i s/demo:3/demo:4/").await;
    both.same_args(&["edit", "deployment", "d"], "", "true").await;
    both.same("get deployment,horizontalpodautoscaler,service --output=yaml", "").await;
    both.same("replace -f -", MANIFEST).await;
    both.same("replace -f -", &MANIFEST.replace("name: d", "name: none")).await;
}

#[tokio::test]
async fn objects_are_deleted_alike() {
    let Some(both) = Both::start("deleted").await else { return };
    for policy in ["background", "foreground", "orphan"] {
        both.same("create -f -", MANIFEST).await;
        both.same(&format!("delete deployment/d --cascade={policy} --wait=false"), "").await;
        both.same("get deployment d --output=jsonpath={.metadata.finalizers}", "").await;
        both.same(r#"patch deployment d --type=merge -p {"metadata":{"finalizers":null}}"#, "").await;
        both.same("get deployment d", "").await;
        both.same("delete configmap --all --dry-run=server", "").await;
        both.same("delete configmap --selector=app=a", "").await;
    }
    both.same("delete configmap none", "").await;
    both.same("delete configmap none --ignore-not-found", "").await;
    both.same("run p --image=x", "").await;
    both.same("delete pod p --grace-period=0 --force", "").await;
}

/// What is served is named as by the real server, which serves more.
#[tokio::test]
async fn resources_are_listed_alike() {
    let Some(both) = Both::start("listed").await else { return };
    let args = ["api-resources", "--no-headers", "--output=wide"];
    let expected = both.real.run(&args, "", "").await;
    let expected: Vec<&str> = expected.lines().collect();
    let found = both.embedded.run(&args, "", "").await;
    assert!(found.lines().count() > 20, "{found}");
    for line in found.lines() {
        assert!(expected.contains(&line), "{line}");
    }
}
