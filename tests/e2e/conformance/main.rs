//! The same scenarios that were recorded of the reference, on a real Kubernetes API with the built controller.
//!
//! `tests/conformance` holds the scenarios, what was seen of the reference (version 1.9.1) in three runs of each, and the
//! deliberate differences. `SERIN_SCENARIOS="a b"` runs these alone. What was seen of ours, and the controller's log, stay
//! in `conformance/` of cargo's directory for the temporary files of tests.

#![allow(clippy::unwrap_used, reason = "the code of tests may panic, outside of test functions, too")]

#[path = "../../support/mod.rs"]
mod support;

mod api;
mod compare;
mod diff;
mod differences;
mod embedded;
mod facets;
#[cfg(test)]
mod honesty;
mod journal;
mod kinds;
mod play;
mod real;
mod report;
mod scenario;
mod stored;
mod watch;
mod world;

use futures::{StreamExt, stream};
use tokio::time::Instant;

use crate::compare::compare;
use crate::differences::Differences;
use crate::embedded::Embedded;
use crate::play::play;
use crate::real::Real;
use crate::report::{keep, log_about, say};
use crate::stored::Stored;
use crate::world::World;

/// How many scenarios are played side by side on a real API.
const SIDE_BY_SIDE: usize = 6;

/// What is to be played, and the deliberate differences.
fn wanted() -> (Vec<Stored>, Differences) {
    let wanted = std::env::var("SERIN_SCENARIOS").ok();
    let chosen = stored::chosen(wanted.as_deref()).unwrap_or_else(|why| panic!("{why}"));
    (chosen, stored::differences().unwrap_or_else(|why| panic!("{why}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_go_as_recorded_of_the_reference() {
    let (chosen, deliberate) = wanted();
    let Some(world) = Real::start().await else {
        return say(
            "SKIPPED: the scenarios need a cluster of their own, whose kubelet keeps the recorded times",
        );
    };
    let differing: Vec<_> = stream::iter(&chosen)
        .map(async |scenario| judged(&world, "real", scenario, &deliberate).await.err().map(|_| scenario))
        .buffer_unordered(SIDE_BY_SIDE)
        .filter_map(async |differing| differing)
        .collect()
        .await;
    // Times are part of the recordings, and a machine that is busy with six at once may miss them; what really differs
    // does so alone, too.
    let mut failed = Vec::new();
    for scenario in differing {
        say(&format!("once more, alone: {}", scenario.name));
        failed.extend(judged(&world, "real", scenario, &deliberate).await.err());
    }
    keep("controller.log", &world.log());
    conclude(&failed, chosen.len());
}

#[test]
fn scenarios_go_as_recorded_on_the_embedded_cluster() {
    let (chosen, deliberate) = wanted();
    let in_a_world_of_its_own = |scenario: &Stored| {
        embedded::runtime().block_on(async {
            let world = Embedded::start().await;
            judged(&world, "embedded", scenario, &deliberate).await
        })
    };
    let failed: Vec<_> = chosen.iter().filter_map(|scenario| in_a_world_of_its_own(scenario).err()).collect();
    conclude(&failed, chosen.len());
}

fn conclude(failed: &[String], of: usize) {
    let number = failed.len();
    assert!(
        failed.is_empty(),
        "{number} of {of} scenarios differ (what was seen is in {}):\n{}",
        report::kept().display(),
        failed.join("\n")
    );
}

/// Plays a scenario and says how it went; an error is everything that is wrong.
async fn judged(
    world: &impl World,
    called: &str,
    stored: &Stored,
    deliberate: &Differences,
) -> Result<(), String> {
    let start = Instant::now();
    let played = play(world, &stored.name, &stored.scenario).await;
    let title = format!("{called}: {} ({:.0} s)", stored.name, start.elapsed().as_secs_f32());
    let (mut wrong, log) = match played {
        Ok(played) => {
            let name = format!("{called}/{}", stored.name);
            keep(&format!("{name}.json"), &serde_json::to_string_pretty(&played.run).unwrap());
            keep(&format!("{name}.trace"), &played.trace);
            let found = compare(&stored.recording, &played.run);
            let failure = played.failure.map(|why| format!("did not come to its end: {why}"));
            let wrong: Vec<_> =
                failure.into_iter().chain(deliberate.unexpected(&stored.name, &found)).collect();
            (wrong, log_about(&world.log(), &played.namespace))
        }
        Err(why) => (vec![why], String::new()),
    };
    wrong.extend(world.ended().map(|how| format!("the controller ended by itself: {how}")));
    if wrong.is_empty() {
        say(&format!("same     {title}"));
        return Ok(());
    }
    let indented = wrong.join("\n").replace('\n', "\n    ");
    let report = format!("differs  {title}: {}\n    {indented}", stored.scenario.summary);
    say(&format!("{report}\n  the controller's last words about it\n{log}"));
    Err(report)
}
