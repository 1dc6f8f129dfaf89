//! Templates that come from a workload: from each kind, followed with kubectl, and with the pods of a Deployment taken over.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};
use serin_cluster::kubelet::KubeletSettings;
use serin_core::api::keys;

use crate::rollouts::{SERIN, SOON, Stage, controller, example, resource};
use crate::support::{cluster, eventually, own_plane};

/// An object with pods, labelled `app: NAME`.
fn workload(kind: &str, name: &str, replicas: i32) -> Value {
    let labels = json!({"app": name});
    let container = json!({"name": "web", "image": "demo:blue"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    let metadata = json!({"name": name});
    if kind == "PodTemplate" {
        return json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "template": template});
    }
    let spec = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec})
}

/// A Rollout of a workload of its name.
fn rollout(kind: &str, name: &str, scale_down: &str) -> Value {
    let version = if kind == "PodTemplate" { "v1" } else { "apps/v1" };
    let reference = json!({"apiVersion": version, "kind": kind, "name": name, "scaleDown": scale_down});
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let mut spec = json!({"replicas": 2, "workloadRef": reference, "strategy": {"canary": {"steps": steps}}});
    if kind == "PodTemplate" {
        spec["selector"] = json!({"matchLabels": {"app": name}});
    }
    json!({"apiVersion": keys::API_VERSION, "kind": "Rollout", "metadata": {"name": name}, "spec": spec})
}

async fn deployment(stage: &Stage<'_>) -> Value {
    let all = stage.list(&resource::<Deployment>()).await;
    all.into_iter().find(|it| it["metadata"]["name"] == stage.name.as_str()).expect("a Deployment")
}

/// `spec.replicas` of the Deployment.
async fn size(stage: &Stage<'_>) -> i64 {
    deployment(stage).await["spec"]["replicas"].as_i64().unwrap()
}

/// The uids of the living pods that are not the Rollout's, as far as they belong to its workload.
async fn pods_of_workload(stage: &Stage<'_>) -> Vec<String> {
    let mut pods = stage.pods().await;
    pods.retain(|pod| {
        let labels = &pod["metadata"]["labels"];
        labels["app"] == stage.name.as_str() && labels[keys::POD_HASH_LABEL].is_null()
    });
    let mut uids: Vec<_> =
        pods.iter().map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect();
    uids.sort();
    uids
}

/// Waits until the workload has its own pods.
async fn running(stage: &Stage<'_>, count: usize) -> Vec<String> {
    let what = format!("{} has {count} pods of its own", stage.name);
    eventually(&what, SOON, async || Some(pods_of_workload(stage).await).filter(|pods| pods.len() == count))
        .await
}

#[tokio::test]
async fn a_template_comes_from_each_of_the_kinds() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "of-deployment").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    for (kind, name) in
        [("Deployment", "of-deployment"), ("ReplicaSet", "of-set"), ("PodTemplate", "of-template")]
    {
        let stage = stage.beside(name);
        let count = usize::from(kind != "PodTemplate");
        stage.apply(&workload(kind, name, 1)).await;
        let pods = running(&stage, count).await;
        stage.apply(&rollout(kind, name, "")).await;
        stage.wait_healthy().await;
        let sets = stage.replica_sets().await;
        let template = &sets[&1]["spec"]["template"];
        assert_eq!(template["spec"]["containers"][0]["image"], "demo:blue", "{kind}");
        assert_eq!(sets[&1]["spec"]["replicas"], 2, "{kind}");

        // Nothing of it is stored, but where it comes from and how far it was followed.
        let stored = stage.rollout().await;
        for field in ["template", "selector"] {
            let expected = kind == "PodTemplate" && field == "selector";
            assert_eq!(!stored["spec"][field].is_null(), expected, "{kind}: {field} in {stored:#}");
        }
        let noted = &stored["metadata"]["annotations"][keys::WORKLOAD_GENERATION];
        assert_eq!(
            (noted, &stored["status"]["workloadObservedGeneration"]),
            (&json!("1"), &json!("1")),
            "{kind}"
        );
        assert_eq!(stored["status"]["selector"], format!("app={name}"), "{kind}");
        assert_eq!(pods_of_workload(&stage).await, pods, "{kind}: its own pods stay as they are");
    }
}

