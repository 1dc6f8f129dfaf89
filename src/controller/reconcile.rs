//! One Rollout, once: observe, decide, apply, and remember what the next time needs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;
use tokio::time::Instant;

use super::apply::{Ending, Outcome, Server, apply};
use super::bulkhead;
use super::cache::Caches;
use super::events::EventQueue;
use super::fence::Fence;
use super::freshness::Freshness;
use super::metrics::{ErrorClass, Metrics};
use super::object::{ObjectKey, resource_type};
use super::observe::{Observed, observe};
use super::outlet::Outlet;
use super::queue::{Next, later};
use serin_clock::Clock;
use serin_core::domain::event::{EventNote, EventReason};
use serin_core::domain::plan::{Action, ObjectKind, Op, Plan, Precondition, Wake};
use serin_core::guard;
use serin_core::rollout::snapshot::{Failure, FailureCause, Identity, Remembered, Snapshot};
use serin_core::rollout::{decide, decide_unreadable};
use serin_values::random::Rng;

/// When a Rollout is looked at again at the latest although nothing has changed; at the earliest it is after two thirds
/// of this. Only a lost watch event makes it necessary; where nothing changed it sends no request.
pub const RESYNC: Duration = Duration::from_mins(15);
/// When a Rollout is looked at again whose last write the caches do not show yet; a watch event comes sooner.
const STALE: Duration = Duration::from_millis(100);
/// When a Rollout is looked at again whose plan asks for a time that was over when it was made.
const OVERDUE: Duration = Duration::from_secs(1);

/// What is remembered of a Rollout from one time to the next.
#[derive(Debug)]
struct Memory {
    /// The Rollout that all this is about, as it was last seen.
    rollout: Precondition,
    freshness: Freshness,
    kept: Remembered,
    /// The last problem that was reported, so that it is reported once.
    warned: Option<String>,
    /// Its namespace is being deleted, and so will it be.
    is_leaving: bool,
}

impl Memory {
    fn of(rollout: &Precondition) -> Self {
        let (rollout, freshness) = (rollout.clone(), Freshness::default());
        Self { rollout, freshness, kept: Remembered::default(), warned: None, is_leaving: false }
    }
}

/// Everything that reconciling needs.
#[derive(Debug)]
pub struct Reconciler<S> {
    /// What the cluster looks like.
    pub caches: Caches,
    /// Where writes go.
    pub server: S,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where Events go.
    pub events: EventQueue,
    /// Whether requests may be sent.
    pub fence: Fence,
    /// Where it is counted what happens.
    pub metrics: Arc<Metrics>,
    /// When a Rollout is looked at again at the latest.
    pub resync: Duration,
    memories: Mutex<BTreeMap<ObjectKey, Memory>>,
    rng: Mutex<Rng>,
}

impl<S: Server> Reconciler<S> {
    /// Reconciles through `server`, by `clock`, with jitter from `rng`, as the only controller of the cluster.
    #[must_use]
    pub fn new(server: S, clock: Clock, rng: Rng) -> Self {
        Self {
            caches: Caches::default(),
            server,
            clock,
            events: EventQueue::default(),
            fence: Fence::open(),
            metrics: Arc::default(),
            resync: RESYNC,
            memories: Mutex::default(),
            rng: Mutex::new(rng),
        }
    }

    /// Does what is to be done about the Rollout of that key now.
    pub async fn reconcile(&self, key: &ObjectKey) -> Next {
        let begin = Instant::now();
        let next = self.decide_and_apply(key).await;
        self.metrics.reconciled(key, begin.elapsed());
        next
    }

