//! What the reference says where the controller finds a mistake.

use serde_json::{Value, json};

use crate::api::{CanaryStep, Rollout};
use crate::rollout::validate::SpecError;

/// How a mistake is told.
struct Words {
    /// The end of the path, without the numbers of items.
    field: &'static str,
    /// How the problem begins in our words.
    ours: &'static str,
    /// What stands in the place of `field` in the reference's path; empty where it is the same.
    theirs: &'static str,
    /// What follows the path; `{v}` stands for the value.
    body: &'static str,
}

const fn words(field: &'static str, ours: &'static str, theirs: &'static str, body: &'static str) -> Words {
    Words { field, ours, theirs, body }
}

/// The first that fits counts.
const TABLE: [Words; 47] = [
    words("spec.replicas", "must be 0 or more", "", "Invalid value: {v}: must be greater than or equal to 0"),
    words(
        "spec.minReadySeconds",
        "must be 0 or more",
        "",
        "Invalid value: {v}: must be greater than or equal to 0",
    ),
    words(
        "spec.revisionHistoryLimit",
        "must be 0 or more",
        "",
        "Invalid value: {v}: must be greater than or equal to 0",
    ),
    words(
        "progressDeadlineSeconds",
        "must be greater",
        "",
        "Invalid value: {v}: must be greater than minReadySeconds",
    ),
    words(
        "spec.selector",
        "an empty selector",
        "",
        "Invalid value: {}: empty selector is invalid for deployment",
    ),
    words("spec.selector", "name labels", "", "Required value: Rollout has missing field '.spec.selector'"),
    words(
        "matchExpressions[].operator",
        "must be one of",
        "",
        "Invalid value: {v}: not a valid selector operator",
    ),
    words(
        "matchExpressions[].values",
        "the operators In",
        "",
        "Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ),
    words(
        "matchExpressions[].values",
        "the operators Exists",
        "",
        "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    ),
    words(
        "activeService",
        "",
        "",
        "Invalid value: {v}: This rollout uses the same service for the active and preview services, but two different services are required.",
    ),
    words(
        "preferredDuringSchedulingIgnoredDuringExecution.weight",
        "must be between",
        "weight",
        "Invalid value: {v}: AntiAffinity weight must be between 1-100",
    ),
    words(
        "scaleDownDelayRevisionLimit",
        "must not be greater",
        "",
        "Invalid value: {v}: This rollout's revision history limit can not be smaller than the rollout's scale down limit",
    ),
    words(
        "stableService",
        "is also",
        "",
        "Invalid value: {v}: This rollout uses the same service for the stable and canary services, but two different services are required.",
    ),
    words(
        "stableService",
        "trafficRouting",
        "",
        "Invalid value: \"\": Canary service and Stable service must to be set to use Traffic Routing",
    ),
    words(
        "canaryService",
        "trafficRouting",
        "",
        "Invalid value: \"\": Canary service and Stable service must to be set to use Traffic Routing",
    ),
    words(
        "maxSurge",
        "maxSurge and maxUnavailable",
        "",
        "Invalid value: {v}: MaxSurge and MaxUnavailable both can not be zero",
    ),
    words(
        "dynamicStableScale",
        "can only",
        "",
        "Invalid value: {v}: Canary dynamicStableScale can only be used with traffic routing",
    ),
    words(
        "scaleDownDelaySeconds",
        "can only",
        "",
        "Invalid value: {v}: Canary scaleDownDelaySeconds can only be used with traffic routing",
    ),
    words(
        "scaleDownDelaySeconds",
        "cannot be used",
        "",
        "Invalid value: {v}: Canary dynamicStableScale cannot be used with scaleDownDelaySeconds",
    ),
    words(
        "pingPong.pingService",
        "pingPong needs",
        "",
        "Invalid value: \"\": Ping service and Pong service must to be set to use Ping-Pong feature",
    ),
    words(
        "pingPong.pongService",
        "pingPong needs",
        "",
        "Invalid value: \"\": Ping service and Pong service must to be set to use Ping-Pong feature",
    ),
    words(
        "pingPong.pingService",
        "is also",
        "",
        "Invalid value: {v}: This rollout uses the same service for the ping and pong services, but two different services are required.",
    ),
    words(
        "pingPong",
        "works with",
        "trafficRouting.alb",
        "Invalid value: null: Ping-pong feature works with the ALB and Istio traffic routers only",
    ),
    words(
        "trafficRouting",
        "setCanaryScale",
        "",
        "Required value: SetCanaryScale requires TrafficRouting to be set",
    ),
    words("pause.duration", "must be seconds", "", "Invalid value: {v}: Duration needs to be greater than 0"),
    words(
        "setMirrorRoute",
        "mirror routes",
        "",
        "Invalid value: {v}: SetMirrorRoute requires TrafficRouting, supports Istio only",
    ),
    words(
        "setHeaderRoute",
        "header routes",
        "",
        "Invalid value: {v}: SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix",
    ),
    words(
        "managedRoutes",
        "must list",
        "",
        "Required value: Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'",
    ),
    words(
        "name",
        "must be one of trafficRouting.managedRoutes",
        "",
        "Invalid value: {v}: Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes",
    ),
    words(
        "spec.strategy",
        "a Rollout has one",
        "spec.strategy.strategy",
        "Invalid value: \"blueGreen: true canary: true\": Multiple Strategies can not be listed",
    ),
    words(
        "spec.strategy",
        "set one of",
        "spec.strategy.strategy",
        "Required value: Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'",
    ),
    words(
        "template.metadata.labels",
        "spec.selector does not",
        "",
        "Invalid value: {v}: `selector` does not match template `labels`",
    ),
    words(
        "template.metadata.labels",
        "must be at most",
        "template.labels",
        "Invalid value: {v}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ),
    words(
        "activeDeadlineSeconds",
        "pods of a Rollout",
        "",
        "Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported",
    ),
    words("containers", "a pod needs", "", "Required value"),
    words("containers[].image", "a container needs", "", "Required value"),
    words(
        "containers[].name",
        "must be at most 63 lower",
        "",
        "Invalid value: {v}: a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ),
    words("volumeMounts[].name", "there is no volume", "", "Not found: {v}"),
    words("containers[].name", "is used more", "", "Duplicate value: {v}"),
    words("restartPolicy", "pods of a Rollout", "", "Unsupported value: {v}: supported values: \"Always\""),
    words(
        "spec.template",
        "must be empty",
        "",
        "Internal error: template must be empty for workload reference rollout",
    ),
    words(
        "antiAffinity",
        "must have exactly",
        "",
        "Invalid value: \"antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: {both} antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: {both}\": AntiAffinity must have exactly one strategy listed",
    ),
    words("weight", "the weight of an experiment", "", "Invalid value: {v}: {experiment}"),
    words(
        "setWeight",
        "must be between",
        "",
        "Invalid value: {v}: SetWeight needs to be between 0 and {full}",
    ),
    words(
        "maxTrafficWeight",
        "works with",
        "",
        "Invalid value: {v}: MaxTrafficWeight is only supported for Nginx and Plugins",
    ),
    words(
        "steps[]",
        "a step ",
        "",
        "Invalid value: {kinds}: Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause",
    ),
    words(
        "Service",
        "the Service is managed",
        "",
        "Invalid value: {v}: Service {v} is managed by another Rollout",
    ),
];

/// The errors that the reference gives for these mistakes.
pub(super) fn all(errors: &[SpecError], rollout: &Rollout) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for error in errors {
        for said in told_of(error, rollout) {
            if !told.contains(&said) {
                told.push(said);
            }
        }
    }
    told
}

fn told_of(error: &SpecError, rollout: &Rollout) -> Vec<String> {
    let Some(words) = TABLE.iter().find(|words| words.fit(error)) else { return vec![in_our_words(error)] };
    let path = words.path(&error.path);
    let mut told = Vec::new();
    if words.field == "progressDeadlineSeconds" && error.value.starts_with('-') {
        told.push(format!("{path}: Invalid value: {}: must be greater than or equal to 0", error.value));
    }
    told.push(format!("{path}: {}", words.filled(error, rollout)));
    told.extend(consequence(error, words, rollout));
    told
}

/// One that the reference has no words for, or none that are known.
fn in_our_words(error: &SpecError) -> String {
    let asked =
        error.problem.strip_prefix("the Service selects pods with ").and_then(|rest| rest.split_once('='));
    if let Some((label, _)) = asked {
        let (path, value) = (&error.path, &error.value);
        return format!(
            "{path}: Invalid value: {value}: Service {value} has unmatch label {label:?} in rollout"
        );
    }
    let is_not_found = error.problem.ends_with(" not found") || error.problem.contains("has no rules using");
    if is_not_found {
        SpecError { remedy: String::new(), ..error.clone() }.to_string()
    } else {
        error.to_string()
    }
}

/// What the reference says beside it.
fn consequence(error: &SpecError, words: &Words, rollout: &Rollout) -> Option<String> {
    let spec = &rollout.spec;
    if words.field.starts_with("matchExpressions") {
        let selector = json!(spec.selector);
        return Some(format!("spec.selector: Invalid value: {selector}: invalid label selector"));
    }
    if words.field == "spec.selector" && error.value.is_empty() {
        let labels = labels(rollout);
        return Some(format!(
            "spec.template.metadata.labels: Invalid value: {labels}: `selector` does not match template `labels`"
        ));
    }
    let routing = spec.strategy.canary.as_ref()?.traffic_routing.as_ref()?;
    let is_route = matches!(words.field, "setHeaderRoute" | "setMirrorRoute");
    (is_route && routing.managed_routes.is_empty()).then(|| {
        let missing = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'";
        format!("spec.strategy.trafficRouting.managedRoutes: Required value: {missing}")
    })
}

impl Words {
    fn fit(&self, error: &SpecError) -> bool {
        let is_end = |rest: &str| rest.is_empty() || rest.ends_with('.');
        let path = unnumbered(&error.path);
        path.strip_suffix(self.field).is_some_and(is_end) && error.problem.starts_with(self.ours)
    }

    /// The path that the reference gives, which leaves out the name of the strategy.
    fn path(&self, ours: &str) -> String {
        let ours = ours.replace("spec.strategy.canary.", "spec.strategy.");
        let ours = ours.replace("spec.strategy.blueGreen.", "spec.strategy.");
        match ours.strip_suffix(self.field) {
            Some(rest) if !self.theirs.is_empty() => format!("{rest}{}", self.theirs),
            Some(_) | None => ours,
        }
    }

    fn filled(&self, error: &SpecError, rollout: &Rollout) -> String {
        let canary = rollout.spec.strategy.canary.as_ref();
        let routing = canary.and_then(|canary| canary.traffic_routing.as_ref());
        let full = routing.and_then(|routing| routing.max_traffic_weight).unwrap_or(100);
        let experiment = match routing {
            None => "Experiment template weight cannot be set unless TrafficRouting is enabled",
            Some(_) => {
                "Experiment template weight is only available for TrafficRouting with SMI, ALB, Istio and Plugins at this time"
            }
        };
        let step = canary.and_then(|canary| canary.steps.get(index(&error.path)?));
        let kinds = step.map(kinds).unwrap_or_default();
        self.body
            .replace("{v}", &self.value(error, rollout, step))
            .replace("{full}", &full.to_string())
            .replace("{experiment}", experiment)
            .replace("{kinds}", &kinds)
            .replace("{both}", if error.value == "\"{}\"" { "false" } else { "true" })
    }

    fn value(&self, error: &SpecError, rollout: &Rollout, step: Option<&CanaryStep>) -> String {
        match self.field {
            "template.metadata.labels" if error.value.starts_with('{') => labels(rollout).to_string(),
            "setHeaderRoute" => step.map(|step| text(&step.set_header_route)).unwrap_or_default(),
            "setMirrorRoute" => step.map(|step| text(&step.set_mirror_route)).unwrap_or_default(),
            // A duration that is none counts as -1 second.
            "pause.duration" => {
                let seconds = error.value.trim_matches('"').trim_end_matches('s').parse::<i32>();
                seconds.unwrap_or(-1).to_string()
            }
            _ if error.value.is_empty() => "\"\"".to_owned(),
            _ => error.value.clone(),
        }
    }
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn labels(rollout: &Rollout) -> Value {
    let labels = rollout.spec.template.labels();
    if labels.is_empty() { Value::Null } else { json!(labels) }
}

/// Which of its kinds a step has, as the reference writes it: four of them, or all where there is none to blame.
fn kinds(step: &CanaryStep) -> String {
    let four = format!(
        "step.Experiment: {} step.Pause: {} step.SetWeight: {} step.Analysis: {}",
        step.experiment.is_some(),
        step.pause.is_some(),
        step.set_weight.is_some(),
        step.analysis.is_some()
    );
    if step.kind().is_some() {
        return json!(four).to_string();
    }
    let names = [
        "Experiment",
        "Pause",
        "SetWeight",
        "Analysis",
        "SetCanaryScale",
        "SetHeaderRoute",
        "SetMirrorRoute",
        "Plugin",
    ];
    json!(names.map(|name| format!("step.{name}: true")).join(" ")).to_string()
}

/// A path without the numbers of items.
fn unnumbered(path: &str) -> String {
    path.split('[').enumerate().fold(String::new(), |all, (place, part)| {
        let rest = part.split_once(']').map_or(part, |(_, rest)| rest);
        if place == 0 { part.to_owned() } else { format!("{all}[]{rest}") }
    })
}

/// The number of the step that a path names.
fn index(path: &str) -> Option<usize> {
    let (_, rest) = path.split_once("steps[")?;
    rest.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rollout::validate::validate;

    /// How many recorded Rollouts get other errors than the recorded ones, by why that is.
    const DIFFERENT: [(&str, usize); 2] =
        [("matches of a mirror without a router are not told", 2), ("more is refused", 7)];

    #[test]
    fn the_recorded_errors_are_told() {
        let lines = include_str!("../../../../tests/vectors/validation.jsonl").lines();
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let (mut same, mut different) = (0, BTreeMap::new());
        for line in lines.filter(|line| line["errors"].is_array()) {
            let theirs: Vec<String> = serde_json::from_value(line["errors"].clone()).expect("texts");
            let Ok(rollout) = serde_json::from_value::<Rollout>(line["rollout"].clone()) else { continue };
            let errors = validate(&rollout).expect_err("the reference refuses it, too");
            let errors: Vec<SpecError> = errors.iter().cloned().collect();
            let ours = all(&errors, &rollout);
            if ours == theirs {
                same += 1;
                continue;
            }
            let why = if theirs.iter().any(|error| error.contains("StringMatch")) {
                "matches of a mirror without a router are not told"
            } else if theirs.iter().all(|error| ours.contains(error)) {
                "more is refused"
            } else {
                "unknown"
            };
            if why == "unknown" {
                println!("{theirs:#?}\n{ours:#?}");
            }
            *different.entry(why).or_insert(0) += 1;
        }
        assert_eq!(different, BTreeMap::from(DIFFERENT));
        assert_eq!(same, 152, "and as many are the same");
    }
}
