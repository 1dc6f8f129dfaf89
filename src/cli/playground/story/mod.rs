//! Stories that the playground plays by itself, each judged by the responses that visitors got.

mod bad_release;
mod blue_green;
mod canary;
mod rollback;

use clap::ValueEnum;

use super::error::PlaygroundError;
use super::traffic::{Answers, FAILED};
use super::world::World;

/// A story that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Story {
    /// A new version gets 20 %, then 50 %, then everything.
    Canary,
    /// Requests with a header reach the canary whatever the weight.
    CanaryHeader,
    /// A preview beside the old version, a switch, and the way back.
    BlueGreen,
    /// An update is given up half way, and the old version deployed again.
    Rollback,
    /// A new version that answers 500 reaches few, and is taken away.
    BadRelease,
}

impl Story {
    /// Plays the story; an error says what went otherwise than told.
    pub(super) async fn tell(self, world: &World) -> Result<(), PlaygroundError> {
        match self {
            Self::Canary => canary::tell(world).await,
            Self::CanaryHeader => canary::tell_of_header(world).await,
            Self::BlueGreen => blue_green::tell(world).await,
            Self::Rollback => rollback::tell(world).await,
            Self::BadRelease => bad_release::tell(world).await,
        }
    }
}

/// The old and the new image of every story.
const BLUE: &str = "argoproj/rollouts-demo:blue";
const YELLOW: &str = "argoproj/rollouts-demo:yellow";

fn say(line: &str) {
    println!("{line}");
}

/// The story goes on only if `is_so`; else what was expected and seen ends it.
fn expect(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), PlaygroundError> {
    if is_so { Ok(()) } else { Err(PlaygroundError::Story(otherwise())) }
}

/// Whether a share of `part` in `whole` is within five standard deviations of `percent`.
fn is_share(part: u64, whole: u64, percent: u32) -> bool {
    #[allow(clippy::cast_precision_loss, reason = "some thousands of requests")]
    let (part, whole) = (part as f64, whole as f64);
    let share = f64::from(percent) / 100.0;
    let deviation = (whole * share * (1.0 - share)).sqrt();
    (part - whole * share).abs() <= 5.0 * deviation
}

fn of(answers: &Answers, colour: &str) -> u64 {
    answers.get(colour).copied().unwrap_or(0)
}

/// All answers of a sample must have one colour.
fn expect_only(answers: &Answers, colour: &str) -> Result<(), PlaygroundError> {
    let all: u64 = answers.values().sum();
    expect(of(answers, colour) == all, || format!("only {colour} was expected, but {answers:?} answered"))
}

/// No request of a sample may have failed.
fn expect_none_failed(answers: &Answers) -> Result<(), PlaygroundError> {
    expect(of(answers, FAILED) == 0, || format!("requests failed: {answers:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_judged_by_their_deviation() {
        assert!(is_share(400, 2_000, 20));
        assert!(is_share(489, 2_000, 20), "4.97 deviations");
        assert!(!is_share(490, 2_000, 20), "5.03 deviations");
        assert!(!is_share(0, 2_000, 20));
    }
}
