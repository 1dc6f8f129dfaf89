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
mod scenario;
mod stored;
mod watch;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::{StreamExt, stream};
use serin::cluster::control_plane::ControlPlane;
use serin::cluster::kubelet::KubeletSettings;
use tokio::time::Instant;

use crate::compare::compare;
use crate::differences::Differences;
use crate::play::{Played, play};
use crate::stored::Stored;

/// How many scenarios are played side by side.
const SIDE_BY_SIDE: usize = 6;

/// How many lines of the controller's log a failing run shows.
const LOG_LINES: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_go_as_recorded_of_the_reference() {
    let chosen = stored::chosen(std::env::var("SERIN_SCENARIOS").ok().as_deref())
        .unwrap_or_else(|why| panic!("{why}"));
    let deliberate = stored::differences().unwrap_or_else(|why| panic!("{why}"));
    let Some(plane) = support::own_plane().await else {
        return say("SKIPPED: the scenarios need a control plane whose kubelet keeps the recorded times");
    };
    plane.install().await.unwrap();
    let times = KubeletSettings {
        start_latency: Duration::from_millis(2500),
        drain: Duration::ZERO,
        ..KubeletSettings::default()
    };
    let kubelet = plane.start_kubelet(times).await.unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_serin"));
    let mut controller = plane.start_controller(program, &["--healthzPort", "0"]).unwrap();

    let results: Vec<_> = stream::iter(&chosen)
        .map(|scenario| judged(&plane, scenario, &deliberate))
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await;
    let failed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let ended = controller.ended().unwrap();
    let log = keep_log(&plane).unwrap();
    drop((controller, kubelet));
    if let Some(status) = ended {
        panic!("the controller ended by itself ({status}):\n{}", last_lines(&log));
    }
    if !failed.is_empty() {
        let kept = kept();
        let (number, of) = (failed.len(), chosen.len());
        let (log, failed) = (last_lines(&log), failed.join("\n"));
        panic!(
            "{number} of {of} scenarios differ; in {}: controller.log, which ends\n{log}\n\n{failed}",
            kept.display()
        );
    }
}

/// Plays a scenario and says how it went; an error is everything that is wrong.
async fn judged(plane: &ControlPlane, scenario: &Stored, deliberate: &Differences) -> Result<(), String> {
    let start = Instant::now();
    let played = play(plane, &scenario.name, &scenario.scenario).await;
    let wrong = match &played {
        Ok(played) => {
            let found = compare(&scenario.recording, &played.run);
            let failure = played.failure.iter().map(|why| format!("did not come to its end: {why}"));
            failure.chain(deliberate.unexpected(&scenario.name, &found)).collect()
        }
        Err(why) => vec![why.clone()],
    };
    let name = &scenario.name;
    let seconds = start.elapsed().as_secs_f32();
    if let Ok(Played { run, .. }) = &played {
        keep(&format!("{name}.json"), &serde_json::to_string_pretty(run).unwrap()).unwrap();
    }
    if wrong.is_empty() {
        say(&format!("same     {name} ({seconds:.0} s)"));
        return Ok(());
    }
    let namespace = played.as_ref().map_or("none", |played| played.namespace.as_str());
    let listed = wrong.join("\n").replace('\n', "\n    ");
    let report = format!(
        "differs  {name} ({seconds:.0} s, namespace {namespace}): {}\n    {listed}",
        scenario.scenario.summary
    );
    say(&report);
    Err(report)
}

/// Says something at once, to whoever watches a run of minutes.
fn say(text: &str) {
    // Nobody may be listening.
    let _closed = writeln!(io::stderr(), "{text}");
}

/// The directory for what may be looked at after a run.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance")
}

fn keep(name: &str, text: &str) -> io::Result<()> {
    fs::create_dir_all(kept())?;
    fs::write(kept().join(name), text)
}

/// The log of the controller, which is kept.
fn keep_log(plane: &ControlPlane) -> io::Result<String> {
    let log = fs::read_to_string(plane.directory().join("controller-1.log"))?;
    keep("controller.log", &log)?;
    Ok(log)
}

fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}
