//! What waits for pods, and what is said where nothing has to be waited for.

use jiff::SignedDuration;

use super::{Speaker, Words, counted, sentence};
use crate::cli::explain::pods::Trouble;

pub(super) fn none(replica_set: &str, said: &str, has: i32, wants: i32) -> Words {
    Words::new(format!(
        "ReplicaSet {replica_set} has {has} of {wants} pods; the API server refuses more: {} Mend what it names (a quota, a \
         webhook, a service account); the ReplicaSet tries again by itself.",
        sentence(said)
    ))
}

pub(super) fn broken(pod: &str, replica_set: &str, trouble: &Trouble, alike: usize) -> Words {
    let what = match trouble {
        Trouble::Image { container, image, said } => {
            format!("cannot pull the image {image} of container {container}: {}", sentence(said))
        }
        Trouble::Crashes { container, restarts, ended } => {
            let ended = if ended.is_empty() { String::new() } else { format!(" with {ended}") };
            format!(
                "does not stay up: container {container} ended{ended}, and was started again {}. Its log is in \
                 `kubectl logs {pod} -c {container} --previous`.",
                counted((*restarts).into(), "time")
            )
        }
        Trouble::Unmakeable { container, said } => {
            format!("cannot start container {container}: {}", sentence(said))
        }
        Trouble::Unschedulable { said } => format!("finds no node: {}", sentence(said)),
        Trouble::Starts | Trouble::Young { .. } | Trouble::Unready { .. } => "is not available.".to_owned(),
    };
    let others = match alike {
        0 | 1 => String::new(),
        count => format!(" {count} pods of ReplicaSet {replica_set} fare like this."),
    };
    Words::new(format!("Pod {pod} {what}{others}"))
}

pub(super) fn deadline(seconds: i64) -> Words {
    Words::new(format!(
        "The update came no further for longer than progressDeadlineSeconds ({seconds}). The controller goes on trying."
    ))
}

pub(super) fn budget(budget: &str, relief: Option<&str>, left: usize, speaker: Speaker<'_>) -> Words {
    let are = if left == 1 { "1 pod is".to_owned() } else { format!("{left} pods are") };
    let words = Words::new(format!(
        "A restart cannot go on: PodDisruptionBudget {budget} lets no pod go. {are} still to be replaced."
    ));
    let patch = |patch| format!("patch pdb {budget} --type merge -p '{patch}'");
    let relieve = relief.map(|relief| speaker.kubectl(&patch(relief), "let one pod at a time go"));
    words.with_all(relieve.into_iter().collect())
}

pub(super) fn restart(left: usize, starting: i32) -> Words {
    let left = i64::try_from(left).unwrap_or(i64::MAX);
    Words::new(format!(
        "A restart goes on: {} to be replaced, {starting} on the way. As many as maxUnavailable says may be missing at a \
         time, and at least one.",
        counted(left, "pod")
    ))
}

pub(super) fn unnoticed(replica_set: &str) -> Words {
    Words::new(format!(
        "ReplicaSet {replica_set} was changed, and Kubernetes has not followed yet. If that takes longer than seconds, see \
         whether kube-controller-manager runs."
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
        (Some(pod), None) => format!(" Pod {pod} starts."),
        (None, _) => String::new(),
    };
    Words::new(format!("ReplicaSet {replica_set} has {available} of {wants} pods available.{detail}"))
}

pub(super) fn young(replica_set: &str, min_ready: SignedDuration) -> Words {
    let seconds = min_ready.as_secs();
    Words::new(format!(
        "The pods of ReplicaSet {replica_set} are ready, and count once they have been so for minReadySeconds ({seconds})."
    ))
}

pub(super) fn nothing(pods: i32, first: &str) -> Words {
    let pods = match pods {
        0 => "it is to have no pods, and has none".to_owned(),
        1 => "its pod runs the newest revision".to_owned(),
        pods => format!("its {pods} pods run the newest revision"),
    };
    Words::new(format!("It waits for nothing: {pods}. At the next change of its template {first}."))
}

pub(super) fn delay(replica_set: &str, pods: i32) -> Words {
    let pods = counted(pods.into(), "pod");
    Words::new(format!(
        "ReplicaSet {replica_set} keeps its {pods} for a while, so that no request is lost and the way back is short."
    ))
}

pub(super) fn leaving(object: &str, pods: usize) -> Words {
    let pods = counted(i64::try_from(pods).unwrap_or(i64::MAX), "pod");
    Words::new(format!("Old pods end: {pods} to go ({object})."))
}
