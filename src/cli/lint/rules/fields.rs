//! Rules about fields without effect, or with an unexpected effect.

use serde_json::{Value, json};

use super::subject::{BLUE_GREEN, CANARY, Subject};
use crate::cli::lint::finding::Remark;
use crate::cli::lint::rule::{Rule, Severity};
use serin_core::api::{BlueGreenStrategy, CanaryStrategy, IntOrString, keys};
use serin_core::domain::pause::Promotion;
use serin_core::traffic::nginx::{DEFAULT_ANNOTATION_PREFIX, annotation_key};

pub(super) static PERCENT_WITHOUT_SIGN: Rule = Rule {
    id: "percent-without-sign",
    severity: Severity::Warning,
    summary: "maxSurge or maxUnavailable as a number in quotes",
    why: "A string is a percentage even without %: \"1\" is one hundredth of the replicas, not one pod.",
};

pub(super) fn percent_without_sign(subject: &Subject<'_>) -> Vec<Remark> {
    let strategy = &subject.rollout.spec.strategy;
    let canary = strategy.canary.iter().flat_map(|canary| {
        [(CANARY, "maxSurge", &canary.max_surge), (CANARY, "maxUnavailable", &canary.max_unavailable)]
    });
    let blue_green =
        strategy.blue_green.iter().map(|one| (BLUE_GREEN, "maxUnavailable", &one.max_unavailable));
    canary
        .chain(blue_green)
        .filter_map(|(path, field, limit)| match limit {
            Some(IntOrString::String(text)) if text.parse::<i32>().is_ok() => {
                let problem = format!("means {text} %, not {text} pods");
                let remedy = format!("write {text}% or {text}, whichever is intended");
                Some(Remark::new(format!("{path}.{field}"), text.as_str(), problem, remedy))
            }
            Some(_) | None => None,
        })
        .collect()
}

pub(super) static NO_EFFECT: Rule = Rule {
    id: "no-effect",
    severity: Severity::Warning,
    summary: "a field that other fields make ineffective",
    why: "Its author expects something that will not happen.",
};

pub(super) fn no_effect(subject: &Subject<'_>) -> Vec<Remark> {
    let spec = &subject.rollout.spec;
    let mut all = Vec::new();
    if let Some(canary) = &spec.strategy.canary {
        all.extend(idle_in_canary(canary));
        all.extend(overwritten_annotations(canary));
    }
    if let Some(blue_green) = &spec.strategy.blue_green {
        all.extend(idle_in_blue_green(blue_green));
    }
    let kept = spec.history_limit();
    if let Some(window) = spec.rollback_window.as_ref().filter(|window| window.revisions > kept) {
        let problem = format!("only {kept} old revisions are kept, so the window is never full");
        let remedy = "raise spec.revisionHistoryLimit";
        all.push(Remark::new("spec.rollbackWindow.revisions", window.revisions, problem, remedy));
    }
    all
}

fn idle_in_canary(canary: &CanaryStrategy) -> Vec<Remark> {
    let is_routed = canary.is_routed();
    let needs_router = [
        ("minPodsPerReplicaSet", json!(canary.min_pods_per_replica_set)),
        ("abortScaleDownDelaySeconds", json!(canary.abort_scale_down_delay_seconds)),
        ("scaleDownDelayRevisionLimit", json!(canary.scale_down_delay_revision_limit)),
    ];
    let needs_none = [("maxSurge", json!(canary.max_surge))];
    let (fields, why): (&[(&str, Value)], _) = if is_routed {
        (&needs_none, "has no effect with trafficRouting")
    } else {
        (&needs_router, "has no effect without trafficRouting")
    };
    let set = fields.iter().filter(|(_, value)| !value.is_null());
    set.map(|(field, value)| Remark::new(format!("{CANARY}.{field}"), value.clone(), why, "remove it"))
        .collect()
}

/// Annotations of the canary Ingress that the controller writes.
fn overwritten_annotations(canary: &CanaryStrategy) -> Vec<Remark> {
    let Some(nginx) = canary.traffic_routing.as_ref().and_then(|routing| routing.nginx.as_ref()) else {
        return Vec::new();
    };
    let prefix = nginx.annotation_prefix.as_deref().unwrap_or(DEFAULT_ANNOTATION_PREFIX);
    let path = format!("{CANARY}.trafficRouting.nginx");
    let additional = nginx.additional_ingress_annotations.iter().map(|(key, value)| {
        let full = annotation_key(prefix, key).unwrap_or_default();
        (format!("{path}.additionalIngressAnnotations.{key}"), full, value)
    });
    let verbatim = nginx.canary_ingress_annotations.iter();
    let verbatim =
        verbatim.map(|(key, value)| (format!("{path}.canaryIngressAnnotations.{key}"), key.clone(), value));
    let own = |(path, key, value): (String, String, &String)| {
        let name = key.strip_prefix(prefix)?.strip_prefix('/')?;
        let (problem, remedy) = match name {
            "canary" | "canary-weight" => {
                ("has no effect: the controller writes this annotation", "remove it")
            }
            "canary-weight-total" => (
                "changes the meaning of weights without the controller's knowledge",
                "set maxTrafficWeight instead",
            ),
            _ => return None,
        };
        Some(Remark::new(path, value.as_str(), problem, remedy))
    };
    additional.chain(verbatim).filter_map(own).collect()
}

