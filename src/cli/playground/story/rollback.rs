//! An update is aborted at its first step, and the old version is deployed again.

use super::super::error::PlaygroundError;
use super::super::traffic::LOOK;
use super::super::world::{EXAMPLE, World};
use super::parts::{BLUE, SAMPLE, YELLOW, deploy, expect_no_start, expect_only, expect_share, of, update};
use serin_core::api::RolloutPhase;

pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    let (user, visitor) = deploy(world, EXAMPLE).await?;
    world.tale.say("blue is deployed: 4 pods behind the ingress");
    update(&user, &visitor, YELLOW, "yellow").await?;
    world.tale.say("the user sets the image to yellow");
    let answers = visitor.sample(SAMPLE).await;
    expect_share(&answers, "yellow", 20)?;
    world.tale.say(&format!("some answers are yellow: {answers:?}"));
    let before = user.pod_names().await?;
    user.abort().await?;
    user.wait(RolloutPhase::Degraded, |status| status.abort).await?;
    visitor.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    expect_only(&visitor.sample(500).await, "blue")?;
    world.tale.say("the user aborts: all users reach blue again");
    user.set_image(BLUE).await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    expect_no_start(&before, &user.pod_names().await?)?;
    expect_only(&visitor.sample(200).await, "blue")?;
    world.tale.say("the user sets the image to blue: healthy, and no pod was started for it");
    Ok(())
}
