//! An explanation: what it says, as an object for programs and as text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::availability;
use super::cause::{Cause, Finding};
use super::find;
use super::forecast::{End, Forecast, forecast};
use super::picture::Picture;
use super::scene::Scene;
use super::words::{Command, Speaker, moment, sentence, word, words};
use crate::cli::view::{Standing, counted, left, passed, span};
use serin_core::rollout::snapshot::Remembered;
use serin_machine::observe::Observed;

/// The most lines of a plan that people are shown.
const PLAN_LINES_MAX: usize = 12;

/// Why a Rollout is where it is, and how it goes on. The fields are what `-o json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    /// The Rollout's namespace.
    pub namespace: String,
    /// Its name.
    pub rollout: String,
    /// When the objects were read.
    pub time: Timestamp,
    /// Its phase, as `status` shows it.
    pub phase: &'static str,
    /// What it waits for.
    #[serde(flatten)]
    pub reason: Reason,
    /// What else is to be known.
    pub also: Vec<Reason>,
    /// What is written next, in order.
    pub plan: Vec<String>,
    /// The most pods that its ReplicaSets, and the workload whose place it takes, are to have at a time from now on; pods
    /// that end are not counted. `None` where nothing can be planned.
    pub peak_pods: Option<i64>,
    /// How many seconds it takes at least until nothing is left to do: pauses with a duration, `minReadySeconds`, and
    /// delays before pods go. What has no time of its own is not counted. `None` where nothing can be planned, where the
    /// update is past its deadline, and where no end can be foreseen.
    pub at_least_seconds: Option<i64>,
    /// The resources that could not be looked at, by name, with what the API server said.
    pub not_looked_at: BTreeMap<String, String>,
    #[serde(skip)]
    forecast: Option<Forecast>,
}

/// Something that a Rollout waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reason {
    /// In one word, which stays the same from version to version.
    pub waits_for: &'static str,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// When it ends by itself, where that is known.
    pub until: Option<Timestamp>,
    /// Why, in sentences.
    pub because: String,
    /// Commands that help; the first is the one to try.
    pub commands: Vec<Command>,
}

impl Reason {
    fn new(finding: &Finding, speaker: Speaker<'_>) -> Self {
        let words = words(finding, speaker);
        Self {
            waits_for: word(&finding.cause),
            since: finding.since,
            until: finding.until,
            because: words.because,
            commands: words.commands,
        }
    }
}

/// Explains the Rollout of a picture at the time of the picture. An error says which object cannot be read.
pub(super) fn explain(picture: &Picture, speaker: Speaker<'_>) -> Result<Explanation, String> {
    match picture.observe(Remembered::default())? {
        Observed::Absent => Err(format!("the Rollout {:?} is not there", picture.explain.rollout)),
        Observed::Unreadable(unreadable) => {
            let cause =
                Cause::Unreadable { path: unreadable.path.clone(), problem: unreadable.problem.clone() };
            Ok(assemble(picture, "Degraded", &[Finding::of(cause)], None, speaker))
        }
        Observed::Complete(snapshot) => {
            let scene = Scene::new(picture, &snapshot);
            let phase = Standing::of(&snapshot.rollout).word();
            let causes = find::causes(&scene);
            let acts = scene.plan.ops().next().is_some();
            let ahead =
                is_plannable(&causes, acts).then(|| forecast(picture, availability::ready_left(&scene)));
            let void = causes.iter().find_map(|finding| void(&finding.cause));
            let ahead = ahead.map(|ahead| match void {
                Some(why) => Forecast { end: End::Void { why }, ..ahead },
                None => ahead,
            });
            Ok(assemble(picture, phase, &causes, ahead, speaker))
        }
    }
}

/// Whether there is anything to be planned. Where the spec has to change before, that is what the controller does all the
/// same, as `acts` says: an abort, and sizes.
fn is_plannable(causes: &[Finding], acts: bool) -> bool {
    let is_over = |finding: &Finding| {
        matches!(finding.cause, Cause::Deletion { .. } | Cause::Unreadable { .. } | Cause::Guarded { .. })
    };
    !causes.iter().any(is_over) && (acts || !causes.iter().any(|finding| finding.cause.is_about_spec()))
}

/// Why a forecast, in which pods start and writes succeed, promises nothing.
const fn void(cause: &Cause) -> Option<&'static str> {
    if let Cause::Deadline { .. } = cause {
        Some("there was no progress within progressDeadlineSeconds")
    } else if let Cause::Refused { .. } = cause {
        Some("the API server refuses a write")
    } else {
        None
    }
}