fn idle_in_blue_green(strategy: &BlueGreenStrategy) -> Option<Remark> {
    let seconds = strategy.auto_promotion_seconds;
    (seconds > 0 && Promotion::of(strategy) == Promotion::ByUser).then(|| {
        let problem = "has no effect with autoPromotionEnabled: false, which waits until a user promotes";
        let remedy = "remove one of the two";
        Remark::new(format!("{BLUE_GREEN}.autoPromotionSeconds"), seconds, problem, remedy)
    })
}

pub(super) static REPLICAS_AND_AUTOSCALER: Rule = Rule {
    id: "replicas-and-autoscaler",
    severity: Severity::Warning,
    summary: "spec.replicas together with an autoscaler of the Rollout",
    why: "Each apply of the manifest resets the Rollout to that size, regardless of the load.",
};

pub(super) fn replicas_and_autoscaler(subject: &Subject<'_>) -> Vec<Remark> {
    let (Some(replicas), Some((autoscaler, _))) = (subject.rollout.spec.replicas, subject.autoscaler())
    else {
        return Vec::new();
    };
    let problem = format!("the autoscaler {autoscaler:?} also sets the number of replicas");
    let remedy = "remove it; a running Rollout keeps its size";
    vec![Remark::new("spec.replicas", replicas, problem, remedy)]
}

pub(super) static BEGINS_WITH_ONE_POD: Rule = Rule {
    id: "begins-with-one-pod",
    severity: Severity::Note,
    summary: "no spec.replicas, and an autoscaler with a minimum of several pods",
    why: "A new Rollout starts with 1 pod until the autoscaler scales it. A running Rollout keeps its size.",
};

pub(super) fn begins_with_one_pod(subject: &Subject<'_>) -> Vec<Remark> {
    let spec = &subject.rollout.spec;
    let Some((name, autoscaler)) = subject.autoscaler().filter(|(_, autoscaler)| autoscaler.least > 1) else {
        return Vec::new();
    };
    // The replicas of a workload are its size.
    if spec.replicas.is_some() || spec.workload_ref.is_some() {
        return Vec::new();
    }
    let least = autoscaler.least;
    vec![Remark {
        field: "spec.replicas".to_owned(),
        value: String::new(),
        problem: format!(
            "is not set: a new Rollout starts with 1 pod, until the autoscaler {name:?} asks for {least}"
        ),
        remedy: format!(
            "if 1 pod is not enough, create the Rollout with replicas: {least} and remove the field later"
        ),
    }]
}

pub(super) static HASH_LABEL: Rule = Rule {
    id: "hash-label",
    severity: Severity::Warning,
    summary: "the label rollouts-pod-template-hash in a manifest",
    why: "The controller writes it into Services and pods. A value in a manifest, usually copied from a \
          live object, points a Service at one revision on each apply, and gives all revisions the same \
          hash.",
};

pub(super) fn hash_label(subject: &Subject<'_>) -> Vec<Remark> {
    let spec = &subject.rollout.spec;
    let key = keys::POD_HASH_LABEL;
    let labels = spec.template.labels();
    let selected = spec.selector.as_ref().and_then(|selector| selector.match_labels.as_ref()?.get(key));
    let mut all = Vec::new();
    for (path, value) in [
        (format!("spec.template.metadata.labels.{key}"), labels.get(key).copied()),
        (format!("spec.selector.matchLabels.{key}"), selected.map(String::as_str)),
    ] {
        all.extend(
            value.map(|value| Remark::new(path, value, "the controller sets this label", "remove it")),
        );
    }
    let views = subject.services();
    for (field, name) in service_fields(subject) {
        let hash =
            views.get(name).filter(|_| !subject.world.is_complete).and_then(|view| view.selected_hash());
        all.extend(hash.map(|hash| {
            let problem =
                format!("the manifest of the Service selects {key}={hash}, which the controller writes");
            Remark::new(field, name, problem, "remove that line from the manifest of the Service")
        }));
    }
    all
}

/// The fields that name Services, and their values.
pub(super) fn service_fields<'s>(subject: &Subject<'s>) -> Vec<(String, &'s str)> {
    let strategy = &subject.rollout.spec.strategy;
    let canary = strategy.canary.iter().flat_map(|one| {
        [("canaryService", one.canary_service.as_deref()), ("stableService", one.stable_service.as_deref())]
    });
    let canary = canary.map(|(field, name)| (format!("{CANARY}.{field}"), name));
    let blue_green = strategy.blue_green.iter().flat_map(|one| {
        [
            ("activeService", Some(one.active_service.as_str())),
            ("previewService", one.preview_service.as_deref()),
        ]
    });
    let blue_green = blue_green.map(|(field, name)| (format!("{BLUE_GREEN}.{field}"), name));
    canary.chain(blue_green).filter_map(|(field, name)| Some((field, name?))).collect()
}
