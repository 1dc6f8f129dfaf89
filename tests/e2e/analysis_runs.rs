//! AnalysisRuns on their own: they measure, end with a verdict or with the reason why there is none, and go in time.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use serde_json::{Value, json};
use serin_clock::{Clock, sleep};
use serin_cluster::kubelet::KubeletSettings;
use serin_core::api::analysis::AnalysisRun;
use serin_core::api::keys;
use serin_testbed::AuditEntry;
use tokio::net::TcpListener;

use crate::rollouts::{SERIN, SOON, Stage, controller, example, resource};
use crate::support::{cluster, eventually, own_plane};

fn run(name: &str, provider: &Value, ttl: &Value) -> Value {
    let metric = json!({"name": "success-rate", "interval": "1h", "count": 3, "provider": provider});
    let spec = json!({"metrics": [metric], "ttlStrategy": ttl});
    json!({"apiVersion": keys::API_VERSION, "kind": "AnalysisRun", "metadata": {"name": name}, "spec": spec})
}

async fn stored(stage: &Stage<'_>, name: &str) -> Option<Value> {
    let all = stage.list(&resource::<AnalysisRun>()).await;
    all.into_iter().find(|run| run["metadata"]["name"] == name)
}

#[tokio::test]
async fn a_wrong_run_ends_with_the_reason_and_an_ended_one_goes_in_time() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "runs").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    let web = json!({"web": {"url": "http://127.0.0.1:9/"}});
    stage.apply(&run("right", &web, &Value::Null)).await;
    stage.apply(&run("wrong", &json!({}), &Value::Null)).await;
    stage.apply(&run("ended", &web, &json!({"secondsAfterSuccess": 2}))).await;

    let status = eventually("the wrong run ends", SOON, async || {
        let run = stored(&stage, "wrong").await?;
        (!run["status"].is_null()).then(|| run["status"].clone())
    });
    let message = "Analysis spec invalid: metrics[0]: no provider specified";
    let status = status.await;
    assert_eq!((&status["phase"], &status["message"]), (&json!("Error"), &json!(message)));
    assert!(status["startedAt"].is_string() && status["completedAt"].is_string(), "{status}");
    eventually("that is told", SOON, async || {
        let events = stage.kubectl(&["get", "events", "-o", "json"]).await;
        let events: Value = serde_json::from_str(&events).unwrap();
        let is_it = |event: &Value| {
            event["involvedObject"]["kind"] == "AnalysisRun"
                && event["involvedObject"]["name"] == "wrong"
                && event["reason"] == "AnalysisRunError"
        };
        events["items"].as_array().unwrap().iter().any(is_it).then_some(())
    })
    .await;

    let now = Clock::System.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let status = json!({"status": {"phase": "Successful", "completedAt": now}}).to_string();
    stage.kubectl(&["patch", "analysisrun", "ended", "--type=merge", "-p", &status]).await;
    eventually("the ended run is deleted", SOON, async || {
        stored(&stage, "ended").await.is_none().then_some(())
    })
    .await;
    let error = eventually("the right run says what keeps it from measuring", SOON, async || {
        let run = stored(&stage, "right").await?;
        run["status"]["metricResults"][0]["measurements"][0]["message"].as_str().map(str::to_owned)
    });
    let error = error.await;
    assert!(error.contains("127.0.0.1:9") && error.contains("refused"), "{error}");
    assert!(stored(&stage, "wrong").await.is_some(), "it has no time to live");
}

