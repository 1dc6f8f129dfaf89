//! Sentences and commands for each cause.

mod objects;
mod pods;
mod speaker;
mod user;
mod writes;

use serin_insight::explain::{Cause, Finding};

use speaker::Words;
pub(super) use speaker::{Command, Speaker, moment, sentence};
pub(super) use writes::write;

/// The identifier of a cause, which is stable across versions.
#[must_use]
pub(super) const fn word(cause: &Cause) -> &'static str {
    match cause {
        Cause::Deletion { .. } => "deletion",
        Cause::Unreadable { .. } => "readableRollout",
        Cause::Controller { .. } => "controller",
        Cause::Spec(_) => "validSpec",
        Cause::Unbuilt { .. } => "supportedSpec",
        Cause::NoService { .. } | Cause::StrayService { .. } | Cause::SharedService { .. } => "service",
        Cause::NoWorkload { .. } => "workload",
        Cause::NoIngress { .. } | Cause::StrayIngress { .. } | Cause::Reference { .. } => "reference",
        Cause::Router { .. } => "router",
        Cause::Guarded { .. } => "safePlan",
        Cause::Refused { .. } => "acceptedWrite",
        Cause::Aborted { .. } => "retry",
        Cause::Abortable { .. } => "abort",
        Cause::Held => "resume",
        Cause::Pause { .. } => "pause",
        Cause::Promotion { .. } => "promotion",
        Cause::Inconclusive { .. } => "judgement",
        Cause::NoPods { .. } => "podCreation",
        Cause::Pod { .. } => "pod",
        Cause::Deadline { .. } => "progress",
        Cause::Budget { .. } => "disruptionBudget",
        Cause::Restart { .. } => "restart",
        Cause::Acts => "nextWrite",
        Cause::Unnoticed { .. } => "replicaSetController",
        Cause::Starts { .. } => "podsReady",
        Cause::Young { .. } => "podsAvailable",
        Cause::Nothing { .. } => "nothing",
        Cause::Shrinks { .. } => "smallerSize",
        Cause::Delay { .. } => "scaleDownDelay",
        Cause::Leaving { .. } => "podsEnded",
        Cause::Other { .. } => "unknown",
    }
}

/// Describes a cause.
#[must_use]
pub(super) fn words(finding: &Finding, speaker: Speaker<'_>) -> Words {
    let ends = finding.until.is_some();
    match &finding.cause {
        Cause::Deletion { finalizers } => objects::deletion(finalizers),
        Cause::Unreadable { path, problem } => objects::unreadable(path, problem, speaker),
        Cause::Controller { generation, controller, instance } => {
            objects::controller(*generation, controller, instance, speaker)
        }
        Cause::Spec(mistakes) => objects::spec(mistakes, speaker),
        Cause::Unbuilt { fields } => objects::unbuilt(fields, speaker),
        Cause::NoService { service, labels, port } => objects::no_service(service, labels, *port, speaker),
        Cause::StrayService { service, strays, labels } => {
            objects::stray_service(service, strays, labels, speaker)
        }
        Cause::NoIngress { ingress, service, port } => objects::no_ingress(ingress, service, *port, speaker),
        Cause::StrayIngress { ingress, service } => objects::stray_ingress(ingress, service, speaker),
        Cause::SharedService { service, other, is_there } => {
            objects::shared_service(service, other, *is_there, speaker)
        }
        Cause::NoWorkload { kind, name } => objects::no_workload(kind, name, speaker),
        Cause::Reference { mistakes, place } => objects::reference(mistakes, place, speaker),
        Cause::Router { said } => objects::router(said, speaker),
        Cause::Guarded { said } => objects::guarded(said),
        Cause::Refused { said } => objects::refused(said),
        Cause::Aborted { said, serving, way_back } => {
            user::aborted(said, serving, way_back.as_ref(), speaker)
        }
        Cause::Abortable { way_back } => user::abortable(way_back, speaker),
        Cause::Held => user::held(speaker),
        Cause::Pause { step, steps, way_back } => user::pause(*step, *steps, ends, way_back, speaker),
        Cause::Promotion { preview, idle_seconds, way_back } => {
            user::promotion(preview.as_deref(), *idle_seconds, ends, way_back, speaker)
        }
        Cause::Inconclusive { way_back } => user::inconclusive(way_back, speaker),
        Cause::NoPods { replica_set, said, has, wants } => pods::none(replica_set, said, *has, *wants),
        Cause::Pod { pod, replica_set, trouble, alike, way_back } => {
            let commands = user::commands(way_back, trouble.may_be_of_image(), speaker);
            pods::broken(pod, replica_set, trouble, *alike, speaker).with_all(commands)
        }
        Cause::Deadline { seconds, way_back } => {
            pods::deadline(*seconds).with_all(user::commands(way_back, true, speaker))
        }
        Cause::Budget { budget, relief, left } => pods::budget(budget, relief.as_deref(), *left, speaker),
        Cause::Restart { left, starting } => pods::restart(*left, *starting),
        Cause::Acts => {
            Words::new("The Rollout is not waiting: the controller is about to send the writes below.")
        }
        Cause::Unnoticed { replica_set } => pods::unnoticed(replica_set),
        Cause::Starts { replica_set, pod, unready, available, wants } => {
            pods::starts(replica_set, pod.as_deref(), unready.as_deref(), *available, *wants)
        }
        Cause::Young { replica_set, min_ready } => pods::young(replica_set, *min_ready),
        Cause::Nothing { pods, first } => pods::nothing(*pods, *first),
        Cause::Shrinks { workload, from, to } => pods::shrinks(workload, *from, *to),
        Cause::Delay { replica_set, pods } => pods::delay(replica_set, *pods),
        Cause::Leaving { object, pods } => pods::leaving(object, *pods),
        Cause::Other { message } => other(message),
    }
}

fn other(message: &str) -> Words {
    Words::new(match message {
        "" => "No reason for waiting is known.".to_owned(),
        message => format!("The status says: {message}."),
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::cli::failure::Program;
    use crate::cli::given::Given;
    use serin_insight::explain::WayBack;

    fn speaker(given: &Given) -> Speaker<'_> {
        Speaker { program: Program::Serin, namespace: "shop", rollout: "demo", given }
    }

    #[test]
    fn a_pause_that_ends_is_told_otherwise() {
        let because =
            |cause: Cause, until| words(&Finding::of(cause).until(until), speaker(&Given::default())).because;
        let (never, soon) = (None, Some(Timestamp::UNIX_EPOCH));
        let preview = || Cause::Promotion {
            preview: Some("preview".to_owned()),
            idle_seconds: None,
            way_back: WayBack::default(),
        };
        assert_eq!(
            because(preview(), never),
            "The new revision (Service preview) is ready, and waits until a user promotes it."
        );
        assert_eq!(
            because(preview(), soon),
            "The new revision (Service preview) is ready, and is promoted after a delay."
        );
    }

    #[test]
    fn what_is_not_safe_is_said_to_be_held_back() {
        let guarded = Cause::Guarded { said: "Service a would select \"b\"".to_owned() };
        let Words { because, commands } = words(&Finding::of(guarded), speaker(&Given::default()));
        assert!(because.starts_with("The controller holds back") && because.contains("select \"b\". This"));
        assert!(commands.is_empty());
    }
}
