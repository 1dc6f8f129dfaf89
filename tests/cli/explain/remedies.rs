//! For each situation, the commands that `explain` prints unblock the Rollout. They are run as users copy them.

use serde_json::{Value, json};

use super::case::{Case, blue_green, canary, image, rollout, service, stepwise};
use super::world::Live;

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_without_an_end_is_promoted() {
    Case {
        spec: canary(&json!([{"setWeight": 50}, {"pause": {}}])),
        update: Some(image("shop:2")),
        waits_for: "pause",
        says: "Step 2 of 2 is a pause that only a user ends.",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_with_an_end_is_promoted() {
    Case {
        spec: canary(&json!([{"setWeight": 50}, {"pause": {"duration": "1h"}}])),
        update: Some(image("shop:2")),
        waits_for: "pause",
        says: "a pause that ends automatically",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_taken_back_and_tried_again_and_given_up() {
    let live = Live::controlled().await;
    live.make(&stepwise()).await;
    live.waits_for("nothing").await;
    live.change(&image("shop:2")).await;
    let said = live.waits_for("pause").await;
    Case { commands: &[1], ..Case::default() }.help(&live, &said);
    let said = live.waits_for("retry").await;
    let retry = Case { says: "The update was aborted", ..Case::default() };
    retry.help(&live, &said);
    let said = live.waits_for("pause").await;
    Case { commands: &[1], ..Case::default() }.help(&live, &said);
    let said = live.waits_for("retry").await;
    Case { commands: &[1], ..Case::default() }.help(&live, &said);
    live.waits_for("nothing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_taken_back() {
    let held = json!({"spec": {"paused": true, "template": image("shop:2")["spec"]["template"]}});
    Case { update: Some(held), waits_for: "resume", says: "spec.paused is true", ..Case::default() }
        .ends()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_is_promoted() {
    Case {
        objects: vec![service("demo", &Value::Null)],
        spec: blue_green("active"),
        update: Some(image("shop:2")),
        waits_for: "promotion",
        says: "waits until a user promotes it",
        ..Case::default()
    }
    .ends()
    .await;
}

/// An update to an image that cannot be had; it is taken back.
fn bad_image() -> Case {
    Case {
        update: Some(image("shop:error")),
        waits_for: "pod",
        says: "cannot pull the image shop:error of container web",
        then: "retry",
        ..Case::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_had_is_taken_back() {
    bad_image().ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_had_is_given_up() {
    Case { commands: &[1], then: "nothing", ..bad_image() }.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_had_is_replaced() {
    Case { commands: &[2], then: "nothing", ..bad_image() }.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_does_not_stay_up_is_taken_back() {
    let container = json!({"name": "web", "image": "shop:1", "command": ["/bad-command"]});
    Case {
        update: Some(json!({"spec": {"template": {"spec": {"containers": [container]}}}})),
        waits_for: "pod",
        says: "crashes: container web exited",
        then: "retry",
        ..Case::default()
    }
    .ends()
    .await;
}

/// New pods stay in that status until the update is aborted or rolled back.
async fn pods_come_no_further(status: &Value, says: &'static str) {
    for (command, then) in [(&[0], "retry"), (&[1], "nothing")] {
        let live = Live::controlled().await;
        live.make(&rollout(&canary(&json!([])))).await;
        live.waits_for("nothing").await;
        let mut update = image("shop:2");
        // A pod with a gate is left alone by whoever schedules and runs pods.
        update["spec"]["template"]["spec"]["schedulingGates"] = json!([{"name": "example.com/test"}]);
        live.change(&update).await;
        live.report_pending(status).await;
        let said = live.waits_for("pod").await;
        assert_eq!(said["commands"].as_array().map(Vec::len), Some(2), "no other image would help: {said}");
        Case { says, commands: command, ..Case::default() }.help(&live, &said);
        live.waits_for(then).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_find_no_node_are_taken_back_or_given_up() {
    let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient memory."});
    let status = json!({"conditions": [condition]});
    pods_come_no_further(
        &status,
        "cannot be scheduled: 0/3 nodes are available: 3 Insufficient \
                                   memory.",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_cannot_be_made_are_taken_back_or_given_up() {
    let waiting = json!({"reason": "CreateContainerConfigError", "message": "secret \"shop\" not found"});
    let container = json!({"name": "web", "image": "shop:2", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": waiting}});
    let status = json!({"containerStatuses": [container]});
    pods_come_no_further(
        &status,
        "cannot start container web: CreateContainerConfigError: secret \"shop\" not found.",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_comes_no_further_is_taken_back() {
    let probe = json!({"tcpSocket": {"port": 80}, "initialDelaySeconds": 3600});
    let container = json!({"name": "web", "image": "shop:1", "readinessProbe": probe});
    let template = json!({"spec": {"containers": [container]}});
    Case {
        update: Some(json!({"spec": {"progressDeadlineSeconds": 1, "template": template}})),
        waits_for: "progress",
        says: "longer than progressDeadlineSeconds (1)",
        then: "retry",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_made() {
    Case {
        spec: blue_green("active"),
        waits_for: "service",
        says: "Service active, which the Rollout references, does not exist.",
        commands: &[0, 1],
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_gets_the_right_selector() {
    Case {
        objects: vec![service("other", &Value::Null)],
        spec: blue_green("active"),
        waits_for: "service",
        says: "Service active selects pods with app=other, but those of the Rollout have app=demo",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_selector_of_an_active_service_is_corrected_and_the_preview_stays_one() {
    let live = Live::controlled().await;
    if !live.has_kubectl() {
        return;
    }
    live.make(&service("demo", &Value::Null)).await;
    live.make(&rollout(&blue_green("active"))).await;
    live.waits_for("nothing").await;
    live.change(&image("shop:2")).await;
    live.waits_for("promotion").await;
    live.patch("v1", "Service", "active", &json!({"spec": {"selector": {"app": "other"}}})).await;
    let said = live.waits_for("service").await;
    Case::default().help(&live, &said);
    // The hash was always set, so no request reached the revision that was not promoted.
    let said = live.waits_for("promotion").await;
    Case::default().help(&live, &said);
    live.waits_for("nothing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_a_rollout_that_is_gone_is_freed() {
    Case {
        objects: vec![service("demo", &json!({"argo-rollouts.argoproj.io/managed-by-rollouts": "gone"}))],
        spec: blue_green("active"),
        waits_for: "service",
        says: "is marked as belonging to the Rollout gone, which does not exist",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rollouts_get_a_service_each() {
    let mut other = rollout(&json!({"strategy": {"canary": {"stableService": "active"}}}));
    other["metadata"]["name"] = "first".into();
    let second = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "second"},
        "spec": {"selector": {"app": "demo"}, "ports": [{"port": 80}]},
    });
    Case {
        objects: vec![
            service("demo", &json!({"argo-rollouts.argoproj.io/managed-by-rollouts": "first"})),
            second,
            other,
        ],
        spec: blue_green("active"),
        waits_for: "service",
        says: "Service active belongs to another Rollout, first.",
        editor: "sed -i s/activeService:.active/activeService:\\ second/",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_spec_is_corrected() {
    Case {
        spec: canary(&json!([{"setWeight": 150}])),
        waits_for: "validSpec",
        says: "spec.strategy.canary.steps[0].setWeight (150)",
        editor: "sed -i s/setWeight:.150/setWeight:\\ 50/",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_cannot_be_read_is_corrected() {
    Case {
        // The schema does not know how long a number may be.
        spec: json!({"strategy": {"canary": {"maxSurge": 3_000_000_000_u32}}}),
        waits_for: "readableRollout",
        says: "spec.strategy.canary.maxSurge: invalid value: integer `3000000000`",
        editor: "sed -i s/maxSurge:.3000000000/maxSurge:\\ 1/",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_that_is_missing_is_left_out() {
    let mut spec = canary(&json!([{"setWeight": 50}]));
    spec["strategy"]["canary"]["analysis"] = json!({"templates": [{"templateName": "errors"}]});
    Case {
        spec,
        waits_for: "supportedSpec",
        says: "spec.strategy.canary.analysis: cannot run an analysis",
        editor: "sed -i -e '/ analysis:$/d' -e '/ templates:$/d' -e '/ templateName:/d'",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_lets_one_pod_go() {
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "demo"}}},
    });
    let live = Live::controlled().await;
    if !live.has_kubectl() {
        return;
    }
    live.make(&budget).await;
    live.make(&rollout(&canary(&json!([])))).await;
    live.waits_for("nothing").await;
    // Pods are as old as the second in which they were made, and the next one has to come.
    live.restart("2s");
    let said = live.waits_for("disruptionBudget").await;
    let restart = Case {
        says: "PodDisruptionBudget all allows no eviction. Not replaced yet: 2 pods.",
        ..Case::default()
    };
    restart.help(&live, &said);
    live.waits_for("nothing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_judges_what_an_analysis_did_not() {
    let live = Live::controlled().await;
    live.make(&stepwise()).await;
    live.waits_for("nothing").await;
    live.change(&image("shop:2")).await;
    live.waits_for("pause").await;
    let start = live.explain()["since"].clone();
    let status = json!({
        "pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": start}], "controllerPause": true,
        "canary": {"currentStepAnalysisRunStatus": {"name": "run", "status": "Inconclusive"}},
    });
    live.stage.patch_status(&live.namespace, "demo", status).await;
    let said = live.waits_for("judgement").await;
    Case::default().help(&live, &said);
    live.waits_for("nothing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_other_objects_can_mend_is_named() {
    let live = Live::controlled().await;
    let mut spec = canary(&json!([]));
    spec["template"] = rollout(&spec)["spec"]["template"].clone();
    spec["template"]["spec"]["serviceAccountName"] = "shop".into();
    live.make(&rollout(&spec)).await;
    let said = live.waits_for("podCreation").await;
    let because = said["because"].as_str().expect("a reason");
    assert!(
        because.contains("has 0 of 2 pods") && because.contains("serviceaccount \"shop\" not found"),
        "{because}"
    );
    live.make(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "shop"}})).await;
    live.waits_for("nothing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_is_made() {
    let live = Live::controlled().await;
    let template = rollout(&json!({}))["spec"]["template"].clone();
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let spec = json!({"replicas": 2, "strategy": {"canary": {}}, "workloadRef": reference});
    let named = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo"}, "spec": spec});
    live.make(&named).await;
    let said = live.waits_for("workload").await;
    assert!(said["commands"][0]["run"].as_str().is_some_and(|run| run.starts_with("kubectl apply -f FILE ")));
    assert!(
        said["because"]
            .as_str()
            .expect("a reason")
            .starts_with("Deployment web, which spec.workloadRef references, does not exist"),
        "{said}"
    );
    live.make(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "demo"}}, "template": template},
    }))
    .await;
    live.waits_for("nothing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_is_started_or_another_one_is_asked() {
    let mut live = Live::start().await;
    if !live.has_kubectl() {
        return;
    }
    live.make(&rollout(&canary(&json!([])))).await;
    let said = live.waits_for("controller").await;
    let because = said["because"].as_str().expect("a reason");
    assert!(
        because.contains("there is no Lease argo-rollouts-controller-lock in any namespace"),
        "{because}"
    );
    live.control(&[]);
    live.waits_for("nothing").await;

    let key = "argo-rollouts.argoproj.io/controller-instance-id";
    live.change(&json!({"metadata": {"labels": {key: "blue"}}, "spec": {"replicas": 3}})).await;
    let said = live.waits_for("controller").await;
    let because = said["because"].as_str().expect("a reason");
    assert!(because.contains("requires a controller with --instance-id blue"), "{because}");
    assert!(because.contains("hold default/argo-rollouts-controller-lock."), "{because}");
    Case::default().help(&live, &said);
    live.waits_for("nothing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_by_itself_has_an_end() {
    let live = Live::controlled().await;
    let mut spec = canary(&json!([]));
    spec["minReadySeconds"] = 3.into();
    live.make(&rollout(&spec)).await;
    let said = live.waits_for("podsAvailable").await;
    let time =
        |field: &str| said[field].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    assert_eq!(time("until").duration_since(time("since")).as_secs(), 3);
    assert_eq!(said["commands"], json!([]));
    live.waits_for("nothing").await;
}
