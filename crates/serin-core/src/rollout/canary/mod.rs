//! The canary strategy: the new revision gets a growing share of pods or of traffic, step by step.

mod pause;
mod ping_pong;
mod position;
mod route;
mod scale;
mod services;
mod steps;

use super::context::Context;
use super::draft::Draft;
use super::outcome::Outcome;
use super::promotion::{self, Promotion};
use super::selections::Selections;
use super::sizes::Sizes;
use super::{metadata, replica_set, restart, scale as scaling};
use crate::api::{RolloutStatus, Time};
use crate::traffic::TrafficError;
use position::Position;
use route::Route;
use steps::StepChange;

/// What to do now about a canary whose spec is valid.
pub(super) fn decide<'a>(cx: &Context<'a>, draft: &mut Draft) -> Result<Outcome<'a>, TrafficError> {
    if cx.new_rs.is_some() {
        replica_set::sync(cx, draft);
    }
    match cx.new_rs {
        Some(_) if !cx.is_changed() => advance(cx, draft),
        Some(_) => Ok(Parts::at(cx, Position::restarted(cx, draft)).close(cx, draft)),
        None => begin(cx, draft),
    }
}

/// What to do about a canary whose spec cannot be carried out: sizes follow, and an abort is carried out.
pub(super) fn keep<'a>(cx: &Context<'a>, draft: &mut Draft) -> Outcome<'a> {
    let mut parts = Parts::at(cx, Position::skipped(cx));
    if parts.at.is_aborted {
        parts.selections = services::decide(cx, &parts.at, draft);
        parts.route = route::withdraw(cx, &parts.at);
    }
    if parts.at.is_aborted || scale::is_due(cx) {
        parts.sizes = scale::decide(cx, &parts.at, parts.route.weights.as_ref());
    }
    parts.close(cx, draft)
}

/// Makes the ReplicaSet of the new revision, and has the routers know of it.
///
/// Where everything stood still until now it has the size of the first step at once. In the middle of an update older
/// pods may have to go first, so that it begins empty.
fn begin<'a>(cx: &Context<'a>, draft: &mut Draft) -> Result<Outcome<'a>, TrafficError> {
    let at = if cx.is_changed() { Position::restarted(cx, draft) } else { Position::unchanged(cx) };
    let is_settled = cx.is_fully_promoted() && !cx.is_halted() && !scale::is_due(cx);
    let size = if is_settled { scale::first_size(cx, &at) } else { 0 };
    let route = if is_settled { route::decide(cx, &at)? } else { Route::unchanged(cx) };
    let outcome = Parts { route, ..Parts::at(cx, at) }.close(cx, draft);
    replica_set::create(cx, draft, size);
    Ok(outcome)
}

/// Goes on with the update that the status is about.
fn advance<'a>(cx: &Context<'a>, draft: &mut Draft) -> Result<Outcome<'a>, TrafficError> {
    if scale::is_due(cx) {
        return Ok(resize(cx, draft));
    }
    let mut parts = Parts::at(cx, Position::advanced(cx, draft));
    parts.restarted_at = restart::advance(cx, draft);
    metadata::sync(cx, draft);
    scaling::clean_history(cx, draft);
    parts.selections = services::decide(cx, &parts.at, draft);
    parts.route = route::decide(cx, &parts.at)?;
    let weights = parts.route.weights.as_ref();
    if !cx.is_halted() || cx.status.abort {
        parts.sizes = scale::decide(cx, &parts.at, weights);
    }
    parts.promotion = promotion::of_canary(cx, parts.at.is_aborted);
    if parts.promotion.is_none() {
        parts.step = steps::advance(cx, &parts.at, weights, &parts.sizes, draft);
    }
    Ok(parts.close(cx, draft))
}

/// Follows another size of the Rollout. That comes first and alone: shares are judged when all sets have followed it. A
/// resume that cannot be acted on yet is not lost.
fn resize<'a>(cx: &Context<'a>, draft: &mut Draft) -> Outcome<'a> {
    let mut parts = Parts::at(cx, Position::skipped(cx));
    parts.at.pauses.hold_resume = pause::is_resumed(cx);
    parts.sizes = scale::decide(cx, &parts.at, parts.route.weights.as_ref());
    parts.close(cx, draft)
}

/// The values that a decision about a canary consists of.
struct Parts<'a> {
    at: Position,
    selections: Selections<'a>,
    route: Route,
    sizes: Sizes<'a>,
    promotion: Option<Promotion>,
    step: StepChange,
    restarted_at: Option<Time>,
}

impl<'a> Parts<'a> {
    /// Nothing changes but the position.
    fn at(cx: &Context<'_>, at: Position) -> Self {
        Self {
            at,
            selections: Selections::default(),
            route: Route::unchanged(cx),
            sizes: Sizes::default(),
            promotion: None,
            step: StepChange::default(),
            restarted_at: cx.status.restarted_at.clone(),
        }
    }

    /// Asks for the writes, and gives the next status and what changes about pauses.
    fn close(self, cx: &Context<'a>, draft: &mut Draft) -> Outcome<'a> {
        self.selections.write(cx, draft);
        self.route.write(cx, draft);
        scaling::write(cx, &self.sizes, draft);
        self.promotion.iter().for_each(|promotion| promotion.write(cx, draft));
        self.outcome(cx)
    }

    fn outcome(self, cx: &Context<'_>) -> Outcome<'a> {
        let Self { at, selections: _, route, sizes, promotion, step, restarted_at } = self;
        let mut pauses = at.pauses;
        let mut status = RolloutStatus { restarted_at, current_step_index: at.index, ..cx.status.clone() };
        status.canary.weights = route.weights;
        if at.is_restarted {
            forget_previous(cx, &mut status);
        }
        if step.is_complete {
            status.current_step_index = pause::next_index(cx);
            pauses.remove.push(pause::REASON);
        }
        if at.has_left_pause || step.is_complete {
            status.canary.current_step_analysis_run_status = None;
        }
        if step.begins_pause {
            pauses.add.push(pause::REASON);
        }
        if let Some(promotion) = promotion {
            promotion.apply(&mut status, &mut pauses);
        }
        Outcome { sizes, pauses, has_left_pause: at.has_left_pause, status }
    }
}

/// Whatever belonged to the previous update is forgotten.
fn forget_previous(cx: &Context<'_>, status: &mut RolloutStatus) {
    status.promote_full = false;
    status.current_step_hash = Some(cx.step_hash.clone());
    status.canary.current_step_analysis_run_status = None;
    status.canary.current_background_analysis_run_status = None;
    status.canary.current_experiment = None;
    status.canary.step_plugin_statuses.clear();
}
