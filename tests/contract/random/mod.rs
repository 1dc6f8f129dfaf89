//! The same random operations on both worlds, with the same answers.
//!
//! Sequences of operations are drawn by a seed ([`draw`]) and sent, one by one, to the embedded API and to a real API
//! server without controllers. Codes, refusals, warnings and objects are compared, and at the end what watches have let
//! through. What each world chooses by itself (uids, times, versions, addresses) is named by when it came up first
//! ([`alike`]). A sequence with a difference is played again and again with operations left out, until each that is
//! left is needed ([`shrink`]).
//!
//! `SERIN_SEED=N` tries other sequences.

mod alike;
mod bodies;
mod changes;
mod draw;
mod exceptions;
mod operation;
mod shrink;
mod side;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::Client;
use kube::config::Kubeconfig;
use serde_json::Value;
use serin_clock::Clock;
use serin_cluster::api::store::{Settings, Store};
use serin_cluster::http::Front;
use serin_testbed::ControlPlane;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support;
use crate::world::{World, client};
use exceptions::EXCEPTIONS;
use operation::{COUNTED_KINDS, COUNTED_VERBS, Kind, Operation, Verb};
use side::Side;

/// How many sequences there are.
const SEQUENCES: u64 = 24;

/// How many are played at the same time.
const AT_ONCE: usize = 4;

/// The least number of operations of each verb on each kind that has it.
const LEAST: usize = 100;

/// The seed of the sequences where `SERIN_SEED` names no other.
const SEED: u64 = 1;

/// What came up in a run.
#[derive(Debug, Default)]
struct Tally {
    /// How often a verb on a kind was tried, and how often it was done.
    counts: BTreeMap<(Verb, Kind), (usize, usize)>,
    /// The exceptions that were met in the embedded world.
    embedded: BTreeSet<usize>,
    /// Those that were met in the real one.
    real: BTreeSet<usize>,
}

/// Both worlds.
#[derive(Clone)]
struct Worlds {
    embedded: Client,
    real: Client,
}

/// Where the worlds differ.
#[derive(Debug)]
struct Difference {
    /// The number of the operation.
    number: usize,
    embedded: Value,
    real: Value,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_operations_are_answered_alike() {
    let plane = match ControlPlane::start_api_alone().await {
        Ok(plane) => plane,
        Err(error) => return support::skip(&error),
    };
    let seed = std::env::var("SERIN_SEED").ok().map_or(SEED, |seed| seed.parse().expect("a number"));
    let kubeconfig = Kubeconfig::read_from(plane.admin_kubeconfig()).expect("a kubeconfig");
    let front = Front::new(Store::new(&Settings::default(), Clock::System.now()), Clock::System);
    let worlds = Worlds { embedded: front.client("default"), real: client(kubeconfig).await };
    worlds.define().await;
    let (tally, failures) = play_all(&worlds, seed).await;
    println!("{}", table(&tally));
    assert!(failures.is_empty(), "seed {seed}, {} differences:\n{}", failures.len(), failures.join("\n"));
    for (verb, kind) in combinations() {
        let (tried, _) = tally.counts.get(&(verb, kind)).copied().unwrap_or_default();
        assert!(tried >= LEAST, "{} of {kind:?}: {tried}", verb.word());
    }
    let all: BTreeSet<usize> = (0..EXCEPTIONS.len()).collect();
    assert!(tally.embedded.is_empty(), "no exceptions any more: {:?} of {EXCEPTIONS:?}", tally.embedded);
    assert!(seed != SEED || tally.real == all, "never met: all but {:?} of {EXCEPTIONS:?}", tally.real);
}

async fn play_all(worlds: &Worlds, seed: u64) -> (Tally, Vec<String>) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for index in 0..SEQUENCES {
        let (worlds, permits) = (worlds.clone(), Arc::clone(&permits));
        running.spawn(async move {
            let _permit = permits.acquire_owned().await.expect("a semaphore that stays open");
            let operations = draw::sequence(seed.wrapping_mul(1000) + index);
            let name = format!("random-{index}");
            let mut tally = Tally::default();
            let found = worlds.play(&name, &operations, &mut tally).await;
            let report = match found {
                None => None,
                Some(difference) => Some(shrink::report(&worlds, &name, &operations, difference).await),
            };
            (index, tally, report)
        });
    }
    let mut tally = Tally::default();
    let mut failures = BTreeMap::new();
    while let Some(done) = running.join_next().await {
        let (index, own, report) = done.expect("a sequence");
        failures.extend(report.map(|report| (index, report)));
        for (key, (tried, done)) in own.counts {
            let count = tally.counts.entry(key).or_default();
            *count = (count.0 + tried, count.1 + done);
        }
        tally.embedded.extend(own.embedded);
        tally.real.extend(own.real);
    }
    (tally, failures.into_values().collect())
}

