//! The blue-green strategy: the new revision is made whole beside the old one, and then takes over its Service.

use super::context::Context;
use super::draft::Draft;
use super::scale::{self as sizes, AbortDelay, DelayQueue};
use super::snapshot::{ReplicaSetView, ServiceView};
use super::valid::BlueGreen;
use super::{metadata, promotion, replica_set, requests, restart, status};
use crate::api::PauseReason;
use crate::domain::pause::Promotion;
use crate::domain::replicas::{self, PreviewInput};
use jiff::Timestamp;

/// What to do now about a blue-green Rollout whose spec is valid.
pub(super) fn decide(cx: &Context<'_>, strategy: &BlueGreen<'_>, draft: &mut Draft) {
    let update = Update { cx, strategy };
    if cx.new_rs.is_none() {
        replica_set::create(cx, draft, update.size_to_begin_with(0));
    } else {
        replica_set::sync(cx, draft);
    }
    if !cx.is_halted() {
        update.point_preview(draft);
    }
    update.heal_active(draft);
    if cx.is_changed() {
        restart(draft);
        update.read_selectors(draft);
    } else if cx.new_rs.is_some() {
        update.advance(draft);
        update.read_selectors(draft);
        promotion::promote_blue_green(cx, draft);
    }
    status::finish(cx, draft);
}

/// What to do about a blue-green Rollout whose spec cannot be carried out: sizes follow, and an abort is carried out.
pub(super) fn keep(cx: &Context<'_>, strategy: &BlueGreen<'_>, draft: &mut Draft) {
    let update = Update { cx, strategy };
    update.scale(draft);
    if draft.is_aborted(cx) {
        update.point_active(draft);
    }
    if update.active().is_some() {
        update.read_selectors(draft);
    }
}

/// Begins an update: whatever belonged to the previous one is forgotten.
fn restart(draft: &mut Draft) {
    draft.pauses.clear = true;
    draft.pauses.remove_abort = true;
    draft.status.promote_full = false;
    let blue_green = &mut draft.status.blue_green;
    blue_green.scale_up_preview_check_point = false;
    blue_green.pre_promotion_analysis_run_status = None;
    blue_green.post_promotion_analysis_run_status = None;
}

/// One update from an old to a new revision.
struct Update<'c, 'a> {
    cx: &'c Context<'a>,
    strategy: &'c BlueGreen<'c>,
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
    fn heal_active(&self, draft: &mut Draft) {
        let Some(active) = self.active().filter(|active| active.selected_hash().is_none()) else { return };
        if let Some(stable) = self.cx.stable_rs.filter(|rs| rs.status.available > 0 && !self.cx.is_new(rs)) {
            self.point(draft, active, stable.hash());
        }
    }

    fn point_preview(&self, draft: &mut Draft) {
        let preview = self.strategy.preview_service.and_then(|name| self.cx.service(name));
        if let Some(preview) = preview {
            self.point(draft, preview, &self.cx.current_hash);
        }
    }

    fn point(&self, draft: &mut Draft, service: &ServiceView, hash: &str) {
        if service.selected_hash() != Some(hash) || service.managed_by.is_none() {
            draft.point(self.cx, service, hash);
        }
    }

    fn advance(&self, draft: &mut Draft) {
        if self.cx.is_fully_promoted() || self.cx.rollback.is_within_window() || self.cx.is_promoting_full() {
            draft.pauses.remove_abort = true;
        }
        restart::advance(self.cx, draft);
        self.scale(draft);
        sizes::clean_history(self.cx, draft);
        if !self.cx.is_halted() || draft.is_aborted(self.cx) {
            self.pause(draft);
            self.point_active(draft);
        }
        metadata::sync(self.cx, draft);
    }

    fn read_selectors(&self, draft: &mut Draft) {
        let selected = |draft: &Draft, service: Option<&ServiceView>| {
            service.map(|s| draft.selected_hash(s)).filter(|hash| !hash.is_empty())
        };
        let preview = self.strategy.preview_service.and_then(|name| self.cx.service(name));
        draft.status.blue_green.preview_selector = selected(draft, preview);
        draft.status.blue_green.active_selector = selected(draft, self.active());
    }

    fn scale(&self, draft: &mut Draft) {
        let cx = self.cx;
        let Some(new) = cx.new_rs else { return };
        if let Some(stable) = cx.stable_rs.filter(|rs| !cx.is_new(rs)) {
            sizes::keep(draft, stable);
            draft.scale(cx, stable, cx.replicas, false);
        }
        match self.abort_delay(draft, new) {
            AbortDelay::Off => {
                sizes::keep(draft, new);
                draft.scale(cx, new, self.size_to_begin_with(new.replicas), false);
            }
            AbortDelay::Hold => {
                draft.scale(cx, new, new.replicas, true);
            }
            AbortDelay::Over => {
                draft.scale(cx, new, 0, true);
            }
        }
        self.scale_others(draft);
    }

