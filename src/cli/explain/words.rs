//! What is said about each situation, and which commands help: the table of explanations.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::cause::{Cause, Finding, Mistake, WayBack};
use super::lease::Controller;
use super::pods::Trouble;
use crate::api::keys;
use crate::cli::failure::Program;

/// A command that helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Command {
    /// The command line.
    pub run: String,
    /// What it does, as in "to end the pause".
    pub to: String,
}

/// Who is spoken to about what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker<'a> {
    /// The name that the program was called by.
    pub(super) program: Program,
    /// The namespace of the Rollout.
    pub namespace: &'a str,
    /// The name of the Rollout.
    pub rollout: &'a str,
}

/// What is said about a situation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// The situation and its reason, in sentences.
    pub because: String,
    /// Commands that help; the first is the one to try.
    pub commands: Vec<Command>,
}

impl Words {
    fn new(because: impl Into<String>) -> Self {
        Self { because: because.into(), commands: Vec::new() }
    }

    fn with(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }
}

impl Speaker<'_> {
    /// A command of this program about the Rollout; `verb` may have arguments after the name, behind a `|`.
    fn own(&self, verb: &str, to: &str) -> Command {
        let program = match self.program {
            Program::Serin => "serin",
            Program::Plugin => "kubectl argo rollouts",
        };
        let (verb, arguments) = verb.split_once('|').unwrap_or((verb, ""));
        let (name, namespace) = (self.rollout, self.namespace);
        Command { run: format!("{program} {verb} {name}{arguments} -n {namespace}"), to: to.to_owned() }
    }

    fn kubectl(&self, arguments: &str, to: &str) -> Command {
        Command { run: format!("kubectl {arguments} -n {}", self.namespace), to: to.to_owned() }
    }

    fn edit(&self) -> Command {
        self.kubectl(
            &format!("edit rollout {}", self.rollout),
            "correct the Rollout, if no file is its source",
        )
    }
}

/// The situation in a word that does not change from version to version.
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
        Cause::Reference(_) => "reference",
        Cause::Router { .. } => "router",
        Cause::Guarded { .. } => "safePlan",
        Cause::Refused { .. } => "acceptedWrite",
        Cause::Aborted { .. } => "retry",
        Cause::Held => "resume",
        Cause::Pause { .. } => "pause",
        Cause::Promotion { .. } => "promotion",
        Cause::Inconclusive => "judgement",
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
        Cause::Delay { .. } => "scaleDownDelay",
        Cause::Leaving { .. } => "podsEnded",
        Cause::Other { .. } => "unknown",
    }
}

/// What is said to `speaker` about a situation.
#[must_use]
pub(super) fn words(finding: &Finding, speaker: Speaker<'_>) -> Words {
    match &finding.cause {
        Cause::Deletion { finalizers } => deletion(finalizers),
        Cause::Unreadable { path, problem } => {
            Words::new(format!("The controller cannot read the Rollout: {path}: {problem}.")).with(speaker.edit())
        }
        Cause::Controller { generation, controller, instance } => {
            of_controller(*generation, controller, instance, speaker)
        }
        Cause::Spec(mistakes) => {
            Words::new(format!("The spec is wrong, and nothing is done until it is corrected.{}", listed(mistakes)))
                .with(speaker.edit())
        }
        Cause::Unbuilt { fields } => unbuilt(fields).with(speaker.edit()),
        Cause::NoService { service, labels, port } => no_service(service, labels, *port, speaker),
        Cause::StrayService { service, selector, labels } => stray_service(service, selector, labels, speaker),
        Cause::SharedService { service, other, is_there } => shared_service(service, other, *is_there, speaker),
        Cause::NoWorkload { kind, name } => Words::new(format!(
            "{kind} {name} does not exist, from which spec.workloadRef takes the pod template. Create it: the Rollout \
             then goes on by itself."
        ))
        .with(speaker.edit()),
        Cause::Reference(mistakes) => Words::new(format!(
            "An object that the Rollout names is missing or wrong. Correct it: the Rollout then goes on by itself.{}",
            listed(mistakes)
        ))
        .with(speaker.edit()),
        Cause::Router { said } => {
            Words::new(format!("The router cannot do what is asked for: {said}.")).with(speaker.edit())
        }
        Cause::Guarded { said } => Words::new(format!(
            "The controller holds back what it would do, because it is not safe: {said}. That is a mistake of the \
             controller; please report it. Nothing is written until the situation changes."
        )),
        Cause::Refused { said } => {
            let said = sentence(said);
            Words::new(format!(
                "{said} Mend what it names; the controller tries again by itself every 5 to 30 seconds."
            ))
        }
        Cause::Acts => Words::new("Nothing keeps it waiting: the controller is about to do what is listed below."),
        Cause::Nothing { pods, first } => nothing(*pods, first),
        Cause::Other { message } => Words::new(match message.as_str() {
            "" => "Nothing that is known here keeps it waiting.".to_owned(),
            message => format!("The status says: {message}."),
        }),
        Cause::Aborted { .. } | Cause::Held | Cause::Pause { .. } | Cause::Promotion { .. } | Cause::Inconclusive => {
            of_user(finding, speaker)
        }
        Cause::NoPods { .. }
        | Cause::Pod { .. }
        | Cause::Deadline { .. }
        | Cause::Budget { .. }
        | Cause::Restart { .. }
        | Cause::Unnoticed { .. }
        | Cause::Starts { .. }
        | Cause::Young { .. }
        | Cause::Delay { .. }
        | Cause::Leaving { .. } => of_pods(finding, speaker),
    }
}

