//! When the pause of an update ends by itself.

use jiff::{SignedDuration, Timestamp};

use super::step;
use crate::api::rollout_status::PauseCondition;
use crate::api::{BlueGreenStrategy, PauseReason, RolloutStrategy, StepKind};
use serin_values::time::after;

/// When a pause ends by itself that an update has at the step of that index; never where only a user ends it.
#[must_use]
pub fn end(strategy: &RolloutStrategy, step: Option<usize>, pause: &PauseCondition) -> Option<Timestamp> {
    let start = pause.start_time.0;
    match pause.reason {
        PauseReason::InconclusiveAnalysisRun | PauseReason::InconclusiveExperiment => None,
        PauseReason::CanaryPauseStep => {
            let StepKind::Pause(pause) = strategy.canary.as_ref()?.steps.get(step?)?.kind()? else {
                return None;
            };
            step::pause_end(pause, start)
        }
        PauseReason::BlueGreenPause => Promotion::of(strategy.blue_green.as_ref()?).end(start),
    }
}

/// What a blue-green update waits for before its preview is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promotion {
    /// Nothing but its pods.
    AtOnce,
    /// A pause of that long.
    After(SignedDuration),
    /// A user.
    ByUser,
}

impl Promotion {
    /// `autoPromotionSeconds` have no effect where `autoPromotionEnabled` is false.
    #[must_use]
    pub fn of(blue_green: &BlueGreenStrategy) -> Self {
        match (blue_green.auto_promotion_enabled, blue_green.auto_promotion_seconds) {
            (Some(false), _) => Self::ByUser,
            (Some(true) | None, seconds) if seconds > 0 => {
                Self::After(SignedDuration::from_secs(seconds.into()))
            }
            (Some(true) | None, _) => Self::AtOnce,
        }
    }

    /// When a preview that has waited since `start` is promoted by itself; never if a user has to.
    #[must_use]
    pub fn end(self, start: Timestamp) -> Option<Timestamp> {
        match self {
            Self::After(wait) => Some(after(start, wait)),
            Self::AtOnce | Self::ByUser => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seconds(strategy: &serde_json::Value, reason: PauseReason) -> Option<i64> {
        let strategy: RolloutStrategy = serde_json::from_value(strategy.clone()).unwrap();
        let pause = PauseCondition { reason, start_time: crate::api::Time(Timestamp::UNIX_EPOCH) };
        end(&strategy, Some(0), &pause).map(Timestamp::as_second)
    }

    #[test]
    fn only_a_time_of_its_own_ends_a_pause() {
        let canary = |pause: serde_json::Value| json!({"canary": {"steps": [{"pause": pause}]}});
        let blue_green = |enabled: Option<bool>, seconds: i32| {
            json!({"blueGreen": {
                "activeService": "a", "autoPromotionEnabled": enabled, "autoPromotionSeconds": seconds,
            }})
        };
        let (step, preview) = (PauseReason::CanaryPauseStep, PauseReason::BlueGreenPause);
        for (strategy, reason, expected) in [
            (canary(json!({})), step, None),
            (canary(json!({"duration": "1m"})), step, Some(60)),
            (canary(json!({"duration": 5})), PauseReason::InconclusiveAnalysisRun, None),
            (json!({"canary": {"steps": [{"setWeight": 1}]}}), step, None),
            (json!({"canary": {}}), step, None),
            (blue_green(None, 0), preview, None),
            (blue_green(None, 30), preview, Some(30)),
            (blue_green(Some(true), 30), preview, Some(30)),
            (blue_green(Some(false), 30), preview, None),
            (blue_green(Some(true), 30), step, None),
        ] {
            assert_eq!(seconds(&strategy, reason), expected, "{strategy} {reason:?}");
        }
    }
}
