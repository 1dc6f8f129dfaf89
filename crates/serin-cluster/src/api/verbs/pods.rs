//! Pods: what admission adds to them, and what of them only the system sets.

use serde_json::{Value, json};

use super::super::status::Status;
use super::super::store::object::{asked_name, at, copy, fill, items, members, set, text};
use super::super::store::{Key, Store};
use super::call::Call;
use super::refuse;

/// How long a pod stays on a node that is gone or not ready, in seconds.
const TOLERATED_SECONDS: i64 = 300;
const PREEMPTION: &str = "PreemptLowerPriority";
const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What admission adds to a new pod.
pub(super) fn admit(store: &mut Store, call: &Call<'_>, pod: &mut Value) -> Result<(), Status> {
    let namespace = call.namespace().unwrap_or_default();
    fill(pod, &["spec", "serviceAccountName"], "default");
    let account = text(pod, &["spec", "serviceAccountName"]).to_owned();
    set(pod, &["spec", "serviceAccount"], account.clone().into());
    let found = store.read(&Key::new("", "serviceaccounts", Some(namespace), &account));
    let Some(found) = found.cloned() else {
        let why = format!(
            "error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found"
        );
        return Err(refuse::forbidden(&call.resource, asked_name(pod), &why));
    };
    let asked = at(pod, &["spec", "automountServiceAccountToken"]).as_bool();
    let wanted = asked.or(found["automountServiceAccountToken"].as_bool()).unwrap_or(true);
    if wanted {
        mount_token(store, pod);
    }
    tolerate(pod);
    let wrong = |what: &str, given: &Value, computed: &str| {
        let why = format!(
            "the {what} ({}) must not be provided in pod spec; priority admission controller computed {computed} from the \
             given PriorityClass name",
            given.as_str().map_or_else(|| given.to_string(), str::to_owned)
        );
        refuse::forbidden(&call.resource, asked_name(pod), &why)
    };
    let (priority, policy) = (at(pod, &["spec", "priority"]), at(pod, &["spec", "preemptionPolicy"]));
    if !priority.is_null() && priority != 0 {
        return Err(wrong("integer value of priority", priority, "0"));
    }
    if !policy.is_null() && policy != PREEMPTION {
        return Err(wrong("string value of PreemptionPolicy", policy, PREEMPTION));
    }
    fill(pod, &["spec", "priority"], 0);
    fill(pod, &["spec", "preemptionPolicy"], PREEMPTION);
    Ok(())
}

/// The status that a pod begins with.
pub(super) fn before_create(pod: &mut Value) {
    let class = quality(pod);
    set(pod, &["status"], json!({"phase": "Pending", "qosClass": class}));
}

fn mount_token(store: &mut Store, pod: &mut Value) {
    let volume = format!("kube-api-access-{}", store.draw.suffix());
    let mut mounted = false;
    for field in ["initContainers", "containers"] {
        let Some(Value::Array(containers)) = pod.pointer_mut(&format!("/spec/{field}")) else { continue };
        for container in containers {
            let mounts = items(container, &["volumeMounts"]);
            if mounts.iter().any(|mount| mount["mountPath"] == TOKEN_DIRECTORY) {
                continue;
            }
            let mount = json!({"name": volume, "readOnly": true, "mountPath": TOKEN_DIRECTORY});
            push(container, "volumeMounts", mount);
            mounted = true;
        }
    }
    if !mounted {
        return;
    }
    let sources = json!([
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace",
            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ]);
    let projected = json!({"name": volume, "projected": {"sources": sources, "defaultMode": 420}});
    if let Some(spec) = pod.get_mut("spec") {
        push(spec, "volumes", projected);
    }
}

fn push(object: &mut Value, field: &str, item: Value) {
    match members(object).entry(field).or_insert_with(|| json!([])) {
        Value::Array(list) => list.push(item),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            *other = json!([item]);
        }
    }
}

fn tolerate(pod: &mut Value) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let known = items(pod, &["spec", "tolerations"]).iter().any(|toleration| {
            let keyed = text(toleration, &["key"]);
            let effect = text(toleration, &["effect"]);
            (keyed == key || keyed.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        });
        if known {
            continue;
        }
        let toleration = json!({"key": key, "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": TOLERATED_SECONDS});
        if let Some(spec) = pod.get_mut("spec") {
            push(spec, "tolerations", toleration);
        }
    }
}

/// The quality of service that the resources of the containers amount to.
fn quality(pod: &Value) -> &'static str {
    let containers: Vec<&Value> =
        ["containers", "initContainers"].iter().flat_map(|field| items(pod, &["spec", field])).collect();
    let part = |container: &Value, half: &str, name: &str| {
        let value = at(container, &["resources", half, name]);
        value.as_str().filter(|value| *value != "0").map(str::to_owned)
    };
    let names = ["cpu", "memory"];
    let any = containers.iter().any(|container| {
        names.iter().any(|name| {
            part(container, "limits", name).is_some() || part(container, "requests", name).is_some()
        })
    });
    let all = containers.iter().all(|container| {
        names.iter().all(|name| {
            let limit = part(container, "limits", name);
            limit.is_some() && limit == part(container, "requests", name)
        })
    });
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// Keeps what only the system sets on a pod.
pub(super) fn before_update(live: &Value, candidate: &mut Value) {
    for field in ["serviceAccount", "serviceAccountName", "priority", "preemptionPolicy"] {
        if at(candidate, &["spec", field]).is_null() {
            copy(candidate, live, &["spec", field]);
        }
    }
    tolerate(candidate);
}

/// Nothing is put on a node that has not reported yet.
pub(super) fn taint_node(node: &mut Value) {
    let not_ready = json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]);
    fill(node, &["spec", "taints"], not_ready);
}