/// What waits for a user.
fn of_user(finding: &Finding, speaker: Speaker<'_>) -> Words {
    let back = || speaker.own("abort", "take the update back; the stable revision gets everything");
    let ends_by_itself = finding.until.is_some();
    match &finding.cause {
        Cause::Aborted { said, stable } => {
            let why =
                if said.is_empty() { String::new() } else { format!(": {}", said.trim_end_matches('.')) };
            Words::new(format!(
                "The update was aborted{why}. The stable revision {stable} serves, and stays until somebody decides."
            ))
            .with(speaker.own("retry rollout", "try the same update again, from its first step"))
            .with(speaker.own("undo", "give the update up for good: the template becomes that of the revision before"))
        }
        Cause::Held => {
            let patch = format!(
                r#"patch rollout {} --type merge -p '{{"spec":{{"paused":false}}}}'"#,
                speaker.rollout
            );
            Words::new("A user holds it: spec.paused is true.").with(speaker.kubectl(&patch, "let it go on"))
        }
        Cause::Pause { step, steps } if ends_by_itself => {
            Words::new(format!("Step {step} of {steps} is a pause that ends by itself."))
                .with(speaker.own("promote", "end the pause now"))
                .with(back())
        }
        Cause::Pause { step, steps } => {
            Words::new(format!("Step {step} of {steps} is a pause that only a user ends."))
                .with(speaker.own("promote", "go on with the next step"))
                .with(back())
        }
        Cause::Promotion { preview } => {
            let place = preview.as_ref().map(|name| format!(" (Service {name})")).unwrap_or_default();
            let who =
                if ends_by_itself { "is promoted after a while" } else { "waits until a user promotes it" };
            Words::new(format!("The new revision{place} is ready, and {who}."))
                .with(speaker.own("promote", "send all requests to it now"))
                .with(back())
        }
        _ => Words::new("An analysis has neither succeeded nor failed; a user has to judge.")
            .with(speaker.own("promote", "go on"))
            .with(back()),
    }
}

fn deletion(finalizers: &[String]) -> Words {
    if finalizers.is_empty() {
        return Words::new("It is being deleted.");
    }
    Words::new(format!(
        "It is being deleted, and stays until these finalizers are gone: {}.",
        finalizers.join(", ")
    ))
}

fn of_controller(
    generation: Option<i64>,
    controller: &Controller,
    instance: &str,
    speaker: Speaker<'_>,
) -> Words {
    let what = generation.map_or_else(
        || "Nobody does what is to be done".to_owned(),
        |generation| format!("No controller has looked at generation {generation} of the Rollout yet"),
    );
    let start = "Start a controller (`serin controller`, or the Deployment of deploy/).";
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
    mistakes.iter().map(line).collect()
}

