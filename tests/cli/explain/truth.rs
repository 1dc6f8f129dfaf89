//! Explanations are true: the serving revision, the commands, the number of pods, and the duration.

use serde_json::{Value, json};

use super::offline::{file, run};
use super::situations::{changed, condition, container, lease, object};
use crate::stage::SERIN;

/// The explanation of saved objects: for people, and for programs.
fn explained(name: &str, saved: &Value) -> (String, Value) {
    let path = file(&format!("truth-{name}.json"), &saved.to_string());
    let text = run(SERIN, &path, &[]);
    assert_eq!((text.stderr.as_str(), text.exit), ("", 0), "{name}");
    let said = run(SERIN, &path, &["-o", "json"]);
    (text.stdout, serde_json::from_str(&said.stdout).expect("JSON"))
}

/// The command lines of what is waited for.
fn commands(said: &Value) -> Vec<&str> {
    let commands = said["commands"].as_array().expect("commands").iter();
    commands.map(|one| one["run"].as_str().expect("a command")).collect()
}

/// Every command line of an explanation.
fn all_commands(said: &Value) -> Vec<&str> {
    let also = said["also"].as_array().expect("reasons").iter();
    commands(said).into_iter().chain(also.flat_map(commands)).collect()
}

/// The canary at its pause, whose stable ReplicaSet has no available pod.
fn stable_fails(saved: &mut Value) {
    let set = object(saved, "ReplicaSet", "demo-6c89d8f565");
    set["status"]["availableReplicas"] = 0.into();
    set["status"]["readyReplicas"] = 0.into();
    object(saved, "Pod", "demo-6c89d8f565")["status"] =
        container(&json!({"waiting": {"reason": "ErrImagePull", "message": "no such image"}}));
}

fn abort(saved: &mut Value) {
    let status = &mut object(saved, "Rollout", "")["status"];
    for (field, value) in [
        ("abort", json!(true)),
        ("abortedAt", "2026-11-21T02:28:50Z".into()),
        ("phase", "Degraded".into()),
        ("pauseConditions", Value::Null),
        ("controllerPause", Value::Null),
    ] {
        status[field] = value;
    }
}

/// A blue-green update whose preview waits to be promoted.
fn preview(blue_green: &Value) -> Value {
    let mut saved = changed("bg-abort", |saved| {
        let rollout = object(saved, "Rollout", "");
        for (field, value) in blue_green.as_object().expect("fields") {
            rollout["spec"]["strategy"]["blueGreen"][field] = value.clone();
        }
        let status = &mut rollout["status"];
        status["stableRS"] = "6c89d8f565".into();
        status["blueGreen"] = json!({"activeSelector": "6c89d8f565", "previewSelector": "bfcb8ccf7"});
        status["phase"] = "Paused".into();
        status["controllerPause"] = true.into();
        status["pauseConditions"] =
            json!([{"reason": "BlueGreenPause", "startTime": "2026-11-21T02:29:00Z"}]);
        let annotations = &mut object(saved, "ReplicaSet", "demo-6c89d8f565")["metadata"]["annotations"];
        annotations.as_object_mut().expect("annotations").remove("scale-down-deadline");
    });
    for service in saved["items"].as_array_mut().expect("items").iter_mut() {
        if service["kind"] == "Service" && service["metadata"]["name"] != "preview" {
            service["spec"]["selector"]["rollouts-pod-template-hash"] = "6c89d8f565".into();
        }
    }
    saved
}

#[test]
fn an_abort_says_which_revision_serves() {
    let (_, said) = explained("abort-serves", &changed("basic-scale-paused", abort));
    let because = said["because"].as_str().expect("a reason");
    assert!(because.contains("Both revisions serve"), "{because}");
    let stuck = changed("basic-scale-paused", |saved| {
        abort(saved);
        stable_fails(saved);
    });
    let (_, said) = explained("abort-canary-serves", &stuck);
    let because = said["because"].as_str().expect("a reason");
    assert_eq!(said["waitsFor"], "retry");
    assert!(because.contains("Revision bfcb8ccf7 still serves"), "{because}");
    assert!(because.contains("the stable revision 6c89d8f565 has 0 of "), "{because}");
    let (_, said) = explained("abort-done", &changed("nginx-abort", |_| {}));
    let because = said["because"].as_str().expect("a reason");
    assert!(because.contains("The stable revision 6c89d8f565 serves"), "{because}");
}

