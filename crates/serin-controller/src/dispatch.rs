//! Hands out the keys of the queue to a bounded number of concurrent reconciles.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::apply::Server;
use super::effects;
use super::reconcile::Reconciler;
use serin_core::domain::object::ObjectRef;
use serin_machine::kinds;
use serin_machine::queue::{Load, Next, Queue};
use serin_values::random::Rng;

/// How long reconciles that have begun may take to end when the controller stops.
pub const DRAIN: Duration = Duration::from_secs(12);
/// The longest wait without a look at the wall clock, which may be set while the monotonic clock goes on.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// The queue, and the bell that rings when something is put into it.
#[derive(Debug)]
pub struct Dispatcher {
    queue: Mutex<Queue<ObjectRef>>,
    bell: Notify,
    /// Since when each primary object that is worked on has been.
    busy: Mutex<BTreeMap<ObjectRef, Instant>>,
    /// Whether anybody takes out what is put in.
    runs: AtomicBool,
}

impl Dispatcher {
    /// A dispatcher of an empty queue whose jitter comes from `rng`.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self {
            queue: Mutex::new(Queue::new(rng)),
            bell: Notify::new(),
            busy: Mutex::default(),
            runs: AtomicBool::new(false),
        }
    }

    /// How much there is to do at `now`.
    #[must_use]
    pub fn load(&self, now: Timestamp) -> Load {
        self.queue().load(now)
    }

    /// For how many seconds each primary object that is worked on has been.
    #[must_use]
    pub fn busy(&self) -> Vec<f64> {
        self.busy_since().values().map(|since| since.elapsed().as_secs_f64()).collect()
    }

    /// Asks for these primary objects to be reconciled. Before [`run`](Self::run) nothing is noted, since it begins with all
    /// that there are.
    pub fn trigger<'a>(&self, keys: impl IntoIterator<Item = &'a ObjectRef>, now: Timestamp) {
        if !self.runs.load(Ordering::SeqCst) {
            return;
        }
        let mut queue = self.queue();
        for key in keys {
            queue.add(key, now);
        }
        drop(queue);
        self.bell.notify_one();
    }

    /// Reconciles up to `limit` primary objects at a time until `stop` turns true; then lets those that have begun end.
    /// Nothing begins before every cache has been filled.
    pub async fn run<S: Server + 'static>(
        &self,
        reconciler: &Arc<Reconciler<S>>,
        limit: usize,
        mut stop: watch::Receiver<bool>,
    ) {
        self.runs.store(true, Ordering::SeqCst);
        for kind in kinds::primaries() {
            let keys =
                reconciler.caches.of(kind).read().iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
            let all: Vec<_> = keys.into_iter().map(|key| key.of_kind(kind)).collect();
            self.trigger(&all, reconciler.clock.now());
        }
        let mut running = Running { tasks: JoinSet::new(), keys: BTreeMap::new() };
        let mut effects = effects::Running::default();
        while !*stop.borrow_and_update() {
            let wait = self.start_due(reconciler, limit, &mut running);
            effects.follow(&mut reconciler.effects(), &reconciler.performer);
            tokio::select! {
                biased;
                _ = stop.changed() => {}
                Some(ended) = running.tasks.join_next_with_id(), if !running.tasks.is_empty() => {
                    self.ended(reconciler, &mut running, ended);
                }
                end = effects.next_end() => {
                    let waiting = effects.ended(end, &mut reconciler.effects());
                    self.trigger(&waiting, reconciler.clock.now());
                }
                () = self.bell.notified() => {}
                () = serin_clock::sleep(wait) => {}
            }
        }
        // Whoever leads next asks for them anew.
        drop(effects);
        reconciler.effects().clear();
        let drain = async { while running.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drain).await.is_err() {
            tracing::warn!(
                "some Rollouts were left in the middle of a plan; the next start goes on from there"
            );
        }
    }

    /// Starts what is due and returns how long nothing more is.
    fn start_due<S: Server + 'static>(
        &self,
        reconciler: &Arc<Reconciler<S>>,
        limit: usize,
        running: &mut Running,
    ) -> Duration {
        if !reconciler.caches.missing().is_empty() {
            return LONGEST_NAP;
        }
        let now = reconciler.clock.now();
        let mut queue = self.queue();
        while running.tasks.len() < limit {
            let due = queue.next_due();
            let Some(key) = queue.pop(now) else { break };
            let waited = due.and_then(|due| Duration::try_from(now.duration_since(due)).ok());
            reconciler.metrics.started(waited.unwrap_or_default());
            self.busy_since().insert(key.clone(), Instant::now());
            let (reconciler, of_task) = (Arc::clone(reconciler), key.clone());
            let task = running.tasks.spawn(async move { reconciler.reconcile(&of_task).await });
            running.keys.insert(task.id(), key);
        }
        match queue.next_due() {
            Some(due) if running.tasks.len() < limit => {
                Duration::try_from(due.duration_since(now)).unwrap_or_default().min(LONGEST_NAP)
            }
            Some(_) | None => LONGEST_NAP,
        }
    }

    fn ended<S: Server>(
        &self,
        reconciler: &Reconciler<S>,
        running: &mut Running,
        ended: Result<(Id, Next), JoinError>,
    ) {
        let (id, next) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "reconciling panicked");
                (error.id(), Next::Refused)
            }
        };
        let Some(key) = running.keys.remove(&id) else { return };
        if let Some(since) = self.busy_since().remove(&key) {
            reconciler.metrics.finished(since.elapsed());
        }
        self.queue().done(&key, next, reconciler.clock.now());
    }

    fn busy_since(&self) -> MutexGuard<'_, BTreeMap<ObjectRef, Instant>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue<ObjectRef>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reconciles that have begun.