    /// Where requests go.
    #[must_use]
    pub fn outlet(&self) -> Outlet<'_, S> {
        let Self { server, fence, caches, metrics, clock, .. } = self;
        Outlet { server, fence, caches, metrics, clock: *clock }
    }

    async fn decide_and_apply(&self, key: &ObjectKey) -> Next {
        let now = self.clock.now();
        let seen = self.caches.rollouts.read().get(key).map(|entry| entry.id.precondition());
        let Some(seen) = seen else { return self.forget(key) };
        // What a user asks for must not be judged by an old copy while newer copies of the rest are known: a
        // ReplicaSet that another controller made for the newest template would look like one to be scaled down.
        if let Some(until) = self.caches.rollouts.read().doubted_until(now) {
            tracing::debug!(namespace = key.namespace, name = key.name, "waits for the watch of Rollouts");
            return Next::Soon(Duration::try_from(until.duration_since(now)).unwrap_or(STALE));
        }
        if let Some(wait) = self.wait_for_workload(key, now) {
            tracing::debug!(
                namespace = key.namespace,
                name = key.name,
                "waits for the watch of its workload"
            );
            return Next::Soon(wait);
        }
        let remembered = match self.recall(key, &seen, now) {
            Recalled::Leaving => return Next::At(self.next_look(Wake::OnChange, now)),
            Recalled::Stale(write) => {
                self.metrics.waits_for_freshness();
                tracing::debug!(namespace = key.namespace, name = key.name, %write, "waits for its own write");
                return Next::Soon(STALE);
            }
            Recalled::Fresh(remembered) => remembered,
        };
        let had_failed = remembered.last_failure.is_some();
        let (id, plan) = match observe(key, &self.caches, remembered) {
            Observed::Absent => return self.forget(key),
            Observed::Unreadable(unreadable) => {
                let plan = bulkhead(|| decide_unreadable(&unreadable, now)).map_err(Stall::Bug);
                (unreadable.id.clone(), plan)
            }
            Observed::Complete(snapshot) => (Identity::of(&snapshot.rollout), safe_plan(&snapshot, now)),
        };
        let plan = match plan {
            Ok(plan) => plan,
            Err(stall) => return self.report_stall(key, &id.precondition(), &stall),
        };
        let outcome = apply(&plan, key, &self.outlet()).await;
        log(key, &plan, &outcome);
        let next = self.remember(key, &plan, outcome);
        let forgiven =
            had_failed && self.memories().get(key).is_none_or(|memory| memory.kept.last_failure.is_none());
        match next {
            // The plan may still speak of a refusal that is over.
            Next::At(_) if forgiven => Next::Soon(STALE),
            Next::At(_) => Next::At(self.next_look(plan.wake, now)),
            Next::Soon(_) | Next::Transient | Next::Refused | Next::Forget => next,
        }
    }

    /// How long the decision has to wait for what is known of the Rollout's workload.
    fn wait_for_workload(&self, key: &ObjectKey, now: Timestamp) -> Option<Duration> {
        let entry = self.caches.rollouts.read().get(key).cloned()?;
        self.caches.workloads.wait(&key.namespace, entry.observed.workload.as_ref()?, now)
    }

    /// The Rollout is gone, and with it all that was remembered.
    fn forget(&self, key: &ObjectKey) -> Next {
        let memory = self.memories().remove(key);
        if let Some(memory) = memory {
            self.tell_deletion(key, &memory.rollout);
        }
        self.metrics.gone(key, self.clock.now());
        Next::Forget
    }

    /// What the last attempt left behind. What is remembered of a Rollout of that name with another uid than the one
    /// that is `seen` is forgotten.
    fn recall(&self, key: &ObjectKey, seen: &Precondition, now: Timestamp) -> Recalled {
        let mut memories = self.memories();
        let memory = memories.entry(key.clone()).or_insert_with(|| {
            self.metrics.present(key);
            Memory::of(seen)
        });
        if memory.rollout.uid != seen.uid {
            self.tell_deletion(key, &memory.rollout);
            *memory = Memory::of(seen);
        }
        memory.rollout.clone_from(seen);
        if memory.is_leaving {
            return Recalled::Leaving;
        }
        match memory.freshness.awaited(&key.namespace, &self.caches, now) {
            Some(write) => Recalled::Stale(write.to_string()),
            None => Recalled::Fresh(memory.kept.clone()),
        }
    }

    fn tell_deletion(&self, key: &ObjectKey, rollout: &Precondition) {
        let message = format!("Rollout {}/{} is deleted.", key.name, key.namespace);
        self.tell(key, rollout, &EventNote::new(EventReason::RolloutDeleted, message));
    }

    /// Sends an Event about the Rollout, and counts it.
    fn tell(&self, key: &ObjectKey, rollout: &Precondition, note: &EventNote) {
        self.metrics.told(key, note.reason);
        self.events.push(key, rollout, note, self.clock.now());
    }

    fn remember(&self, key: &ObjectKey, plan: &Plan, outcome: Outcome) -> Next {
        let now = self.clock.now();
        let Outcome { writes, events, ended, ending } = outcome;
        for note in &events {
            self.tell(key, &plan.rollout, note);
        }
        if let Some(update) = ended {
            self.metrics.update_ended(&update);
        }
        if let Some(class) = error_class(&ending) {
            self.metrics.failed(key, class);
        }
        let mut memories = self.memories();
        let memory = memories.entry(key.clone()).or_insert_with(|| Memory::of(&plan.rollout));
        for write in writes {
            memory.freshness.record(write, now);
        }
        memory.kept.held_since = memory.kept.held_since.or(Some(now)).filter(|_| plan.status.held);
        match ending {
            Ending::Done => {
                memory.kept.last_failure = None;
                memory.warned = None;
                Next::At(now)
            }
            Ending::Conflict(_) | Ending::Transient(_) => Next::Transient,
            Ending::NamespaceEnds(_) => {
                memory.is_leaving = true;
                Next::At(now)
            }
            Ending::Refused(failure) => self.refused(key, plan, memory, failure),
        }
    }

    fn refused(&self, key: &ObjectKey, plan: &Plan, memory: &mut Memory, failure: Failure) -> Next {
        let warning = warning(plan, &failure);
        memory.kept.last_failure = Some(failure);
        // An object that stands in the way is for the next decision to deal with, at once.
        let Some(warning) = warning else {
            return Next::Transient;
        };
        if memory.warned.as_ref() != Some(&warning.message) {
            let (namespace, name) = (&key.namespace, &key.name);
            tracing::warn!(namespace, name, problem = warning.message, "a write was refused");
            self.tell(key, &plan.rollout, &warning);
            memory.warned = Some(warning.message);
        }
        Next::Refused
    }

    /// A decision panicked or is not safe: that is a bug of this program, confined to one Rollout.
    fn report_stall(&self, key: &ObjectKey, rollout: &Precondition, stall: &Stall) -> Next {
        let message = stall.to_string();
        tracing::error!(namespace = key.namespace, name = key.name, problem = message, "nothing is written");
        self.metrics.failed(key, ErrorClass::Bug);
        let mut memories = self.memories();
        let memory = memories.entry(key.clone()).or_insert_with(|| Memory::of(rollout));
        if memory.warned.as_ref() != Some(&message) {
            let note = EventNote::new(EventReason::ReconciliationError, message.clone());
            self.tell(key, rollout, &note);
            memory.warned = Some(message);
        }
        Next::Refused
    }

    /// When to look again: when the plan says, but not without a pause, and not later than the slow resync.
    fn next_look(&self, wake: Wake, decided: Timestamp) -> Timestamp {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let resync = later(self.clock.now(), rng.duration(self.resync / 3 * 2, self.resync));
        match wake {
            Wake::OnChange => resync,
            Wake::At(time) if time <= decided => later(decided, OVERDUE),
            Wake::At(time) => time.min(resync),
        }
    }

    fn memories(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of earlier attempts.
#[derive(Debug, PartialEq)]
enum Recalled {
    /// The namespace ends; nothing is left to be done.
    Leaving,
    /// The caches do not show that write yet.
    Stale(String),
    /// The caches show everything; this is what the last attempt left behind.
    Fresh(Remembered),
}

/// Why there is no plan to carry out.
#[derive(Debug, Error)]
enum Stall {
    #[error("The controller has a bug that this Rollout brings out: {0}")]
    Bug(String),
    #[error("The controller holds back a write that would be unsafe: {0}")]
    Unsafe(#[from] guard::Refusal),
}

/// What is to be done, if it does no harm.
fn safe_plan(snapshot: &Snapshot, now: Timestamp) -> Result<Plan, Stall> {
    let plan = bulkhead(|| decide(snapshot, now)).map_err(Stall::Bug)?;
    guard::check(snapshot, &plan)?;
    Ok(plan)
}

fn error_class(ending: &Ending) -> Option<ErrorClass> {
    match ending {
        Ending::Done | Ending::NamespaceEnds(_) => None,
        Ending::Conflict(_) => Some(ErrorClass::Conflict),
        Ending::Transient(_) => Some(ErrorClass::Transient),
        Ending::Refused(failure) => Some(match failure.cause {
            FailureCause::AlreadyExists { .. } => ErrorClass::Conflict,
            FailureCause::Forbidden(_) => ErrorClass::Forbidden,
            FailureCause::Rejected(_) => ErrorClass::Rejected,
        }),
    }
}

/// The Event that reports a refusal; none where the next decision deals with it.
fn warning(plan: &Plan, failure: &Failure) -> Option<EventNote> {
    let said = match &failure.cause {
        FailureCause::AlreadyExists { .. } => return None,
        FailureCause::Forbidden(said) | FailureCause::Rejected(said) => said,
    };
    let (kind, name) = (resource_type(failure.kind).kind, &failure.name);
    let is_refused = |op: &&Op| op.kind == failure.kind && op.name == failure.name;
    let is_creation =
        plan.ops().find(is_refused).is_some_and(|op| matches!(op.action, Action::Create { .. }));
    let (reason, message) = match failure.kind {
        ObjectKind::ReplicaSet if is_creation => (
            EventReason::ReplicaSetCreateError,
            format!("Failed to create new replica set \"{name}\": {said}"),
        ),
        ObjectKind::Ingress => (EventReason::TrafficRoutingError, said.clone()),
        ObjectKind::Rollout
        | ObjectKind::ReplicaSet
        | ObjectKind::Service
        | ObjectKind::Pod
        | ObjectKind::Deployment
        | ObjectKind::PodTemplate => {
            let message = format!("The API server refused the write of {kind} \"{name}\": {said}");
            (EventReason::ReconciliationError, message)
        }
    };
    Some(EventNote::new(reason, message))
}

/// One line for a plan that did something, or that could not.
fn log(key: &ObjectKey, plan: &Plan, outcome: &Outcome) {
    let (namespace, name) = (&key.namespace, &key.name);
    for note in &plan.notes {
        tracing::debug!(namespace, name, "{note}");
    }
    if plan.is_empty() {
        return;
    }
    let did = describe(plan);
    match &outcome.ending {
        Ending::Done => tracing::info!(namespace, name, did, "carried out a plan"),
        Ending::Conflict(why) => {
            tracing::debug!(namespace, name, did, why, "met another state than expected");
        }
        Ending::Transient(why) => {
            tracing::warn!(namespace, name, did, why, "could not finish a plan; tries again");
        }
        Ending::NamespaceEnds(why) => {
            tracing::info!(namespace, name, why, "waits for its end with its namespace");
        }
        Ending::Refused(failure) => {
            tracing::debug!(namespace, name, did, ?failure, "a write was refused");
        }
    }
}

fn describe(plan: &Plan) -> String {
    let mut did = String::new();
    for op in plan.ops() {
        for purpose in &op.purposes {
            let _ = write!(did, "{purpose:?} {}, ", op.name);
        }
    }
    if !plan.status.patch.is_null() {
        did.push_str("status");
    }
    did.trim_end_matches(", ").to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::double::Double;
    use super::super::entry::{Entry, RolloutEntry};
    use super::super::failure::WriteError;
    use super::*;

    fn key() -> ObjectKey {
        ObjectKey::new("shop", "web")
    }

    /// A reconciler that knows one Rollout, whose spec is invalid: the status is the only thing to write.
    fn reconciler(server: Double) -> Reconciler<Double> {
        let reconciler = Reconciler::new(server, Clock::starting_at(Timestamp::UNIX_EPOCH), Rng::seeded(0));
        put(&reconciler, "u1", "1", &json!(null));
        reconciler
    }

    fn put(reconciler: &Reconciler<Double>, uid: &str, version: &str, status: &serde_json::Value) {
        let metadata = json!({
            "name": "web", "namespace": "shop", "uid": uid, "resourceVersion": version, "generation": 1,
        });
        let object = json!({"metadata": metadata, "spec": {"strategy": {}}, "status": status});
        let wire = serde_json::from_value(object).expect("an object");
        reconciler.caches.rollouts.write().put(key(), RolloutEntry::prune(wire));
    }

    fn recalled(reconciler: &Reconciler<Double>, uid: &str) -> Recalled {
        let seen = Precondition { uid: uid.into(), resource_version: "1".into() };
        reconciler.recall(&key(), &seen, Timestamp::UNIX_EPOCH)
    }

    /// The Events so far, each as reason, message and uid of the Rollout. There will be no more.
    async fn told(reconciler: &Reconciler<Double>) -> Vec<[String; 3]> {
        reconciler.events.close();
        let sink = Double::default();
        reconciler.events.send(&sink, &reconciler.clock).await;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let body = |i| sink.body(i);
        (0..sink.lines().len())
            .map(|i| {
                [text(&body(i)["reason"]), text(&body(i)["message"]), text(&body(i)["involvedObject"]["uid"])]
            })
            .collect()
    }

    fn refused() -> Double {
        Double::failing("/status", WriteError::Rejected("no".into()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_decision_waits_until_the_last_write_is_visible() {
        let reconciler = reconciler(Double::default());
        assert!(matches!(reconciler.reconcile(&key()).await, Next::At(_)));
        assert_eq!(reconciler.server.lines(), ["PATCH rollouts/web/status"]);
        assert_eq!(reconciler.reconcile(&key()).await, Next::Soon(STALE));
        assert_eq!(reconciler.server.lines().len(), 1, "nothing is decided on a stale cache");
        put(&reconciler, "u1", "101", &json!(null));
        assert!(matches!(reconciler.reconcile(&key()).await, Next::At(_)));
        assert_eq!(reconciler.server.lines().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_decided_while_the_watch_of_rollouts_is_interrupted() {
        let reconciler = reconciler(Double::default());
        let until = later(Timestamp::UNIX_EPOCH, Duration::from_secs(3));
        reconciler.caches.rollouts.write().doubt_until(until);
        assert_eq!(reconciler.reconcile(&key()).await, Next::Soon(Duration::from_secs(3)));
        assert!(reconciler.server.lines().is_empty());
        put(&reconciler, "u1", "2", &json!(null));
        assert!(matches!(reconciler.reconcile(&key()).await, Next::At(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_settled_rollout_sends_nothing_and_is_looked_at_after_ten_to_fifteen_minutes() {
        let reconciler = reconciler(Double::default());
        reconciler.reconcile(&key()).await;
        let status = reconciler.server.body(0)["status"].clone();
        put(&reconciler, "u1", "101", &status);
        let Next::At(at) = reconciler.reconcile(&key()).await else { panic!("it is settled") };
        assert_eq!(reconciler.server.lines().len(), 1);
        assert!((600..=900).contains(&at.as_second()), "{at}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_reported_once_and_remembered() {
        let reconciler = reconciler(refused());
        for _ in 0..3 {
            assert_eq!(reconciler.reconcile(&key()).await, Next::Refused);
        }
        let Recalled::Fresh(kept) = recalled(&reconciler, "u1") else { panic!("nothing is awaited") };
        assert_eq!(kept.last_failure.map(|failure| failure.cause), Some(FailureCause::Rejected("no".into())));
        let events = told(&reconciler).await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0][0], "ReconciliationError");
    }

    #[tokio::test(start_paused = true)]
    async fn a_bug_stalls_one_rollout_and_is_told_once() {
        let reconciler = reconciler(Double::default());
        let decided_on = Precondition { uid: "u1".into(), resource_version: "1".into() };
        for _ in 0..3 {
            let stall = Stall::Bug("no way".into());
            assert_eq!(reconciler.report_stall(&key(), &decided_on, &stall), Next::Refused);
        }
        let events = told(&reconciler).await;
        assert_eq!(events.len(), 1);
        let message = "The controller has a bug that this Rollout brings out: no way";
        assert_eq!(events[0][..2], ["ReconciliationError", message]);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_remembered_of_a_rollout_that_was_deleted() {
        let reconciler = reconciler(refused());
        reconciler.reconcile(&key()).await;
        put(&reconciler, "u2", "2", &json!(null));
        assert_eq!(recalled(&reconciler, "u2"), Recalled::Fresh(Remembered::default()));
        let last = reconciler.caches.rollouts.read().get(&key()).cloned().expect("it is there");
        reconciler.caches.rollouts.write().remove(key(), &last);
        assert_eq!(reconciler.reconcile(&key()).await, Next::Forget);
        assert!(reconciler.memories().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_deletion_of_a_rollout_is_told_once_for_each_that_was_known() {
        let reconciler = reconciler(refused());
        reconciler.reconcile(&ObjectKey::new("shop", "never-seen")).await;
        reconciler.reconcile(&key()).await;
        put(&reconciler, "u2", "2", &json!(null));
        reconciler.reconcile(&key()).await;
        let last = reconciler.caches.rollouts.read().get(&key()).cloned().expect("it is there");
        reconciler.caches.rollouts.write().remove(key(), &last);
        reconciler.reconcile(&key()).await;
        reconciler.reconcile(&key()).await;
        let mut events = told(&reconciler).await;
        events.retain(|event| event[0] == "RolloutDeleted");
        let deleted = |uid: &str| ["RolloutDeleted", "Rollout web/shop is deleted.", uid].map(str::to_owned);
        assert_eq!(events, [deleted("u1"), deleted("u2")]);
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_namespace_that_is_being_deleted_one_refusal_is_enough() {
        let reconciler = reconciler(Double::failing("/status", WriteError::NamespaceEnds("no".into())));
        for _ in 0..3 {
            assert!(matches!(reconciler.reconcile(&key()).await, Next::At(_)));
        }
        assert_eq!(reconciler.server.lines().len(), 1);
        assert!(told(&reconciler).await.is_empty());
        put(&reconciler, "u2", "2", &json!(null));
        reconciler.reconcile(&key()).await;
        assert_eq!(reconciler.server.lines().len(), 2, "another Rollout, another namespace");
    }

    #[test]
    fn a_time_that_is_over_is_waited_for_all_the_same() {
        let reconciler = Reconciler::new(Double::default(), Clock::System, Rng::seeded(0));
        let now = reconciler.clock.now();
        assert_eq!(reconciler.next_look(Wake::At(now), now), later(now, OVERDUE));
        let soon = later(now, Duration::from_secs(5));
        assert_eq!(reconciler.next_look(Wake::At(soon), now), soon);
        let late = later(now, Duration::from_hours(1));
        assert!(reconciler.next_look(Wake::At(late), now) < late, "the slow resync comes before");
    }
}
