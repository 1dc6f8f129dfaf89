//! Words for the thing that a Rollout waits for, and for remaining times.

use jiff::Timestamp;

use serin_insight::rounding::left;
use serin_insight::wait::{Run, Wait};
use serin_kubernetes::age::human;

/// Describes the thing that a Rollout waits for.
pub(super) fn words(wait: &Wait, now: Timestamp) -> String {
    let fixed = match wait {
        Wait::AbortEnd { weight } => {
            return format!("the end of the abort: the router still gives the canary {weight}");
        }
        Wait::RefusedWrite { said } => return format!("a refused write: {said}"),
        Wait::PauseEnd(end) => return format!("the end of the pause {}, or a promotion", until(*end, now)),
        Wait::Run { run, name: Some(name) } => return format!("the {} {name}", run_word(*run)),
        Wait::Run { run, name: None } => return format!("the {} of its step", run_word(*run)),
        Wait::Pods { revision, available, size } => {
            return format!("pods of the {revision} revision, {available} of {size} available");
        }
        Wait::Weight { set, asked } => {
            return format!("the router, which gives the canary {set} instead of {asked}");
        }
        Wait::Retry => "a retry, or another template",
        Wait::ValidSpec => "a valid spec",
        Wait::Resume => "a user to resume it (spec.paused is true)",
        Wait::Judgement(Run::Analysis) => "a promotion or an abort: an analysis was inconclusive",
        Wait::Judgement(Run::Experiment) => "a promotion or an abort: an experiment was inconclusive",
        Wait::Promotion => "a promotion",
        Wait::Observation => "the controller, which has not observed this spec yet",
        Wait::Unpause => "the controller, which must end the pause",
        Wait::Replacements => "replacement pods",
        Wait::Verification => "the router, which does not report the weights yet",
        Wait::Switch => "the switch of the active Service",
        Wait::OldPods => "the termination of old pods",
        Wait::NextStep => "its next step",
    };
    fixed.to_owned()
}

const fn run_word(run: Run) -> &'static str {
    match run {
        Run::Analysis => "analysis",
        Run::Experiment => "experiment",
    }
}

/// The time until `then`.
pub(super) fn until(then: Timestamp, now: Timestamp) -> String {
    if then <= now {
        "now".to_owned()
    } else {
        format!("in {}", human(left(then.duration_since(now)).as_secs()))
    }
}
