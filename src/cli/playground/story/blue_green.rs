//! A preview beside the old version, one switch for everyone, and a rollback that starts no pod.

use std::time::Duration;

use tokio::time::Instant;

use super::super::error::PlaygroundError;
use super::super::traffic::{LOOK, Steady, Visit};
use super::super::world::World;
use super::parts::{BLUE, YELLOW, deploy, expect, expect_no_start, expect_only, of};
use serin_clock::sleep;
use serin_core::api::RolloutPhase;

const MANIFEST: &str = include_str!("blue_green.yaml");
/// Creation times have whole seconds. Two revisions of the same second have no order, and a rollback would become a
/// normal update with a pause.
const ONE_SECOND: Duration = Duration::from_secs(1);
/// Number of steady visitors.
const VISITORS: usize = 4;

pub(super) async fn tell(world: &World) -> Result<(), PlaygroundError> {
    let (user, active) = deploy(world, MANIFEST).await?;
    let preview = world.visitor("preview.local");
    world.tale.say("blue is deployed and active");
    sleep(ONE_SECOND).await;
    user.set_image(YELLOW).await?;
    user.wait(RolloutPhase::Paused, |_| true).await?;
    preview.until("the preview is yellow", |answers| of(answers, "yellow") == LOOK).await?;
    expect_only(&preview.sample(100).await, "yellow")?;
    expect_only(&active.sample(100).await, "blue")?;
    world.tale.say(
        "the user sets the image to yellow: its preview answers on its own Service, users still \
                    reach blue",
    );
    let steady: Vec<_> = (0..VISITORS).map(|_| active.stay()).collect();
    active.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    user.promote().await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    active.until("only yellow answers", |answers| of(answers, "yellow") == LOOK).await?;
    expect_only(&active.sample(100).await, "yellow")?;
    world.tale.say("the user promotes: one switch, and every later answer is yellow");
    user.wait_for_delay().await?;
    let before = user.pod_names().await?;
    user.set_image(BLUE).await?;
    user.wait(RolloutPhase::Healthy, |_| true).await?;
    active.until("only blue answers", |answers| of(answers, "blue") == LOOK).await?;
    expect_only(&active.sample(100).await, "blue")?;
    expect_no_start(&before, &user.pod_names().await?)?;
    let seen = steady.iter().flat_map(Steady::seen).collect();
    let switches = switches(seen);
    expect(switches == ["blue", "yellow", "blue"], || format!("visitors saw {}", switches.join(", then ")))?;
    world.tale.say("the user rolls back: blue answers again, and no pod was started for it");
    Ok(())
}

/// The sequence of colours that visitors saw. Until the next version gives its first answer, a request may be
/// answered by the previous one. Requests that start later must not.
fn switches(mut visits: Vec<Visit>) -> Vec<String> {
    visits.sort_by_key(|visit| visit.ended);
    let mut switches: Vec<(String, Instant)> = Vec::new();
    for Visit { begun, ended, colour } in visits {
        let mut earlier = switches.iter().rev();
        let is_present = earlier.next().is_some_and(|(present, _)| *present == colour);
        // It was in flight at the first answer of the present version.
        let is_late = switches.last().is_some_and(|(_, since)| begun < *since)
            && earlier.next().is_some_and(|(before, _)| *before == colour);
        if !is_present && !is_late {
            switches.push((colour, ended));
        }
    }
    switches.into_iter().map(|(colour, _)| colour).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The switches in visits, given as start, end and colour.
    fn of(visits: &[(u64, u64, &str)]) -> Vec<String> {
        let start = Instant::now();
        let visit = |(begun, ended, colour): &(u64, u64, &str)| Visit {
            begun: start + Duration::from_millis(*begun),
            ended: start + Duration::from_millis(*ended),
            colour: (*colour).to_owned(),
        };
        switches(visits.iter().map(visit).collect())
    }

    #[test]
    fn a_request_under_way_may_meet_what_was_before() {
        let visits = [(0, 1, "blue"), (3, 4, "yellow"), (2, 5, "blue"), (6, 7, "yellow"), (8, 9, "blue")];
        assert_eq!(of(&visits), ["blue", "yellow", "blue"]);
    }

    #[test]
    fn a_later_request_must_not() {
        let visits = [(0, 1, "blue"), (3, 4, "yellow"), (5, 6, "blue"), (7, 8, "yellow")];
        assert_eq!(of(&visits), ["blue", "yellow", "blue", "yellow"]);
    }
}
