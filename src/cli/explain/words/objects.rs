//! Words for causes that need a controller, or a correction of an object.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::speaker::{Command, Speaker, Words, sentence};
use crate::cli::failure::Program;
use serin_core::api::keys;
use serin_insight::explain::{Controller, Mistake, Place, StrayLabel};

pub(super) fn unreadable(path: &str, problem: &str, speaker: Speaker<'_>) -> Words {
    Words::new(format!("The controller cannot read the Rollout: {path}: {}", sentence(problem)))
        .with(speaker.edit())
}

pub(super) fn spec(mistakes: &[Mistake], speaker: Speaker<'_>) -> Words {
    let listed = listed(mistakes);
    Words::new(format!("The spec is invalid. Updates stop until it is corrected.{listed}"))
        .with(speaker.edit())
}

pub(super) fn reference(mistakes: &[Mistake], place: &Place, speaker: Speaker<'_>) -> Words {
    let words = Words::new(format!(
        "An object that the Rollout references is missing or invalid. The Rollout continues once it is \
         corrected.{}",
        listed(mistakes)
    ));
    match place {
        Place::Rollout => words.with(speaker.edit()),
        Place::Object { kind, name } => words.with(speaker.edit_object(kind, name, "correct it")),
        Place::Rights => words,
    }
}

pub(super) fn no_workload(kind: &str, name: &str, speaker: Speaker<'_>) -> Words {
    Words::new(format!(
        "{kind} {name}, which spec.workloadRef references, does not exist. The Rollout continues once it \
         exists."
    ))
    .with(speaker.kubectl(
        "apply -f FILE",
        &format!(
            "create it from the file with its manifest ({kind} \
                                                     {name})"
        ),
    ))
    .with(speaker.rename("spec.workloadRef"))
}

pub(super) fn no_ingress(ingress: &str, service: &str, port: i64, speaker: Speaker<'_>) -> Words {
    let create = format!("create ingress {ingress} --class=nginx --rule='HOST/*={service}:{port}'");
    Words::new(format!("Ingress {ingress}, which the Rollout references, does not exist."))
        .with(speaker.kubectl(&create, "create it (insert your host, class and paths)"))
        .with(speaker.rename("spec.strategy.canary.trafficRouting.nginx"))
}

pub(super) fn stray_ingress(ingress: &str, service: &str, speaker: Speaker<'_>) -> Words {
    Words::new(format!("Ingress {ingress} has no rule for the stable Service {service}."))
        .with(speaker.edit_object(
            "Ingress",
            ingress,
            &format!("add a path with the backend Service {service}"),
        ))
        .with(speaker.rename("spec.strategy.canary.trafficRouting.nginx"))
}

pub(super) fn router(said: &str, speaker: Speaker<'_>) -> Words {
    Words::new(format!("The router cannot be configured: {}", sentence(said))).with(speaker.edit())
}

pub(super) fn guarded(said: &str) -> Words {
    Words::new(format!(
        "The controller holds back an unsafe plan: {} This is a bug in the controller; please report it.",
        sentence(said)
    ))
}

pub(super) fn refused(said: &str) -> Words {
    Words::new(format!(
        "{} Correct the cause that it names; the controller retries every 5 to 30 seconds.",
        sentence(said)
    ))
}

pub(super) fn deletion(finalizers: &[String]) -> Words {
    if finalizers.is_empty() {
        return Words::new("It is being deleted.");
    }
    Words::new(format!(
        "It is being deleted, and stays until these finalizers are gone: {}.",
        finalizers.join(", ")
    ))
}

pub(super) fn controller(
    generation: Option<i64>,
    controller: &Controller,
    instance: &str,
    speaker: Speaker<'_>,
) -> Words {
    let what = generation.map_or_else(
        || "No controller does the pending work".to_owned(),
        |generation| format!("No controller has observed generation {generation} of the Rollout yet"),
    );
    let run = speaker.given.own(Program::Serin, "controller");
    let start = format!("Start a controller (`{run}`, or the Deployment of deploy/).");
    match controller {
        Controller::Leads => Words::new(format!("{what}. A controller leads and should act within seconds.")),
        Controller::Unknown => Words::new(format!(
            "{what}, and Leases are not readable, so it is unknown if one runs. If this persists, make \
             sure that one runs."
        )),
        Controller::Gone { lease, holder, .. } if holder.is_empty() => {
            Words::new(format!("{what}: no controller holds Lease {lease}. {start}"))
        }
        Controller::Gone { lease, holder, .. } => Words::new(format!(
            "{what}: the last controller, {holder}, no longer renews Lease {lease}. {start}"
        )),
        Controller::Absent { lease, others } if instance.is_empty() || others.is_empty() => {
            let id =
                if instance.is_empty() { String::new() } else { format!(" with --instance-id {instance}") };
            let others = match others.as_slice() {
                [] => String::new(),
                others => format!(" (only {})", others.join(", ")),
            };
            Words::new(format!(
                "{what}: there is no Lease {lease} in any namespace{others}. No controller runs{id}, \
                 except possibly without leader election. {start}"
            ))
        }
        Controller::Absent { lease, others } => {
            let key = keys::INSTANCE_ID_LABEL;
            let unlabel = format!("label rollout {} {key}-", speaker.rollout);
            Words::new(format!(
                "{what}: its label {key} requires a controller with --instance-id {instance}, but there is \
                 no Lease {lease}. The running controllers hold {}.",
                others.join(", ")
            ))
            .with(speaker.kubectl(&unlabel, "assign it to the controller for Rollouts without the label"))
        }
    }
}