/// A server of metrics: `/ok`, `/bad` and, for those who know the token, `/secret`.
async fn server() -> SocketAddr {
    let data = async |value: i32| json!({"data": {"value": value}}).to_string();
    let secret = async |headers: HeaderMap, uri: Uri| {
        let is_known = headers.get("x-token").is_some_and(|token| token == TOKEN)
            && uri.query().is_some_and(|query| query.contains(TOKEN));
        json!({"data": {"value": i32::from(is_known), "echo": TOKEN}}).to_string()
    };
    let routes = Router::new()
        .route("/ok", get(async move || data(1).await))
        .route("/bad", get(async move || data(0).await))
        .route("/secret", get(secret));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

const TOKEN: &str = "zrt-7-hush";

fn measuring(name: &str, metric: &Value, provider: &Value) -> Value {
    let mut object = run(name, provider, &Value::Null);
    object["spec"]["metrics"] = json!([{"name": "value", "provider": provider}]);
    for (field, value) in metric.as_object().unwrap() {
        object["spec"]["metrics"][0][field] = value.clone();
    }
    object
}

/// The status of a run that has ended.
async fn ended(stage: &Stage<'_>, name: &str) -> Value {
    eventually(&format!("the run {name} ends"), SOON, async || {
        let run = stored(stage, name).await?;
        run["status"]["completedAt"].is_string().then(|| run["status"].clone())
    })
    .await
}

#[tokio::test]
async fn runs_measure_until_they_have_a_verdict() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "measures").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    let address = server().await;
    let web = |path: &str| json!({"web": {"url": format!("http://{address}/{path}"), "jsonPath": "{$.data.value}"}});
    let is_one =
        json!({"successCondition": "result == 1", "interval": "1s", "count": 3, "initialDelay": "1s"});
    stage.apply(&measuring("good", &is_one, &web("ok"))).await;
    stage
        .apply(&measuring(
            "bad",
            &json!({"successCondition": "result == 1", "interval": "1s", "failureLimit": 1}),
            &web("bad"),
        ))
        .await;
    stage
        .apply(&measuring(
            "unknown",
            &json!({"successCondition": "rate > 1", "consecutiveErrorLimit": 0}),
            &web("ok"),
        ))
        .await;

    let good = ended(&stage, "good").await;
    assert_eq!((&good["phase"], &good["metricResults"][0]["successful"]), (&json!("Successful"), &json!(3)));
    let bad = ended(&stage, "bad").await;
    let message = "Metric \"value\" assessed Failed due to failed (2) > failureLimit (1)";
    assert_eq!((&bad["phase"], &bad["message"]), (&json!("Failed"), &json!(message)));
    let unknown = ended(&stage, "unknown").await;
    assert!(unknown["message"].as_str().unwrap().contains("unknown name rate"), "{unknown}");
}

#[tokio::test]
async fn secrets_are_used_and_shown_nowhere() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "secrets").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    let address = server().await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"token": TOKEN}});
    stage.apply(&secret).await;
    let provider = json!({"web": {
        "url": format!("http://{address}/secret?token={{{{args.token}}}}"),
        "headers": [{"key": "x-token", "value": "{{args.token}}"}], "jsonPath": "{$.data}",
    }});
    let from = |name: &str| json!([{"name": "token", "valueFrom": {"secretKeyRef": {"name": name, "key": "token"}}}]);
    let mut used = measuring("used", &json!({"successCondition": "result.value == 1"}), &provider);
    used["spec"]["args"] = from("keys");
    stage.apply(&used).await;
    let mut missing = measuring("missing", &json!({}), &provider);
    missing["spec"]["args"] = from("none");
    stage.apply(&missing).await;

    let used = ended(&stage, "used").await;
    assert_eq!(used["phase"], "Successful", "{used}");
    let value = used["metricResults"][0]["measurements"][0]["value"].as_str().unwrap().to_owned();
    assert!(value.contains("*****"), "what the server says of it is hidden: {value}");
    let missing = ended(&stage, "missing").await;
    let message = "Unable to resolve metric arguments: secrets \"none\" not found";
    assert_eq!((&missing["phase"], &missing["message"]), (&json!("Error"), &json!(message)));
    let all = stage.kubectl(&["get", "analysisruns,events", "-o", "json"]).await;
    assert!(!all.contains(TOKEN), "it is shown");
}