    fn abort_delay(&self, draft: &mut Draft, new: &ReplicaSetView) -> AbortDelay {
        let stands_apart = self.cx.stable_rs.is_some_and(|rs| !self.cx.is_new(rs));
        let serves = self.active_hash() == Some(new.hash());
        let is_held = draft.is_aborted(self.cx) && stands_apart && !serves;
        match self.strategy.abort_hold_seconds {
            Some(seconds) if is_held => sizes::abort_delay(self.cx, draft, new, seconds),
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

    fn scale_others(&self, draft: &mut Draft) {
        let cx = self.cx;
        if cx.has_pause(PauseReason::InconclusiveAnalysisRun) {
            return;
        }
        let mut queue = DelayQueue::new(self.strategy.scale_down);
        let mut others: Vec<_> =
            cx.others().filter(|rs| rs.replicas > 0 && !requests::reach(cx, rs)).collect();
        if sizes::are_needed(cx, &others) {
            return;
        }
        others.sort_by_key(|rs| std::cmp::Reverse(rs.revision()));
        for rs in others {
            let size = queue.size(cx, draft, rs, cx.replicas);
            draft.scale(cx, rs, size, false);
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

    fn pause(&self, draft: &mut Draft) {
        let cx = self.cx;
        let reason = PauseReason::BlueGreenPause;
        if draft.is_aborted(self.cx) {
            return;
        }
        let is_checked = cx.status.blue_green.scale_up_preview_check_point;
        let is_needless = self.is_fast_tracked() || is_checked || !self.needs_pause();
        let is_over = is_needless || self.is_pause_over(draft);
        if is_over {
            draft.pauses.remove.push(reason);
        }
        if !self.is_ready() {
            // The end of a pause is kept until what follows from it can be done.
            draft.pauses.hold_resume = is_over && !is_needless;
            return;
        }
        if !is_over && !cx.has_pause(reason) {
            draft.pauses.add.push(reason);
            if let Some(end) = self.end(cx.now) {
                draft.wake_at(end);
            }
        }
        self.check_preview(draft);
    }

    fn needs_pause(&self) -> bool {
        self.strategy.promotion != Promotion::AtOnce
    }

    /// Whether the user ended the pause, or its time is over.
    fn is_pause_over(&self, draft: &mut Draft) -> bool {
        if self.cx.is_resumed_by_user(PauseReason::BlueGreenPause) {
            return true;
        }
        let pauses = &self.cx.status.pause_conditions;
        let begun = pauses.iter().find(|c| c.reason == PauseReason::BlueGreenPause);
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

    /// Records that the smaller preview has been accepted, so that it grows to its full size.
    fn check_preview(&self, draft: &mut Draft) {
        let Some(count) = self.strategy.preview_replicas else {
            draft.status.blue_green.scale_up_preview_check_point = false;
            return;
        };
        let available = self.cx.new_rs.map_or(0, |rs| rs.status.available);
        if Self::is_pause_completed(draft) && available == count {
            draft.status.blue_green.scale_up_preview_check_point = true;
        }
    }

    fn is_pause_completed(draft: &Draft) -> bool {
        !draft.pauses.add.contains(&PauseReason::BlueGreenPause)
            && draft.pauses.remove.contains(&PauseReason::BlueGreenPause)
    }

    /// The switch: users reach the new revision when all of it is available and nobody is waited for, and the stable
    /// one again when the update is aborted.
    fn point_active(&self, draft: &mut Draft) {
        let cx = self.cx;
        let (Some(active), Some(new)) = (self.active(), cx.new_rs) else { return };
        if draft.is_aborted(self.cx) {
            let stable = cx.stable_rs.filter(|rs| rs.status.available > 0);
            if let Some(stable) = stable {
                self.point(draft, active, stable.hash());
            }
            return;
        }
        let is_complete = self.is_ready() && new.is_saturated(cx.replicas);
        if is_complete && (self.is_fast_tracked() || Self::is_pause_completed(draft)) {
            self.point(draft, active, new.hash());
        } else {
            let is_checked = draft.status.blue_green.scale_up_preview_check_point;
            let is_kept = !is_checked && !self.is_fast_tracked();
            draft.pauses.hold_resume |= is_kept && cx.is_resumed_by_user(PauseReason::BlueGreenPause);
        }
    }
}