fn unbuilt(fields: &[(String, &'static str)]) -> Words {
    let lines: String = fields.iter().map(|(path, what)| format!("\n  {path}: cannot {what}")).collect();
    Words::new(format!(
        "The spec asks for what this version cannot do; the Rollout is left as it is. Leave these fields out:{lines}"
    ))
}

fn no_service(service: &str, labels: &BTreeMap<String, String>, port: i64, speaker: Speaker<'_>) -> Words {
    let create = format!("create service clusterip {service} --tcp=80:{port}");
    let select = format!("set selector service {service} '{}'", pairs(labels));
    Words::new(format!("Service {service}, which the Rollout names, does not exist."))
        .with(speaker.kubectl(&create, "make it, with the port that you need"))
        .with(speaker.kubectl(&select, "have it select the pods"))
}

fn stray_service(
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

fn shared_service(service: &str, other: &str, is_there: bool, speaker: Speaker<'_>) -> Words {
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

fn nothing(pods: i32, first: &str) -> Words {
    let pods = match pods {
        0 => "it is to have no pods, and has none".to_owned(),
        1 => "its pod runs the newest revision".to_owned(),
        pods => format!("all {pods} pods run the newest revision"),
    };
    Words::new(format!("It waits for nothing: {pods}. At the next change of its template {first}."))
}

/// What waits for pods.
fn of_pods(finding: &Finding, speaker: Speaker<'_>) -> Words {
    match &finding.cause {
        Cause::NoPods { replica_set, said, has, wants } => Words::new(format!(
            "ReplicaSet {replica_set} has {has} of {wants} pods, for the API server refuses the others: {} Mend what it \
             names (a quota, a webhook, a service account); the ReplicaSet tries again by itself.",
            sentence(said)
        )),
        Cause::Pod { pod, replica_set, trouble, alike, way_back } => {
            let words = Words::new(broken(pod, replica_set, trouble, *alike));
            back(words, way_back, speaker)
        }
        Cause::Deadline { seconds, way_back } => {
            let words = Words::new(format!(
                "The update came no further for longer than progressDeadlineSeconds ({seconds}); the controller goes on \
                 trying."
            ));
            back(words, way_back, speaker)
        }
        Cause::Budget { budget, relief, left } => of_budget(budget, relief.as_deref(), *left, speaker),
        Cause::Restart { left, starting } => Words::new(format!(
            "A restart goes on: {left} pods are still to be replaced, {starting} are on their way. As many may be missing \
             at a time as maxUnavailable says, and at least one."
        )),
        Cause::Unnoticed { replica_set } => Words::new(format!(
            "ReplicaSet {replica_set} was changed, and Kubernetes has not followed yet. If that takes longer than \
             seconds, see whether kube-controller-manager runs."
        )),
        Cause::Starts { replica_set, pod, unready, available, wants } => {
            starts(replica_set, pod.as_deref(), unready.as_deref(), *available, *wants)
        }
        Cause::Young { replica_set, min_ready } => Words::new(format!(
            "The pods of ReplicaSet {replica_set} are ready, and count once they have been so for minReadySeconds ({}).",
            min_ready.as_secs()
        )),
        Cause::Delay { replica_set, pods } => Words::new(format!(
            "ReplicaSet {replica_set} keeps {} for a while, so that requests to old pods end well and a way back is \
             short.",
            counted(i64::from(*pods), "pod")
        )),
        Cause::Leaving { object, pods } => Words::new(format!(
            "Old pods end ({object}): {} left.",
            counted(i64::try_from(*pods).unwrap_or(0), "pod")
        )),
        _ => Words::default(),
    }
}

fn broken(pod: &str, replica_set: &str, trouble: &Trouble, alike: usize) -> String {
    let others = match alike {
        0 | 1 => String::new(),
        count => format!(" {count} pods of ReplicaSet {replica_set} fare like this."),
    };
    let what = match trouble {
        Trouble::Image { container, image, said } => {
            format!("cannot pull the image {image} of container {container}: {}", sentence(said))
        }
        Trouble::Crashes { container, restarts, ended } => {
            let ended = if ended.is_empty() { String::new() } else { format!(" with {ended}") };
            format!(
                "does not stay up: container {container} ended{ended}, and was started again {restarts} times. Its log: \
                 kubectl logs {pod} -c {container} --previous."
            )
        }
        Trouble::Unmakeable { container, said } => {
            format!("cannot start container {container}: {}", sentence(said))
        }
        Trouble::Unschedulable { said } => format!("finds no node: {}", sentence(said)),
        Trouble::Starts | Trouble::Young { .. } | Trouble::Unready { .. } => "is not available.".to_owned(),
    };
    format!("Pod {pod} {what}{others}")
}

/// The ways to leave an update that cannot go on.
fn back(words: Words, way_back: &WayBack, speaker: Speaker<'_>) -> Words {
    let container = &way_back.container;
    let image = speaker.own(&format!("set image| {container}=IMAGE"), "try another image");
    if !way_back.has_stable {
        return words.with(image);
    }
    let words = if way_back.is_aborted {
        words
    } else {
        words.with(speaker.own("abort", "take the update back; the stable revision gets everything"))
    };
    words
        .with(
            speaker
                .own("undo", "give the update up for good: the template becomes that of the revision before"),
        )
        .with(image)
}

fn of_budget(budget: &str, relief: Option<&str>, left: usize, speaker: Speaker<'_>) -> Words {
    let words = Words::new(format!(
        "A restart cannot go on: PodDisruptionBudget {budget} lets no pod go. {} still to be replaced.",
        if left == 1 { "1 pod is".to_owned() } else { format!("{left} pods are") }
    ));
    match relief {
        Some(patch) => {
            words.with(speaker.kubectl(
                &format!("patch pdb {budget} --type merge -p '{patch}'"),
                "let one pod at a time go",
            ))
        }
        None => words,
    }
}

fn starts(replica_set: &str, pod: Option<&str>, unready: Option<&str>, available: i32, wants: i32) -> Words {
    let detail = match (pod, unready) {
        (Some(pod), Some(container)) => {
            format!(
                " Container {container} of Pod {pod} runs, and its readiness probe has not succeeded yet."
            )
        }
        (Some(pod), None) => format!(" Pod {pod} starts."),
        (None, _) => String::new(),
    };
    Words::new(format!("ReplicaSet {replica_set} has {available} of {wants} pods available.{detail}"))
}

fn counted(count: i64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A text with a full stop at its end.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim().trim_end_matches('.'))
}

/// A span as people write it, such as `1h2m` or `45s`.
#[must_use]
pub(super) fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m{}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h{minutes}m"),
        (days, hours, _) => format!("{days}d{hours}h"),
    }
}

/// A moment, in UTC.
#[must_use]
pub(super) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
