//! What waits for a controller, or for an object that is missing or wrong.

use std::collections::BTreeMap;

use super::{Speaker, Words, sentence};
use crate::api::keys;
use crate::cli::explain::cause::Mistake;
use crate::cli::explain::lease::Controller;
use crate::cli::failure::Program;

pub(super) fn unreadable(path: &str, problem: &str, speaker: Speaker<'_>) -> Words {
    Words::new(format!("The controller cannot read the Rollout: {path}: {}", sentence(problem)))
        .with(speaker.edit())
}

pub(super) fn spec(mistakes: &[Mistake], speaker: Speaker<'_>) -> Words {
    let listed = listed(mistakes);
    Words::new(format!("The spec is wrong, and nothing is done until it is corrected.{listed}"))
        .with(speaker.edit())
}

pub(super) fn reference(mistakes: &[Mistake], speaker: Speaker<'_>) -> Words {
    Words::new(format!(
        "An object that the Rollout names is missing or wrong. Once that is mended, it goes on by itself.{}",
        listed(mistakes)
    ))
    .with(speaker.edit())
}

pub(super) fn no_workload(kind: &str, name: &str, speaker: Speaker<'_>) -> Words {
    Words::new(format!(
        "{kind} {name} does not exist, from which spec.workloadRef takes the pod template. Once it is there, the Rollout \
         goes on by itself."
    ))
    .with(speaker.edit())
}

pub(super) fn router(said: &str, speaker: Speaker<'_>) -> Words {
    Words::new(format!("The router cannot do what is asked for: {}", sentence(said))).with(speaker.edit())
}

pub(super) fn guarded(said: &str) -> Words {
    Words::new(format!(
        "The controller holds back what it would do, because it is not safe: {} That is a mistake of the controller; please \
         report it.",
        sentence(said)
    ))
}

pub(super) fn refused(said: &str) -> Words {
    Words::new(format!(
        "{} Mend what it names; the controller tries again by itself, every 5 to 30 seconds.",
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
        || "Nobody does what is to be done".to_owned(),
        |generation| format!("No controller has looked at generation {generation} of the Rollout yet"),
    );
    let run = speaker.given.own(Program::Serin, "controller");
    let start = format!("Start a controller (`{run}`, or the Deployment of deploy/).");
    match controller {
        Controller::Leads => Words::new(format!("{what}. One leads, and should do so within seconds.")),
        Controller::Unknown => Words::new(format!(
            "{what}, and Leases, which would say whether one runs, could not be looked at. If this stays so, see to it \
             that one runs."
        )),
        Controller::Gone { lease, holder, .. } if holder.is_empty() => {
            Words::new(format!("{what}: no controller holds Lease {lease}. {start}"))
        }
        Controller::Gone { lease, holder, .. } => Words::new(format!(
            "{what}: the last controller, {holder}, does not renew Lease {lease} any more. {start}"
        )),
        Controller::Absent { lease, others } if instance.is_empty() || others.is_empty() => {
            let id =
                if instance.is_empty() { String::new() } else { format!(" with --instance-id {instance}") };
            let others = match others.as_slice() {
                [] => String::new(),
                others => format!(" (there is only {})", others.join(", ")),
            };
            Words::new(format!(
                "{what}: there is no Lease {lease} in any namespace{others}, so that none runs{id}, unless without an \
                 election. {start}"
            ))
        }
        Controller::Absent { lease, others } => {
            let key = keys::INSTANCE_ID_LABEL;
            let unlabel = format!("label rollout {} {key}-", speaker.rollout);
            Words::new(format!(
                "{what}: its label {key} asks for a controller with --instance-id {instance}, and there is no Lease \
                 {lease}; the controllers that run hold {}.",
                others.join(", ")
            ))
            .with(speaker.kubectl(&unlabel, "hand it to the controller that looks after Rollouts without the label"))
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
        "The spec asks for what this version cannot do, so the Rollout is left as it is. Leave these fields out:{lines}"
    ))
    .with(speaker.edit())
}

pub(super) fn no_service(
    service: &str,
    labels: &BTreeMap<String, String>,
    port: i64,
    speaker: Speaker<'_>,
) -> Words {
    let create = format!("create service clusterip {service} --tcp=80:{port}");
    let select = format!("set selector service {service} '{}'", pairs(labels));
    Words::new(format!("Service {service}, which the Rollout names, does not exist."))
        .with(speaker.kubectl(&create, "make it, with the port that you need"))
        .with(speaker.kubectl(&select, "have it select the pods"))
}

pub(super) fn stray_service(
    service: &str,
    selector: &BTreeMap<String, String>,
    labels: &BTreeMap<String, String>,
    speaker: Speaker<'_>,
) -> Words {
    let (selector, own) = (pairs(selector), pairs(labels));
    Words::new(format!(
        "Service {service} selects pods with {selector}, but those of the Rollout have {own}. Correct the selector, or \
         the labels of spec.template."
    ))
    .with(speaker.kubectl(&format!("set selector service {service} '{own}'"), "correct the selector"))
}

pub(super) fn shared_service(service: &str, other: &str, is_there: bool, speaker: Speaker<'_>) -> Words {
    let key = keys::MANAGED_BY_ROLLOUTS;
    if is_there {
        let because = format!(
            "Service {service} belongs to another Rollout, {other}. Each needs a Service of its own."
        );
        return Words::new(because).with(speaker.edit());
    }
    Words::new(format!(
        "Service {service} says that it belongs to the Rollout {other}, which does not exist."
    ))
    .with(speaker.kubectl(&format!("annotate service {service} {key}-"), "free the Service"))
}

fn pairs(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}
