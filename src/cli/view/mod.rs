//! Text output about Rollouts: pure functions of objects and time.
//!
//! Labels, symbols, order and widths are those of the reference's plugin, because scripts and people read them.

mod colour;
mod facts;
mod field;
mod header;
mod history;
mod legible;
mod list;
mod look;
mod mark;
mod node;
mod object;
mod progress;
mod quantity;
mod report;
mod standing;
mod text;
mod tree;
mod waiting;

use serin_core::api::{Experiment, Rollout};

pub(super) use colour::Colour;
pub(super) use facts::{blocked, invalid_spec, waits_for_user};
pub use history::{RevisionFacts, history};
pub use legible::Legible;
pub use list::{ListColumns, Listed, Listing, list};
pub use look::{Look, Surroundings};
pub(super) use object::{is_owned, revision};
pub(super) use quantity::{counted, left, out_of, passed, span};
pub use report::{Counts, StatusReport};
pub use standing::Standing;
pub(super) use standing::is_observed;
pub(super) use text::Text;

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