fn listed(mistakes: &[Mistake]) -> String {
    let line = |mistake: &Mistake| {
        let Mistake { path, value, problem } = mistake;
        let value = if value.is_empty() { "not set".to_owned() } else { value.clone() };
        format!("\n  {path} ({value}): {problem}")
    };
    mistakes.iter().map(line).collect::<Vec<_>>().concat()
}

pub(super) fn unbuilt(fields: &[(String, &'static str)], speaker: Speaker<'_>) -> Words {
    let lines: Vec<_> = fields.iter().map(|(path, what)| format!("\n  {path}: cannot {what}")).collect();
    let lines = lines.concat();
    Words::new(format!(
        "The spec uses features that this version does not support. Updates stop until you remove these \
         fields:{lines}"
    ))
    .with(speaker.edit())
}

pub(super) fn no_service(
    service: &str,
    labels: &BTreeMap<String, String>,
    port: i64,
    speaker: Speaker<'_>,
) -> Words {
    /// The selector that `kubectl create service` sets: its own name.
    const MADE: &str = "app";
    let create = format!("create service clusterip {service} --tcp=80:{port}");
    Words::new(format!("Service {service}, which the Rollout references, does not exist."))
        .with(speaker.kubectl(&create, "create it (insert your port)"))
        .with(select(service, labels, &[MADE], "make it select the pods", speaker))
}

/// The command that makes a Service select pods by `labels`, and drops the labels in `others`. Uses a merge patch,
/// which keeps the pod hash in the selector. Without the hash, other pods would receive requests at once.
fn select(
    service: &str,
    labels: &BTreeMap<String, String>,
    others: &[&str],
    to: &str,
    speaker: Speaker<'_>,
) -> Command {
    let others = others.iter().map(|key| ((*key).to_owned(), Value::Null));
    let mut selector: BTreeMap<String, Value> = others.collect();
    selector.extend(labels.iter().map(|(key, value)| (key.clone(), value.as_str().into())));
    let patch = json!({"spec": {"selector": selector}});
    speaker.kubectl(&format!("patch service {service} --type merge -p '{patch}'"), to)
}

pub(super) fn stray_service(
    service: &str,
    strays: &[StrayLabel],
    labels: &BTreeMap<String, String>,
    speaker: Speaker<'_>,
) -> Words {
    let asked: Vec<_> = strays.iter().map(|StrayLabel { key, asked, .. }| format!("{key}={asked}")).collect();
    let has = |StrayLabel { key, has, .. }: &StrayLabel| match has {
        Some(value) => format!("{key}={value}"),
        None => format!("no {key}"),
    };
    let has: Vec<_> = strays.iter().map(has).collect();
    let keys: Vec<_> = strays.iter().map(|stray| stray.key.as_str()).collect();
    Words::new(format!(
        "Service {service} selects pods with {}, but those of the Rollout have {}. Correct the selector, or the labels of \
         spec.template.",
        asked.join(","),
        has.join(",")
    ))
    .with(select(service, labels, &keys, "correct the selector", speaker))
}

pub(super) fn shared_service(service: &str, other: &str, is_there: bool, speaker: Speaker<'_>) -> Words {
    let key = keys::MANAGED_BY_ROLLOUTS;
    if is_there {
        let because = format!(
            "Service {service} belongs to another Rollout, {other}. Each Rollout needs its own Service."
        );
        return Words::new(because).with(speaker.edit());
    }
    Words::new(format!(
        "Service {service} is marked as belonging to the Rollout {other}, which does not exist."
    ))
    .with(speaker.kubectl(&format!("annotate service {service} {key}-"), "release the Service"))
}
