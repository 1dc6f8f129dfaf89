//! One look at a run: what is due is measured, what was found is assessed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::assess::{self, Assessed, Ending, Outcome, breach};
use super::job;
use super::limits::Limits;
use super::made::ended;
use super::measuring::{self, Step};
use super::record::{record, trim};
use super::run::Run;
use super::schedule::{Task, task};
use super::status::{fail, write};
use crate::analysis_template::rule_matches;
use crate::api::Time;
use crate::api::analysis::{AnalysisPhase, AnalysisRunSpec, AnalysisRunStatus, Measurement, MetricResult};
use crate::api::metric::Metric;
use crate::domain::effect::Effect;
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::{Op, Plan, Stage, StageName, Wake};
use crate::measure::Settings;
use serin_values::time::after;

/// After this time without an answer a run that has no status yet says that it runs.
const SILENCE: SignedDuration = SignedDuration::from_secs(2);

/// The message of a measurement that was ended before its time.
const TERMINATED: &str = "Metric Terminated";

/// A run that is looked at.
#[derive(Clone, Copy)]
struct Pass<'a> {
    run: &'a Run,
    spec: &'a AnalysisRunSpec,
    ending: Ending,
    settings: &'a Settings,
    now: Timestamp,
}

/// What one look finds.
#[derive(Default)]
struct Look {
    /// The results as they are now.
    results: Vec<MetricResult>,
    /// What goes on.
    effects: Vec<Effect>,
    /// When the earliest of what goes on was begun.
    since: Option<Timestamp>,
    /// Jobs that are made or deleted.
    ops: Vec<Op>,
    /// When to look at what goes on.
    next: Option<Timestamp>,
    /// Whether a measurement was made.
    is_news: bool,
}

/// Looks at a run whose spec is right, and adds to `plan` what follows.
pub(super) fn pass(
    run: &Run,
    spec: &AnalysisRunSpec,
    settings: &Settings,
    now: Timestamp,
    mut plan: Plan,
) -> Plan {
    let pass = Pass { run, spec, ending: ending(run, spec), settings, now };
    let mut look = match pass.look() {
        Ok(look) => look,
        Err(problem) => {
            plan.status = fail(run, &format!("Unable to resolve metric arguments: {problem}"), now);
            return plan;
        }
    };
    let mut events = Vec::new();
    let phases: Vec<_> =
        spec.metrics.iter().map(|metric| pass.settle(metric, &mut look.results, &mut events)).collect();
    plan.stages = stages(std::mem::take(&mut look.ops).into_iter().chain(pass.surplus(&look.results)));
    let assessed = pass.assessed(&look.results, &phases);
    let outcome = assess::outcome(&assessed, pass.ending);
    let is_over = outcome.phase.is_completed();
    let next = pass.next_look(&look);
    let is_due = look.is_news || is_over || next.is_some_and(|next| next <= now);
    let must_start = run.status.started_at.is_none() && look.since.is_none();
    if is_due || must_start {
        if is_over {
            let message = format!("Analysis Completed. Result: {:?}", outcome.phase);
            events.push(EventNote::new(of_run(outcome.phase), message));
        }
        plan.status = write(run, &pass.status(&look, &assessed, outcome), events);
    }
    if !is_over {
        plan.effects = look.effects;
        plan.wake = next.map_or(Wake::OnChange, Wake::At);
    }
    plan
}

/// How the run comes to its end, by what is known before this look.
fn ending(run: &Run, spec: &AnalysisRunSpec) -> Ending {
    let is_bad = |result: &MetricResult| {
        !result.dry_run && result.phase.is_completed() && result.phase != AnalysisPhase::Successful
    };
    if spec.terminate {
        Ending::Terminated
    } else if run.status.metric_results.iter().any(is_bad) {
        Ending::Decided
    } else {
        Ending::Natural
    }
}