fn combinations() -> impl Iterator<Item = (Verb, Kind)> {
    let of = |verb: Verb| COUNTED_KINDS.into_iter().map(move |kind| (verb, kind));
    COUNTED_VERBS.into_iter().flat_map(of).filter(|(verb, kind)| kind.has(*verb))
}

fn table(tally: &Tally) -> String {
    let mut lines = vec![format!(
        "{:>20} {}",
        "",
        COUNTED_KINDS.map(|kind| format!("{kind:?}")).map(|name| format!("{name:>12}")).concat()
    )];
    for verb in COUNTED_VERBS {
        let cell = |kind: Kind| match tally.counts.get(&(verb, kind)) {
            Some((tried, done)) if kind.has(verb) => format!("{:>12}", format!("{tried} ({done})")),
            Some(_) | None => format!("{:>12}", "-"),
        };
        lines.push(format!("{:>20} {}", verb.word(), COUNTED_KINDS.map(cell).concat()));
    }
    format!("operations, and in parentheses those that were done:\n{}", lines.join("\n"))
}

impl Worlds {
    /// Has both know Rollouts.
    async fn define(&self) {
        let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/crds/rollout-crd.yaml"));
        let definition: Value = serde_yaml::from_str(&file.expect("a definition")).expect("a definition");
        for client in [&self.embedded, &self.real] {
            let world = World::within(client.clone(), "default");
            crate::custom::define(&world, &definition).await;
        }
    }

    /// Plays a sequence in a namespace of its own, up to the first difference.
    async fn play(&self, name: &str, operations: &[Operation], tally: &mut Tally) -> Option<Difference> {
        let mut embedded = Side::new(World::within(self.embedded.clone(), name)).await;
        let mut real = Side::new(World::within(self.real.clone(), name)).await;
        let next = operations.iter().map(|operation| operation.number + 1).max().unwrap_or_default();
        for operation in operations.iter().chain(&draw::end(next)) {
            let (given, expected) = (embedded.play(operation).await, real.play(operation).await);
            let count = tally.counts.entry((operation.verb, operation.kind)).or_default();
            let is_done = expected["code"].as_u64().is_some_and(|code| code < 300);
            *count = (count.0 + 1, count.1 + usize::from(is_done));
            if given != expected {
                return Some(Difference { number: operation.number, embedded: given, real: expected });
            }
        }
        let (given, expected) = (embedded.watched().await, real.watched().await);
        tally.embedded.extend(embedded.exceptions());
        tally.real.extend(real.exceptions());
        given.into_iter().zip(expected).find(|(given, expected)| given != expected).map(
            |(given, expected)| {
                let (embedded, real) = first_difference(given.1, expected.1);
                Difference { number: given.0, embedded, real }
            },
        )
    }
}

/// The first event that differs, and how many there were.
fn first_difference(given: Vec<Value>, expected: Vec<Value>) -> (Value, Value) {
    let index = given.iter().zip(&expected).take_while(|(given, expected)| given == expected).count();
    let show = |events: Vec<Value>| serde_json::json!({"index": index, "of": events.len(), "event": events.get(index)});
    (show(given), show(expected))
}
