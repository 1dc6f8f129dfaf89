//! Text output about Rollouts: pure functions of the facts in `serin_insight`, and of time.
//!
//! Labels, symbols, order and widths are those of the reference's plugin, because scripts and people read them.

mod colour;
mod field;
mod header;
mod history;
mod list;
mod look;
mod mark;
mod node;
mod progress;
mod quantity;
mod text;
mod tree;
mod waiting;

use serin_core::api::{Experiment, Rollout};
use serin_insight::mark::Mark;
use serin_insight::surroundings::Surroundings;

pub(super) use colour::Colour;
pub use history::history;
pub use list::{ListColumns, Listed, Listing, list};
pub use look::Look;
pub(super) use quantity::{counted, out_of, span};
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
    let marked = |text: &String| field::Field::alone(text::Text::marked(Mark::Warning, text));
    let lines = field::lines(&texts.iter().map(marked).collect::<Vec<_>>(), look);
    if lines.is_empty() { lines } else { lines + "\n" }
}
