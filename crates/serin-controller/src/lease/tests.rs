//! Elections among candidates in a model world: requests get lost or late, answers get lost, candidates stand still.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::LeaseSpec;
use proptest::prelude::*;

use super::*;
use crate::fence::Grant;
use serin_values::random::Rng;

fn terms() -> Terms {
    Terms::new(Duration::from_secs(15), Duration::from_secs(10), Duration::from_secs(2)).expect("they fit")
}

fn candidate(name: &str) -> Election {
    Election::new(key("argo-rollouts", None), name.to_owned(), terms())
}

/// The lease as the API server keeps it.
#[derive(Debug, Default)]
struct Store {
    lease: Option<Lease>,
    version: u64,
}

impl Store {
    fn carry_out(&mut self, ask: Ask) -> Answer {
        match (ask, &self.lease) {
            (Ask::Read | Ask::Replace(_), None) => Answer::Absent,
            (Ask::Read, Some(lease)) => Answer::Found(Box::new(lease.clone())),
            (Ask::Create(_), Some(_)) => Answer::Conflict,
            (Ask::Create(lease), None) => self.write(*lease),
            (Ask::Replace(lease), Some(old)) => {
                let same = lease.metadata.resource_version == old.metadata.resource_version;
                if same { self.write(*lease) } else { Answer::Conflict }
            }
        }
    }

    fn write(&mut self, mut lease: Lease) -> Answer {
        self.version += 1;
        lease.metadata.resource_version = Some(self.version.to_string());
        self.lease = Some(lease.clone());
        Answer::Written(Box::new(lease))
    }

    fn spec(&self) -> LeaseSpec {
        self.lease.as_ref().and_then(|lease| lease.spec.clone()).expect("there is a lease")
    }

    fn holder(&self) -> Option<String> {
        self.lease.as_ref()?.spec.as_ref()?.holder_identity.clone()
    }
}

/// A time that both clocks show.
fn moment(start: Instant, milliseconds: u64) -> Moment {
    let passed = Duration::from_millis(milliseconds);
    let wall = Timestamp::UNIX_EPOCH + SignedDuration::try_from(passed).expect("it is short");
    Moment { monotonic: start + passed, wall }
}

/// Asks and answers at once, again and again until the candidate wants to wait.
fn turn(election: &mut Election, store: &mut Store, now: Moment) {
    loop {
        let answer = store.carry_out(election.next(now));
        election.heard(answer, now, now);
        if !election.pause().is_zero() {
            return;
        }
    }
}

fn leads(election: &Election) -> bool {
    matches!(election.standing(), Standing::Leading(_))
}

#[test]
fn the_first_makes_the_lease_and_the_second_waits_until_it_is_over() {
    let (start, mut store) = (Instant::now(), Store::default());
    let (mut a, mut b) = (candidate("a"), candidate("b"));
    turn(&mut a, &mut store, moment(start, 0));
    assert!(leads(&a));
    let spec = store.spec();
    assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(15), Some(0)));
    assert!(spec.acquire_time.is_some() && spec.acquire_time == spec.renew_time);
    // It is not when the lease was written but when it was seen first that counts.
    turn(&mut b, &mut store, moment(start, 7_000));
    assert_eq!(b.standing(), Standing::Standby { holder: Some("a".into()) });
    turn(&mut b, &mut store, moment(start, 21_999));
    assert!(!leads(&b));
    turn(&mut b, &mut store, moment(start, 22_000));
    assert!(leads(&b));
    assert_eq!((store.holder().as_deref(), store.spec().lease_transitions), (Some("b"), Some(1)));
    // The first finds out as soon as it looks.
    turn(&mut a, &mut store, moment(start, 9_000));
    assert_eq!(a.standing(), Standing::Lost("the lease is held by b".into()));
}

#[test]
fn a_lease_that_is_renewed_is_not_over() {
    let (start, mut store) = (Instant::now(), Store::default());
    let (mut a, mut b) = (candidate("a"), candidate("b"));
    for second in (0..60).step_by(2) {
        let now = moment(start, second * 1_000);
        turn(&mut a, &mut store, now);
        turn(&mut b, &mut store, now);
        assert!(leads(&a) && !leads(&b));
    }
    let spec = store.spec();
    assert_eq!(spec.acquire_time.map(|time| time.0), Some(Timestamp::UNIX_EPOCH));
    assert_eq!(spec.renew_time.map(|time| time.0.as_second()), Some(58));
}

#[test]
fn a_lease_that_is_given_back_is_taken_at_the_next_look() {
    let (start, mut store) = (Instant::now(), Store::default());
    let (mut a, mut b) = (candidate("a"), candidate("b"));
    turn(&mut a, &mut store, moment(start, 0));
    turn(&mut b, &mut store, moment(start, 0));
    assert_eq!(b.release(moment(start, 1)), None, "it holds nothing");
    let release = a.release(moment(start, 1_000)).expect("it leads");
    assert!(matches!(store.carry_out(release), Answer::Written(_)));
    assert_eq!(store.holder(), None);
    turn(&mut b, &mut store, moment(start, 2_000));
    assert!(leads(&b));
}

