//! Words for causes that are about pods, and for settled Rollouts.

use jiff::SignedDuration;

use super::speaker::{Speaker, Words, sentence};
use crate::cli::view::{counted, out_of};
use serin_core::domain::pause::Promotion;
use serin_insight::explain::{FirstStep, Trouble};

pub(super) fn none(replica_set: &str, said: &str, has: i32, wants: i32) -> Words {
    Words::new(format!(
        "ReplicaSet {replica_set} has {}; the API server refuses more: {} Correct the cause that it names \
         (a quota, a webhook, a service account); the ReplicaSet retries automatically.",
        out_of(has, wants, "pod"),
        sentence(said)
    ))
}

pub(super) fn broken(
    pod: &str,
    replica_set: &str,
    trouble: &Trouble,
    alike: usize,
    speaker: Speaker<'_>,
) -> Words {
    let what = match trouble {
        Trouble::Image { container, image, said } => {
            format!("cannot pull the image {image} of container {container}: {}", sentence(said))
        }
        Trouble::Crashes { container, restarts, ended } => {
            let ended = if ended.is_empty() { String::new() } else { format!(" with {ended}") };
            let log = speaker.kubectl(&format!("logs {pod} -c {container} --previous"), "").run;
            format!(
                "crashes: container {container} exited{ended} and was restarted {}. For its log, run \
                 `{log}`.",
                counted(*restarts, "time")
            )
        }
        Trouble::Unmakeable { container, said } => {
            format!("cannot start container {container}: {}", sentence(said))
        }
        Trouble::Unschedulable { said } => format!("cannot be scheduled: {}", sentence(said)),
        Trouble::Starts | Trouble::Young { .. } | Trouble::Unready { .. } => "is not available.".to_owned(),
    };
    let others = match alike {
        0 | 1 => String::new(),
        count => {
            format!(" {} of ReplicaSet {replica_set} have the same problem.", counted(many(count), "pod"))
        }
    };
    Words::new(format!("Pod {pod} {what}{others}"))
}

pub(super) fn deadline(seconds: i64) -> Words {
    Words::new(format!(
        "There was no progress for longer than progressDeadlineSeconds ({seconds}). The controller keeps \
         trying."
    ))
}

pub(super) fn budget(budget: &str, relief: Option<&str>, left: usize, speaker: Speaker<'_>) -> Words {
    let words = Words::new(format!(
        "The restart is blocked: PodDisruptionBudget {budget} allows no eviction. Not replaced yet: {}.",
        counted(many(left), "pod")
    ));
    let patch = |patch| format!("patch pdb {budget} --type merge -p '{patch}'");
    let relieve = relief.map(|relief| speaker.kubectl(&patch(relief), "allow one eviction at a time"));
    words.with_all(relieve.into_iter().collect())
}

pub(super) fn restart(left: usize, starting: i32) -> Words {
    Words::new(format!(
        "The restart continues: {} not replaced yet, {starting} starting. It replaces maxUnavailable pods \
         at a time, and at least one.",
        counted(many(left), "pod")
    ))
}

pub(super) fn unnoticed(replica_set: &str) -> Words {
    Words::new(format!(
        "ReplicaSet {replica_set} was changed, but Kubernetes has not reacted yet. If this takes more than \
         a few seconds, check that kube-controller-manager runs."
    ))
}

pub(super) fn starts(
    replica_set: &str,
    pod: Option<&str>,
    unready: Option<&str>,
    available: i32,
    wants: i32,
) -> Words {
    let detail = match (pod, unready) {
        (Some(pod), Some(container)) => {
            format!(
                " Container {container} of Pod {pod} runs, but its readiness probe has not succeeded yet."
            )
        }
        (Some(pod), None) => format!(" Pod {pod} is starting."),
        (None, _) => String::new(),
    };
    let pods = out_of(available, wants, "pod");
    Words::new(format!("ReplicaSet {replica_set} has {pods} available.{detail}"))
}

pub(super) fn young(replica_set: &str, min_ready: SignedDuration) -> Words {
    let seconds = min_ready.as_secs();
    Words::new(format!(
        "The pods of ReplicaSet {replica_set} are ready, and become available after minReadySeconds \
         ({seconds})."
    ))
}

pub(super) fn nothing(pods: i32, first: FirstStep) -> Words {
    let first = first_step(first);
    let pods = match pods {
        0 => "it asks for no pods and has none".to_owned(),
        1 => "its pod runs the newest revision".to_owned(),
        pods => format!("its {} run the newest revision", counted(pods, "pod")),
    };
    Words::new(format!("The Rollout is not waiting: {pods}. On the next change of its template, {first}."))
}

/// Describes the first action after a change of the template.
fn first_step(first: FirstStep) -> String {
    match first {
        FirstStep::Weight(weight) => format!("the new revision gets {weight} % first"),
        FirstStep::Replace => "pods are replaced at once, within maxSurge and maxUnavailable".to_owned(),
        FirstStep::Preview(promotion) => {
            let then = match promotion {
                Promotion::ByUser => "then waits to be promoted".to_owned(),
                Promotion::After(wait) => {
                    format!("then takes over after autoPromotionSeconds ({})", wait.as_secs())
                }
                Promotion::AtOnce => "then takes over".to_owned(),
            };
            format!("the new revision starts beside the old one, {then}")
        }
    }
}

pub(super) fn delay(replica_set: &str, pods: i32) -> Words {
    let pods = counted(pods, "pod");
    Words::new(format!(
        "ReplicaSet {replica_set} keeps its {pods} for a delay, so that no request is lost and a rollback \
         is fast."
    ))
}

pub(super) fn leaving(object: &str, pods: usize) -> Words {
    Words::new(format!("Old pods are terminating: {} left ({object}).", counted(many(pods), "pod")))
}

pub(super) fn shrinks(workload: &str, from: i32, to: i32) -> Words {
    Words::new(format!(
        "{workload} has {}, but the Rollout asks for {to}. After the takeover the number of pods falls \
         from {from} to {}.",
        counted(from, "pod"),
        counted(to, "pod")
    ))
}

fn many(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
