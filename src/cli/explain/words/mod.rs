//! What is said about each situation, and which commands help: the table of explanations.

mod objects;
mod pods;
mod user;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::cause::{Cause, Finding};
use crate::cli::failure::Program;
use crate::cli::given::Given;

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
    /// How they said which cluster they mean.
    pub(super) given: &'a Given,
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

    fn with(self, command: Command) -> Self {
        self.with_all(vec![command])
    }

    fn with_all(mut self, commands: Vec<Command>) -> Self {
        self.commands.extend(commands);
        self
    }
}

impl Speaker<'_> {
    /// A command of this program about the Rollout; `verb` may have arguments after the name, behind a `|`.
    fn own(&self, verb: &str, to: &str) -> Command {
        let (verb, arguments) = verb.split_once('|').unwrap_or((verb, ""));
        let (name, namespace) = (self.rollout, self.namespace);
        let words = format!("{verb} {name}{arguments} -n {namespace}");
        Command { run: self.given.own(self.program, &words), to: to.to_owned() }
    }

    fn kubectl(&self, arguments: &str, to: &str) -> Command {
        let words = format!("{arguments} -n {}", self.namespace);
        Command { run: self.given.kubectl(&words), to: to.to_owned() }
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
        Cause::StrayService { service, selector, labels } => {
            objects::stray_service(service, selector, labels, speaker)
        }
        Cause::SharedService { service, other, is_there } => {
            objects::shared_service(service, other, *is_there, speaker)
        }
        Cause::NoWorkload { kind, name } => objects::no_workload(kind, name, speaker),
        Cause::Reference(mistakes) => objects::reference(mistakes, speaker),
        Cause::Router { said } => objects::router(said, speaker),
        Cause::Guarded { said } => objects::guarded(said),
        Cause::Refused { said } => objects::refused(said),
        Cause::Aborted { said, stable } => user::aborted(said, stable, speaker),
        Cause::Held => user::held(speaker),
        Cause::Pause { step, steps } => user::pause(*step, *steps, ends, speaker),
        Cause::Promotion { preview } => user::promotion(preview.as_deref(), ends, speaker),
        Cause::Inconclusive => user::inconclusive(speaker),
        Cause::NoPods { replica_set, said, has, wants } => pods::none(replica_set, said, *has, *wants),
        Cause::Pod { pod, replica_set, trouble, alike, way_back } => {
            let commands = way_back.commands(trouble.may_be_of_image(), speaker);
            pods::broken(pod, replica_set, trouble, *alike).with_all(commands)
        }
        Cause::Deadline { seconds, way_back } => {
            pods::deadline(*seconds).with_all(way_back.commands(true, speaker))
        }
        Cause::Budget { budget, relief, left } => pods::budget(budget, relief.as_deref(), *left, speaker),
        Cause::Restart { left, starting } => pods::restart(*left, *starting),
        Cause::Acts => {
            Words::new("Nothing keeps it waiting: the controller is about to do what is listed below.")
        }
        Cause::Unnoticed { replica_set } => pods::unnoticed(replica_set),
        Cause::Starts { replica_set, pod, unready, available, wants } => {
            pods::starts(replica_set, pod.as_deref(), unready.as_deref(), *available, *wants)
        }
        Cause::Young { replica_set, min_ready } => pods::young(replica_set, *min_ready),
        Cause::Nothing { pods, first } => pods::nothing(*pods, first),
        Cause::Delay { replica_set, pods } => pods::delay(replica_set, *pods),
        Cause::Leaving { object, pods } => pods::leaving(object, *pods),
        Cause::Other { message } => Words::new(match message.as_str() {
            "" => "Nothing that is known here keeps it waiting.".to_owned(),
            message => format!("The status says: {message}."),
        }),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn speaker(given: &Given) -> Speaker<'_> {
        Speaker { program: Program::Serin, namespace: "shop", rollout: "demo", given }
    }

    #[test]
    fn commands_say_program_verb_rollout_and_namespace() {
        let given = Given::default();
        let line = |program| Speaker { program, ..speaker(&given) }.own("set image| web=IMAGE", "").run;
        assert_eq!(line(Program::Serin), "serin set image demo web=IMAGE -n shop");
        assert_eq!(line(Program::KubectlSerin), "kubectl serin set image demo web=IMAGE -n shop");
        assert_eq!(line(Program::Plugin), "kubectl argo rollouts set image demo web=IMAGE -n shop");
        assert_eq!(speaker(&given).kubectl("get pods", "").run, "kubectl get pods -n shop");
    }

    #[test]
    fn a_pause_that_ends_is_told_otherwise() {
        let because =
            |cause: Cause, until| words(&Finding::of(cause).until(until), speaker(&Given::default())).because;
        let (never, soon) = (None, Some(Timestamp::UNIX_EPOCH));
        let preview = || Cause::Promotion { preview: Some("preview".to_owned()) };
        assert_eq!(
            because(preview(), never),
            "The new revision (Service preview) is ready, and waits until a user promotes it."
        );
        assert_eq!(
            because(preview(), soon),
            "The new revision (Service preview) is ready, and is promoted after a while."
        );
    }

    #[test]
    fn what_is_not_safe_is_said_to_be_held_back() {
        let guarded = Cause::Guarded { said: "Service a would select \"b\"".to_owned() };
        let Words { because, commands } = words(&Finding::of(guarded), speaker(&Given::default()));
        assert!(because.starts_with("The controller holds back") && because.contains("select \"b\". That"));
        assert!(commands.is_empty());
    }

    #[test]
    fn spans_have_two_units_at_most() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (61, "1m1s"), (3_720, "1h2m"), (90_000, "1d1h"), (-5, "0s")]
        {
            assert_eq!(span(SignedDuration::from_secs(seconds)), text);
        }
    }
}
