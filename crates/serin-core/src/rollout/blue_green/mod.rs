//! The blue-green strategy: the new revision is made whole beside the old one, and then takes over its Service.

use super::context::Context;
use super::draft::Draft;
use super::outcome::Outcome;
use super::pauses::PauseChanges;
use super::scale::{self as scaling, AbortDelay, DelayQueue};
use super::selections::Selections;
use super::sizes::Sizes;
use super::snapshot::{ReplicaSetView, ServiceView};
use super::valid::BlueGreen;
use super::{capacity, metadata, promotion, replica_set, requests, restart};
use crate::api::{PauseReason, RolloutStatus};
use crate::domain::pause::Promotion;
use crate::domain::replicas::{self, PreviewInput};
use jiff::Timestamp;

/// The reason of the pause before the promotion.
const PAUSE: PauseReason = PauseReason::BlueGreenPause;

/// What to do now about a blue-green Rollout whose spec is valid.
pub(super) fn decide<'a>(cx: &Context<'a>, strategy: &BlueGreen<'_>, draft: &mut Draft) -> Outcome<'a> {
    let is_update = cx.new_rs.is_some() && !cx.is_changed();
    let update = Update { cx, strategy, is_aborted: cx.status.abort && !skips_all(cx) };
    if cx.new_rs.is_none() {
        replica_set::create(cx, draft, update.size_to_begin_with(0));
    } else {
        replica_set::sync(cx, draft);
    }
    let mut selections = Selections::default();
    if !cx.is_halted() {
        update.point_preview(&mut selections);
    }
    update.heal_active(&mut selections);
    if cx.is_changed() {
        let (status, pauses) = (update.restarted(&selections), PauseChanges::cleared());
        selections.write(cx, draft);
        return Outcome { pauses, status, ..Outcome::unchanged(cx) };
    }
    if is_update {
        return update.advance(selections, draft);
    }
    selections.write(cx, draft);
    Outcome::unchanged(cx)
}

/// What to do about a blue-green Rollout whose spec cannot be carried out: sizes follow, and an abort is carried out.
pub(super) fn keep<'a>(cx: &Context<'a>, strategy: &BlueGreen<'_>, draft: &mut Draft) -> Outcome<'a> {
    let update = Update { cx, strategy, is_aborted: cx.status.abort };
    let sizes = update.sizes();
    scaling::write(cx, &sizes, draft);
    let mut selections = Selections::default();
    if update.is_aborted {
        update.point_stable(&mut selections);
        selections.write(cx, draft);
    }
    let mut outcome = Outcome { sizes, ..Outcome::unchanged(cx) };
    if update.active().is_some() {
        update.read_selectors(&selections, &mut outcome.status);
    }
    outcome
}

/// Whether nothing of an update is left to be waited for, so that an abort of it is forgotten.
fn skips_all(cx: &Context<'_>) -> bool {
    cx.is_fully_promoted() || cx.rollback.is_within_window() || cx.is_promoting_full()
}

/// One update from an old to a new revision.
struct Update<'c, 'a> {
    cx: &'c Context<'a>,
    strategy: &'c BlueGreen<'c>,
    /// Whether it was aborted, and that is not forgotten.
    is_aborted: bool,
}

