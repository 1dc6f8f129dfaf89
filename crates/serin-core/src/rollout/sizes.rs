//! The sizes that ReplicaSets are to have, and when those that go are to go.

use jiff::Timestamp;

use super::snapshot::ReplicaSetView;

/// What a decision changes about the sizes of ReplicaSets, in the order in which it was decided.
#[derive(Debug, Default)]
pub(super) struct Sizes<'a> {
    changes: Vec<(&'a ReplicaSetView, SizeChange)>,
    wakes: Vec<Timestamp>,
}

/// One change about the size of a ReplicaSet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeChange {
    /// It is in use: it has no time any more at which it is scaled to 0.
    Keep,
    /// It is scaled to 0 at that time.
    Delay(Timestamp),
    /// It gets a size, or the record of the Rollout's size that it has been given for.
    Scale {
        /// `spec.replicas`; the present one where only the record changes.
        to: i32,
        /// Whether the time at which it is scaled to 0 is removed.
        drops_deadline: bool,
    },
}

impl<'a> Sizes<'a> {
    pub(super) fn push(&mut self, rs: &'a ReplicaSetView, change: SizeChange) {
        self.changes.push((rs, change));
    }

    /// Decide again at that time at the latest.
    pub(super) fn wake_at(&mut self, time: Timestamp) {
        self.wakes.push(time);
    }

    /// Every change, in order.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&'a ReplicaSetView, SizeChange)> + '_ {
        self.changes.iter().copied()
    }

    /// When to decide again.
    pub(super) fn wakes(&self) -> &[Timestamp] {
        &self.wakes
    }

    /// The size of a ReplicaSet once these changes are made: the first one that it is given, else the one that it has.
    pub(super) fn of(&self, rs: &ReplicaSetView) -> i32 {
        self.scalings().find(|(scaled, _)| scaled.id.name == rs.id.name).map_or(rs.replicas, |(_, to)| to)
    }

    /// Whether a ReplicaSet changes its size.
    pub(super) fn is_scaling(&self) -> bool {
        self.scalings().next().is_some()
    }

    fn scalings(&self) -> impl Iterator<Item = (&'a ReplicaSetView, i32)> + '_ {
        self.changes().filter_map(|(rs, change)| match change {
            SizeChange::Scale { to, .. } if to != rs.replicas => Some((rs, to)),
            SizeChange::Scale { .. } | SizeChange::Keep | SizeChange::Delay(_) => None,
        })
    }
}