#[test]
fn an_invalid_spec_hides_no_abort_and_no_retry_is_advised() {
    let saved = changed("nginx-abort", |saved| {
        object(saved, "Rollout", "")["spec"]["strategy"]["canary"]["steps"][0] = json!({"setWeight": 150});
    });
    let (text, said) = explained("abort-invalid", &saved);
    assert_eq!((&said["waitsFor"], &said["also"][0]["waitsFor"]), (&json!("validSpec"), &json!("retry")));
    assert!(text.contains("Also: The update was aborted. The stable revision 6c89d8f565 serves"), "{text}");
    assert!(!all_commands(&said).iter().any(|run| run.contains(" retry ")), "{text}");
}

#[test]
fn an_undo_goes_to_the_stable_revision() {
    // Between the stable revision and the newest one is another that was never promoted.
    let abandoned = |saved: &mut Value| {
        abort(saved);
        let newest = object(saved, "ReplicaSet", "demo-bfcb8ccf7");
        newest["metadata"]["annotations"]["rollout.argoproj.io/revision"] = "3".into();
        let mut abandoned = newest.clone();
        abandoned["metadata"]["name"] = "demo-abandoned".into();
        abandoned["metadata"]["uid"] = "abandoned".into();
        abandoned["metadata"]["annotations"]["rollout.argoproj.io/revision"] = "2".into();
        abandoned["metadata"]["labels"]["rollouts-pod-template-hash"] = "abandoned".into();
        abandoned["spec"]["replicas"] = 0.into();
        abandoned["status"] = json!({"replicas": 0, "observedGeneration": 1});
        saved["items"].as_array_mut().expect("items").push(abandoned);
    };
    let (_, said) = explained("undo", &changed("basic-scale-paused", abandoned));
    let undo = all_commands(&said).into_iter().find(|run| run.contains(" undo "));
    assert_eq!(undo, Some("serin undo demo --to-revision 1 -n default"), "{said:#}");
}

#[test]
fn where_only_the_new_revision_serves_no_way_back_is_advised() {
    let (_, said) = explained("stable-fails", &changed("basic-scale-paused", stable_fails));
    let runs = all_commands(&said);
    assert!(runs.iter().all(|run| !run.contains(" abort ") && !run.contains(" undo ")), "{said:#}");
    assert!(runs.contains(&"serin promote demo --full -n default"), "{said:#}");
    // The new one fails as well, so a rollback does no harm.
    let both = changed("basic-scale-paused", |saved| {
        stable_fails(saved);
        object(saved, "ReplicaSet", "demo-bfcb8ccf7")["status"]["availableReplicas"] = 0.into();
    });
    let (_, said) = explained("both-fail", &both);
    assert!(all_commands(&said).iter().any(|run| run.contains(" abort ")), "{said:#}");
}

#[test]
fn an_object_that_is_missing_has_to_be_made() {
    let without = |name: &str, kind: &str, part: &str| {
        changed(name, |saved| {
            let gone = object(saved, kind, part)["metadata"]["name"].clone();
            let items = saved["items"].as_array_mut().expect("items");
            items.retain(|one| one["kind"] != kind || one["metadata"]["name"] != gone);
        })
    };
    let (_, said) = explained("no-ingress", &without("nginx-steps", "Ingress", "demo"));
    let because = said["because"].as_str().expect("a reason");
    assert!(because.contains("Ingress demo, which the Rollout references, does not exist."), "{because}");
    let create = "kubectl create ingress demo --class=nginx --rule=HOST/*=";
    assert!(commands(&said)[0].replace('\'', "").starts_with(create), "{said:#}");
    let (_, said) = explained("no-workload", &without("workload-ref", "Deployment", "demo"));
    assert_eq!(commands(&said)[0], "kubectl apply -f FILE -n default", "{said:#}");
}

