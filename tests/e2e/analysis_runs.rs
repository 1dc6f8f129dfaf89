//! AnalysisRuns, as far as they are reconciled: a wrong one ends with the reason, and an ended one goes in time.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use serin_clock::{Clock, sleep};
use serin_cluster::kubelet::KubeletSettings;
use serin_core::api::analysis::AnalysisRun;
use serin_core::api::keys;
use serin_testbed::AuditEntry;

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
    assert_eq!(status.await, json!({"phase": "Error", "message": message}));
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
    sleep(Duration::from_secs(1)).await;
    let right = stored(&stage, "right").await.expect("it stays");
    assert!(right["status"].is_null(), "{right:#}");
    assert!(stored(&stage, "wrong").await.is_some(), "it has no time to live");
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
