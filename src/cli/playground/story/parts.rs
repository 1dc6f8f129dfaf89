//! The parts that several stories have: a deployment, an update, and checks of the answers.

use super::super::client::User;
use super::super::error::PlaygroundError;
use super::super::manifest::parse;
use super::super::traffic::{Answers, FAILED, LOOK, Visitor};
use super::super::world::World;
use serin_core::api::RolloutPhase;

/// The images before and after the update.
pub(super) const BLUE: &str = "argoproj/rollouts-demo:blue";
pub(super) const YELLOW: &str = "argoproj/rollouts-demo:yellow";
pub(super) const BAD: &str = "argoproj/rollouts-demo:bad-red";
/// Number of requests for measuring a share.
pub(super) const SAMPLE: usize = 2_000;

/// Applies manifests whose Rollout runs blue. Returns when all answers are blue.
pub(super) async fn deploy(world: &World, manifests: &str) -> Result<(User, Visitor), PlaygroundError> {
    world.apply(parse("the story", manifests)?).await?;
    let (user, visitor) = (world.user(), world.visitor("demo.local"));
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    visitor.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    Ok((user, visitor))
}

/// Sets the image of the example. Returns at its first pause, at 20 %, after the first answer of the new version.
pub(super) async fn update(
    user: &User,
    visitor: &Visitor,
    image: &str,
    colour: &str,
) -> Result<(), PlaygroundError> {
    user.set_image(image).await?;
    user.wait(RolloutPhase::Paused, |status| status.current_step_index == Some(1)).await?;
    visitor.until(&format!("{colour} answers"), |answers| of(answers, colour) > 0).await?;
    Ok(())
}

/// Ends the story with an error unless `is_so`.
pub(super) fn expect(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), PlaygroundError> {
    if is_so { Ok(()) } else { Err(PlaygroundError::Story(otherwise())) }
}

/// True if a share of `part` in `whole` is within five standard deviations of `percent`.
pub(super) fn is_share(part: u64, whole: u64, percent: u32) -> bool {
    #[allow(clippy::cast_precision_loss, reason = "some thousands of requests")]
    let (part, whole) = (part as f64, whole as f64);
    let share = f64::from(percent) / 100.0;
    let deviation = (whole * share * (1.0 - share)).sqrt();
    (part - whole * share).abs() <= 5.0 * deviation
}

pub(super) fn of(answers: &Answers, colour: &str) -> u64 {
    answers.get(colour).copied().unwrap_or(0)
}

/// Checks that all answers of a sample have one colour.
pub(super) fn expect_only(answers: &Answers, colour: &str) -> Result<(), PlaygroundError> {
    let all: u64 = answers.values().sum();
    expect(of(answers, colour) == all, || format!("only {colour} was expected, but {answers:?} answered"))
}

/// Checks that a colour has its percentage of a sample, and that no request failed.
pub(super) fn expect_share(answers: &Answers, colour: &str, percent: u32) -> Result<(), PlaygroundError> {
    let (part, whole) = (of(answers, colour), answers.values().sum());
    expect(is_share(part, whole, percent), || {
        format!("{colour} gave {part} of {whole} answers, which is not {percent} %")
    })?;
    expect(of(answers, FAILED) == 0, || format!("requests failed: {answers:?}"))
}

/// Checks that no pod was started: every name in `after` is in `before`.
pub(super) fn expect_no_start(before: &[String], after: &[String]) -> Result<(), PlaygroundError> {
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
