//! A canary behind the ingress, by weight and by header.

use super::super::error::PlaygroundError;
use super::super::traffic::LOOK;
use super::super::world::{EXAMPLE, World};
use super::parts::{BLUE, SAMPLE, YELLOW, deploy, expect, expect_only, expect_share, of, update};
use serin_core::api::RolloutPhase;

/// The header that selects the canary in the example.
const HEADER: &str = "x-canary";

/// From blue to yellow in steps of 20, 50 and 80 %, without a lost request.
pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    let (user, visitor) = deploy(world, EXAMPLE).await?;
    world.tale.say("blue is deployed: 4 pods behind the ingress");
    let (steady, before) = (visitor.stay(), world.plane.tally());
    update(&user, &visitor, YELLOW, "yellow").await?;
    world.tale.say("the user sets the image to yellow");
    let answers = visitor.sample(SAMPLE).await;
    world.tale.say(&format!("at 20 %: {answers:?} of {SAMPLE} answers"));
    expect_share(&answers, "yellow", 20)?;
    let choosing = visitor.with_header(HEADER, "always");
    expect_only(&choosing.sample(100).await, "yellow")?;
    world.tale.say("requests with X-Canary: always all reach yellow");
    let chosen = choosing.stay();
    user.promote().await?;
    world.tale.say("the user promotes; 50 and 80 % follow automatically");
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    visitor.until("only yellow answers", |answers| of(answers, "yellow") == LOOK).await?;
    expect_only(&visitor.sample(200).await, "yellow")?;
    expect_only(&chosen.answers(), "yellow")?;
    let all = world.plane.tally().since(&before);
    let failed = u64::try_from(steady.failed()).unwrap_or(u64::MAX) + all.failed() + all.unruled;
    expect(failed == 0, || format!("{failed} of {} requests failed: {all:?}", all.total()))?;
    world.tale.say(&format!("yellow serves all users; none of {} requests failed", all.total()));
    Ok(())
}

/// The header overrides the weight.
pub(super) async fn tell_of_header(world: &World) -> Result<(), PlaygroundError> {
    let (user, visitor) = deploy(world, EXAMPLE).await?;
    world.tale.say("blue is deployed: 4 pods behind the ingress");
    update(&user, &visitor, YELLOW, "yellow").await?;
    world.tale.say("the user sets the image to yellow");
    let choosing = visitor.with_header(HEADER, "always");
    expect_only(&choosing.sample(300).await, "yellow")?;
    world.tale.say("at 20 %, 300 requests with X-Canary: always reach yellow");
    expect_only(&visitor.with_header(HEADER, "never").sample(300).await, "blue")?;
    world.tale.say("300 with X-Canary: never reach blue");
    let answers = visitor.with_header(HEADER, "maybe").sample(SAMPLE).await;
    expect_share(&answers, "yellow", 20)?;
    world.tale.say(&format!("with any other value the weight decides: {answers:?}"));
    user.set_image(BLUE).await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    choosing.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    expect_only(&choosing.sample(100).await, "blue")?;
    world.tale.say("the user rolls back to blue; the header no longer selects a canary");
    Ok(())
}
