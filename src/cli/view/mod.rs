//! What users are shown of Rollouts, as text: pure functions of objects and time.
//!
//! Labels, signs, order and widths are those of the reference's plugin, which scripts and people read.

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

/// The objects of a namespace among which those of a Rollout are.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `ReplicaSets`, of Rollouts and Experiments.
    pub replica_sets: Vec<ReplicaSet>,
    /// Pods.
    pub pods: Vec<Pod>,
    /// Experiments.
    pub experiments: Vec<Experiment>,
    /// `AnalysisRuns`, of Rollouts and Experiments.
    pub analysis_runs: Vec<AnalysisRun>,
}

/// How something is shown.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// When.
    pub now: Timestamp,
    /// Whether signs and roles have colours.
    pub is_coloured: bool,
    /// Whether what the reference's plugin does not show is shown, too.
    pub is_full: bool,
    /// Whether it is told where each pod is.
    pub is_wide: bool,
    /// The columns that there are; as many as it takes where there is no limit.
    pub columns: Option<usize>,
    /// The rows that there are.
    pub rows: Option<usize>,
}

impl Look {
    /// As the reference's plugin shows it, without colours.
    #[must_use]
    pub const fn plain(now: Timestamp) -> Self {
        Self { now, is_coloured: false, is_full: false, is_wide: false, columns: None, rows: None }
    }

    /// Whether there is so little room that nothing can stand beside another.
    fn is_narrow(&self) -> bool {
        /// Below this, labels would leave no room for values.
        const NARROW: usize = 40;
        self.columns.is_some_and(|columns| columns < NARROW)
    }
}

/// A Rollout in full: how it stands, and the tree of what belongs to it. Where that takes more rows than there are, less is
/// said above the tree.
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

/// An Experiment in full: how it stands, and the tree of what belongs to it.
#[must_use]
pub fn experiment(experiment: &Experiment, around: &Surroundings, look: &Look) -> String {
    let mut fields = header::experiment(experiment, around);
    if look.is_full {
        fields.extend(progress::of_experiment(experiment, look.now));
    }
    let tree = tree::lines(&node::experiment(experiment, around, look), look);
    format!("{}\n{tree}", field::lines(&fields, look))
}

/// Something that is wrong with the picture itself, above it.
#[must_use]
pub fn warnings(texts: &[String], look: &Look) -> String {
    let marked = |text: &String| field::Field::alone(text::Text::marked(mark::Mark::Warning, text));
    let lines = field::lines(&texts.iter().map(marked).collect::<Vec<_>>(), look);
    if lines.is_empty() { lines } else { lines + "\n" }
}

/// Whether `object` belongs to the one of this uid.
pub(super) fn is_owned(object: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let references = object.owner_references.as_deref().unwrap_or_default();
    references.iter().any(|reference| Some(&reference.uid) == owner.uid.as_ref())
}

/// The number of the revision that an object is of; 0 where it does not say.
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
