//! Text output about Rollouts: pure functions of objects and time.
//!
//! Labels, symbols, order and widths are those of the reference's plugin, because scripts and people read them.

mod facts;
mod field;
mod header;
mod history;
mod legible;
mod list;
mod mark;
mod node;
mod progress;
mod quantity;
mod report;
mod standing;
mod text;
mod tree;
mod waiting;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use serin_core::api::{AnalysisRun, Experiment, Rollout, keys};

pub(super) use facts::{blocked, invalid_spec, waits_for_user};
pub use history::{RevisionFacts, history};
pub use legible::Legible;
pub use list::{ListColumns, Listed, Listing, list};
pub(super) use quantity::{counted, left, out_of, passed, span};
pub use report::{Counts, StatusReport};
pub use standing::Standing;
pub(super) use standing::is_observed;
pub(super) use text::{Colour, Text};

/// The objects of a namespace, from which views select the dependents of a Rollout.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `ReplicaSets` of Rollouts and Experiments.
    pub replica_sets: Vec<ReplicaSet>,
    /// Pods.
    pub pods: Vec<Pod>,
    /// Experiments.
    pub experiments: Vec<Experiment>,
    /// `AnalysisRuns` of Rollouts and Experiments.
    pub analysis_runs: Vec<AnalysisRun>,
}

/// Display options.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The current time.
    pub now: Timestamp,
    /// True to colour symbols and roles.
    pub is_coloured: bool,
    /// True to show what the reference's plugin does not show.
    pub is_full: bool,
    /// True to show the node of each pod.
    pub is_wide: bool,
    /// The available columns; `None` for no limit.
    pub columns: Option<usize>,
    /// The available rows; `None` for no limit.
    pub rows: Option<usize>,
}

impl Look {
    /// The options for the reference's output, without colours.
    #[must_use]
    pub const fn plain(now: Timestamp) -> Self {
        Self { now, is_coloured: false, is_full: false, is_wide: false, columns: None, rows: None }
    }

    /// True if the terminal is too narrow for columns.
    fn is_narrow(&self) -> bool {
        /// The width below which labels leave no room for values.
        const NARROW: usize = 40;
        self.columns.is_some_and(|columns| columns < NARROW)
    }
}

/// Renders a Rollout: its status, and the tree of its dependents. Shortens the part above the tree if there are too
/// few rows.
#[must_use]
pub fn rollout(rollout: &Rollout, around: &Surroundings, look: &Look) -> String {
    let tree = tree::lines(&node::rollout(rollout, around, look), look);
    let whole = |is_short: bool| {
        let mut fields = header::rollout(rollout, around, is_short);
        if look.is_full {
            fields.extend(progress::fields(rollout, around, look.now, is_short));
        }
        format!("{}\n{tree}", field::lines(&fields, look))
    };
    let text = whole(false);
    if look.rows.is_some_and(|rows| text.lines().count() > rows) { whole(true) } else { text }
}

/// Renders an Experiment: its status, and the tree of its dependents.
#[must_use]
pub fn experiment(experiment: &Experiment, around: &Surroundings, look: &Look) -> String {
    let mut fields = header::experiment(experiment, around);
    if look.is_full {
        fields.extend(progress::of_experiment(experiment, look.now));
    }
    let tree = tree::lines(&node::experiment(experiment, around, look), look);
    format!("{}\n{tree}", field::lines(&fields, look))
}

/// A warning above the output.
#[must_use]
pub fn warnings(texts: &[String], look: &Look) -> String {
    let marked = |text: &String| field::Field::alone(text::Text::marked(mark::Mark::Warning, text));
    let lines = field::lines(&texts.iter().map(marked).collect::<Vec<_>>(), look);
    if lines.is_empty() { lines } else { lines + "\n" }
}

/// True if `object` is owned by the object with this uid.
pub(super) fn is_owned(object: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let references = object.owner_references.as_deref().unwrap_or_default();
    references.iter().any(|reference| Some(&reference.uid) == owner.uid.as_ref())
}

/// The revision number of an object; 0 if it has none.
pub(super) fn revision(object: &ObjectMeta) -> i64 {
    annotation(object, keys::REVISION).parse().unwrap_or(0)
}

fn annotation<'a>(object: &'a ObjectMeta, key: &str) -> &'a str {
    object.annotations.as_ref().and_then(|all| all.get(key)).map_or("", String::as_str)
}

/// The pod hash of a ReplicaSet.
fn hash(set: &ReplicaSet) -> &str {
    let labels = set.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(keys::POD_HASH_LABEL)).map_or("", String::as_str)
}