impl Pass<'_> {
    fn started(&self) -> Option<Timestamp> {
        self.run.status.started_at.as_ref().map(|time| time.0)
    }

    fn task<'r>(&self, metric: &Metric, results: &'r [MetricResult]) -> Task<'r> {
        let known = results.iter().find(|result| result.name == metric.name);
        task(&Limits::of(metric), known, self.started(), self.ending != Ending::Natural, self.now)
    }

    /// Takes the next step of each metric. An error says why the run cannot go on.
    fn look(&self) -> Result<Look, String> {
        let known = &self.run.status.metric_results;
        let mut look = Look { results: known.clone(), ..Look::default() };
        for metric in &self.spec.metrics {
            let begun = match self.task(metric, known) {
                Task::Wait(_) => continue,
                Task::Stop(begun) => {
                    look.ops.extend(job::deletion(self.run, begun));
                    look.add(
                        self.spec,
                        metric,
                        ended(begun, AnalysisPhase::Inconclusive, self.now, TERMINATED),
                        true,
                    );
                    continue;
                }
                Task::Measure => None,
                Task::Resume(begun) => Some(begun),
            };
            match measuring::step(self.run, self.spec, metric, begun, self.settings, self.now) {
                Step::Waiting { effects, since, next } => {
                    look.effects.extend(effects);
                    look.since = look.since.into_iter().chain([since]).min();
                    look.next = look.next.into_iter().chain(next).min();
                }
                Step::Create(op) => {
                    look.ops.push(*op);
                    look.next = look.next.into_iter().chain([after(self.now, job::SIGHT)]).min();
                }
                Step::Made { measurement, metadata } => {
                    look.add(self.spec, metric, measurement, begun.is_some());
                    look.describe(metric, metadata);
                }
                Step::Unresolvable(problem) => return Err(problem),
            }
        }
        Ok(look)
    }

    /// Assesses a metric, and notes a new outcome in its result.
    fn settle(
        &self,
        metric: &Metric,
        results: &mut [MetricResult],
        events: &mut Vec<EventNote>,
    ) -> AnalysisPhase {
        let result = results.iter_mut().find(|result| result.name == metric.name);
        let limits = Limits::of(metric);
        let phase = assess::assess(&limits, result.as_deref(), self.ending != Ending::Natural);
        let Some(result) = result.filter(|result| result.phase != phase) else { return phase };
        result.phase = phase;
        result.message = result.measurements.last().and_then(|last| last.message.clone());
        if phase.is_completed() {
            let message = format!("Metric '{}' Completed. Result: {phase:?}", metric.name);
            events.push(EventNote::new(of_metric(phase), message));
            if result.dry_run
                && let Some(breach) = breach(&limits, result)
            {
                result.message = Some(format!("Metric assessed {phase:?} due to {}", breach.reason));
            }
        }
        phase
    }

    fn assessed<'r>(&self, results: &'r [MetricResult], phases: &[AnalysisPhase]) -> Vec<Assessed<'r>> {
        let metrics = self.spec.metrics.iter().zip(phases);
        let assessed = metrics.map(|(metric, phase)| Assessed {
            limits: Limits::of(metric),
            result: results.iter().find(|result| result.name == metric.name),
            dry_run: is_dry_run(self.spec, metric),
            phase: *phase,
        });
        assessed.collect()
    }

    /// When there is something to be done even if nothing happens.
    fn next_look(&self, look: &Look) -> Option<Timestamp> {
        let tasks = self.spec.metrics.iter().map(|metric| self.task(metric, &look.results));
        let due = tasks.filter_map(|task| match task {
            Task::Wait(until) => until,
            Task::Resume(_) | Task::Stop(_) if look.is_news => Some(self.now),
            Task::Measure | Task::Resume(_) | Task::Stop(_) => None,
        });
        let is_silent = self.run.status.phase == AnalysisPhase::Unknown;
        let silence = look.since.filter(|_| is_silent).map(|since| after(since, SILENCE));
        due.chain(silence).chain(look.next).min()
    }

    /// The deletions of Jobs whose measurements are not kept any more.
    fn surplus(&self, results: &[MetricResult]) -> Vec<Op> {
        results.iter().flat_map(|result| job::surplus(self.run, &result.name, result)).collect()
    }

    fn status(&self, look: &Look, assessed: &[Assessed<'_>], outcome: Outcome) -> AnalysisRunStatus {
        let summary =
            |dry_run: bool| assess::summary(assessed.iter().filter(|metric| metric.dry_run == dry_run));
        let begun = look.since.into_iter().chain(first_start(&look.results)).min();
        AnalysisRunStatus {
            phase: outcome.phase,
            started_at: Some(Time(self.started().or(begun).unwrap_or(self.now))),
            completed_at: outcome.phase.is_completed().then_some(Time(self.now)),
            message: Some(outcome.message).filter(|message| !message.is_empty()),
            metric_results: look.results.clone(),
            run_summary: summary(false),
            dry_run_summary: Some(summary(true)),
        }
    }
}

