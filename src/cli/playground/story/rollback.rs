//! An update is aborted at its first step, and the old version deployed again.

use std::time::Duration;

use super::super::error::PlaygroundError;
use super::super::world::World;
use super::{BLUE, canary, expect, expect_only, of, say};
use crate::api::RolloutPhase;
use crate::clock::sleep;

pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    canary::begin(world).await?;
    let (user, visitor) = (world.user(), world.visitor("demo.local"));
    let answers = visitor.sample(500).await;
    expect(of(&answers, "yellow") > 0, || format!("nobody met yellow: {answers:?}"))?;
    say(&format!("some meet yellow: {answers:?}"));
    let before = user.pod_names().await?;
    user.abort().await?;
    user.wait(RolloutPhase::Degraded, |status| status.abort).await?;
    sleep(Duration::from_millis(600)).await;
    expect_only(&visitor.sample(500).await, "blue")?;
    say("the user aborts: everybody meets blue again");
    user.set_image(BLUE).await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    let after = user.pod_names().await?;
    let new: Vec<_> = after.iter().filter(|pod| !before.contains(pod)).collect();
    expect(new.is_empty(), || format!("pods were started on the way back: {new:?}"))?;
    expect_only(&visitor.sample(200).await, "blue")?;
    say("the user asks for blue: healthy, and no pod was started for it");
    Ok(())
}
