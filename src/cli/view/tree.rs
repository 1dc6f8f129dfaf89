//! A tree as lines.

use super::node::Node;
use super::text::{Text, table};

const TITLES: [&str; 5] = ["NAME", "KIND", "STATUS", "AGE", "INFO"];

pub(super) fn lines(root: &Node, is_coloured: bool) -> String {
    let mut rows = vec![TITLES.map(Text::from).to_vec()];
    rows.push(row(root, ""));
    branches(root, "", &mut rows);
    table(&rows, is_coloured)
}

/// Adds what is below `node`, which is itself `indent` from the left.
fn branches(node: &Node, indent: &str, rows: &mut Vec<Vec<Text>>) {
    let last = node.children.len().saturating_sub(1);
    for (index, child) in node.children.iter().enumerate() {
        let (branch, below) = if index == last { ("└──", "   ") } else { ("├──", "│  ") };
        rows.push(row(child, &format!("{indent}{branch}")));
        branches(child, &format!("{indent}{below}"), rows);
    }
}

fn row(node: &Node, branch: &str) -> Vec<Text> {
    let Node { sign, name, kind, status, age, info, .. } = node;
    let status = status.as_ref().map(|(mark, word)| Text::marked(*mark, word));
    vec![
        format!("{branch}{sign} {name}").into(),
        (*kind).into(),
        status.unwrap_or_default(),
        age.clone().into(),
        Text::joined(info.clone(), ","),
    ]
}