#[tokio::test]
async fn a_change_of_the_workload_is_an_update() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "rollouts-demo").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply_file(&example("canary-workload-ref.yaml")).await;
    stage.wait_healthy().await;
    stage.shows("Healthy, step 2\npods r1=4").await;
    eventually("its pods have taken over", SOON, async || (size(&stage).await == 0).then_some(())).await;

    stage
        .kubectl(&["set", "image", "deployment/rollouts-demo", "rollouts-demo=argoproj/rollouts-demo:green"])
        .await;
    stage.shows("Paused: CanaryPauseStep, step 1\npods r1=3 r2=1").await;
    stage.promote().await;
    stage.shows("Healthy, step 2\npods r1=0 r2=4").await;

    // Back to the first template, as an undo of the command line does it.
    let first = &stage.replica_sets().await[&1];
    let mut template = first["spec"]["template"].clone();
    template["metadata"]["labels"].as_object_mut().unwrap().remove(keys::POD_HASH_LABEL);
    let undo = json!([{"op": "replace", "path": "/spec/template", "value": template}]).to_string();
    stage.kubectl(&["patch", "deployment", "rollouts-demo", "--type=json", "-p", &undo]).await;
    stage.shows("Paused: CanaryPauseStep, step 1\npods r2=3 r3=1").await;
    let third = stage.replica_sets().await[&3].clone();
    assert_eq!(third["metadata"]["uid"], first["metadata"]["uid"], "the first revision is the third");
    assert_eq!(third["metadata"]["annotations"][keys::REVISION_HISTORY], "1");
    stage.promote().await;
    stage.shows("Healthy, step 2\npods r2=0 r3=4").await;
    assert_eq!((size(&stage).await, pods_of_workload(&stage).await.len()), (0, 0));
}

/// Deployments with pods, and Rollouts that take their place; at no moment do both together have less than wanted.
#[tokio::test]
async fn the_pods_of_a_deployment_go_when_and_as_the_user_wants() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "takeover").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    for (mode, left) in [("never", 2), ("onsuccess", 0), ("progressively", 0)] {
        let stage = stage.beside(mode);
        stage.apply(&workload("Deployment", mode, 2)).await;
        let pods = running(&stage, 2).await;
        stage.apply(&rollout("Deployment", mode, mode)).await;
        let what = format!("{mode}: it is healthy, and {left} pods of the Deployment are left");
        eventually(&what, SOON, async || {
            // The Deployment is looked at first: what it has given up since then, the Rollout has more of.
            let size = size(&stage).await;
            let rollout = stage.rollout().await;
            let available = rollout["status"]["availableReplicas"].as_i64().unwrap_or_default();
            assert!(size + available.max(available_now(&stage).await) >= 2, "{mode}: {size} and {available}");
            let is_done = rollout["status"]["phase"] == "Healthy" && size == left;
            (is_done && i64::try_from(pods_of_workload(&stage).await.len()) == Ok(left)).then_some(())
        })
        .await;
        if mode == "never" {
            assert_eq!(pods_of_workload(&stage).await, pods);
        }
        stage.stays(Duration::from_secs(2), "Healthy, step 2\npods r1=2").await;
    }
}

/// Available pods of the Rollout's ReplicaSets.
async fn available_now(stage: &Stage<'_>) -> i64 {
    let sets = stage.replica_sets().await;
    sets.values().map(|set| set["status"]["availableReplicas"].as_i64().unwrap_or_default()).sum()
}

#[tokio::test]
async fn a_first_revision_that_fails_leaves_the_pods_to_the_next() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "second-try").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply(&workload("Deployment", &stage.name, 2)).await;
    running(&stage, 2).await;
    stage.kubectl(&["set", "image", "deployment/second-try", "web=demo:error"]).await;
    stage.apply(&rollout("Deployment", &stage.name, "onsuccess")).await;
    eventually("the first revision has been tried", SOON, async || {
        let rollout = stage.rollout().await;
        (rollout["status"]["updatedReplicas"] == 2).then_some(())
    })
    .await;
    assert_eq!(size(&stage).await, 2);
    stage.kubectl(&["set", "image", "deployment/second-try", "web=demo:green"]).await;
    eventually("the first step of the second", SOON, async || {
        let rollout = stage.rollout().await;
        (rollout["status"]["phase"] == "Paused").then_some(())
    })
    .await;
    assert_eq!(size(&stage).await, 2);
    stage.promote().await;
    stage.shows("Healthy, step 2\npods r1=0 r2=2").await;
    eventually("the Deployment has gone", SOON, async || (size(&stage).await == 0).then_some(())).await;
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_degrades_until_it_is_corrected() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "lost").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply(&rollout("Deployment", "lost", "never")).await;
    let absent = "Degraded: InvalidSpec: The Rollout \"lost\" is invalid: spec.workloadRef.name: Invalid value: \"lost\": \
                  Deployment \"lost\" not found; create it in the Rollout's namespace";
    stage.shows(&format!("{absent}\npods")).await;
    stage.apply(&workload("Deployment", "lost", 1)).await;
    stage.wait_healthy().await;
    stage.shows("Healthy, step 2\npods r1=2").await;
    assert_eq!(stage.condition("InvalidSpec").await, None);
    let running = stage.pod_uids().await;

    stage.patch(&json!({"spec": {"workloadRef": {"kind": "StatefulSet"}}})).await;
    let message = stage.until_condition("InvalidSpec").await;
    assert!(
        message.contains("spec.workloadRef: Invalid value: \"apps/v1/StatefulSet\": must be a"),
        "{message}"
    );
    stage.patch(&json!({"spec": {"workloadRef": {"kind": "Deployment", "name": "other"}}})).await;
    eventually("it speaks of the other one", SOON, async || {
        stage
            .condition("InvalidSpec")
            .await
            .filter(|message| message.contains("Deployment \"other\" not found"))
    })
    .await;
    stage.stays(Duration::from_secs(2), &stage.view().await).await;
    assert_eq!(stage.pod_uids().await, running, "what runs goes on");
    stage.patch(&json!({"spec": {"workloadRef": {"name": "lost"}}})).await;
    stage.shows("Healthy, step 2\npods r1=2").await;
    assert_eq!(stage.pod_uids().await, running);
}

