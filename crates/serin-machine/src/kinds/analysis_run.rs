//! AnalysisRuns: a primary kind.

use super::row::{Demand, KindRow, primary, whole};
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::domain::plan::ObjectKind;

/// How AnalysisRuns are watched.
pub(super) const ROW: KindRow = primary(Demand::Own, prune);

fn prune(wire: &mut RawObject) -> Entry {
    whole(ObjectKind::AnalysisRun, wire)
}
