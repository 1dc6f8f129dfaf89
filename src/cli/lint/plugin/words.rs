//! The reference's messages for mistakes that the controller finds.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Value, json};

use serin_core::api::{CanaryStep, CanaryStrategy, Rollout};
use serin_core::domain::weight::WEIGHT_MAX_DEFAULT;
use serin_core::rollout::validate::{Relation, SpecError};

/// The form of a message; see the head of `words.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    field: String,
    #[serde(default)]
    ours: String,
    theirs: Option<String>,
    says: String,
}

static TABLE: LazyLock<Vec<Words>> = LazyLock::new(|| {
    // The text is built in. The tests below fail if it is invalid.
    serde_yaml::from_str(include_str!("words.yaml")).unwrap_or_default()
});

/// The reference's errors for these mistakes.
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

/// The message for a mistake about another object, or for one that the reference does not check.
fn in_our_words(error: &SpecError) -> String {
    let SpecError { path, value, problem, relation, .. } = error;
    let said = match relation {
        Relation::None => return error.to_string(),
        Relation::Missing | Relation::NoRule => problem.clone(),
        Relation::Foreign => format!("Service {value} is managed by another Rollout"),
        Relation::Label(label) => format!("Service {value} has unmatch label {label:?} in rollout"),
    };
    format!("{path}: Invalid value: {value}: {said}")
}

/// Errors that the reference adds to this one.
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
    let is_route = matches!(words.field.as_str(), "setHeaderRoute" | "setMirrorRoute");
    (is_route && routing.managed_routes.is_empty()).then(|| {
        let missing = "Rollout has missing field 'spec.strategy.canary.trafficRouting.managedRoutes'";
        format!("spec.strategy.trafficRouting.managedRoutes: Required value: {missing}")
    })
}

impl Words {
    fn fit(&self, error: &SpecError) -> bool {
        let is_end = |rest: &str| rest.is_empty() || rest.ends_with('.');
        let path = unnumbered(&error.path);
        path.strip_suffix(&self.field).is_some_and(is_end) && error.problem.starts_with(&self.ours)
    }

    /// The reference's path, which omits the name of the strategy.
    fn path(&self, ours: &str) -> String {
        let ours = ours.replace("spec.strategy.canary.", "spec.strategy.");
        let ours = ours.replace("spec.strategy.blueGreen.", "spec.strategy.");
        match (ours.strip_suffix(&self.field), &self.theirs) {
            (Some(_), Some(theirs)) if theirs.starts_with("spec.") => theirs.clone(),
            (Some(rest), Some(theirs)) => format!("{rest}{theirs}"),
            (Some(_) | None, _) => ours,
        }
    }

    fn filled(&self, error: &SpecError, rollout: &Rollout) -> String {
        let canary = rollout.spec.strategy.canary.as_ref();
        let full = canary.map_or(WEIGHT_MAX_DEFAULT, CanaryStrategy::total_weight);
        let experiment = if canary.is_some_and(CanaryStrategy::is_routed) {
            "Experiment template weight is only available for TrafficRouting with SMI, ALB, Istio and Plugins at this time"
        } else {
            "Experiment template weight cannot be set unless TrafficRouting is enabled"
        };
        let step = canary.and_then(|canary| canary.steps.get(index(&error.path)?));
        let kinds = step.map(kinds).unwrap_or_default();
        self.says
            .replace("{v}", &self.value(error, rollout, step))
            .replace("{full}", &full.to_string())
            .replace("{experiment}", experiment)
            .replace("{kinds}", &kinds)
            .replace("{both}", if error.value == "\"{}\"" { "false" } else { "true" })
    }

    fn value(&self, error: &SpecError, rollout: &Rollout, step: Option<&CanaryStep>) -> String {
        match self.field.as_str() {
            "template.metadata.labels" if error.value.starts_with('{') => labels(rollout).to_string(),
            "setHeaderRoute" => step.map(|step| text(&step.set_header_route)).unwrap_or_default(),
            "setMirrorRoute" => step.map(|step| text(&step.set_mirror_route)).unwrap_or_default(),
            // An invalid duration counts as -1 second.
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

/// The kinds of a step, as the reference prints them: four of them, or all if the step has none of the four.
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

/// A path without list indexes.
fn unnumbered(path: &str) -> String {
    path.split('[').enumerate().fold(String::new(), |all, (place, part)| {
        let rest = part.split_once(']').map_or(part, |(_, rest)| rest);
        if place == 0 { part.to_owned() } else { format!("{all}[]{rest}") }
    })
}

/// The step index in a path.
fn index(path: &str) -> Option<usize> {
    let (_, rest) = path.split_once("steps[")?;
    rest.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use serin_core::rollout::validate::validate;

    /// The numbers of recorded Rollouts with other errors than the reference's, by reason.
    const DIFFERENT: [(&str, usize); 2] =
        [("matches of a mirror without a router are not told", 2), ("more is refused", 7)];

    #[test]
    fn errors_about_other_objects_are_told() {
        let path = "spec.strategy.canary.stableService";
        for (relation, problem, said) in [
            (Relation::Missing, "service \"a\" not found", "service \"a\" not found"),
            (
                Relation::Label("b".to_owned()),
                "the Service selects pods with b=c, but that label",
                "Service \"a\" has unmatch label \"b\" in rollout",
            ),
            (
                Relation::Foreign,
                "the Service is managed by another Rollout, \"d\"",
                "Service \"a\" is managed by another Rollout",
            ),
            (
                Relation::NoRule,
                "ingress `a` has no rules using service b backend",
                "ingress `a` has no rules using service b backend",
            ),
            (Relation::None, "is new", "is new; change it"),
        ] {
            let error = SpecError {
                path: path.to_owned(),
                value: "\"a\"".to_owned(),
                problem: problem.to_owned(),
                remedy: "change it".to_owned(),
                relation,
            };
            let expected = format!("{path}: Invalid value: \"a\": {said}");
            assert_eq!(all(&[error], &Rollout::default()), [expected]);
        }
    }

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
