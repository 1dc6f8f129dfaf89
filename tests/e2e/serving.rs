//! What the controller serves over HTTP: whether it lives, whether it is ready, and how it fares.

use std::path::Path;
use std::time::Duration;

use serin_testbed::ControlPlane;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::free_port::free_port;
use crate::rollouts::{SERIN, Stage, example};
use crate::support::{cluster, eventually};

const SOON: Duration = Duration::from_mins(1);

/// The whole answer to a request for that page; nothing if nobody listens.
async fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

/// Waits until the page contains all of these.
async fn shows(port: u16, path: &str, parts: &[&str]) -> String {
    eventually(&format!("{path} has {parts:?}"), SOON, async || {
        get(port, path).await.filter(|answer| parts.iter().all(|part| answer.contains(part)))
    })
    .await
}

fn start(plane: &ControlPlane, namespace: &str, health: u16, metrics: u16) -> serin_testbed::Held {
    let (health, metrics) = (format!("--healthzPort={health}"), format!("--metricsPort={metrics}"));
    let args = ["--namespaced", "--namespace", namespace, health.as_str(), metrics.as_str()];
    plane.start_controller(Path::new(SERIN), &args).unwrap()
}

#[tokio::test]
async fn health_and_metrics_are_served() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "myapp-rollout").await;
    let (health, metrics) = (free_port(), free_port());
    let _controller = start(&cluster.plane, &stage.namespace, health, metrics);
    let healthz = shows(health, "/healthz", &["200 OK"]).await;
    assert!(
        healthz.to_lowercase().contains("content-type: text/plain") && healthz.ends_with("\r\n\r\nok"),
        "{healthz}"
    );
    shows(health, "/readyz", &["200 OK", "\r\n\r\nok: this replica leads, without an election\n"]).await;

    stage.apply_file(&example("canary-basic.yaml")).await;
    stage.wait_healthy().await;
    let namespace = &stage.namespace;
    let of_rollout = |name: &str, value: &str| {
        format!("{name}{{name=\"myapp-rollout\",namespace=\"{namespace}\"}} {value}\n")
    };
    let info = format!(
        "rollout_info{{name=\"myapp-rollout\",namespace=\"{namespace}\",phase=\"Completed\",strategy=\"canary\",traffic_router=\"\"}} 1\n"
    );
    let page = shows(
        metrics,
        "/metrics",
        &[
            "200 OK",
            "text/plain; version=0.0.4",
            &info,
            &of_rollout("rollout_info_replicas_available", "4"),
            &of_rollout("rollout_info_replicas_desired", "4"),
            "workqueue_depth{name=\"Rollouts\"} 0\n",
        ],
    )
    .await;
    let series = |part: &str| page.lines().any(|line| line.starts_with(part));
    let requests = "controller_clientset_k8s_request_total";
    for labels in [
        "kind=\"rollouts\",name=\"N/A\",namespace=\"NS\",status_code=\"200\",verb=\"Watch\"",
        "kind=\"rollouts\",name=\"N/A\",namespace=\"NS\",status_code=\"200\",verb=\"Patch\"",
        "kind=\"replicasets\",name=\"N/A\",namespace=\"NS\",status_code=\"201\",verb=\"Create\"",
    ] {
        assert!(series(&format!("{requests}{{{}}}", labels.replace("NS", namespace))), "{labels}: {page}");
    }
    let told = format!(
        "rollout_events_total{{name=\"myapp-rollout\",namespace=\"{namespace}\",reason=\"RolloutCompleted\",type=\"Normal\"}} 1"
    );
    assert!(series(&told), "{page}");

    stage.kubectl(&["delete", "rollout", &stage.name]).await;
    eventually("the gauges of the Rollout are gone", SOON, async || {
        get(metrics, "/metrics").await.filter(|page| !page.contains("rollout_info{"))
    })
    .await;
}
