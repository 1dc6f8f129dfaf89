//! One primary object, once: observe, decide, apply, and remember what the next time needs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::apply::{Server, apply};
use super::events::EventQueue;
use super::fence::Fence;
use super::metrics::{ErrorClass, Metrics};
use super::outlet::Outlet;
use super::perform::{Perform, Unable};
use super::report::{error_class, log, warning};
use serin_clock::Clock;
use serin_core::domain::event::{EventNote, EventReason};
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::{ObjectKind, Plan, Precondition, Wake};
use serin_core::measure::Settings;
use serin_core::rollout::snapshot::{Failure, Remembered};
use serin_machine::caches::Caches;
use serin_machine::carry::{Ending, Outcome};
use serin_machine::decide::{Deliberation, Stall, deliberate};
use serin_machine::effects::Effects;
use serin_machine::memory::{Memories, Memory, Recalled};
use serin_machine::queue::Next;
use serin_values::random::Rng;
use serin_values::time::after;

/// When a Rollout is looked at again at the latest although nothing has changed; at the earliest it is after two thirds
/// of this. Only a lost watch event makes it necessary; where nothing changed it sends no request.
pub const RESYNC: Duration = Duration::from_mins(15);
/// When a Rollout is looked at again whose last write the caches do not show yet; a watch event comes sooner.
const STALE: Duration = Duration::from_millis(100);
/// When a Rollout is looked at again whose plan asks for a time that was over when it was made.
const OVERDUE: Duration = Duration::from_secs(1);

/// From the caches and what is remembered to what is to be done about a primary object at a time.
pub(super) type Decide = fn(&ObjectRef, &Caches, Remembered, &Settings, Timestamp) -> Deliberation;

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
    /// Rung when other kinds may have to be watched than are.
    pub needs: Notify,
    /// Makes the decisions.
    pub(super) decide: Decide,
    /// What performs effects.
    pub performer: Arc<dyn Perform>,
    /// What the controller was started with that metric providers use.
    pub settings: Settings,
    effects: Mutex<Effects>,
    memories: Mutex<Memories>,
    rng: Mutex<Rng>,
}