#[tokio::test]
async fn kinds_are_watched_once_they_are_named() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "on-demand").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    let asked = |resource: &str| {
        let all = cluster.plane.audit().unwrap().into_iter();
        let ours = all.filter(|entry| entry.namespace == stage.namespace && entry.resource == resource);
        ours.filter(|entry| entry.verb == "list").count()
    };
    let own = stage.beside("own");
    let mut with_template = rollout("Deployment", "own", "never");
    let deployment = workload("Deployment", "own", 0);
    with_template["spec"]["workloadRef"].take();
    for field in ["selector", "template"] {
        with_template["spec"][field] = deployment["spec"][field].clone();
    }
    own.apply(&deployment).await;
    own.apply(&with_template).await;
    own.wait_healthy().await;
    assert_eq!((asked("deployments"), asked("podtemplates")), (0, 0), "nobody names one");

    for name in ["on-demand", "again"] {
        let stage = stage.beside(name);
        stage.apply(&workload("Deployment", name, 0)).await;
        stage.apply(&rollout("Deployment", name, "never")).await;
        stage.wait_healthy().await;
    }
    assert_eq!((asked("deployments"), asked("podtemplates")), (1, 0), "one list serves all");
}

/// The rights to look at workloads are taken from the controller's role, and given back later.
#[tokio::test]
async fn a_missing_right_stops_the_rollouts_that_need_it_and_nothing_else() {
    let Some(plane) = own_plane().await else { return };
    plane.install().await.unwrap();
    let _kubelet = plane.start_kubelet(KubeletSettings::default()).await.unwrap();
    let stage = Stage::new(&plane, "forbidden").await;
    let role = stage.kubectl(&["get", "clusterrole", "argo-rollouts", "-o", "json"]).await;
    let rules = serde_json::from_str::<Value>(&role).unwrap()["rules"].take();
    let mut fewer = rules.clone();
    fewer.as_array_mut().unwrap().retain(|rule| !rule["resources"].to_string().contains("deployments"));
    assert_ne!(fewer, rules);
    let give = async |rules: &Value| {
        let patch = json!({"rules": rules}).to_string();
        stage.kubectl(&["patch", "clusterrole", "argo-rollouts", "--type=merge", "-p", &patch]).await;
    };
    give(&fewer).await;
    let mut controller = plane.start_controller(Path::new(SERIN), &["--healthzPort", "0"]).unwrap();

    stage.apply(&workload("Deployment", "forbidden", 0)).await;
    stage.apply(&rollout("Deployment", "forbidden", "never")).await;
    let message = stage.until_condition("InvalidSpec").await;
    let cause =
        "the controller cannot watch objects of this kind: deployments.apps is forbidden: User \"serin\"";
    assert!(message.contains(cause), "{message}");
    let other = stage.beside("of-template");
    other.apply(&workload("PodTemplate", "of-template", 0)).await;
    other.apply(&rollout("PodTemplate", "of-template", "never")).await;
    other.wait_healthy().await;
    assert!(stage.condition("InvalidSpec").await.is_some());

    give(&rules).await;
    stage.wait_healthy().await;
    assert_eq!(stage.condition("InvalidSpec").await, None);
    assert_eq!(controller.ended().unwrap(), None);
}
