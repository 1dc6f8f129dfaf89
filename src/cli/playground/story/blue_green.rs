//! A preview beside the old version, one switch for everybody, and a way back that starts no pod.

use std::time::Duration;

use super::super::error::PlaygroundError;
use super::super::manifest::parse;
use super::super::world::World;
use super::{BLUE, YELLOW, expect, expect_only, say};
use crate::api::RolloutPhase;
use crate::clock::sleep;

const MANIFEST: &str = include_str!("blue_green.yaml");
const APPLIED: Duration = Duration::from_millis(600);

pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    world.apply(parse("the story", MANIFEST)?).await?;
    let user = world.user();
    let (active, preview) = (world.visitor("demo.local"), world.visitor("preview.local"));
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    sleep(APPLIED).await;
    expect_only(&active.sample(100).await, "blue")?;
    say("blue is deployed and active");
    user.set_image(YELLOW).await?;
    user.wait(RolloutPhase::Paused, |_| true).await?;
    sleep(APPLIED).await;
    expect_only(&preview.sample(100).await, "yellow")?;
    expect_only(&active.sample(100).await, "blue")?;
    say("the user asks for yellow: its preview answers on its own Service, users still meet blue");
    let steady = active.stay();
    user.promote().await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    sleep(APPLIED).await;
    expect_only(&active.sample(100).await, "yellow")?;
    expect_one_switch(&steady.seen(), "blue", "yellow")?;
    say("the user promotes: one switch, and every later answer is yellow");
    let before = user.pod_names().await?;
    user.set_image(BLUE).await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    sleep(APPLIED).await;
    expect_only(&active.sample(100).await, "blue")?;
    let after = user.pod_names().await?;
    let new: Vec<_> = after.iter().filter(|pod| !before.contains(pod)).collect();
    expect(new.is_empty(), || format!("pods were started on the way back: {new:?}"))?;
    expect(steady.failed() == 0, || "requests failed".to_owned())?;
    say("the user goes back: blue answers again, and no pod was started for it");
    Ok(())
}

/// Every answer before the switch has one colour, and every one after it the other.
fn expect_one_switch(seen: &[String], old: &str, new: &str) -> Result<(), PlaygroundError> {
    let switch = seen.iter().position(|colour| colour != old).unwrap_or(seen.len());
    let is_clean = seen[switch..].iter().all(|colour| colour == new) && switch < seen.len();
    expect(is_clean, || format!("from {old} to {new} in more than one switch: {:?}", &seen[switch..]))
}