impl<S: Server> Reconciler<S> {
    /// Reconciles through `server`, by `clock`, with jitter from `rng`, as the only controller of the cluster. Effects fail
    /// until there is a performer.
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
            needs: Notify::new(),
            decide: deliberate,
            performer: Arc::new(Unable),
            settings: Settings::default(),
            effects: Mutex::default(),
            memories: Mutex::default(),
            rng: Mutex::new(rng),
        }
    }

    /// Does what is to be done about that primary object now.
    pub async fn reconcile(&self, object: &ObjectRef) -> Next {
        let begin = Instant::now();
        let next = self.decide_and_apply(object).await;
        self.metrics.reconciled(object, begin.elapsed());
        next
    }

    /// Where requests go.
    #[must_use]
    pub fn outlet(&self) -> Outlet<'_, S> {
        let Self { server, fence, caches, metrics, clock, .. } = self;
        Outlet { server, fence, caches, metrics, clock: *clock }
    }

    async fn decide_and_apply(&self, object: &ObjectRef) -> Next {
        let now = self.clock.now();
        let Some(seen) = self.caches.find(object).map(|entry| entry.id.precondition()) else {
            return self.forget(object);
        };
        if let Some((kind, wait)) = self.caches.wait(object, now) {
            tracing::debug!(
                namespace = object.key.namespace,
                name = object.key.name,
                waits_for = kind.plural(),
                "waits for a watch"
            );
            return Next::Soon(wait);
        }
        let remembered = match self.recall(object, &seen, now) {
            Recalled::Leaving => return Next::At(self.next_look(Wake::OnChange, now)),
            Recalled::Stale(write) => {
                self.metrics.waits_for_freshness();
                tracing::debug!(namespace = object.key.namespace, name = object.key.name, %write, "waits for its own write");
                return Next::Soon(STALE);
            }
            Recalled::Fresh(remembered) => Remembered { effects: self.effects().known(object), ..remembered },
        };
        let had_failed = remembered.last_failure.is_some();
        match (self.decide)(object, &self.caches, remembered, &self.settings, now) {
            Deliberation::Absent => self.forget(object),
            Deliberation::Made { seen, plan } => match *plan {
                Err(stall) => self.report_stall(object, &seen, &stall),
                Ok(plan) => self.carry_out(object, &plan, had_failed, now).await,
            },
        }
    }

    /// Carries out a plan that was decided at `decided`; `had_failed` says whether a write had been refused before.
    async fn carry_out(&self, object: &ObjectRef, plan: &Plan, had_failed: bool, decided: Timestamp) -> Next {
        let outcome = apply(plan, object, &self.caches, &self.outlet()).await;
        log(object, plan, &outcome);
        let next = self.remember(object, plan, outcome);
        let is_forgiven = had_failed && !self.has_failed(object);
        match next {
            // The plan may still speak of a refusal that is over.
            Next::At(_) if is_forgiven => Next::Soon(STALE),
            Next::At(_) => Next::At(self.next_look(plan.wake, decided)),
            Next::Soon(_) | Next::Transient | Next::Refused | Next::Forget => next,
        }
    }

    fn has_failed(&self, object: &ObjectRef) -> bool {
        self.memories().get(object).is_some_and(|memory| memory.kept.last_failure.is_some())
    }

    /// The object is gone, and with it all that was remembered.
    fn forget(&self, object: &ObjectRef) -> Next {
        self.effects().forget(object);
        let known = self.memories().forget(object);
        if let Some(last) = known {
            self.tell_deletion(object, &last);
        }
        self.metrics.gone(object, self.clock.now());
        Next::Forget
    }

    /// What the last attempt left behind. What is remembered of an object of that name with another uid than the one
    /// that is `seen` is forgotten.
    fn recall(&self, object: &ObjectRef, seen: &Precondition, now: Timestamp) -> Recalled {
        let mut memories = self.memories();
        if memories.get(object).is_none() {
            self.metrics.present(object);
        }
        if let Some(before) = memories.meet(object, seen) {
            self.effects().forget(object);
            self.tell_deletion(object, &before);
        }
        memories.recall(object, &self.caches, now)
    }

    fn tell_deletion(&self, object: &ObjectRef, last: &Precondition) {
        if object.kind == ObjectKind::Rollout {
            let message = format!("Rollout {}/{} is deleted.", object.key.name, object.key.namespace);
            self.tell(object, last, &EventNote::new(EventReason::RolloutDeleted, message));
        }
    }

    /// Sends an Event about the object, and counts it.
    fn tell(&self, object: &ObjectRef, state: &Precondition, note: &EventNote) {
        self.metrics.told(object, note.reason);
        self.events.push(object, state, note, self.clock.now());
    }

    fn remember(&self, object: &ObjectRef, plan: &Plan, outcome: Outcome) -> Next {
        let now = self.clock.now();
        let Outcome { writes, events, ended, ending } = outcome;
        for note in &events {
            self.tell(object, &plan.seen, note);
        }
        if let Some(update) = ended {
            self.metrics.update_ended(&update);
        }
        if let Some(class) = error_class(&ending) {
            self.metrics.failed(object, class);
        }
        let mut memories = self.memories();
        let memory = memories.of(object, &plan.seen);
        for write in writes {
            memory.record(write, now);
        }
        memory.kept.held_since = memory.kept.held_since.or(Some(now)).filter(|_| plan.status.held);
        match ending {
            Ending::Done => {
                self.effects().want(object, &plan.effects, now);
                memory.kept.last_failure = None;
                memory.warned = None;
                Next::At(now)
            }
            Ending::Conflict(_) | Ending::Transient(_) => Next::Transient,
            Ending::NamespaceEnds(_) => {
                memory.is_leaving = true;
                Next::At(now)
            }
            Ending::Refused(failure) => self.refused(object, plan, memory, failure),
        }
    }

    fn refused(&self, object: &ObjectRef, plan: &Plan, memory: &mut Memory, failure: Failure) -> Next {
        let warning = warning(plan, &failure);
        memory.kept.last_failure = Some(failure);
        // An object that stands in the way is for the next decision to deal with, at once.
        let Some(warning) = warning else {
            return Next::Transient;
        };
        if memory.is_news(&warning.message) {
            tracing::warn!(
                namespace = object.key.namespace,
                name = object.key.name,
                problem = warning.message,
                "a write was refused"
            );
            self.tell(object, &plan.seen, &warning);
        }
        Next::Refused
    }

    /// A decision panicked or is not safe: that is a bug of this program, confined to one object.
    fn report_stall(&self, object: &ObjectRef, seen: &Precondition, stall: &Stall) -> Next {
        let message = stall.to_string();
        tracing::error!(
            namespace = object.key.namespace,
            name = object.key.name,
            problem = message,
            "nothing is written"
        );
        self.metrics.failed(object, ErrorClass::Bug);
        let is_news = self.memories().of(object, seen).is_news(&message);
        if is_news {
            self.tell(object, seen, &EventNote::new(EventReason::ReconciliationError, message));
        }
        Next::Refused
    }

    /// When to look again: when the plan says, but not without a pause, and not later than the slow resync.
    fn next_look(&self, wake: Wake, decided: Timestamp) -> Timestamp {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let resync = after(self.clock.now(), rng.duration(self.resync / 3 * 2, self.resync));
        match wake {
            Wake::OnChange => resync,
            Wake::At(time) if time <= decided => after(decided, OVERDUE),
            Wake::At(time) => time.min(resync),
        }
    }

    /// The effects that plans ask for.
    pub(super) fn effects(&self) -> MutexGuard<'_, Effects> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn memories(&self) -> MutexGuard<'_, Memories> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::double::Double;
    use super::*;
    use serin_core::rollout::snapshot::FailureCause;
    use serin_machine::cache::Closed;
    use serin_machine::caches::UNSEEN;
    use serin_machine::failure::WriteError;
    use serin_machine::object::RawObject;

    fn key() -> ObjectRef {
        ObjectRef::new(ObjectKind::Rollout, "shop", "web")
    }

    /// A reconciler that knows one Rollout, whose spec is invalid: the status is the only thing to write.
    fn reconciler(server: Double) -> Reconciler<Double> {
        let reconciler = Reconciler::new(server, Clock::starting_at(Timestamp::UNIX_EPOCH), Rng::seeded(0));
        put(&reconciler, "u1", "1", &json!(null));
        reconciler
    }

    fn wire(uid: &str, version: &str, status: &serde_json::Value) -> RawObject {
        let metadata = json!({
            "name": "web", "namespace": "shop", "uid": uid, "resourceVersion": version, "generation": 1,
        });
        let object = json!({"metadata": metadata, "spec": {"strategy": {}}, "status": status});
        serde_json::from_value(object).expect("an object")
    }

    fn put(reconciler: &Reconciler<Double>, uid: &str, version: &str, status: &serde_json::Value) {
        let wire = wire(uid, version, status);
        reconciler.caches.of(ObjectKind::Rollout).write().put(wire);
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
        let until = after(Timestamp::UNIX_EPOCH, Duration::from_secs(3));
        reconciler.caches.of(ObjectKind::Rollout).write().doubt_until(until);
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
            let stall = Stall::Bug { kind: ObjectKind::Rollout, problem: "no way".into() };
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
        reconciler.caches.of(ObjectKind::Rollout).write().remove(wire("u2", "2", &json!(null)));
        assert_eq!(reconciler.reconcile(&key()).await, Next::Forget);
        assert!(reconciler.memories().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_deletion_of_a_rollout_is_told_once_for_each_that_was_known() {
        let reconciler = reconciler(refused());
        reconciler.reconcile(&ObjectRef::new(ObjectKind::Rollout, "shop", "never-seen")).await;
        reconciler.reconcile(&key()).await;
        put(&reconciler, "u2", "2", &json!(null));
        reconciler.reconcile(&key()).await;
        reconciler.caches.of(ObjectKind::Rollout).write().remove(wire("u2", "2", &json!(null)));
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
        assert_eq!(reconciler.next_look(Wake::At(now), now), after(now, OVERDUE));
        let soon = after(now, Duration::from_secs(5));
        assert_eq!(reconciler.next_look(Wake::At(soon), now), soon);
        let late = after(now, Duration::from_hours(1));
        assert!(reconciler.next_look(Wake::At(late), now) < late, "the slow resync comes before");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_decided_before_the_workload_is_known() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let reconciler = Reconciler::new(Double::default(), clock, Rng::seeded(0));
        let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
        let object = json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "1", "generation": 1},
            "spec": {"workloadRef": reference, "strategy": {"canary": {}}},
        });
        let wire = serde_json::from_value(object).expect("an object");
        reconciler.caches.of(ObjectKind::Rollout).write().put(wire);
        assert_eq!(reconciler.reconcile(&key()).await, Next::Soon(UNSEEN));
        assert!(reconciler.server.lines().is_empty());

        let refusal = Closed::Refused("nobody may".into());
        reconciler.caches.of(ObjectKind::Deployment).write().close(refusal);
        let Next::At(patience) = reconciler.reconcile(&key()).await else { panic!("it waits for more") };
        reconciler.clock.sleep_until(patience).await;
        reconciler.reconcile(&key()).await;
        let status = &reconciler.server.body(0)["status"];
        let message = "InvalidSpec: The Rollout \"web\" is invalid: spec.workloadRef: Invalid value: \"Deployment d\": the \
                       controller cannot watch objects of this kind: nobody may; let it get, list and watch them";
        assert_eq!(status["message"], message);
    }
}
