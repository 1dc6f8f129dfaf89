//! An explanation, as an object for programs and as text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::words::{Command, Speaker, moment, sentence, word, words, write};
use crate::cli::view::{counted, span};
use serin_insight::explain::{Account, Assumption, Cause, End, Finding, Forecast, Picture, explain};
use serin_insight::rounding::{left, passed};
use serin_insight::standing;

/// The maximum number of plan lines in the text.
const PLAN_LINES_MAX: usize = 12;

/// Explains the state of a Rollout and what happens next. Its fields are the output of `-o json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    /// Namespace of the Rollout.
    pub namespace: String,
    /// Name of the Rollout.
    pub rollout: String,
    /// The time at which the objects were read.
    pub time: Timestamp,
    /// The phase, as in `status`.
    pub phase: &'static str,
    /// The main cause.
    #[serde(flatten)]
    pub reason: Reason,
    /// Further causes.
    pub also: Vec<Reason>,
    /// The next writes, in order.
    pub plan: Vec<String>,
    /// The maximum number of pods from now on, of its ReplicaSets and of the workload that it replaces. Terminating
    /// pods are not counted. `None` if there is no plan.
    pub peak_pods: Option<i64>,
    /// The minimum number of seconds until the Rollout is settled: timed pauses, `minReadySeconds` and scale-down
    /// delays. Everything else counts as 0. `None` if there is no plan, if the deadline has passed, and if no end can
    /// be predicted.
    pub at_least_seconds: Option<i64>,
    /// The resources that could not be read, by name, with the API server's message.
    pub not_looked_at: BTreeMap<String, String>,
    #[serde(skip)]
    forecast: Option<Forecast>,
}

/// A cause that a Rollout is waiting for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reason {
    /// A single word that is stable across versions.
    pub waits_for: &'static str,
    /// The start, if known.
    pub since: Option<Timestamp>,
    /// The time at which it ends without a user, if known.
    pub until: Option<Timestamp>,
    /// The reason, in sentences.
    pub because: String,
    /// Commands that help, the recommended one first.
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

/// Describes the state of the Rollout of a picture. Returns an error that names an unreadable object.
pub(super) fn describe(picture: &Picture, speaker: Speaker<'_>) -> Result<Explanation, String> {
    let Account { phase, causes, forecast } = explain(picture)?;
    let mut reasons = causes.iter().map(|finding| Reason::new(finding, speaker));
    let reason = reasons.next().unwrap_or_else(|| Reason::new(&Finding::of(Cause::Acts), speaker));
    Ok(Explanation {
        namespace: picture.explain.namespace.clone(),
        rollout: picture.explain.rollout.clone(),
        time: picture.explain.time,
        phase: standing::word(phase),
        reason,
        also: reasons.collect(),
        plan: forecast.iter().flat_map(|ahead| &ahead.next).map(write).collect(),
        peak_pods: forecast.as_ref().map(|ahead| ahead.peak_pods),
        at_least_seconds: forecast
            .as_ref()
            .filter(|ahead| ahead.end == End::Reached)
            .map(|ahead| ahead.times.seconds()),
        not_looked_at: picture.explain.unread.clone(),
        forecast,
    })
}

impl Explanation {
    /// The text for people.
    #[must_use]
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} in {}: {}\n", self.rollout, self.namespace, self.phase);
        self.write_reason(&mut text, "", &self.reason);
        for reason in &self.also {
            self.write_reason(&mut text, "Also: ", reason);
        }
        self.write_plan(&mut text);
        for (resource, said) in &self.not_looked_at {
            let _ = writeln!(text, "\nNot readable: {resource}: {said}");
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
            let _ = writeln!(text, "\nNext writes, in this order:");
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
        let _ = writeln!(text, "\nAt most {peak} at a time, not counting terminating ones.");
        text.push_str(&time_left(ahead));
    }
}

/// The minimum time, and what it does not include.
fn time_left(ahead: &Forecast) -> String {
    let parts = [
        (ahead.times.pauses, "pauses"),
        (ahead.times.ready, "minReadySeconds"),
        (ahead.times.delays, "scale-down delays"),
    ];
    let parts = parts.into_iter().filter(|(time, _)| *time > SignedDuration::ZERO);
    let listed: Vec<_> = parts.map(|(time, what)| format!("{} of {what}", span(time))).collect();
    let users = match ahead.user_pauses {
        0 => String::new(),
        1 => " and a pause that only a user ends".to_owned(),
        count => format!(" and {} that only a user ends", counted(count, "pause")),
    };
    match &ahead.end {
        End::Reached => {}
        End::Void(assumption) => {
            return format!("The duration cannot be predicted: {}.\n", broken(*assumption));
        }
        End::Stuck(standing) => {
            return format!("The update does not finish: the Rollout stays {}\n", sentence(&standing.line()));
        }
        End::Unseen => return "The end cannot be predicted.\n".to_owned(),
    }
    if listed.is_empty() {
        return format!("The duration depends on the start of pods{users}.\n");
    }
    let total = span(SignedDuration::from_secs(ahead.times.seconds()));
    format!("Minimum duration: {total} ({}). Not included: the start of pods{users}.\n", listed.join(", "))
}

/// The reason why an assumption does not hold.
const fn broken(assumption: Assumption) -> &'static str {
    match assumption {
        Assumption::Progress => "there was no progress within progressDeadlineSeconds",
        Assumption::Writes => "the API server refuses a write",
    }
}