#[tokio::test]
async fn jobs_measure() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "jobs").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    let job = |command: &str| {
        let container = json!({"name": "check", "image": "alpine:3", "command": ["sh", "-c", command]});
        let spec = json!({"restartPolicy": "Never", "containers": [container]});
        json!({"job": {"spec": {"backoffLimit": 0, "template": {"spec": spec}}}})
    };
    stage.apply(&measuring("passes", &json!({}), &job("sleep 1; exit 0"))).await;
    stage.apply(&measuring("fails", &json!({}), &job("exit 3"))).await;
    stage.apply(&measuring("stopped", &json!({}), &job("sleep 1000"))).await;
    let mut refused = job("exit 0");
    refused["job"]["spec"]["template"]["spec"]["restartPolicy"] = json!("Always");
    stage.apply(&measuring("refused", &json!({"consecutiveErrorLimit": 0}), &refused)).await;

    let passes = ended(&stage, "passes").await;
    let measurement = &passes["metricResults"][0]["measurements"][0];
    assert_eq!((&passes["phase"], &measurement["phase"]), (&json!("Successful"), &json!("Successful")));
    let (name, namespace) = (&measurement["metadata"]["job-name"], &measurement["metadata"]["job-namespace"]);
    assert_eq!(*namespace, stage.namespace.as_str());
    let found = stage.kubectl(&["get", "job", name.as_str().unwrap(), "-o", "json"]).await;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["metadata"]["ownerReferences"][0]["kind"], "AnalysisRun");
    assert_eq!(ended(&stage, "fails").await["phase"], "Failed");
    let refused = ended(&stage, "refused").await;
    assert!(refused["message"].as_str().unwrap().contains("cannot be created"), "{refused}");

    eventually("the Job to be stopped runs", SOON, async || {
        let run = stored(&stage, "stopped").await?;
        (run["status"]["metricResults"][0]["phase"] == "Running").then_some(())
    })
    .await;
    stage
        .kubectl(&[
            "patch",
            "analysisrun",
            "stopped",
            "--type=merge",
            "-p",
            r#"{"spec": {"terminate": true}}"#,
        ])
        .await;
    let stopped = ended(&stage, "stopped").await;
    assert_eq!(stopped["phase"], "Inconclusive", "nothing was measured: {stopped}");
    eventually("its Job goes", SOON, async || {
        let jobs = stage.kubectl(&["get", "jobs", "-o", "name"]).await;
        (jobs.lines().count() == 2).then_some(())
    })
    .await;
}

/// How long a kind is absent while its requests are counted.
const ABSENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_kind_without_a_definition_is_waited_for_without_polling() {
    let Some(plane) = own_plane().await else { return };
    plane.install().await.unwrap();
    let _kubelet = plane.start_kubelet(KubeletSettings::default()).await.unwrap();
    let stage = Stage::new(&plane, "myapp-rollout").await;
    stage.kubectl(&["delete", "crd", "analysisruns.argoproj.io", "--wait"]).await;
    let _controller = plane.start_controller(Path::new(SERIN), &["--leader-elect=false"]).unwrap();
    stage.apply_file(&example("canary-basic.yaml")).await;
    stage.wait_healthy().await;

    let begin = Clock::System.now();
    sleep(ABSENCE).await;
    let is_look = |entry: &&AuditEntry| entry.received > begin && entry.resource == "analysisruns";
    let looks = plane.audit().unwrap().iter().filter(is_look).count();
    assert!(looks <= 4, "{looks} requests for a kind that is not there");

    let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds/analysis-run-crd.yaml");
    stage.kubectl(&["apply", "--server-side", "-f", definition.to_str().unwrap()]).await;
    let object = run("wrong", &json!({}), &Value::Null).to_string();
    eventually("the kind is served", SOON, async || {
        let args = ["--namespace", stage.namespace.as_str(), "apply", "-f", "-"];
        let applied = plane.kubectl_with(plane.admin_kubeconfig(), &args, &object).await.unwrap();
        applied.success().is_ok().then_some(())
    })
    .await;
    eventually("the run is reconciled", SOON, async || {
        let run = stored(&stage, "wrong").await?;
        (run["status"]["phase"] == "Error").then_some(())
    })
    .await;
}
