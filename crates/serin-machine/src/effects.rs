//! Which effects run, and which wait for room: a value that neither runs nor waits. Whoever drives it performs them.
//!
//! - An effect begins when a plan that names it was carried out, and runs once however often it is named.
//! - One that is no longer named, or whose primary object is gone, is cancelled; what it would have said is not heard.
//! - At most so many run at a time; the others wait in the order in which they were named, so none can starve.
//! - An answer is kept for the decisions until a plan that was carried out does not name its effect.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serin_core::domain::effect::{
    Answer, Effect, EffectFailure, EffectName, EffectOutput, KnownEffect, KnownEffects,
};
use serin_core::domain::object::ObjectRef;

/// How many effects run at a time.
pub const CONCURRENCY: usize = 64;

/// Which run of an effect something is about. Each is given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// An effect of a primary object.
#[derive(Debug)]
struct Asked {
    at: Timestamp,
    standing: Standing,
}

/// Where an effect stands.
#[derive(Debug)]
enum Standing {
    Waiting(Box<Effect>),
    Running(Ticket),
    Answered(Answer),
}

/// The effects of all primary objects.
#[derive(Debug)]
pub struct Effects {
    limit: usize,
    of_objects: BTreeMap<ObjectRef, BTreeMap<EffectName, Asked>>,
    /// Those that wait, the next first. Some may not be wanted any more.
    waiting: VecDeque<(ObjectRef, EffectName)>,
    running: BTreeMap<Ticket, (ObjectRef, EffectName)>,
    cancelled: BTreeSet<Ticket>,
    next_ticket: u64,
}

impl Default for Effects {
    fn default() -> Self {
        Self::new(CONCURRENCY)
    }
}

