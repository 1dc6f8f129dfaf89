//! The same scenarios that were recorded of the reference, with the whole controller: on a real Kubernetes API, and on the
//! embedded cluster in virtual time.
//!
//! `SERIN_SCENARIOS="a b"` plays these alone. What was seen of ours stays in `conformance/` of cargo's directory for the
//! temporary files of tests, by world.

#![allow(clippy::unwrap_used, reason = "the code of tests may panic, outside of test functions, too")]

#[path = "../../conformance/mod.rs"]
mod conformance;
#[path = "../../support/healthy.rs"]
mod healthy;
#[path = "../../support/mod.rs"]
mod support;

mod api;
mod embedded;
mod honesty;
mod play;
mod real;
mod report;
mod watch;
mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use futures::{StreamExt, stream};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::conformance::compare::compare;
use crate::conformance::differences::Differences;
use crate::conformance::stored::{self, Stored};
use crate::embedded::Embedded;
use crate::play::{Played, play};
use crate::real::Real;
use crate::report::{keep, log_about, say};
use crate::world::World;

/// How many scenarios are played side by side on a real API.
const SIDE_BY_SIDE: usize = 6;

/// Times on a real API are real: who plays there has the machine to itself.
static MACHINE: Mutex<()> = Mutex::const_new(());

/// What is to be played, and the deliberate differences.
fn wanted() -> (Vec<Stored>, Differences) {
    let wanted = std::env::var("SERIN_SCENARIOS").ok();
    let chosen = stored::chosen(wanted.as_deref()).unwrap_or_else(|why| panic!("{why}"));
    (chosen, stored::differences().unwrap_or_else(|why| panic!("{why}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_go_as_recorded_on_a_real_api() {
    let (chosen, deliberate) = wanted();
    let _machine = MACHINE.lock().await;
    let Some(world) = Real::start().await else {
        return say(
            "SKIPPED: the scenarios need a cluster of their own, whose kubelet keeps the recorded times",
        );
    };
    let differing: Vec<_> = stream::iter(&chosen)
        .map(async |scenario| judged(&world, scenario, &deliberate).await.err().map(|_| scenario))
        .buffer_unordered(SIDE_BY_SIDE)
        .filter_map(async |differing| differing)
        .collect()
        .await;
    // Times are part of the recordings, and a machine that is busy with six at once may miss them; what really differs
    // does so alone, too.
    let mut failed = Vec::new();
    for scenario in differing {
        say(&format!("once more, alone: {}", scenario.name));
        failed.extend(judged(&world, scenario, &deliberate).await.err());
    }
    keep("controller.log", &world.log());
    conclude(&failed, chosen.len());
}

#[test]
fn scenarios_go_as_recorded_on_the_embedded_cluster() {
    let (chosen, deliberate) = wanted();
    let _machine = MACHINE.blocking_lock();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failed = Vec::new();
        while let Some(scenario) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            failed.extend(Embedded::run(async |world| judged(&world, scenario, &deliberate).await).err());
        }
        failed
    };
    let failed: Vec<_> = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    conclude(&failed, chosen.len());
}

/// What is seen is the same each time, and so is when.
#[test]
fn the_embedded_cluster_goes_the_same_way_each_time() {
    let chosen = stored::chosen(Some("nginx-dynamic-abort")).unwrap();
    let trace = || {
        Embedded::run(async |world| {
            let Played { trace, .. } = play(&world, "again", &chosen[0].scenario).await.unwrap();
            trace
        })
    };
    assert_eq!(trace(), trace());
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
async fn judged<W: World>(world: &W, stored: &Stored, deliberate: &Differences) -> Result<(), String> {
    let start = Instant::now();
    let played = play(world, &stored.name, &stored.scenario).await;
    let title = format!("{}: {} ({:.0} s)", W::NAME, stored.name, start.elapsed().as_secs_f32());
    let (mut wrong, log) = match played {
        Ok(played) => {
            let name = format!("{}/{}", W::NAME, stored.name);
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