#[test]
fn an_ingress_that_sends_nothing_to_the_stable_service_has_to_be_edited() {
    let saved = changed("nginx-steps", |saved| {
        let ingress = object(saved, "Ingress", "demo");
        ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "other".into();
    });
    let (_, said) = explained("stray-ingress", &saved);
    assert_eq!(commands(&said)[0], "kubectl edit ingress demo -n default", "{said:#}");
}

#[test]
fn seconds_that_have_no_effect_are_named() {
    let (text, said) = explained(
        "seconds-off",
        &preview(&json!({"autoPromotionEnabled": false, "autoPromotionSeconds": 10})),
    );
    assert_eq!(said["waitsFor"], "promotion", "{said:#}");
    assert!(
        text.contains("autoPromotionSeconds (10) has no effect while autoPromotionEnabled is false."),
        "{text}"
    );
    let (text, _) = explained("seconds-none", &preview(&json!({"autoPromotionEnabled": false})));
    assert!(!text.contains("autoPromotionSeconds"), "{text}");
}

#[test]
fn times_are_whole_seconds_rounded_up() {
    let saved = changed("bg-abort", |saved| saved["explain"]["time"] = "2026-11-21T02:29:45.400Z".into());
    let (text, said) = explained("left", &saved);
    assert!(text.contains("Until 2026-11-21 02:30:12Z, 27s from now."), "{text}");
    assert_eq!(said["atLeastSeconds"], 27);
    // A delay that is still to begin is as long as the spec says.
    let mut saved = preview(&json!({"autoPromotionEnabled": false, "scaleDownDelaySeconds": 30}));
    saved["explain"]["time"] = "2026-11-21T02:29:45.700Z".into();
    let (text, said) = explained("delay", &saved);
    assert!(text.contains("30s of scale-down delays"), "{text}");
    assert_eq!(said["atLeastSeconds"], 30);
}

#[test]
fn one_pod_is_one_pod() {
    let saved = changed("basic-history", |saved| {
        let set = object(saved, "ReplicaSet", "demo-5847bbdcc5");
        set["spec"]["replicas"] = 0.into();
        set["status"] = json!({"replicas": 0, "observedGeneration": set["metadata"]["generation"]});
    });
    let (text, _) = explained("one", &saved);
    assert!(text.contains("At most 1 pod at a time"), "{text}");
    let plurals = regex::Regex::new(r"\b1 (pods|times|pauses|steps)\b").expect("a pattern");
    assert!(!plurals.is_match(&text), "{text}");
}

#[test]
fn a_write_that_was_refused_is_not_a_controller_that_does_not_look() {
    let said = "The API server refused a write of ReplicaSet demo-1: quantities must match";
    let saved = changed("basic-create", |saved| {
        let rollout = object(saved, "Rollout", "");
        rollout["metadata"]["generation"] = 2.into();
        let blocked = condition("Blocked", "True", "Rejected", said);
        rollout["status"]["conditions"].as_array_mut().expect("conditions").push(blocked);
        let mut leads = lease("argo-rollouts-controller-lock", "serin-1");
        leads["spec"]["renewTime"] = saved["explain"]["time"].clone();
        saved["items"].as_array_mut().expect("items").push(leads);
    });
    let (text, said) = explained("refused", &saved);
    assert_eq!(said["waitsFor"], "acceptedWrite", "{said:#}");
    assert!(text.contains("quantities must match") && !text.contains("No controller"), "{text}");
}

#[test]
fn an_abort_whose_write_is_refused_is_told_and_promised_no_end() {
    let saved = changed("basic-scale-paused", |saved| {
        abort(saved);
        let status = &mut object(saved, "Rollout", "")["status"];
        let blocked = condition("Blocked", "True", "Rejected", "The API server refused a write: quota");
        status["conditions"].as_array_mut().expect("conditions").push(blocked);
    });
    let (text, said) = explained("abort-refused", &saved);
    assert_eq!((&said["waitsFor"], &said["also"][0]["waitsFor"]), (&json!("acceptedWrite"), &json!("retry")));
    assert!(text.contains("The duration cannot be predicted: the API server refuses a write."), "{text}");
    assert_eq!(said["atLeastSeconds"], Value::Null);
}

