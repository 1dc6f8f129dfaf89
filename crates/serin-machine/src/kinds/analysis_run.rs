//! AnalysisRuns.

use super::{Demand, Extent, KindRow, rollout, whole};
use crate::entry::Entry;
use crate::object::RawObject;
use crate::trigger;
use serin_core::domain::plan::ObjectKind;

/// How AnalysisRuns are watched.
pub(super) const ROW: KindRow = KindRow {
    demand: Demand::Own,
    extent: Extent::Whole,
    labels: rollout::of_instance,
    prune,
    differs: Entry::is_other_version,
    watchers: trigger::itself_and_owner,
    decide: None,
};

fn prune(wire: RawObject) -> Entry {
    whole(ObjectKind::AnalysisRun, wire)
}
