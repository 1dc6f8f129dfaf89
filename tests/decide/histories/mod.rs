//! Generated Rollouts with generated histories: when the user stops and pods behave, each ends, and says how.
//!
//! A history is a Rollout of any strategy and size and what happens to it: updates, commands, edits, objects that are
//! missing, pods that are late, broken or lost. After it the world is healed, and the Rollout must end within the sum of
//! its delays: Healthy, Paused at a pause of the user's, aborted by the user, or Degraded because its pods do not become
//! ready. Nothing is written after that.
//!
//! `SERIN_HISTORIES=N` plays N histories of each family, `SERIN_SEED=N` draws others.

mod act;
mod found;
mod judge;
mod shape;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use act::Act;
use judge::End;
use shape::{Family, Shape};

/// How many histories of each family are played by default; there are eight families.
const HISTORIES: u32 = 2_500;

/// A Rollout and what happens to it; each act comes some seconds after the one before.
#[derive(Debug, Clone)]
struct History {
    shape: Shape,
    acts: Vec<(u16, Act)>,
}

impl History {
    fn any(family: Family) -> impl Strategy<Value = Self> {
        let seconds = prop_oneof![4 => 0_u16..4, 3 => 4_u16..20, 1 => 20_u16..100];
        let acts = prop::collection::vec((seconds, act::any(family)), 0..7);
        (shape::any(family), acts).prop_map(|(shape, acts)| Self { shape, acts })
    }

    /// Plays it to its end, and judges that.
    fn play(&self) -> Result<End, String> {
        let mut world = self.shape.world();
        world.pass(20_000);
        for (seconds, act) in &self.acts {
            world.pass(i64::from(*seconds) * 1_000);
            act.carry_out(&mut world);
            world.pass(0);
        }
        act::heal(&mut world);
        world.pass(judge::longest(&world));
        let end = judge::end(&world)?;
        let written = world.writes.len();
        world.now += SignedDuration::from_hours(1);
        world.pass(3_600_000);
        match world.writes.get(written) {
            None => Ok(end),
            Some(write) => Err(format!("{end:?}, and then it writes: {write}")),
        }
    }
}

/// The message of a panic.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

fn number(name: &str) -> Option<u32> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Plays the histories of a family, and prints how many ended in which way.
fn play(family: Family) {
    let histories = number("SERIN_HISTORIES").unwrap_or(HISTORIES);
    let config = Config {
        cases: histories,
        rng_seed: RngSeed::Fixed(u64::from(number("SERIN_SEED").unwrap_or(1)) * 8 + family as u64),
        failure_persistence: None,
        max_shrink_iters: 3_000,
        ..Config::default()
    };
    let ends = RefCell::new(BTreeMap::<End, u32>::new());
    let played = TestRunner::new(config).run(&History::any(family), |history| {
        let end = catch_unwind(AssertUnwindSafe(|| history.play()));
        let end = end.unwrap_or_else(|panic| Err(said(panic.as_ref()))).map_err(TestCaseError::fail)?;
        *ends.borrow_mut().entry(end).or_default() += 1;
        Ok(())
    });
    if let Err(error) = played {
        panic!("{family:?}: {error}");
    }
    // Past the capture of the test harness, which shows nothing of a test that passes.
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{family:?}: {histories} histories, which ended {:?}", ends.borrow()).unwrap();
    for end in [End::Healthy, End::Paused, End::Aborted, End::Stuck] {
        assert!(histories < 100 || ends.borrow().contains_key(&end), "{family:?}: none ended {end:?}");
    }
}

macro_rules! families {
    ($($name:ident: $family:ident),* $(,)?) => {
        $(#[test] fn $name() { play(Family::$family); })*
    };
}

families! {
    histories_of_canaries_by_pods: Pods,
    histories_of_canaries_with_a_stable_service: StableService,
    histories_of_canaries_with_a_canary_service: CanaryService,
    histories_of_canaries_with_both_services: BothServices,
    histories_of_canaries_that_play_ping_pong: PingPong,
    histories_of_canaries_behind_a_router: Router,
    histories_of_blue_green_rollouts: BlueGreen,
    histories_of_blue_green_rollouts_with_a_preview: Preview,
}
