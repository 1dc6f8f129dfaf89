//! The tasks that perform effects: begun and stopped as [`serin_machine::effects`] says.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::{AbortHandle, Id, JoinSet};

use super::perform::{Perform, perform};
use serin_core::domain::effect::{Effect, EffectFailure, EffectOutput};
use serin_core::domain::object::ObjectRef;
use serin_machine::effects::{Effects, Ticket};

/// The effects that run.
#[derive(Debug, Default)]
pub(super) struct Running {
    tasks: JoinSet<Result<EffectOutput, EffectFailure>>,
    runs: BTreeMap<Id, (Ticket, AbortHandle)>,
}

impl Running {
    /// Stops what is cancelled, and begins what there is room for.
    pub(super) fn follow(&mut self, effects: &mut Effects, performer: &Arc<dyn Perform>) {
        let cancelled = effects.cancelled();
        self.runs
            .values()
            .filter(|(ticket, _)| cancelled.contains(ticket))
            .for_each(|(_, handle)| handle.abort());
        while let Some((ticket, effect)) = effects.next_start() {
            self.begin(ticket, effect, Arc::clone(performer));
        }
    }

    fn begin(&mut self, ticket: Ticket, effect: Effect, performer: Arc<dyn Perform>) {
        let handle = self.tasks.spawn(async move { perform(&*performer, &effect).await });
        self.runs.insert(handle.id(), (ticket, handle));
    }

    /// Waits for the next one to end; for ever where none runs. Dropping the future loses nothing.
    pub(super) async fn next_end(&mut self) -> (Id, Result<EffectOutput, EffectFailure>) {
        match self.tasks.join_next_with_id().await {
            Some(Ok(ended)) => ended,
            // It was stopped, and nobody hears this, or it panicked.
            Some(Err(error)) => {
                (error.id(), Err(EffectFailure::Failed(format!("a bug of the controller: {error}"))))
            }
            None => std::future::pending().await,
        }
    }

    /// Notes the end of one. Returns the primary object that is to be decided on with the answer.
    pub(super) fn ended(
        &mut self,
        (id, answer): (Id, Result<EffectOutput, EffectFailure>),
        effects: &mut Effects,
    ) -> Option<ObjectRef> {
        let (ticket, _) = self.runs.remove(&id)?;
        effects.ended(ticket, answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use jiff::Timestamp;
    use serde_json::{Value, json};
    use tokio::sync::watch;
    use tokio::task::JoinHandle;

    use super::super::dispatch::Dispatcher;
    use super::super::double::{Double, rollout};
    use super::super::perform::Performance;
    use super::super::reconcile::Reconciler;
    use serin_clock::{Clock, sleep};
    use serin_core::domain::effect::{EffectAction, EffectName};
    use serin_core::domain::plan::{ObjectKind, Plan, StatusWrite};
    use serin_core::measure::Settings;
    use serin_core::rollout::snapshot::Remembered;
    use serin_machine::caches::Caches;
    use serin_machine::decide::Deliberation;
    use serin_machine::effects::CONCURRENCY;
    use serin_machine::kinds;
    use serin_values::random::Rng;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    /// A decision that asks one question, and writes the answer down once.
    #[allow(clippy::needless_pass_by_value, reason = "a decision keeps what it is given")]
    fn ask(
        object: &ObjectRef,
        caches: &Caches,
        remembered: Remembered,
        _: &Settings,
        _: Timestamp,
    ) -> Deliberation {
        let Some(entry) = caches.find(object) else { return Deliberation::Absent };
        let seen = entry.id.precondition();
        let mut plan = Plan::nothing(seen.clone());
        let name = EffectName("question".into());
        if let Some(answer) = remembered.effects.get(&name).and_then(|known| known.answer.as_deref()) {
            let said = answer.as_ref().map_or_else(ToString::to_string, |output| format!("{output:?}"));
            plan.status = StatusWrite { patch: json!({"status": {"said": said}}), ..StatusWrite::nothing() };
        } else {
            let action = EffectAction::ReadSecret { namespace: "shop".into(), name: object.key.name.clone() };
            plan.effects = vec![Effect { name, action, limit: LIMIT }];
        }
        Deliberation::Made { seen, plan: Box::new(Ok(plan)) }
    }

    /// Answers with an empty Secret after a while, but never about `silent` and with a panic about `broken`.
    #[derive(Debug, Default)]
    struct Oracle {
        begun: AtomicUsize,
        present: AtomicUsize,
        most: AtomicUsize,
    }

    /// One that is being performed.
    struct Present<'a>(&'a Oracle);

    impl Drop for Present<'_> {
        fn drop(&mut self) {
            self.0.present.fetch_sub(1, SeqCst);
        }
    }

    impl Perform for Oracle {
        fn perform<'a>(&'a self, action: &'a EffectAction) -> Performance<'a> {
            let EffectAction::ReadSecret { name, .. } = action else { panic!("{action:?}") };
            Box::pin(async move {
                self.begun.fetch_add(1, SeqCst);
                self.most.fetch_max(self.present.fetch_add(1, SeqCst) + 1, SeqCst);
                let _present = Present(self);
                assert!(name != "broken", "it is broken");
                sleep(if name == "silent" { Duration::from_hours(1) } else { Duration::from_secs(1) }).await;
                Ok(EffectOutput::Secret(BTreeMap::new()))
            })
        }
    }