struct Running {
    tasks: JoinSet<Next>,
    keys: BTreeMap<Id, ObjectRef>,
}

#[cfg(test)]
mod tests {
    use super::super::double::{Double, rollout};
    use super::*;
    use serin_clock::{Clock, sleep};
    use serin_core::domain::plan::ObjectKind;

    /// Rollouts of which nothing but the status is to be written.
    fn reconciler(names: &[&str]) -> Arc<Reconciler<Double>> {
        let reconciler =
            Reconciler::new(Double::default(), Clock::starting_at(Timestamp::UNIX_EPOCH), Rng::seeded(0));
        for name in names {
            reconciler.caches.of(ObjectKind::Rollout).write().collect(rollout(name));
        }
        Arc::new(reconciler)
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stands_by_keeps_no_list_of_what_comes_and_goes() {
        let (reconciler, dispatcher) = (reconciler(&["a"]), Dispatcher::new(Rng::seeded(1)));
        dispatcher.trigger(&[ObjectRef::new(ObjectKind::Rollout, "shop", "a")], reconciler.clock.now());
        assert!(dispatcher.queue().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_begins_before_every_cache_is_filled() {
        let (reconciler, dispatcher) = (reconciler(&["a", "b"]), Arc::new(Dispatcher::new(Rng::seeded(1))));
        let (stop, stopped) = watch::channel(false);
        let work = tokio::spawn({
            let (reconciler, dispatcher) = (Arc::clone(&reconciler), Arc::clone(&dispatcher));
            async move { dispatcher.run(&reconciler, 1, stopped).await }
        });
        let caches = &reconciler.caches;
        // What is known when the work begins is part of it.
        let is_early = |kind: &ObjectKind| *kind != ObjectKind::Pod;
        kinds::always().filter(is_early).for_each(|kind| drop(caches.of(kind).write().swap()));
        sleep(Duration::from_mins(2)).await;
        assert!(reconciler.server.lines().is_empty());
        caches.of(ObjectKind::Pod).write().swap();
        dispatcher.trigger([], reconciler.clock.now());
        sleep(Duration::from_millis(10)).await;
        assert_eq!(reconciler.server.lines(), ["PATCH rollouts/a/status", "PATCH rollouts/b/status"]);
        assert!(dispatcher.busy().is_empty() && dispatcher.load(reconciler.clock.now()).adds >= 2);
        stop.send(true).expect("it runs");
        work.await.expect("no panic");
    }
}