impl Look {
    /// Notes a measurement.
    fn add(&mut self, spec: &AnalysisRunSpec, metric: &Metric, made: Measurement, is_begun: bool) {
        self.is_news = true;
        let index = self.results.iter().position(|result| result.name == metric.name).unwrap_or_else(|| {
            self.results.push(MetricResult {
                name: metric.name.clone(),
                phase: AnalysisPhase::Running,
                dry_run: is_dry_run(spec, metric),
                ..MetricResult::default()
            });
            self.results.len() - 1
        });
        if let Some(result) = self.results.get_mut(index) {
            record(result, made, is_begun);
            trim(result, &spec.measurement_retention);
        }
    }

    /// Notes the metadata of a metric, unless it has some.
    fn describe(&mut self, metric: &Metric, metadata: BTreeMap<String, String>) {
        let result = self.results.iter_mut().find(|result| result.name == metric.name);
        if let Some(result) = result.filter(|result| result.metadata.is_empty()) {
            result.metadata = metadata;
        }
    }
}

/// The stages of ops, in order.
fn stages(ops: impl Iterator<Item = Op>) -> Vec<Stage> {
    let mut stages = BTreeMap::<StageName, Vec<Op>>::new();
    ops.for_each(|op| stages.entry(op.stage()).or_default().push(op));
    stages.into_iter().map(|(name, ops)| Stage { name, ops, events: Vec::new() }).collect()
}

fn is_dry_run(spec: &AnalysisRunSpec, metric: &Metric) -> bool {
    spec.dry_run.iter().any(|rule| rule_matches(&rule.metric_name, &metric.name))
}

fn first_start(results: &[MetricResult]) -> Option<Timestamp> {
    let measurements = results.iter().flat_map(|result| &result.measurements);
    measurements.filter_map(|measurement| Some(measurement.started_at.as_ref()?.0)).min()
}

fn of_metric(phase: AnalysisPhase) -> EventReason {
    match phase {
        AnalysisPhase::Failed => EventReason::MetricFailed,
        AnalysisPhase::Error => EventReason::MetricError,
        AnalysisPhase::Inconclusive => EventReason::MetricInconclusive,
        AnalysisPhase::Successful
        | AnalysisPhase::Unknown
        | AnalysisPhase::Pending
        | AnalysisPhase::Running => EventReason::MetricSuccessful,
    }
}

fn of_run(phase: AnalysisPhase) -> EventReason {
    match phase {
        AnalysisPhase::Failed => EventReason::AnalysisRunFailed,
        AnalysisPhase::Error => EventReason::AnalysisRunError,
        AnalysisPhase::Inconclusive => EventReason::AnalysisRunInconclusive,
        AnalysisPhase::Successful
        | AnalysisPhase::Unknown
        | AnalysisPhase::Pending
        | AnalysisPhase::Running => EventReason::AnalysisRunSuccessful,
    }
}