    /// A controller at work on Rollouts of these names.
    struct World {
        reconciler: Arc<Reconciler<Double>>,
        dispatcher: Arc<Dispatcher>,
        oracle: Arc<Oracle>,
        stop: watch::Sender<bool>,
        work: JoinHandle<()>,
    }

    fn key(name: &str) -> ObjectRef {
        ObjectRef::new(ObjectKind::Rollout, "shop", name)
    }

    fn world(names: &[String]) -> World {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let (mut reconciler, oracle) =
            (Reconciler::new(Double::default(), clock, Rng::seeded(0)), Arc::default());
        reconciler.decide = ask;
        reconciler.performer = Arc::clone(&oracle) as Arc<dyn Perform>;
        kinds::always().for_each(|kind| drop(reconciler.caches.of(kind).write().swap()));
        for name in names {
            reconciler.caches.of(ObjectKind::Rollout).write().put(rollout(name));
        }
        let (reconciler, dispatcher) = (Arc::new(reconciler), Arc::new(Dispatcher::new(Rng::seeded(1))));
        let (stop, work) = work(&reconciler, &dispatcher);
        World { reconciler, dispatcher, oracle, stop, work }
    }

    fn work(
        reconciler: &Arc<Reconciler<Double>>,
        dispatcher: &Arc<Dispatcher>,
    ) -> (watch::Sender<bool>, JoinHandle<()>) {
        let (stop, stopped) = watch::channel(false);
        let (reconciler, dispatcher) = (Arc::clone(reconciler), Arc::clone(dispatcher));
        (stop, tokio::spawn(async move { dispatcher.run(&reconciler, 4, stopped).await }))
    }

    impl World {
        /// What was written into statuses.
        fn said(&self) -> Vec<Value> {
            let count = self.reconciler.server.lines().len();
            (0..count).map(|index| self.reconciler.server.body(index)["status"]["said"].clone()).collect()
        }

        fn begun(&self) -> usize {
            self.oracle.begun.load(SeqCst)
        }

        fn present(&self) -> usize {
            self.oracle.present.load(SeqCst)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_part_of_the_next_decision_and_of_none_after_it_was_used() {
        let world = world(&["web".into()]);
        sleep(Duration::from_millis(500)).await;
        world.dispatcher.trigger(&[key("web")], world.reconciler.clock.now());
        sleep(Duration::from_millis(100)).await;
        assert_eq!((world.begun(), world.present(), world.said().len()), (1, 1, 0), "it is asked once");
        sleep(Duration::from_secs(1)).await;
        assert_eq!(world.said(), ["Secret([])"]);
        assert!(world.reconciler.effects().known(&key("web")).is_empty());
        assert_eq!((world.begun(), world.present()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_too_long_or_panics_is_answered_all_the_same() {
        let world = world(&["silent".into(), "broken".into()]);
        sleep(Duration::from_secs(4)).await;
        let said = world.said();
        assert!(said.len() == 1 && said[0].as_str().is_some_and(|text| text.contains("bug")), "{said:?}");
        sleep(Duration::from_secs(2)).await;
        assert_eq!(world.said()[1..], ["no answer within 5s"]);
        assert_eq!(world.present(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_whose_object_is_gone_is_stopped() {
        let world = world(&["silent".into()]);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(world.present(), 1);
        world.reconciler.caches.of(ObjectKind::Rollout).write().remove(rollout("silent"));
        world.dispatcher.trigger(&[key("silent")], world.reconciler.clock.now());
        sleep(Duration::from_millis(100)).await;
        assert_eq!((world.present(), world.reconciler.effects().load()), (0, (0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_run_as_there_is_room_for() {
        let names: Vec<_> = (0..=CONCURRENCY * 2).map(|number| format!("web-{number}")).collect();
        let world = world(&names);
        sleep(Duration::from_millis(500)).await;
        assert_eq!(world.reconciler.effects().load(), (CONCURRENCY, CONCURRENCY + 1));
        sleep(Duration::from_secs(3)).await;
        assert_eq!((world.said().len(), world.begun()), (names.len(), names.len()));
        assert_eq!(world.oracle.most.load(SeqCst), CONCURRENCY);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_stops_leading_stops_them_and_who_leads_again_begins_anew() {
        let world = world(&["web".into()]);
        sleep(Duration::from_millis(500)).await;
        assert_eq!(world.present(), 1);
        world.stop.send(true).expect("it runs");
        world.work.await.expect("no panic");
        sleep(Duration::from_secs(5)).await;
        assert_eq!((world.oracle.present.load(SeqCst), world.reconciler.server.lines().len()), (0, 0));
        let (_stop, _work) = work(&world.reconciler, &world.dispatcher);
        sleep(Duration::from_secs(2)).await;
        assert_eq!((world.oracle.begun.load(SeqCst), world.reconciler.server.lines().len()), (2, 1));
    }
}