#[test]
fn a_write_whose_answer_was_lost_is_found_again() {
    let (start, mut store) = (Instant::now(), Store::default());
    let mut a = candidate("a");
    let read = moment(start, 0);
    a.heard(store.carry_out(a.next(read)), read, read);
    store.carry_out(a.next(read));
    a.heard(Answer::Failed("no answer".into()), read, moment(start, 3_000));
    assert!(!leads(&a));
    turn(&mut a, &mut store, moment(start, 5_000));
    assert!(leads(&a));
}

#[test]
fn a_leader_that_cannot_renew_gives_up_when_its_time_is_over() {
    let (start, mut store) = (Instant::now(), Store::default());
    let mut a = candidate("a");
    turn(&mut a, &mut store, moment(start, 0));
    assert_eq!(a.ends(), Some(start + Duration::from_secs(10)));
    let mut fail = |at: u64| {
        a.heard(Answer::Failed("away".into()), moment(start, at), moment(start, at));
        a.standing()
    };
    assert!(matches!(fail(9_999), Standing::Leading(_)));
    let why = "the lease could not be renewed for 10 s: away";
    assert_eq!(fail(10_000), Standing::Lost(why.into()));
}

#[test]
fn who_may_not_touch_the_lease_at_all_is_barred_and_later_only_waits() {
    let (start, mut store) = (Instant::now(), Store::default());
    let now = moment(start, 0);
    let mut stranger = candidate("s");
    stranger.heard(Answer::Refused("no right".into()), now, now);
    assert_eq!(stranger.standing(), Standing::Barred("no right".into()));
    let mut a = candidate("a");
    turn(&mut a, &mut store, now);
    a.heard(Answer::Refused("not yet".into()), now, moment(start, 1));
    assert!(leads(&a));
}

#[test]
fn fields_that_others_have_set_stay() {
    let (start, mut store) = (Instant::now(), Store::default());
    let mut a = candidate("a");
    turn(&mut a, &mut store, moment(start, 0));
    let lease = store.lease.as_mut().expect("a lease");
    lease.metadata.annotations = Some(BTreeMap::from([("note".to_owned(), "mine".to_owned())]));
    store.version += 1;
    lease.metadata.resource_version = Some(store.version.to_string());
    turn(&mut a, &mut store, moment(start, 2_000));
    turn(&mut a, &mut store, moment(start, 4_000));
    assert!(leads(&a) && store.lease.expect("a lease").metadata.annotations.is_some());
}

#[test]
fn terms_have_to_fit_together() {
    let new = |lease, renewal, retry| {
        let milliseconds = Duration::from_millis;
        Terms::new(milliseconds(lease), milliseconds(renewal), milliseconds(retry))
    };
    assert!(new(15_000, 10_000, 2_000).is_ok());
    assert!(new(15_000, 10_000, 0).is_err());
    assert!(new(15_000, 2_400, 2_000).is_err());
    assert!(new(10_000, 10_000, 2_000).is_err());
    assert!(new(10_900, 10_000, 2_000).is_err(), "of which only ten seconds count");
}

#[test]
fn the_name_of_the_lease_is_that_of_the_reference() {
    assert_eq!(key("ns", None).to_string(), "ns/argo-rollouts-controller-lock");
    assert_eq!(key("ns", Some("blue")).to_string(), "ns/argo-rollouts-controller-lock-blue");
    let (one, two) = (identity().expect("a name"), identity().expect("a name"));
    assert_ne!(one, two);
    let (host, id) = one.rsplit_once('_').expect("two parts");
    assert!(!host.is_empty() && uuid::Uuid::parse_str(id).is_ok(), "{one}");
}

/// A request on its way.
struct Flight {
    ask: Ask,
    sent: u64,
    /// When the API server carries it out, if it gets there.
    commits: Option<u64>,
    /// What it did.
    answer: Option<Answer>,
    /// When the candidate hears of it, or gives up.
    heard: u64,
    /// Whether the answer arrives.
    arrives: bool,
}

struct Runner {
    election: Election,
    flight: Option<Flight>,
    /// When it acts next.
    wakes: u64,
}

/// Candidates, the store, and dice.
struct World {
    start: Instant,
    now: u64,
    store: Store,
    runners: Vec<Runner>,
    rng: Rng,
    /// In how many of 100 cases something goes wrong.
    trouble: u64,
    /// Requests that candidates have given up, and that are carried out all the same.
    late: Vec<(u64, Ask)>,
}

impl World {
    fn new(seed: u64) -> Self {
        let runner = |name: &str| Runner { election: candidate(name), flight: None, wakes: 0 };
        let runners = ["a", "b", "c"].map(runner).into();
        let (start, store, rng) = (Instant::now(), Store::default(), Rng::seeded(seed));
        Self { start, now: 0, store, runners, rng, trouble: 15, late: Vec::new() }
    }

    fn roll(&mut self) -> bool {
        self.rng.next() % 100 < self.trouble
    }

    fn milliseconds(&mut self, least: u64, most: u64) -> u64 {
        least + self.rng.next() % (most - least + 1)
    }

