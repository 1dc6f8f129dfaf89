//! A preview beside the old version, one switch for everybody, and a way back that starts no pod.

use super::super::error::PlaygroundError;
use super::super::traffic::LOOK;
use super::super::world::World;
use super::{BLUE, YELLOW, deploy, expect, expect_no_start, expect_only, of};
use crate::api::RolloutPhase;

const MANIFEST: &str = include_str!("blue_green.yaml");
/// How many visitors come again and again.
const VISITORS: usize = 4;

pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    let (user, active) = deploy(world, MANIFEST).await?;
    let preview = world.visitor("preview.local");
    world.tale.say("blue is deployed and active");
    user.set_image(YELLOW).await?;
    user.wait(RolloutPhase::Paused, |_| true).await?;
    preview.until("the preview is yellow", |answers| of(answers, "yellow") == LOOK).await?;
    expect_only(&preview.sample(100).await, "yellow")?;
    expect_only(&active.sample(100).await, "blue")?;
    world.tale.say("the user asks for yellow: its preview answers on its own Service, users still meet blue");
    let steady: Vec<_> = (0..VISITORS).map(|_| active.stay()).collect();
    active.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    user.promote().await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    active.until("only yellow answers", |answers| of(answers, "yellow") == LOOK).await?;
    expect_only(&active.sample(100).await, "yellow")?;
    world.tale.say("the user promotes: one switch, and every later answer is yellow");
    let before = user.pod_names().await?;
    user.set_image(BLUE).await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    active.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    expect_only(&active.sample(100).await, "blue")?;
    expect_no_start(&before, &user.pod_names().await?)?;
    for visitor in steady {
        let switches = switches(visitor.seen());
        expect(switches == ["blue", "yellow", "blue"], || {
            format!("a visitor met {}", switches.join(", then "))
        })?;
    }
    world.tale.say("the user goes back: blue answers again, and no pod was started for it");
    Ok(())
}

/// What a visitor met, without repetitions.
fn switches(mut seen: Vec<String>) -> Vec<String> {
    seen.dedup();
    seen
}
