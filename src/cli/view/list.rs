//! Objects as a table, optionally with a row for each change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::Resource;
use serde_json::Value;

use super::header::step;
use super::node::{age, word};
use super::text::{Text, table};
use serin_core::api::{Experiment, Rollout};
use serin_insight::facts::{experiment_end, set_weight, strategy};
use serin_insight::report::Counts;
use serin_insight::standing::Standing;
use serin_kubernetes::age::human;

/// Optional columns before the others.
const OPTIONAL: [(&str, usize); 2] = [("TIMESTAMP", 20), ("NAMESPACE", 9)];
/// The column that marks deleted objects.
const STATUS: &str = "STATUS";

/// A kind that can be listed.
pub trait Listed: Resource<DynamicType = ()> {
    /// The columns, each with its minimum width.
    const COLUMNS: &'static [(&'static str, usize)];
    /// Additional columns for `-o wide`.
    const WIDE: &'static [(&'static str, usize)];

    /// The cells of all columns at that time.
    fn cells(&self, now: Timestamp) -> Vec<String>;
}

impl Listed for Rollout {
    const COLUMNS: &'static [(&'static str, usize)] = &[
        ("NAME", 10),
        ("STRATEGY", 9),
        (STATUS, 12),
        ("STEP", 4),
        ("SET-WEIGHT", 10),
        ("READY", 5),
        ("DESIRED", 7),
        ("UP-TO-DATE", 10),
        ("AVAILABLE", 9),
    ];
    const WIDE: &'static [(&'static str, usize)] = &[("AGE", 3), ("IMAGES", 6), ("MESSAGE", 7)];

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let Counts { desired, current, updated, ready, available } = Counts::of(self);
        let none = || "-".to_owned();
        let standing = Standing::of(self);
        let weight = self.spec.strategy.canary.as_ref().map(|_| set_weight(self).to_string());
        vec![
            self.metadata.name.clone().unwrap_or_default(),
            strategy(self).to_owned(),
            standing.word().to_owned(),
            step(self).unwrap_or_else(none),
            weight.unwrap_or_else(none),
            format!("{ready}/{current}"),
            desired.to_string(),
            updated.to_string(),
            available.to_string(),
            age(self.metadata.creation_timestamp.as_ref(), now),
            images(self),
            standing.message,
        ]
    }
}

/// The images of the template; empty if it is in another object.
fn images(rollout: &Rollout) -> String {
    let template = serde_json::to_value(&rollout.spec.template).unwrap_or_default();
    let containers = template.pointer("/spec/containers").and_then(Value::as_array);
    let images = containers.into_iter().flatten().filter_map(|one| one["image"].as_str());
    images.collect::<Vec<_>>().join(",")
}

impl Listed for Experiment {
    const COLUMNS: &'static [(&'static str, usize)] =
        &[("NAME", 10), (STATUS, 12), ("DURATION", 10), ("REMAINING", 10), ("AGE", 3)];
    const WIDE: &'static [(&'static str, usize)] = &[];

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let none = || "-".to_owned();
        let phase = self.status.as_ref().map(|status| status.phase).unwrap_or_default();
        let end = experiment_end(self).filter(|_| !phase.is_completed());
        let left = end.map(|end| human(end.duration_since(now).as_secs().max(0)));
        vec![
            self.metadata.name.clone().unwrap_or_default(),
            word(phase).to_owned(),
            self.spec.duration.clone().unwrap_or_else(none),
            left.unwrap_or_else(none),
            age(self.metadata.creation_timestamp.as_ref(), now),
        ]
    }
}

/// The optional columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListColumns {
    /// The time of the row.
    pub timestamp: bool,
    /// Namespace of the object.
    pub namespace: bool,
    /// The columns of `-o wide`.
    pub wide: bool,
}

impl ListColumns {
    /// The columns of a kind.
    fn of<K: Listed>(self) -> Vec<(&'static str, usize)> {
        let wide = if self.wide { K::WIDE } else { &[] };
        K::COLUMNS.iter().chain(wide).copied().collect()
    }