fn assemble(
    picture: &Picture,
    phase: &'static str,
    causes: &[Finding],
    forecast: Option<Forecast>,
    speaker: Speaker<'_>,
) -> Explanation {
    let mut reasons = causes.iter().map(|finding| Reason::new(finding, speaker));
    let reason = reasons.next().unwrap_or_else(|| Reason::new(&Finding::of(Cause::Acts), speaker));
    Explanation {
        namespace: picture.explain.namespace.clone(),
        rollout: picture.explain.rollout.clone(),
        time: picture.explain.time,
        phase,
        reason,
        also: reasons.collect(),
        plan: forecast.iter().flat_map(|ahead| ahead.next.clone()).collect(),
        peak_pods: forecast.as_ref().map(|ahead| ahead.peak_pods),
        at_least_seconds: forecast
            .as_ref()
            .filter(|ahead| ahead.end == End::Reached)
            .map(|ahead| ahead.times.seconds()),
        not_looked_at: picture.explain.unread.clone(),
        forecast,
    }
}

impl Explanation {
    /// For people.
    #[must_use]
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} in {}: {}\n", self.rollout, self.namespace, self.phase);
        self.write_reason(&mut text, "", &self.reason);
        for reason in &self.also {
            self.write_reason(&mut text, "Also: ", reason);
        }
        self.write_plan(&mut text);
        for (resource, said) in &self.not_looked_at {
            let _ = writeln!(text, "\nNot looked at: {resource}, because {said}");
        }
        text
    }

    fn write_reason(&self, text: &mut String, before: &str, reason: &Reason) {
        let _ = writeln!(text, "\n{before}{}", reason.because);
        if let Some(since) = reason.since {
            let ago = span(passed(self.time.duration_since(since)));
            let _ = writeln!(text, "Since {}, {ago} ago.", moment(since));
        }
        if let Some(until) = reason.until {
            let _ = writeln!(
                text,
                "Until {}, {} from now.",
                moment(until),
                span(left(until.duration_since(self.time)))
            );
        }
        for Command { run, to } in &reason.commands {
            let _ = writeln!(text, "To {to}:\n    {run}");
        }
    }

    fn write_plan(&self, text: &mut String) {
        let Some(ahead) = &self.forecast else { return };
        if !self.plan.is_empty() {
            let _ = writeln!(text, "\nWhat is written next, in this order:");
        }
        for (index, line) in self.plan.iter().take(PLAN_LINES_MAX).enumerate() {
            let _ = writeln!(text, "  {}. {line}", index + 1);
        }
        if self.plan.len() > PLAN_LINES_MAX {
            let _ = writeln!(text, "  ... and {} more", self.plan.len() - PLAN_LINES_MAX);
        }
        if self.plan.is_empty() && ahead.times.seconds() == 0 && ahead.end == End::Reached {
            return;
        }
        let peak = counted(ahead.peak_pods, "pod");
        let _ = writeln!(text, "\nAt most {peak} at a time, without those that end.");
        text.push_str(&time_left(ahead));
    }
}

/// How long it takes at least, and what is not counted.
fn time_left(ahead: &Forecast) -> String {
    let parts = [
        (ahead.times.pauses, "pauses"),
        (ahead.times.ready, "minReadySeconds"),
        (ahead.times.delays, "delays before pods go"),
    ];
    let parts = parts.into_iter().filter(|(time, _)| *time > SignedDuration::ZERO);
    let listed: Vec<_> = parts.map(|(time, what)| format!("{} of {what}", span(time))).collect();
    let users = match ahead.user_pauses {
        0 => String::new(),
        1 => ", and a pause that a user ends".to_owned(),
        count => format!(", and {} that a user ends", counted(count, "pause")),
    };
    match &ahead.end {
        End::Reached => {}
        End::Void { why } => return format!("How long it takes cannot be said: {why}.\n"),
        End::Stuck { line } => {
            return format!("The update does not finish: the Rollout then stays {}\n", sentence(line));
        }
        End::Unseen => return "The end cannot be foreseen.\n".to_owned(),
    }
    if listed.is_empty() {
        return format!("How long it takes depends on the start of pods{users}.\n");
    }
    let total = span(SignedDuration::from_secs(ahead.times.seconds()));
    format!(
        "It takes at least {total} until nothing is left to do: {}. Not counted: the start of pods{users}.\n",
        listed.join(", ")
    )
}
