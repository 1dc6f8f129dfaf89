//! What is wrong with the specification of a pod, or with a change of it.

use serde_json::{Map, Value};

use super::super::super::codec::quantity;
use super::super::super::names::label_value_faults;
use super::super::super::status::Cause;
use super::super::super::store::object::{at, items, text};
use super::super::metadata::check_labels;
use super::super::refuse::{duplicate, missing, not_allowed, required, unsupported, wrong};
use super::forms;
use serin_values::quantity::Quantity;

const CHANGES: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
    `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
    tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
const SPACED: &str = "must not have leading or trailing whitespace";

/// What is wrong with the specification at `field`.
pub(super) fn spec(field: &str, spec: &Value) -> Vec<Cause> {
    let (mut causes, volumes) = volumes(&format!("{field}.volumes"), items(spec, &["volumes"]));
    causes.extend(containers(field, spec, &volumes));
    causes.extend(host_network(field, spec));
    causes.extend(forms::word(field, spec, "restartPolicy", &["Always", "OnFailure", "Never"]));
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    causes.extend(forms::word(field, spec, "dnsPolicy", &policies));
    causes.extend(check_labels(&format!("{field}.nodeSelector"), at(spec, &["nodeSelector"])));
    for (index, gate) in items(spec, &["readinessGates"]).iter().enumerate() {
        let here = format!("{field}.readinessGates[{index}].conditionType");
        causes.extend(forms::qualified_name(&here, text(gate, &["conditionType"])));
    }
    for (name, is_label) in
        [("serviceAccountName", false), ("nodeName", false), ("hostname", true), ("subdomain", true)]
    {
        let (value, here) = (text(spec, &[name]), format!("{field}.{name}"));
        if name == "hostname" {
            causes.extend(deadline(field, spec));
        }
        if !value.is_empty() {
            causes.extend(if is_label { forms::label(&here, value) } else { forms::subdomain(&here, value) });
        }
    }
    causes.extend(tolerations(&format!("{field}.tolerations"), items(spec, &["tolerations"])));
    causes
}

fn deadline(field: &str, spec: &Value) -> Option<Cause> {
    let seconds = at(spec, &["activeDeadlineSeconds"]);
    let is_wrong = seconds.as_i64().is_some_and(|number| !(1..=i64::from(i32::MAX)).contains(&number));
    let why = "must be between 1 and 2147483647, inclusive";
    is_wrong.then(|| wrong(format!("{field}.activeDeadlineSeconds"), seconds, why))
}

/// What is wrong with volumes, and the names of those that are right.
fn volumes<'a>(field: &str, volumes: &'a [Value]) -> (Vec<Cause>, Vec<&'a str>) {
    let (mut causes, mut names) = (Vec::new(), Vec::new());
    for (index, volume) in volumes.iter().enumerate() {
        let here = format!("{field}[{index}].name");
        let name = text(volume, &["name"]);
        let mut faults =
            if name.is_empty() { vec![required(here.clone(), "")] } else { forms::label(&here, name) };
        if names.contains(&name) {
            faults.push(duplicate(here, name));
        }
        if faults.is_empty() {
            names.push(name);
        }
        causes.extend(faults);
    }
    (causes, names)
}

fn containers(field: &str, spec: &Value, volumes: &[&str]) -> Vec<Cause> {
    let regular = items(spec, &["containers"]);
    if regular.is_empty() {
        return vec![required(format!("{field}.containers"), "")];
    }
    let mut causes = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for (kind, list) in [("containers", regular), ("initContainers", items(spec, &["initContainers"]))] {
        for (index, one) in list.iter().enumerate() {
            let here = format!("{field}.{kind}[{index}]");
            causes.extend(container(&here, one, volumes));
            let name = text(one, &["name"]);
            if names.contains(&name) {
                causes.push(duplicate(format!("{here}.name"), name));
            }
            names.push(name);
            if kind == "containers" || text(one, &["restartPolicy"]) == "Always" {
                causes.extend(hooks_and_probes(&here, one));
            } else {
                causes.extend(no_hooks_and_probes(&here, one));
            }
        }
    }
    causes
}

fn container(field: &str, container: &Value, volumes: &[&str]) -> Vec<Cause> {
    let mut causes = match text(container, &["name"]) {
        "" => vec![required(format!("{field}.name"), "")],
        name => forms::label(&format!("{field}.name"), name),
    };
    if text(container, &["image"]).is_empty() {
        causes.push(required(format!("{field}.image"), ""));
    }
    let policies = ["File", "FallbackToLogsOnError"];
    causes.extend(forms::word(field, container, "terminationMessagePolicy", &policies));
    causes.extend(ports(&format!("{field}.ports"), items(container, &["ports"])));
    for (index, variable) in items(container, &["env"]).iter().enumerate() {
        causes.extend(variable_name(&format!("{field}.env[{index}].name"), text(variable, &["name"])));
    }
    causes.extend(mounts(&format!("{field}.volumeMounts"), items(container, &["volumeMounts"]), volumes));
    causes.extend(forms::word(field, container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"]));
    causes.extend(resources(&format!("{field}.resources"), at(container, &["resources"])));
    causes
}

fn ports(field: &str, ports: &[Value]) -> Vec<Cause> {
    let (mut causes, mut names) = (Vec::new(), Vec::new());
    for (index, port) in ports.iter().enumerate() {
        let here = format!("{field}[{index}]");
        let name = text(port, &["name"]);
        if !name.is_empty() {
            let faults = forms::port_name(&format!("{here}.name"), name);
            if faults.is_empty() && names.contains(&name) {
                causes.push(duplicate(format!("{here}.name"), name));
            }
            causes.extend(faults);
            names.push(name);
        }
        causes.extend(match at(port, &["containerPort"]).as_i64() {
            None | Some(0) => Some(required(format!("{here}.containerPort"), "")),
            Some(_) => forms::port_number(format!("{here}.containerPort"), at(port, &["containerPort"])),
        });
        if !at(port, &["hostPort"]).is_null() {
            causes.extend(forms::port_number(format!("{here}.hostPort"), at(port, &["hostPort"])));
        }
        causes.extend(forms::word(&here, port, "protocol", &["SCTP", "TCP", "UDP"]));
    }
    causes
}

/// A pod in the network of its node has the ports of its containers there; in a template they may be left out.
fn host_network(field: &str, spec: &Value) -> Vec<Cause> {
    if spec["hostNetwork"] != true {
        return Vec::new();
    }
    let mut causes = Vec::new();
    for (index, container) in items(spec, &["containers"]).iter().enumerate() {
        for (number, port) in items(container, &["ports"]).iter().enumerate() {
            let is_left_out = field != "spec" && at(port, &["hostPort"]).is_null();
            if !is_left_out && at(port, &["hostPort"]) != at(port, &["containerPort"]) {
                let here = format!("{field}.containers[{index}].ports[{number}].hostPort");
                let why = "must match `containerPort` when `hostNetwork` is true";
                causes.push(wrong(here, &at(port, &["hostPort"]).as_i64().unwrap_or(0).into(), why));
            }
        }
    }
    causes
}

fn variable_name(field: &str, name: &str) -> Option<Cause> {
    if name.is_empty() {
        return Some(required(field, ""));
    }
    let is_plain = name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=');
    let why =
        "a valid environment variable name must consist only of printable ASCII characters other than '='";
    (!is_plain).then(|| wrong(field, &name.into(), why))
}

fn mounts(field: &str, mounts: &[Value], volumes: &[&str]) -> Vec<Cause> {
    let (mut causes, mut paths) = (Vec::new(), Vec::new());
    for (index, mount) in mounts.iter().enumerate() {
        let here = format!("{field}[{index}]");
        let (name, path) = (text(mount, &["name"]), text(mount, &["mountPath"]));
        if name.is_empty() {
            causes.push(required(format!("{here}.name"), ""));
        }
        if !volumes.contains(&name) {
            causes.push(missing(format!("{here}.name"), name));
        }
        if path.is_empty() {
            causes.push(required(format!("{here}.mountPath"), ""));
        }
        if paths.contains(&path) {
            causes.push(wrong(format!("{here}.mountPath"), &path.into(), "must be unique"));
        }
        paths.push(path);
    }
    causes
}

/// What a container may ask for, in the order that messages name it.
const RESOURCES: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];

fn resources(field: &str, resources: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let half = |half: &str| at(resources, &[half]).as_object().into_iter().flatten();
    for (name, amount) in half("limits") {
        causes.extend(amount_of(&format!("{field}.limits[{name}]"), name, amount));
    }
    for (name, amount) in half("requests") {
        causes.extend(amount_of(&format!("{field}.requests[{name}]"), name, amount));
        let limit = at(resources, &["limits", name]);
        if let (Ok(wanted), Ok(most)) = (quantity::read(amount), quantity::read(limit))
            && wanted > most
            && !limit.is_null()
        {
            let why = format!("must be less than or equal to {name} limit of {most}");
            causes.push(wrong(format!("{field}.requests"), amount, &why));
        }
    }
    causes
}

fn amount_of(field: &str, name: &str, amount: &Value) -> Vec<Cause> {
    let mut causes = forms::qualified_name(field, name);
    if causes.is_empty() && !name.contains('/') {
        let is_page = name.starts_with("hugepages-");
        if !RESOURCES.contains(&name) && !is_page {
            causes.push(wrong(field, &name.into(), "must be a standard resource type or fully qualified"));
            causes.push(wrong(field, &name.into(), "must be a standard resource for containers"));
        }
    }
    if quantity::read(amount).is_ok_and(Quantity::is_negative) {
        causes.push(wrong(field, amount, forms::NOT_NEGATIVE));
    }
    causes
}

fn hooks_and_probes(field: &str, container: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for hook in ["postStart", "preStop"] {
        if let Some(action) = container.pointer(&format!("/lifecycle/{hook}")) {
            causes.extend(action_of(&format!("{field}.lifecycle.{hook}"), action));
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get(name).filter(|probe| !probe.is_null()) else { continue };
        let here = format!("{field}.{name}");
        causes.extend(action_of(&here, probe));
        let numbers = [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ];
        causes.extend(
            numbers
                .iter()
                .filter_map(|number| forms::not_negative(format!("{here}.{number}"), at(probe, &[number]))),
        );
        let threshold = at(probe, &["successThreshold"]);
        if name != "readinessProbe" && threshold != 1 {
            causes.push(wrong(format!("{here}.successThreshold"), threshold, "must be 1"));
        }
    }
    causes
}

/// An init container that ends is not waited for otherwise.
fn no_hooks_and_probes(field: &str, container: &Value) -> Vec<Cause> {
    let names = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];
    let given = names.into_iter().filter(|name| !at(container, &[name]).is_null());
    let why = "may not be set for init containers without restartPolicy=Always";
    given.map(|name| not_allowed(format!("{field}.{name}"), why)).collect()
}

/// What a hook or a probe does: one thing.
fn action_of(field: &str, action: &Value) -> Vec<Cause> {
    let known = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    let given: Vec<&str> = known.into_iter().filter(|name| !at(action, &[name]).is_null()).collect();
    let Some((first, more)) = given.split_first() else {
        return vec![required(field, "must specify a handler type")];
    };
    let here = format!("{field}.{first}");
    let one = at(action, &[first]);
    let mut causes = match *first {
        "exec" if items(one, &["command"]).is_empty() => vec![required(format!("{here}.command"), "")],
        "httpGet" => {
            let mut causes = forms::port(&format!("{here}.port"), at(one, &["port"]));
            let scheme = text(one, &["scheme"]);
            if !["HTTP", "HTTPS"].contains(&scheme) {
                causes.push(unsupported(format!("{here}.scheme"), scheme, &["HTTP", "HTTPS"]));
            }
            causes
        }
        "tcpSocket" => forms::port(&format!("{here}.port"), at(one, &["port"])),
        "grpc" => forms::port_number(format!("{here}.port"), at(one, &["port"])).into_iter().collect(),
        _ => Vec::new(),
    };
    let why = "may not specify more than 1 handler type";
    causes.extend(more.iter().map(|name| not_allowed(format!("{field}.{name}"), why)));
    causes
}

fn tolerations(field: &str, tolerations: &[Value]) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, toleration) in tolerations.iter().enumerate() {
        let here = format!("{field}[{index}]");
        let part = |name: &str| text(toleration, &[name]);
        let (key, operator, value) = (part("key"), part("operator"), part("value"));
        if !key.is_empty() {
            causes.extend(forms::qualified_name(&format!("{here}.key"), key));
        }
        if key.is_empty() && operator != "Exists" {
            let why =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            causes.push(wrong(format!("{here}.operator"), &operator.into(), why));
        }
        if !at(toleration, &["tolerationSeconds"]).is_null() && part("effect") != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            causes.push(wrong(format!("{here}.effect"), &part("effect").into(), why));
        }
        let faults = label_value_faults(value);
        match operator {
            "" | "Equal" if !faults.is_empty() => {
                causes.push(wrong(format!("{here}.operator"), &value.into(), &faults.join(";")));
            }
            "Exists" if !value.is_empty() => {
                let why = "value must be empty when `operator` is 'Exists'";
                causes.push(wrong(format!("{here}.operator"), &value.into(), why));
            }
            _ => {}
        }
    }
    causes
}

/// What is wrong with a new pod, beside its specification.
pub(super) fn images(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for kind in ["containers", "initContainers"] {
        for (index, container) in items(object, &["spec", kind]).iter().enumerate() {
            let image = text(container, &["image"]);
            if image.trim() != image {
                causes.push(wrong(format!("spec.{kind}[{index}].image"), &image.into(), SPACED));
            }
        }
    }
    causes
}

/// What is wrong with the status of a pod.
pub(super) fn status(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, condition) in items(new, &["status", "conditions"]).iter().enumerate() {
        let kind = text(condition, &["type"]);
        if !["PodScheduled", "Ready", "Initialized"].contains(&kind) {
            causes.extend(forms::qualified_name(&format!("status.conditions[{index}].Type"), kind));
        }
    }
    causes.extend(forms::unchanged(&["status", "qosClass"], old, new));
    for (index, address) in items(new, &["status", "podIPs"]).iter().enumerate() {
        let field = format!("status.podIPs[{index}]");
        causes.extend(forms::address(&field, text(address, &["ip"])));
    }
    causes
}

/// A pod that runs keeps its specification, but for images and few more.
pub(super) fn change(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for kind in ["containers", "initContainers"] {
        let list = items(new, &["spec", kind]);
        if list.len() != items(old, &["spec", kind]).len() {
            let why = "pod updates may not add or remove containers";
            causes.push(not_allowed(format!("spec.{kind}"), why));
            return causes;
        }
        for (index, container) in list.iter().enumerate() {
            let (image, here) = (text(container, &["image"]), format!("spec.{kind}[{index}].image"));
            if image.is_empty() {
                causes.push(required(here.clone(), ""));
            }
            if image.trim() != image {
                causes.push(wrong(here, &image.into(), SPACED));
            }
        }
    }
    let (was, is) = (&old["spec"]["activeDeadlineSeconds"], &new["spec"]["activeDeadlineSeconds"]);
    let here = "spec.activeDeadlineSeconds";
    match (was.as_i64(), is.as_i64()) {
        (_, Some(is_seconds)) if !(0..=i64::from(i32::MAX)).contains(&is_seconds) => {
            causes.push(wrong(here, is, "must be between 0 and 2147483647, inclusive"));
            return causes;
        }
        (Some(was_seconds), Some(is_seconds)) if was_seconds < is_seconds => {
            causes.push(wrong(here, is, "must be less than or equal to previous value"));
            return causes;
        }
        (Some(_), None) => {
            causes.push(wrong(here, &Value::Null, "must not update from a positive integer to nil value"));
        }
        (Some(_) | None, _) => {}
    }
    causes.extend(tolerations_change(
        items(old, &["spec", "tolerations"]),
        items(new, &["spec", "tolerations"]),
    ));
    if fixed(old) != fixed(new) {
        causes.push(not_allowed("spec", CHANGES));
    }
    causes
}

/// Tolerations can be added, and last longer or shorter.
fn tolerations_change(old: &[Value], new: &[Value]) -> Vec<Cause> {
    let what = |toleration: &Value| {
        let mut what: Map<String, Value> = toleration.as_object().cloned().unwrap_or_default();
        what.remove("tolerationSeconds");
        what
    };
    if !old.iter().all(|old| new.iter().any(|new| what(new) == what(old))) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        return vec![not_allowed("spec.tolerations", why)];
    }
    tolerations("spec.tolerations", new)
}

/// What of a specification cannot be changed.
fn fixed(pod: &Value) -> Value {
    let mut spec = at(pod, &["spec"]).clone();
    for field in ["containers", "initContainers"] {
        for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                container.remove("image");
            }
        }
    }
    if let Some(spec) = spec.as_object_mut() {
        for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
            spec.remove(field);
        }
    }
    spec
}