#[test]
fn an_update_that_is_past_its_deadline_is_promised_no_end() {
    let saved = changed("basic-scale-paused", |saved| {
        let rollout = object(saved, "Rollout", "");
        rollout["spec"]["minReadySeconds"] = 7.into();
        let status = &mut rollout["status"];
        status["pauseConditions"] = Value::Null;
        status["controllerPause"] = Value::Null;
        status["currentStepIndex"] = 0.into();
        status["phase"] = "Degraded".into();
        let conditions = status["conditions"].as_array_mut().expect("conditions");
        conditions.retain(|one| one["type"] != "Progressing");
        conditions.push(condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out"));
        object(saved, "ReplicaSet", "demo-bfcb8ccf7")["status"]["availableReplicas"] = 0.into();
    });
    let (text, said) = explained("deadline", &saved);
    assert!(text.contains("longer than progressDeadlineSeconds"), "{text}");
    assert!(!text.contains("Minimum duration"), "{text}");
    assert_eq!(said["atLeastSeconds"], Value::Null);
}

/// A Rollout that takes the place of a Deployment which has more pods.
fn takes_over(scale_down: &str) -> Value {
    changed("workload-ref", |saved| {
        object(saved, "Deployment", "")["spec"]["replicas"] = 6.into();
        object(saved, "Rollout", "")["spec"]["replicas"] = 3.into();
        object(saved, "Rollout", "")["spec"]["workloadRef"]["scaleDown"] = scale_down.into();
    })
}

#[test]
fn the_pods_of_a_deployment_count() {
    let (text, said) = explained("workload", &takes_over("onsuccess"));
    assert_eq!(said["peakPods"], 9, "{said:#}");
    assert!(text.contains("Deployment demo has 6 pods, but the Rollout asks for 3"), "{text}");
    assert!(text.contains("from 6 to 3 pods"), "{text}");
    let (text, said) = explained("workload-never", &takes_over("never"));
    assert_eq!(said["peakPods"], 9, "{said:#}");
    assert!(!text.contains("from 6 to 3 pods"), "{text}");
}

#[test]
fn a_command_about_a_selector_keeps_the_hash() {
    let stray = |selector: Value| {
        changed("bg-auto", move |saved| {
            let service = object(saved, "Service", "");
            for (key, value) in selector.as_object().expect("labels") {
                service["spec"]["selector"][key] = value.clone();
            }
        })
    };
    let (_, said) = explained("selector", &stray(json!({"app": "other"})));
    let run = commands(&said)[0].to_owned();
    assert!(run.contains(r#"--type merge -p '{"spec":{"selector":{"app":"demo"}}}'"#), "{run}");
    // A key that the Rollout's selector does not have goes, for its value may change with each version.
    let (_, said) = explained("selector-more", &stray(json!({"version": "7"})));
    let run = commands(&said)[0].to_owned();
    assert!(
        run.contains(r#"--type merge -p '{"spec":{"selector":{"app":"demo","version":null}}}'"#),
        "{run}"
    );
    let gone = changed("bg-auto", |saved| {
        saved["items"].as_array_mut().expect("items").retain(|one| one["kind"] != "Service");
    });
    let (_, said) = explained("selector-gone", &gone);
    let runs = commands(&said);
    assert!(runs[0].starts_with("kubectl create service clusterip "), "{runs:?}");
    assert!(runs[1].contains(" --type merge -p ") && !runs[1].contains("set selector"), "{runs:?}");
}

#[test]
fn a_log_is_that_of_the_namespace() {
    let saved = changed("basic-create", |saved| {
        object(saved, "ReplicaSet", "")["status"]["availableReplicas"] = 1.into();
        let mut status = container(&json!({"waiting": {"reason": "CrashLoopBackOff"}}));
        status["containerStatuses"][0]["restartCount"] = 1.into();
        object(saved, "Pod", "")["status"] = status;
    });
    let (text, _) = explained("log", &saved);
    assert!(text.contains("-c demo --previous -n default`"), "{text}");
    assert!(text.contains("was restarted 1 time."), "{text}");
}
