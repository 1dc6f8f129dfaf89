//! Rollouts as a table.

use jiff::Timestamp;

use super::facts::{set_weight, step, strategy};
use super::standing::Standing;
use super::text::{Text, table};
use crate::api::Rollout;

/// The columns, each with the least number of characters of a row in it.
const COLUMNS: [(&str, usize); 11] = [
    ("TIMESTAMP", 20),
    ("NAMESPACE", 9),
    ("NAME", 10),
    ("STRATEGY", 9),
    ("STATUS", 12),
    ("STEP", 4),
    ("SET-WEIGHT", 10),
    ("READY", 5),
    ("DESIRED", 7),
    ("UP-TO-DATE", 10),
    ("AVAILABLE", 9),
];

/// Which columns there are beside the usual ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListColumns {
    /// When the row was printed.
    pub timestamp: bool,
    /// The namespace of the Rollout.
    pub namespace: bool,
}

impl ListColumns {
    fn choose<T>(self, all: [T; 11]) -> Vec<T> {
        let is_shown = |index: usize| match index {
            0 => self.timestamp,
            1 => self.namespace,
            _ => true,
        };
        let shown = all.into_iter().enumerate().filter(|(index, _)| is_shown(*index));
        shown.map(|(_, column)| column).collect()
    }
}

/// Rollouts as a table, one a row, in the order given.
#[must_use]
pub fn list(rollouts: &[Rollout], columns: ListColumns, now: Timestamp) -> String {
    let titles = columns.choose(COLUMNS).into_iter().map(|(title, _)| title.into()).collect();
    let rows = rollouts.iter().map(|rollout| columns.choose(cells(rollout, now)));
    let rows: Vec<Vec<Text>> = std::iter::once(titles).chain(rows).collect();
    table(&rows, false)
}

fn cells(rollout: &Rollout, now: Timestamp) -> [Text; 11] {
    let status = rollout.status.clone().unwrap_or_default();
    let none = || "-".to_owned();
    let weight = rollout.spec.strategy.canary.as_ref().map(|_| set_weight(rollout).to_string());
    let cells = [
        now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        rollout.metadata.namespace.clone().unwrap_or_default(),
        rollout.metadata.name.clone().unwrap_or_default(),
        strategy(rollout).to_owned(),
        Standing::of(rollout).word().to_owned(),
        step(rollout).unwrap_or_else(none),
        weight.unwrap_or_else(none),
        format!("{}/{}", status.ready_replicas, status.replicas),
        rollout.spec.replicas.unwrap_or(1).to_string(),
        status.updated_replicas.to_string(),
        status.available_replicas.to_string(),
    ];
    let mut widths = COLUMNS.into_iter().map(|(_, width)| width);
    cells.map(|cell| format!("{cell:<width$}", width = widths.next().unwrap_or(0)).into())
}
