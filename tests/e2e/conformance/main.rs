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
mod facets;
#[cfg(test)]
mod honesty;
mod journal;
mod kinds;
mod play;
mod report;
mod scenario;
mod stored;
mod watch;

use std::path::Path;
use std::time::Duration;

use futures::{StreamExt, stream};
use serin::cluster::control_plane::ControlPlane;
use serin::cluster::kubelet::KubeletSettings;
use tokio::time::Instant;

use crate::compare::compare;
use crate::differences::Differences;
use crate::play::play;
use crate::report::{keep, log_about, say};
use crate::stored::Stored;

/// How many scenarios are played side by side.
const SIDE_BY_SIDE: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_go_as_recorded_of_the_reference() {
    let wanted = std::env::var("SERIN_SCENARIOS").ok();
    let chosen = stored::chosen(wanted.as_deref()).unwrap_or_else(|why| panic!("{why}"));
    let deliberate = stored::differences().unwrap_or_else(|why| panic!("{why}"));
    let Some(plane) = support::own_plane().await else {
        return say(
            "SKIPPED: the scenarios need a cluster of their own, whose kubelet keeps the recorded times",
        );
    };
    plane.install().await.unwrap();
    let times = KubeletSettings {
        start_latency: Duration::from_millis(2500),
        drain: Duration::ZERO,
        ..KubeletSettings::default()
    };
    let _kubelet = plane.start_kubelet(times).await.unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_serin"));
    let mut controller = plane.start_controller(program, &[]).unwrap();

    let differing: Vec<_> = stream::iter(&chosen)
        .map(async |scenario| judged(&plane, scenario, &deliberate).await.err().map(|_| scenario))
        .buffer_unordered(SIDE_BY_SIDE)
        .filter_map(async |differing| differing)
        .collect()
        .await;
    // Times are part of the recordings, and a machine that is busy with six at once may miss them; what really differs
    // does so alone, too.
    let mut failed = Vec::new();
    for scenario in differing {
        say(&format!("once more, alone: {}", scenario.name));
        failed.extend(judged(&plane, scenario, &deliberate).await.err());
    }
    let ended = controller.ended().unwrap();
    let log = report::log(&plane);
    keep("controller.log", &log);
    assert!(ended.is_none(), "the controller ended by itself, {ended:?}:\n{log}");
    let (number, of) = (failed.len(), chosen.len());
    assert!(
        failed.is_empty(),
        "{number} of {of} scenarios differ (what was seen is in {}):\n{}",
        report::kept().display(),
        failed.join("\n")
    );
}

/// Plays a scenario and says how it went; an error is everything that is wrong.
async fn judged(plane: &ControlPlane, stored: &Stored, deliberate: &Differences) -> Result<(), String> {
    let start = Instant::now();
    let played = play(plane, &stored.name, &stored.scenario).await;
    let title = format!("{} ({:.0} s)", stored.name, start.elapsed().as_secs_f32());
    let (wrong, log) = match played {
        Ok(played) => {
            keep(&format!("{}.json", stored.name), &serde_json::to_string_pretty(&played.run).unwrap());
            keep(&format!("{}.trace", stored.name), &played.trace);
            let found = compare(&stored.recording, &played.run);
            let failure = played.failure.map(|why| format!("did not come to its end: {why}"));
            let wrong = failure.into_iter().chain(deliberate.unexpected(&stored.name, &found)).collect();
            (wrong, log_about(plane, &played.namespace))
        }
        Err(why) => (vec![why], String::new()),
    };
    if wrong.is_empty() {
        say(&format!("same     {title}"));
        return Ok(());
    }
    let indented = wrong.join("\n").replace('\n', "\n    ");
    let report = format!("differs  {title}: {}\n    {indented}", stored.scenario.summary);
    say(&format!("{report}\n  the controller's last words about it\n{log}"));
    Err(report)
}