impl<'a> Update<'_, 'a> {
    fn active(&self) -> Option<&'a ServiceView> {
        self.cx.service(self.strategy.active_service)
    }

    /// The hash that the active Service selects now.
    fn active_hash(&self) -> Option<&'a str> {
        self.active().and_then(ServiceView::selected_hash)
    }

    /// A Service that has lost its hash selects the pods of all revisions. It gets that of the stable one back, if there is
    /// one: only a first deployment is made active without having been promoted.
    fn heal_active(&self, selections: &mut Selections<'a>) {
        let Some(active) = self.active().filter(|active| active.selected_hash().is_none()) else { return };
        if let Some(stable) = self.cx.stable_rs.filter(|rs| rs.status.available > 0 && !self.cx.is_new(rs)) {
            point(selections, active, stable.hash());
        }
    }

    fn point_preview(&self, selections: &mut Selections<'a>) {
        let preview = self.strategy.preview_service.and_then(|name| self.cx.service(name));
        if let Some(preview) = preview {
            point(selections, preview, &self.cx.current_hash);
        }
    }

    /// The status of an update that begins: whatever belonged to the previous one is forgotten.
    fn restarted(&self, selections: &Selections<'a>) -> RolloutStatus {
        let mut status = RolloutStatus { promote_full: false, ..self.cx.status.clone() };
        status.blue_green.scale_up_preview_check_point = false;
        status.blue_green.pre_promotion_analysis_run_status = None;
        status.blue_green.post_promotion_analysis_run_status = None;
        self.read_selectors(selections, &mut status);
        status
    }

    /// Goes on with the update that the status is about.
    fn advance(&self, mut selections: Selections<'a>, draft: &mut Draft) -> Outcome<'a> {
        let cx = self.cx;
        let mut status = RolloutStatus { restarted_at: restart::advance(cx, draft), ..cx.status.clone() };
        let mut pauses = PauseChanges { remove_abort: skips_all(cx), ..PauseChanges::default() };
        let sizes = self.sizes();
        scaling::write(cx, &sizes, draft);
        scaling::clean_history(cx, draft);
        if !cx.is_halted() || self.is_aborted {
            let pause = self.pause(draft);
            status.blue_green.scale_up_preview_check_point = pause.is_checked;
            pauses.hold_resume = pause.holds_resume | self.point_active(pause, &mut selections);
            pauses.remove.extend(pause.is_over.then_some(PAUSE));
            pauses.add.extend(pause.begins.then_some(PAUSE));
        }
        metadata::sync(cx, draft);
        selections.write(cx, draft);
        self.read_selectors(&selections, &mut status);
        let active = status.blue_green.active_selector.as_deref();
        if let Some(promotion) = promotion::of_blue_green(cx, active, self.is_aborted) {
            promotion.write(cx, draft);
            promotion.apply(&mut status, &mut pauses);
        }
        Outcome { sizes, pauses, has_left_pause: false, status }
    }

    /// The revisions that both Services select once the plan is carried out.
    fn read_selectors(&self, selections: &Selections<'a>, status: &mut RolloutStatus) {
        let selected = |service: Option<&'a ServiceView>| {
            let hash = service.map(|service| selections.of(service)).filter(|hash| !hash.is_empty());
            hash.map(ToOwned::to_owned)
        };
        let preview = self.strategy.preview_service.and_then(|name| self.cx.service(name));
        status.blue_green.preview_selector = selected(preview);
        status.blue_green.active_selector = selected(self.active());
    }

    fn sizes(&self) -> Sizes<'a> {
        let cx = self.cx;
        let mut sizes = Sizes::default();
        let Some(new) = cx.new_rs else { return sizes };
        if let Some(stable) = cx.stable_rs.filter(|rs| !cx.is_new(rs)) {
            scaling::keep(&mut sizes, stable);
            scaling::scale(cx, &mut sizes, stable, cx.replicas, false);
        }
        match self.abort_delay(&mut sizes, new) {
            AbortDelay::Off => {
                scaling::keep(&mut sizes, new);
                scaling::scale(cx, &mut sizes, new, self.size_to_begin_with(new.replicas), false);
            }
            AbortDelay::Hold => {
                scaling::scale(cx, &mut sizes, new, new.replicas, true);
            }
            AbortDelay::Over => {
                scaling::scale(cx, &mut sizes, new, 0, true);
            }
        }
        self.scale_others(&mut sizes);
        sizes
    }

    fn abort_delay(&self, sizes: &mut Sizes<'a>, new: &'a ReplicaSetView) -> AbortDelay {
        let stands_apart = self.cx.stable_rs.is_some_and(|rs| !self.cx.is_new(rs));
        let serves = self.active_hash() == Some(new.hash());
        let is_held = self.is_aborted && stands_apart && !serves;
        match self.strategy.abort_hold_seconds {
            Some(seconds) if is_held => scaling::abort_delay(self.cx, sizes, new, seconds),
            Some(_) | None => AbortDelay::Off,
        }
    }

    /// The size of the new revision, which has `present` pods: while the user pauses the Rollout it gets no first ones, and
    /// where no other revision has available pods it loses none.
    fn size_to_begin_with(&self, present: i32) -> i32 {
        let cx = self.cx;
        let is_stable = cx.new_rs.is_some_and(|rs| cx.is_stable(rs));
        let is_last = cx.older().all(|rs| rs.status.available <= 0);
        match self.new_size() {
            _ if cx.spec.is_paused && !is_stable && present == 0 => 0,
            // A small preview is one beside pods that serve.
            size if is_last && cx.replicas > 0 => size.max(present.min(cx.replicas)),
            size => size,
        }
    }

    /// The size of the new revision: smaller than the Rollout's until it is promoted, if the user wants that.
    fn new_size(&self) -> i32 {
        let cx = self.cx;
        let active = cx.status.blue_green.active_selector.as_deref();
        let is_other = |hash: &str| hash != cx.current_hash && cx.owned.iter().any(|rs| rs.hash() == hash);
        replicas::preview_count(&PreviewInput {
            replicas: cx.replicas,
            preview_replicas: self.strategy.preview_replicas,
            has_other_active: active.is_some_and(is_other),
            is_promoted_full: cx.is_promoting_full() && !cx.is_changed(),
            is_current_recorded: cx.status.current_pod_hash.as_deref() == Some(cx.current_hash.as_str()),
            is_paused: cx.spec.is_paused || !cx.status.pause_conditions.is_empty(),
            is_checkpoint_passed: cx.status.blue_green.scale_up_preview_check_point,
        })
    }

    fn scale_others(&self, sizes: &mut Sizes<'a>) {
        let cx = self.cx;
        if cx.has_pause(PauseReason::InconclusiveAnalysisRun) {
            return;
        }
        let mut queue = DelayQueue::new(self.strategy.scale_down);
        let mut others: Vec<_> =
            cx.others().filter(|rs| rs.replicas > 0 && !requests::reach(cx, rs)).collect();
        if capacity::are_needed(cx, sizes, &others) {
            return;
        }
        others.sort_by_key(|rs| std::cmp::Reverse(rs.revision()));
        for rs in others {
            let size = queue.size(cx, sizes, rs, cx.replicas);
            scaling::scale(cx, sizes, rs, size, false);
        }
    }

    /// Whether the new revision has the size that it is to have before it is promoted, and all of it is available.
    fn is_ready(&self) -> bool {
        let size = self.new_size();
        self.cx.new_rs.is_some_and(|rs| rs.replicas == size && rs.status.available == size)
    }

    /// Whether the new revision takes over without waiting for anybody.
    fn is_fast_tracked(&self) -> bool {
        let cx = self.cx;
        let stable = cx.stable_rs.map(ReplicaSetView::hash);
        let active = self.active_hash().or(stable);
        cx.rollback.is_fast() || cx.is_promoting_full() || active.is_none_or(|hash| hash == cx.current_hash)
    }

    /// What becomes of the pause before the promotion.
    fn pause(&self, draft: &mut Draft) -> PromotionPause {
        let cx = self.cx;
        let is_checked = cx.status.blue_green.scale_up_preview_check_point;
        let mut pause = PromotionPause { is_checked, ..PromotionPause::default() };
        if self.is_aborted {
            return pause;
        }
        let is_needless = self.is_fast_tracked() || is_checked || !self.needs_pause();
        pause.is_over = is_needless || self.is_pause_over(draft);
        if !self.is_ready() {
            // The end of a pause is kept until what follows from it can be done.
            pause.holds_resume = pause.is_over && !is_needless;
            return pause;
        }
        if !pause.is_over && !cx.has_pause(PAUSE) {
            pause.begins = true;
            if let Some(end) = self.end(cx.now) {
                draft.wake_at(end);
            }
        }
        pause.is_checked = self.is_preview_checked(pause);
        pause
    }

    fn needs_pause(&self) -> bool {
        self.strategy.promotion != Promotion::AtOnce
    }

    /// Whether the user ended the pause, or its time is over.
    fn is_pause_over(&self, draft: &mut Draft) -> bool {
        if self.cx.is_resumed_by_user(PAUSE) {
            return true;
        }
        let pauses = &self.cx.status.pause_conditions;
        let begun = pauses.iter().find(|c| c.reason == PAUSE);
        match begun.and_then(|begun| self.end(begun.start_time.0)) {
            Some(end) if end <= self.cx.now => true,
            Some(end) => {
                draft.wake_at(end);
                false
            }
            None => false,
        }
    }

    /// When a pause that began at `start` ends by itself; never if only a user may promote.
    fn end(&self, start: Timestamp) -> Option<Timestamp> {
        self.strategy.promotion.end(start)
    }

    /// Whether the smaller preview has been accepted, so that it grows to its full size.
    fn is_preview_checked(&self, pause: PromotionPause) -> bool {
        let Some(count) = self.strategy.preview_replicas else { return false };
        let available = self.cx.new_rs.map_or(0, |rs| rs.status.available);
        pause.is_checked || pause.is_completed() && available == count
    }

    /// The switch: users reach the new revision when all of it is available and nobody is waited for, and the stable
    /// one again when the update is aborted. True if a resume is kept, because what follows from it cannot be done yet.
    fn point_active(&self, pause: PromotionPause, selections: &mut Selections<'a>) -> bool {
        let cx = self.cx;
        if self.is_aborted {
            self.point_stable(selections);
            return false;
        }
        let (Some(active), Some(new)) = (self.active(), cx.new_rs) else { return false };
        let is_complete = self.is_ready() && new.is_saturated(cx.replicas);
        if is_complete && (self.is_fast_tracked() || pause.is_completed()) {
            point(selections, active, new.hash());
            return false;
        }
        let is_kept = !pause.is_checked && !self.is_fast_tracked();
        is_kept && cx.is_resumed_by_user(PAUSE)
    }

    fn point_stable(&self, selections: &mut Selections<'a>) {
        let stable = self.cx.stable_rs.filter(|rs| rs.status.available > 0);
        if let (Some(active), Some(stable)) = (self.active(), stable) {
            point(selections, active, stable.hash());
        }
    }
}

/// What becomes of the pause before the promotion.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one fact, and they are told apart by name")]
struct PromotionPause {
    /// It is over, or there is none.
    is_over: bool,
    /// It begins.
    begins: bool,
    /// The user ended it, but what follows from that cannot be done yet.
    holds_resume: bool,
    /// The smaller preview has been accepted.
    is_checked: bool,
}

impl PromotionPause {
    const fn is_completed(self) -> bool {
        self.is_over && !self.begins
    }
}

/// Points a Service at a revision, also to take possession of it.
fn point<'a>(selections: &mut Selections<'a>, service: &'a ServiceView, hash: &str) {
    if service.selected_hash() != Some(hash) || service.managed_by.is_none() {
        selections.point(service, hash);
    }
}
