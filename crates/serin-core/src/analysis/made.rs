//! Measurements that are over.

use jiff::Timestamp;

use crate::api::Time;
use crate::api::analysis::{AnalysisPhase, Measurement};

/// A measurement that was begun before and ends now; without words where `message` is empty.
pub(super) fn ended(begun: &Measurement, phase: AnalysisPhase, now: Timestamp, message: &str) -> Measurement {
    Measurement {
        phase,
        message: Some(message.to_owned()).filter(|message| !message.is_empty()),
        finished_at: Some(Time(now)),
        resume_at: None,
        ..begun.clone()
    }
}

/// A measurement that was begun at `at` and could not be made.
pub(super) fn error(at: Timestamp, now: Timestamp, problem: String) -> Measurement {
    Measurement {
        phase: AnalysisPhase::Error,
        message: Some(problem),
        started_at: Some(Time(at)),
        finished_at: Some(Time(now)),
        ..Measurement::default()
    }
}
