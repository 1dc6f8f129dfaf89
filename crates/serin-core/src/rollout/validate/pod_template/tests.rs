use serde_json::json;

use super::table::entries;
use super::*;

/// The mistakes in a template with `spec`.
fn errors(spec: &Value) -> Vec<String> {
    let template = json!({"metadata": {"labels": {"app": "demo"}}, "spec": spec});
    let mut found = Findings::default();
    check(&template, &Path::new("spec.template"), &mut found);
    match found.into_result() {
        Ok(()) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

/// Asserts that `spec` has a mistake that reads `error` below `spec.template.spec`.
fn refuses(spec: &Value, error: &str) {
    let found = errors(spec);
    let start = format!("spec.template.spec.{error}");
    assert!(found.iter().any(|found| found.starts_with(&start)), "{start:?} is not in {found:#?}");
}

/// A spec with one container that has `fields`.
fn container(fields: &Value) -> Value {
    let mut container = json!({"name": "demo", "image": "demo:1"});
    for (key, value) in entries(Some(fields)) {
        container[key] = value.clone();
    }
    json!({"containers": [container]})
}

/// A spec with one container and `fields` beside it.
fn pod(fields: &Value) -> Value {
    let mut pod = container(&json!({}));
    for (key, value) in entries(Some(fields)) {
        pod[key] = value.clone();
    }
    pod
}

#[test]
fn a_template_that_uses_much_is_accepted() {
    let sidecar = json!({
        "name": "sidecar", "image": "s", "restartPolicy": "Always",
        "volumeMounts": [{"name": "a", "mountPath": "/a"}],
    });
    let main = json!({
        "name": "demo", "image": "demo:1", "imagePullPolicy": "", "newerThanThis": {"x": 1},
        "ports": [{"name": "http", "containerPort": 80}, {"containerPort": 443, "protocol": "UDP"}],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}],
        "volumeMounts": [{"name": "b", "mountPath": "/a"}, {"name": "b", "mountPath": "/b"}],
        "securityContext": {"privileged": true},
    });
    let found = errors(&json!({
        "restartPolicy": "Always",
        "dnsPolicy": "None",
        "volumes": [{"name": "a"}, {"name": "b", "emptyDir": {}}],
        "initContainers": [sidecar],
        "containers": [main],
    }));
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_pod_needs_containers_with_names_and_images() {
    let [a, unnamed] = [json!({"name": "a", "image": "i"}), json!({"image": "i"})];
    refuses(&json!({}), "containers: Required value: a pod needs at least one container");
    refuses(&json!({"containers": null}), "containers: Required value");
    refuses(&json!({"containers": [unnamed]}), "containers[0].name: Required value");
    refuses(&json!({"containers": [{"name": "a"}]}), "containers[0].image: Required value");
    refuses(
        &json!({"containers": [a, a]}),
        r#"containers[1].name: Invalid value: "a": is used more than once"#,
    );
    refuses(
        &json!({"containers": [a], "initContainers": [a]}),
        r#"initContainers[0].name: Invalid value: "a": is also the name of a container"#,
    );
    refuses(&container(&json!({"name": "A_b"})), r#"containers[0].name: Invalid value: "A_b": must be"#);
    refuses(&container(&json!({"image": " i"})), r#"containers[0].image: Invalid value: " i": must not"#);
    let policy = json!({"imagePullPolicy": "Maybe"});
    refuses(&container(&policy), r#"containers[0].imagePullPolicy: Invalid value: "Maybe": must be one of"#);
}

#[test]
fn ports_are_checked() {
    let refuses = |port: Value, error: &str| {
        refuses(&container(&json!({"ports": [port]})), &format!("containers[0].ports[0].{error}"));
    };
    refuses(json!({}), "containerPort: Required value: must be between 1 and 65535");
    refuses(json!({"containerPort": 0}), "containerPort: Invalid value: 0: must be between 1 and 65535");
    refuses(json!({"containerPort": "http"}), "containerPort: Invalid value");
    refuses(json!({"containerPort": 1, "hostPort": 70000}), "hostPort: Invalid value: 70000");
    refuses(json!({"containerPort": 1, "name": "HTTP"}), r#"name: Invalid value: "HTTP""#);
    refuses(json!({"containerPort": 1, "protocol": "ICMP"}), r#"protocol: Invalid value: "ICMP""#);
}

#[test]
fn names_within_a_container_differ() {
    let ports = json!({"ports": [{"containerPort": 1, "name": "x"}, {"containerPort": 2, "name": "x"}]});
    refuses(&container(&ports), r#"containers[0].ports[1].name: Invalid value: "x": is used more than once"#);
    let mounts = json!({"volumeMounts": [{"name": "a", "mountPath": "/"}, {"name": "b", "mountPath": "/"}]});
    refuses(&container(&mounts), r#"containers[0].volumeMounts[1].mountPath: Invalid value: "/": is used"#);
}

#[test]
fn environment_variables_are_checked() {
    let refuses = |variable: Value, error: &str| {
        refuses(&container(&json!({"env": [variable]})), &format!("containers[0].env[0].{error}"));
    };
    refuses(json!({"value": "x"}), "name: Required value");
    refuses(json!({"name": "a=b"}), r#"name: Invalid value: "a=b": must not contain ="#);
    refuses(
        json!({"name": "a", "value": "x", "valueFrom": {}}),
        "valueFrom: Invalid value: {}: must not be set together with a value",
    );
}

#[test]
fn volumes_and_their_mounts_fit() {
    let mount = json!({"volumeMounts": [{"name": "no", "mountPath": "/"}]});
    let mut spec = container(&mount);
    let error =
        r#"containers[0].volumeMounts[0].name: Invalid value: "no": there is no volume of that name; "#;
    refuses(&spec, &format!("{error}add it to spec.template.spec.volumes, which is empty"));
    spec["volumes"] = json!([{"name": "a"}, {"name": "b"}]);
    refuses(&spec, &format!("{error}spec.template.spec.volumes has a, b"));
    let nowhere = json!({"volumeMounts": [{"name": "a"}]});
    refuses(&container(&nowhere), "containers[0].volumeMounts[0].mountPath: Required value");

    let two_sources = pod(&json!({"volumes": [{"name": "v", "emptyDir": {}, "secret": {}}]}));
    refuses(&two_sources, r#"volumes[0]: Invalid value: "emptyDir, secret": a volume has one source"#);
    refuses(&pod(&json!({"volumes": [{}]})), "volumes[0].name: Required value");
    let twice = pod(&json!({"volumes": [{"name": "v"}, {"name": "v"}]}));
    refuses(&twice, r#"volumes[1].name: Invalid value: "v": is used more than once"#);
}

#[test]
fn pods_of_a_replica_set_run_forever() {
    refuses(&pod(&json!({"restartPolicy": "Never"})), r#"restartPolicy: Invalid value: "Never": pods of a"#);
    refuses(&pod(&json!({"activeDeadlineSeconds": 5})), "activeDeadlineSeconds: Invalid value: 5: pods of a");
    refuses(&pod(&json!({"dnsPolicy": "x"})), r#"dnsPolicy: Invalid value: "x": must be one of"#);
    let debugger = pod(&json!({"ephemeralContainers": [{"name": "debug"}]}));
    refuses(&debugger, r#"ephemeralContainers: Invalid value: "debug": ephemeral containers are added to"#);
}

#[test]
fn labels_and_annotations_have_the_forms_of_kubernetes() {
    let metadata = json!({"labels": {"app": "bad label!", "/x": "y", "n": 1}, "annotations": {"A/b": "any text!", "-": ""}});
    let mut found = Findings::default();
    let template = json!({"metadata": metadata, "spec": {"containers": [{"name": "a", "image": "i"}]}});
    check(&template, &Path::new("spec.template"), &mut found);
    let text = found.into_result().unwrap_err();
    let starts: Vec<&str> = text.iter().map(|error| error.path.as_str()).collect();
    let (labels, annotations) = ("spec.template.metadata.labels", "spec.template.metadata.annotations");
    assert_eq!(starts, [labels, labels, labels, annotations], "{text}");
}
