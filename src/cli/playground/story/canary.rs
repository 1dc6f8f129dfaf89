//! A canary behind the ingress, by weight and by header.

use std::time::Duration;

use super::super::error::PlaygroundError;
use super::super::manifest::parse;
use super::super::world::World;
use super::{BLUE, YELLOW, expect, expect_none_failed, expect_only, is_share, of, say};
use crate::api::RolloutPhase;
use crate::clock::sleep;

/// How many requests a share is measured on.
const SAMPLE: usize = 2_000;
/// From a weight in the Ingress until the proxy acts on it, with some to spare.
const APPLIED: Duration = Duration::from_millis(600);

/// Deploys blue, updates to yellow, and returns at the first pause, at 20 %.
pub(super) async fn begin(world: &World) -> Result<(), PlaygroundError> {
    world.apply(parse("the story", super::super::EXAMPLE)?).await?;
    let user = world.user();
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    sleep(APPLIED).await;
    say("blue is deployed: 4 pods behind the ingress");
    expect_only(&world.visitor("demo.local").sample(200).await, "blue")?;
    user.set_image(YELLOW).await?;
    say("the user asks for yellow");
    user.wait(RolloutPhase::Paused, |status| status.current_step_index == Some(1)).await?;
    sleep(APPLIED).await;
    Ok(())
}

/// From blue to yellow by 20, 50 and 80 %, with no request lost.
pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    world.apply(parse("the story", super::super::EXAMPLE)?).await?;
    world.user().wait(RolloutPhase::Healthy, |_| true).await?;
    sleep(APPLIED).await;
    let visitor = world.visitor("demo.local");
    let steady = visitor.stay();
    let user = world.user();
    say("blue is deployed: 4 pods behind the ingress");
    user.set_image(YELLOW).await?;
    say("the user asks for yellow");
    user.wait(RolloutPhase::Paused, |status| status.current_step_index == Some(1)).await?;
    sleep(APPLIED).await;
    let answers = visitor.sample(SAMPLE).await;
    say(&format!("at 20 %: {answers:?} of {SAMPLE} answers"));
    expect_none_failed(&answers)?;
    let yellow = of(&answers, "yellow");
    expect(is_share(yellow, SAMPLE as u64, 20), || format!("{yellow} of {SAMPLE} answers are no 20 %"))?;
    expect_only(&visitor.with_header("x-canary", "always").sample(100).await, "yellow")?;
    say("requests with X-Canary: always all reach yellow");
    user.promote().await?;
    say("the user promotes; 50 and 80 % pass by themselves");
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    sleep(APPLIED).await;
    expect_only(&visitor.sample(200).await, "yellow")?;
    let failed = steady.failed();
    expect(failed == 0, || format!("{failed} requests of a steady visitor failed"))?;
    say(&format!("yellow serves everybody; none of {} steady requests failed", steady.seen().len()));
    Ok(())
}

/// The header decides, whatever the weight.
pub(super) async fn tell_of_header(world: &World) -> Result<(), PlaygroundError> {
    begin(world).await?;
    let visitor = world.visitor("demo.local");
    expect_only(&visitor.with_header("x-canary", "always").sample(300).await, "yellow")?;
    say("at 20 %, 300 requests with X-Canary: always reach yellow");
    expect_only(&visitor.with_header("x-canary", "never").sample(300).await, "blue")?;
    say("300 with X-Canary: never reach blue");
    let answers = visitor.with_header("x-canary", "maybe").sample(SAMPLE).await;
    let yellow = of(&answers, "yellow");
    expect(is_share(yellow, SAMPLE as u64, 20), || format!("{yellow} of {SAMPLE} answers are no 20 %"))?;
    expect_none_failed(&answers)?;
    say(&format!("with any other value the weight decides: {answers:?}"));
    world.user().set_image(BLUE).await?;
    world.user().wait(RolloutPhase::Healthy, |_| true).await?;
    sleep(APPLIED).await;
    expect_only(&visitor.with_header("x-canary", "always").sample(100).await, "blue")?;
    say("the user goes back to blue; the header finds no canary any more");
    Ok(())
}