    fn choose<T>(self, [timestamp, namespace]: [T; 2], rest: impl IntoIterator<Item = T>) -> Vec<T> {
        let timestamp = self.timestamp.then_some(timestamp);
        timestamp.into_iter().chain(self.namespace.then_some(namespace)).chain(rest).collect()
    }
}

/// Objects as a table, one per row, in the given order.
#[must_use]
pub fn list<K: Listed>(objects: &[K], columns: ListColumns, now: Timestamp) -> String {
    Listing::new(columns, now).rows(objects, now)
}

/// A table that is printed incrementally: the titles, then each object that is new or changed.
#[derive(Debug)]
pub struct Listing {
    columns: ListColumns,
    /// The fixed time at which objects are compared, so that ages do not count as changes.
    since: Timestamp,
    /// The maximum width of each column so far.
    widths: Vec<usize>,
    /// Namespace and name of each object, and its last cells.
    printed: BTreeMap<(String, String), Vec<String>>,
}

impl Listing {
    /// Returns an empty table.
    #[must_use]
    pub const fn new(columns: ListColumns, since: Timestamp) -> Self {
        Self { columns, since, widths: Vec::new(), printed: BTreeMap::new() }
    }

    /// The rows of objects that are new or changed.
    #[must_use]
    pub fn rows<K: Listed>(&mut self, objects: &[K], now: Timestamp) -> String {
        let mut rows = Vec::new();
        let shown = self.columns.of::<K>().len();
        for object in objects {
            let meta = object.meta();
            let key = (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
            let mut cells = object.cells(self.since);
            cells.truncate(shown);
            if self.printed.get(&key) != Some(&cells) {
                rows.push((key.0.clone(), object.cells(now)));
                self.printed.insert(key, cells);
            }
        }
        self.table::<K>(&rows, now)
    }

    /// The rows of deleted objects.
    #[must_use]
    pub fn gone<K: Listed>(&mut self, objects: &[K], now: Timestamp) -> String {
        let name = |object: &K| object.meta().name.clone().unwrap_or_default();
        let namespace = |object: &K| object.meta().namespace.clone().unwrap_or_default();
        let is_there = |key: &(String, String)| {
            objects.iter().any(|object| namespace(object) == key.0 && name(object) == key.1)
        };
        let gone: Vec<_> = self.printed.keys().filter(|key| !is_there(key)).cloned().collect();
        let mut rows = Vec::new();
        for key in gone {
            let mut cells = self.printed.remove(&key).unwrap_or_default();
            let status = K::COLUMNS.iter().position(|(title, _)| *title == STATUS);
            status
                .and_then(|status| cells.get_mut(status))
                .into_iter()
                .for_each(|cell| "Deleted".clone_into(cell));
            rows.push((key.0, cells));
        }
        self.table::<K>(&rows, now)
    }

    /// Rows with the column widths of earlier rows. The first call adds the titles.
    fn table<K: Listed>(&mut self, rows: &[(String, Vec<String>)], now: Timestamp) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let own = self.columns.of::<K>();
        let columns = self.columns.choose(OPTIONAL, own.iter().copied());
        let mut printed: Vec<Vec<Text>> = Vec::new();
        if self.widths.is_empty() {
            self.widths = columns.iter().map(|(_, width)| *width).collect();
            printed.push(columns.iter().map(|(title, _)| (*title).into()).collect());
        }
        let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let row = |(namespace, cells): &(String, Vec<String>)| {
            self.columns.choose([time.clone(), namespace.clone()], cells.iter().take(own.len()).cloned())
        };
        let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let padded = |row: &Vec<String>| {
            let cells = row.iter().zip(&self.widths);
            cells.map(|(cell, width)| format!("{cell:<width$}").into()).collect::<Vec<Text>>()
        };
        printed.extend(rows.iter().map(padded));
        table(&printed, false)
    }
}