    /// When something happens next.
    fn next_event(&self) -> u64 {
        let of_runner = |runner: &Runner| {
            let commits = runner.flight.as_ref().and_then(|flight| flight.commits);
            commits.filter(|at| *at >= self.now).map_or(runner.wakes, |at| at.min(runner.wakes))
        };
        let late = self.late.iter().map(|(at, _)| *at);
        self.runners.iter().map(of_runner).chain(late).min().unwrap_or(self.now)
    }

    /// All that happens next at one time.
    fn tick(&mut self) {
        self.now = self.next_event();
        let now = self.now;
        for (at, ask) in std::mem::take(&mut self.late) {
            if at == now {
                self.commit(ask);
            } else {
                self.late.push((at, ask));
            }
        }
        for index in 0..self.runners.len() {
            if self.runners[index].flight.as_ref().is_some_and(|flight| flight.commits == Some(now)) {
                let ask = self.runners[index].flight.as_ref().expect("it flies").ask.clone();
                let answer = self.commit(ask);
                self.runners[index].flight.as_mut().expect("it flies").answer = Some(answer);
            }
            if self.runners[index].wakes == now {
                self.act(index);
            }
        }
        self.check();
        self.now += 1;
    }

    /// Carries a request out. One that makes another the holder must not come while the last one may still write.
    fn commit(&mut self, ask: Ask) -> Answer {
        let before = self.store.holder();
        let answer = self.store.carry_out(ask);
        if let (Some(loser), true) = (before.clone(), self.store.holder() != before) {
            let runner = self.runners.iter().find(|runner| candidate_name(&runner.election) == loser);
            if let Some(Standing::Leading(grant)) = runner.map(|runner| runner.election.standing()) {
                let over = grant.sent.monotonic + grant.lease;
                assert!(over <= self.at(self.now).monotonic, "{loser} may still write at {}", self.now);
            }
        }
        answer
    }

    fn act(&mut self, index: usize) {
        if self.roll() && self.roll() {
            // It stands still, for longer than its lease lasts or not.
            let pause = self.milliseconds(1, 40_000);
            self.runners[index].wakes = self.now + pause;
            return;
        }
        match self.runners[index].flight.take() {
            None => self.send(index),
            Some(flight) => self.hear(index, flight),
        }
    }

    fn send(&mut self, index: usize) {
        let now = self.at(self.now);
        let ask = self.runners[index].election.next(now);
        let patience = u64::try_from(terms().patience().as_millis()).expect("it is short");
        let (is_lost, is_late, arrives) = (self.roll(), self.roll(), !self.roll());
        let commit = self.now + self.milliseconds(1, 60);
        let late = self.now + self.milliseconds(1, 30_000);
        let commits = if is_lost { None } else { Some(if is_late { late } else { commit }) };
        let back = commits.map(|at| at + 20).filter(|at| arrives && *at < self.now + patience);
        let heard = back.unwrap_or(self.now + patience);
        if let Some(at) = commits.filter(|at| *at >= heard) {
            self.late.push((at, ask.clone()));
        }
        let commits = commits.filter(|at| *at < heard);
        let (sent, answer, arrives) = (self.now, None, back.is_some());
        self.runners[index].flight = Some(Flight { ask, sent, commits, answer, heard, arrives });
        self.runners[index].wakes = heard;
    }

    fn hear(&mut self, index: usize, flight: Flight) {
        let answer = flight.answer.filter(|_| flight.arrives);
        let answer = answer.unwrap_or_else(|| Answer::Failed("no answer".into()));
        let (sent, now) = (self.at(flight.sent), self.at(self.now));
        assert!(flight.heard <= self.now);
        let runner = &mut self.runners[index];
        runner.election.heard(answer, sent, now);
        let is_over = matches!(runner.election.standing(), Standing::Lost(_));
        let pause = u64::try_from(runner.election.pause().as_millis()).expect("it is short");
        runner.wakes = self.now + pause.max(1);
        if is_over {
            // The process ends, and another one is started.
            let name = candidate_name(&runner.election);
            runner.election = candidate(&format!("{name}'"));
        }
    }

    /// At most one may send.
    fn check(&self) {
        let now = self.at(self.now);
        let open = |grant: Grant| grant.deadline(now).is_some();
        let is_open =
            |runner: &&Runner| matches!(runner.election.standing(), Standing::Leading(grant) if open(grant));
        let writers: Vec<_> = self.runners.iter().filter(is_open).collect();
        assert!(writers.len() <= 1, "two may write at {}", self.now);
    }

    fn at(&self, milliseconds: u64) -> Moment {
        moment(self.start, milliseconds)
    }
}

fn candidate_name(election: &Election) -> String {
    election.identity().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn there_is_never_more_than_one_and_in_the_end_there_is_one(seed in any::<u64>()) {
        let mut world = World::new(seed);
        while world.now < 200_000 {
            world.tick();
        }
        world.trouble = 0;
        while world.now < 300_000 {
            world.tick();
        }
        let leaders = world.runners.iter().filter(|runner| leads(&runner.election)).count();
        prop_assert_eq!(leaders, 1);
    }
}
