//! A version that answers 500: few meet it, and the abort takes it away.

use std::time::Duration;

use super::super::error::PlaygroundError;
use super::super::manifest::parse;
use super::super::traffic::FAILED;
use super::super::world::World;
use super::{expect, expect_only, is_share, of, say};
use crate::api::RolloutPhase;
use crate::clock::sleep;

const SAMPLE: usize = 2_000;
const BAD: &str = "argoproj/rollouts-demo:bad-red";

pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    world.apply(parse("the story", super::super::EXAMPLE)?).await?;
    let (user, visitor) = (world.user(), world.visitor("demo.local"));
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    sleep(Duration::from_millis(600)).await;
    say("blue is deployed");
    user.set_image(BAD).await?;
    say("the user asks for a version that answers 500 to everything");
    user.wait(RolloutPhase::Paused, |status| status.current_step_index == Some(1)).await?;
    sleep(Duration::from_millis(600)).await;
    let answers = visitor.sample(SAMPLE).await;
    let failed = of(&answers, FAILED);
    say(&format!("at 20 %: {failed} of {SAMPLE} requests meet it"));
    let is_bounded = failed <= SAMPLE as u64 / 5 || is_share(failed, SAMPLE as u64, 20);
    expect(is_bounded && failed > 0, || format!("{failed} of {SAMPLE} are more than its weight's share"))?;
    user.abort().await?;
    user.wait(RolloutPhase::Degraded, |status| status.abort).await?;
    sleep(Duration::from_millis(600)).await;
    expect_only(&visitor.sample(500).await, "blue")?;
    say("the user aborts: nobody meets it any more");
    Ok(())
}