impl Effects {
    /// No effects, of which up to `limit` run at a time.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            of_objects: BTreeMap::new(),
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            next_ticket: 0,
        }
    }

    /// A plan about `object` was carried out at `now` that names `wanted`: others of that object are cancelled and forgotten.
    pub fn want(&mut self, object: &ObjectRef, wanted: &[Effect], now: Timestamp) {
        let mut known = self.of_objects.remove(object).unwrap_or_default();
        let mut kept = BTreeMap::new();
        for effect in wanted {
            if kept.contains_key(&effect.name) {
                continue;
            }
            let asked = known.remove(&effect.name).unwrap_or_else(|| {
                self.waiting.push_back((object.clone(), effect.name.clone()));
                Asked { at: now, standing: Standing::Waiting(Box::new(effect.clone())) }
            });
            kept.insert(effect.name.clone(), asked);
        }
        if !kept.is_empty() {
            self.of_objects.insert(object.clone(), kept);
        }
        self.drop_all(object, known);
    }

    /// The object is gone: its effects are cancelled and forgotten.
    pub fn forget(&mut self, object: &ObjectRef) {
        if let Some(known) = self.of_objects.remove(object) {
            self.drop_all(object, known);
        }
    }

    /// Nothing runs any more, and nothing is known.
    pub fn clear(&mut self) {
        let (limit, next_ticket) = (self.limit, self.next_ticket);
        *self = Self { next_ticket, ..Self::new(limit) };
    }

    fn drop_all(&mut self, object: &ObjectRef, effects: BTreeMap<EffectName, Asked>) {
        for (name, asked) in effects {
            match asked.standing {
                Standing::Waiting(_) => self.waiting.retain(|(of, waits)| of != object || *waits != name),
                Standing::Running(ticket) => {
                    self.running.remove(&ticket);
                    self.cancelled.insert(ticket);
                }
                Standing::Answered(_) => {}
            }
        }
    }

    /// The next effect that is to begin now, if there is one and room for it. Its end is told to [`ended`](Self::ended).
    pub fn next_start(&mut self) -> Option<(Ticket, Effect)> {
        if self.running.len() + self.cancelled.len() >= self.limit {
            return None;
        }
        let (object, name) = self.waiting.pop_front()?;
        let standing = &mut self.of_objects.get_mut(&object)?.get_mut(&name)?.standing;
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        let Standing::Waiting(effect) = std::mem::replace(standing, Standing::Running(ticket)) else {
            return None;
        };
        self.running.insert(ticket, (object, name));
        Some((ticket, *effect))
    }

    /// The runs that are to be stopped. Each holds its room until its end is told.
    #[must_use]
    pub const fn cancelled(&self) -> &BTreeSet<Ticket> {
        &self.cancelled
    }

    /// A run is over. Returns the primary object that is to be decided on with the answer, if anybody still asks for it.
    pub fn ended(
        &mut self,
        ticket: Ticket,
        answer: Result<EffectOutput, EffectFailure>,
    ) -> Option<ObjectRef> {
        self.cancelled.remove(&ticket);
        let (object, name) = self.running.remove(&ticket)?;
        let standing = &mut self.of_objects.get_mut(&object)?.get_mut(&name)?.standing;
        *standing = Standing::Answered(Arc::new(answer));
        Some(object)
    }

    /// What is known of the effects of `object`.
    #[must_use]
    pub fn known(&self, object: &ObjectRef) -> KnownEffects {
        let effects = self.of_objects.get(object).into_iter().flatten();
        let known = effects.map(|(name, asked)| {
            let answer = match &asked.standing {
                Standing::Answered(answer) => Some(Arc::clone(answer)),
                Standing::Waiting(_) | Standing::Running(_) => None,
            };
            (name.clone(), KnownEffect { asked: asked.at, answer })
        });
        known.collect()
    }

    /// How many run, and how many wait for room.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.running.len() + self.cancelled.len(), self.waiting.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serin_core::domain::effect::EffectAction;
    use serin_core::domain::plan::ObjectKind;

    use super::*;

    fn run(name: &str) -> ObjectRef {
        ObjectRef::new(ObjectKind::AnalysisRun, "shop", name)
    }

    fn effect(name: &str) -> Effect {
        let action = EffectAction::ReadSecret { namespace: "shop".into(), name: name.into() };
        Effect { name: EffectName(name.into()), action, limit: Duration::from_secs(1) }
    }

    const DONE: Result<EffectOutput, EffectFailure> =
        Ok(EffectOutput::Response { status: 200, body: Vec::new() });

    /// The effects of `object` that were answered.
    fn names(effects: &Effects, object: &ObjectRef) -> Vec<String> {
        let known = effects.known(object).into_iter();
        known.filter(|(_, known)| known.answer.is_some()).map(|(EffectName(name), _)| name).collect()
    }

    /// The `seconds`th second of the tests.
    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    #[test]
    fn an_effect_runs_once_and_its_answer_stays_as_long_as_it_is_named() {
        let (mut effects, a) = (Effects::new(10), run("a"));
        effects.want(&a, &[effect("x")], at(1));
        let (ticket, started) = effects.next_start().expect("one to begin");
        assert_eq!(started, effect("x"));
        effects.want(&a, &[effect("x")], at(1));
        assert_eq!(effects.next_start(), None, "it runs");
        assert_eq!(effects.ended(ticket, DONE), Some(a.clone()));
        effects.want(&a, &[effect("x")], at(2));
        assert_eq!(effects.next_start(), None, "it was answered");
        assert!(effects.known(&a).values().all(|known| known.asked == at(1)));
        assert_eq!(names(&effects, &a), ["x"]);
        effects.want(&a, &[], at(1));
        assert!(effects.known(&a).is_empty());
        effects.want(&a, &[effect("x")], at(1));
        assert!(effects.next_start().is_some(), "that is another one");
    }

    #[test]
    fn one_that_nobody_names_is_cancelled_and_not_heard() {
        let (mut effects, a) = (Effects::new(1), run("a"));
        effects.want(&a, &[effect("x"), effect("y")], at(1));
        let (ticket, _) = effects.next_start().expect("one to begin");
        assert_eq!(effects.load(), (1, 1));
        effects.want(&a, &[effect("z")], at(1));
        assert_eq!(*effects.cancelled(), BTreeSet::from([ticket]));
        assert_eq!(effects.next_start(), None, "it holds its room until it has ended");
        assert_eq!(effects.ended(ticket, DONE), None);
        assert_eq!(effects.next_start().map(|(_, effect)| effect), Some(effect("z")));
        effects.forget(&a);
        assert_eq!((effects.cancelled().len(), effects.load()), (1, (1, 0)));
    }

    #[test]
    fn they_begin_in_the_order_in_which_they_were_named() {
        let mut effects = Effects::new(1);
        effects.want(&run("a"), &[effect("x"), effect("y")], at(1));
        effects.want(&run("b"), &[effect("x")], at(1));
        let mut begun = Vec::new();
        while let Some((ticket, effect)) = effects.next_start() {
            let object = effects.ended(ticket, Err(EffectFailure::TooLarge)).expect("a primary object");
            begun.push(format!("{} {}", object.key.name, effect.name.0));
        }
        assert_eq!(begun, ["a x", "a y", "b x"]);
    }

    #[derive(Debug, Clone)]
    enum Act {
        Want(usize, Vec<usize>),
        Forget(usize),
        Start,
        End(usize),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (0..3_usize, prop::collection::vec(0..4_usize, 0..4))
                .prop_map(|(of, named)| Act::Want(of, named)),
            (0..3_usize).prop_map(Act::Forget),
            Just(Act::Start),
            (0..4_usize).prop_map(Act::End),
        ]
    }

    proptest! {
        #[test]
        fn whatever_happens_each_that_is_named_is_answered_and_the_bound_holds(
            acts in prop::collection::vec(act(), 0..60),
        ) {
            let mut effects = Effects::new(2);
            let (mut flying, mut wanted) = (Vec::new(), BTreeMap::new());
            for act in acts {
                match act {
                    Act::Want(of, named) => {
                        let named: BTreeSet<_> = named.into_iter().map(|name| name.to_string()).collect();
                        let asked: Vec<_> = named.iter().map(|name| effect(name)).collect();
                        effects.want(&run(&of.to_string()), &asked, at(1));
                        wanted.insert(run(&of.to_string()), named);
                    }
                    Act::Forget(of) => {
                        effects.forget(&run(&of.to_string()));
                        wanted.remove(&run(&of.to_string()));
                    }
                    Act::Start => flying.extend(effects.next_start().map(|(ticket, _)| ticket)),
                    Act::End(of) if of < flying.len() => drop(effects.ended(flying.remove(of), DONE)),
                    Act::End(_) => {}
                }
                prop_assert!(flying.len() <= 2 && effects.load().0 == flying.len());
                prop_assert!(effects.cancelled().iter().all(|ticket| flying.contains(ticket)));
            }
            loop {
                flying.extend(effects.next_start().map(|(ticket, _)| ticket));
                let Some(ticket) = flying.pop() else { break };
                effects.ended(ticket, DONE);
            }
            prop_assert_eq!(effects.load(), (0, 0));
            for (object, named) in wanted {
                prop_assert_eq!(names(&effects, &object), named.into_iter().collect::<Vec<_>>());
            }
        }
    }
}
