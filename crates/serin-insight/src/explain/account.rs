//! The explanation of a Rollout: its phase, the causes, and a forecast.

use super::availability;
use super::cause::{Cause, Finding};
use super::find;
use super::forecast::{Assumption, End, Forecast, forecast};
use super::picture::Picture;
use super::scene::Scene;
use crate::standing::Standing;
use serin_core::api::RolloutPhase;
use serin_core::rollout::snapshot::Remembered;
use serin_machine::observe::Observed;

/// The explanation of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The phase.
    pub phase: RolloutPhase,
    /// The causes for it, the main one first. Never empty.
    pub causes: Vec<Finding>,
    /// The next actions of the controller; `None` if there is nothing to predict.
    pub forecast: Option<Forecast>,
}

/// Explains the Rollout of a picture at the time of the picture. Returns an error that names an unreadable object.
pub fn explain(picture: &Picture) -> Result<Account, String> {
    match picture.observe(Remembered::default())? {
        Observed::Absent => Err(format!("Rollout {:?} not found", picture.explain.rollout)),
        Observed::Unreadable(unreadable) => {
            let cause =
                Cause::Unreadable { path: unreadable.path.clone(), problem: unreadable.problem.clone() };
            Ok(Account { phase: RolloutPhase::Degraded, causes: vec![Finding::of(cause)], forecast: None })
        }
        Observed::Complete(snapshot) => {
            let scene = Scene::new(picture, &snapshot);
            let causes = find::causes(&scene);
            let acts = scene.plan.ops().next().is_some();
            let ahead =
                is_plannable(&causes, acts).then(|| forecast(picture, availability::ready_left(&scene)));
            let void = causes.iter().find_map(|finding| void(&finding.cause));
            let forecast = ahead.map(|ahead| match void {
                Some(assumption) => Forecast { end: End::Void(assumption), ..ahead },
                None => ahead,
            });
            Ok(Account { phase: Standing::of(&snapshot.rollout).phase, causes, forecast })
        }
    }
}

/// True if there is a plan to show. If the spec must be corrected first, the plan has only what the controller does
/// anyway (`acts`): an abort, and size changes.
fn is_plannable(causes: &[Finding], acts: bool) -> bool {
    let is_over = |finding: &Finding| {
        matches!(finding.cause, Cause::Deletion { .. } | Cause::Unreadable { .. } | Cause::Guarded { .. })
    };
    !causes.iter().any(is_over) && (acts || !causes.iter().any(|finding| finding.cause.is_about_spec()))
}

/// The assumption of a forecast that does not hold.
const fn void(cause: &Cause) -> Option<Assumption> {
    if let Cause::Deadline { .. } = cause {
        Some(Assumption::Progress)
    } else if let Cause::Refused { .. } = cause {
        Some(Assumption::Writes)
    } else {
        None
    }
}
