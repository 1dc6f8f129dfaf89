//! A version that answers 500 reaches few users, and the abort removes it.

use super::super::error::PlaygroundError;
use super::super::traffic::{FAILED, LOOK};
use super::super::world::{EXAMPLE, World};
use super::parts::{BAD, SAMPLE, deploy, expect, expect_only, is_share, of, update};
use serin_core::api::RolloutPhase;

/// The maximum share of the new version before a user promotes.
const SHARE_PERCENT: u32 = 20;

pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    let (user, visitor) = deploy(world, EXAMPLE).await?;
    world.tale.say("blue is deployed: 4 pods behind the ingress");
    let (steady, before) = (visitor.stay(), world.plane.tally());
    update(&user, &visitor, BAD, FAILED).await?;
    world.tale.say("the user sets an image that answers 500 to all requests");
    let failed = of(&visitor.sample(SAMPLE).await, FAILED);
    world.tale.say(&format!("at {SHARE_PERCENT} %: {failed} of {SAMPLE} requests reach it"));
    expect(failed > 0, || "no request reached it".to_owned())?;
    user.abort().await?;
    user.wait(RolloutPhase::Degraded, |status| status.abort).await?;
    visitor.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    let until_then = steady.seen().len();
    expect_only(&visitor.sample(500).await, "blue")?;
    // The first of these requests may have been in flight.
    let later = steady.seen().into_iter().skip(until_then + 1).filter(|visit| visit.colour != "blue").count();
    expect(later == 0, || format!("{later} requests reached it after the abort"))?;
    let all = world.plane.tally().since(&before);
    let (failed, whole) = (all.failed(), all.total());
    let is_bounded =
        failed * 100 <= whole * u64::from(SHARE_PERCENT) || is_share(failed, whole, SHARE_PERCENT);
    expect(is_bounded, || format!("{failed} of {whole} requests are more than {SHARE_PERCENT} %"))?;
    world.tale.say(&format!(
        "the user aborts: {failed} of {whole} requests reached it, and none reaches it any more"
    ));
    Ok(())
}
