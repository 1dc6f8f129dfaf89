//! Stories that the playground plays without a user. The responses to visitors decide the result.

mod bad_release;
mod blue_green;
mod canary;
mod rollback;

use std::io::IsTerminal;

use clap::ValueEnum;

use super::client::User;
use super::error::PlaygroundError;
use super::manifest::parse;
use super::traffic::{Answers, FAILED, LOOK, Visitor};
use super::view;
use super::world::World;
use serin_core::api::RolloutPhase;

/// The available stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Story {
    /// A new version gets 20 %, then 50 %, then all traffic.
    Canary,
    /// Requests with a header reach the canary, independent of the weight.
    CanaryHeader,
    /// A preview beside the old version, a switch, and the rollback.
    BlueGreen,
    /// An update is aborted half way, and the old version is deployed again.
    Rollback,
    /// A new version that answers 500 reaches few users, and is rolled back.
    BadRelease,
}

impl Story {
    /// Plays the story, and shows it on a terminal. Returns an error that describes the first deviation.
    pub(super) async fn play(self, world: &World) -> Result<(), PlaygroundError> {
        if !std::io::stdout().is_terminal() {
            return self.tell(world).await;
        }
        let done = tokio::select! {
            done = self.tell(world) => done,
            Err(error) = view::picture(world, || world.tale.text()) => Err(error),
        };
        println!("{}", world.tale.text());
        done
    }

    async fn tell(self, world: &World) -> Result<(), PlaygroundError> {
        match self {
            Self::Canary => canary::tell(world).await,
            Self::CanaryHeader => canary::tell_of_header(world).await,
            Self::BlueGreen => blue_green::tell(world).await,
            Self::Rollback => rollback::tell(world).await,
            Self::BadRelease => bad_release::tell(world).await,
        }
    }
}

/// The images before and after the update.
const BLUE: &str = "argoproj/rollouts-demo:blue";
const YELLOW: &str = "argoproj/rollouts-demo:yellow";
const BAD: &str = "argoproj/rollouts-demo:bad-red";
/// Number of requests for measuring a share.
const SAMPLE: usize = 2_000;

/// Applies manifests whose Rollout runs blue. Returns when all answers are blue.
async fn deploy(world: &World, manifests: &str) -> Result<(User, Visitor), PlaygroundError> {
    world.apply(parse("the story", manifests)?).await?;
    let (user, visitor) = (world.user(), world.visitor("demo.local"));
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    visitor.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    Ok((user, visitor))
}

/// Sets the image of the example. Returns at its first pause, at 20 %, after the first answer of the new version.
async fn update(user: &User, visitor: &Visitor, image: &str, colour: &str) -> Result<(), PlaygroundError> {
    user.set_image(image).await?;
    user.wait(RolloutPhase::Paused, |status| status.current_step_index == Some(1)).await?;
    visitor.until(&format!("{colour} answers"), |answers| of(answers, colour) > 0).await?;
    Ok(())
}

/// Ends the story with an error unless `is_so`.
fn expect(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), PlaygroundError> {
    if is_so { Ok(()) } else { Err(PlaygroundError::Story(otherwise())) }
}

/// True if a share of `part` in `whole` is within five standard deviations of `percent`.
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

/// Checks that all answers of a sample have one colour.
fn expect_only(answers: &Answers, colour: &str) -> Result<(), PlaygroundError> {
    let all: u64 = answers.values().sum();
    expect(of(answers, colour) == all, || format!("only {colour} was expected, but {answers:?} answered"))
}

/// Checks that a colour has its percentage of a sample, and that no request failed.
fn expect_share(answers: &Answers, colour: &str, percent: u32) -> Result<(), PlaygroundError> {
    let (part, whole) = (of(answers, colour), answers.values().sum());
    expect(is_share(part, whole, percent), || {
        format!("{colour} gave {part} of {whole} answers, which is not {percent} %")
    })?;
    expect(of(answers, FAILED) == 0, || format!("requests failed: {answers:?}"))
}

/// Checks that no pod was started: every name in `after` is in `before`.
fn expect_no_start(before: &[String], after: &[String]) -> Result<(), PlaygroundError> {
    let new: Vec<_> = after.iter().filter(|pod| !before.contains(pod)).collect();
    expect(new.is_empty(), || format!("the rollback started pods: {new:?}"))
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

    #[test]
    fn a_share_is_not_enough_where_requests_fail() {
        let answers = |blue, yellow, failed| {
            Answers::from([("blue".into(), blue), ("yellow".into(), yellow), (FAILED.into(), failed)])
        };
        assert!(expect_share(&answers(1_600, 400, 0), "yellow", 20).is_ok());
        assert!(expect_share(&answers(1_599, 400, 1), "yellow", 20).is_err());
        assert!(expect_share(&answers(1_800, 200, 0), "yellow", 20).is_err());
    }
}
