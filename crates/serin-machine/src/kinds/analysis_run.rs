//! AnalysisRuns: a primary kind.

use super::row::{Demand, Extent, KindRow, Labels, whole};
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::domain::plan::ObjectKind;

/// How AnalysisRuns are watched.
pub(super) const ROW: KindRow = KindRow {
    demand: Demand::Own,
    extent: Extent::Whole,
    labels: Labels::Instance,
    prune,
    differs: Entry::is_other_version,
    is_primary: true,
};

fn prune(wire: &mut RawObject) -> Entry {
    whole(ObjectKind::AnalysisRun, wire)
}
