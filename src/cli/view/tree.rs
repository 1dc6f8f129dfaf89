//! Renders a tree as lines.

use super::look::Look;
use super::mark::Symbol;
use super::node::Node;
use super::text::{Text, columns, table};
use serin_insight::mark::Mark;

/// The columns, and the order in which they are dropped if there are too few columns.
const TITLES: [&str; 5] = ["NAME", "KIND", "STATUS", "AGE", "INFO"];
const KIND: usize = 1;

/// The level of detail of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    /// Kinds are shown by a symbol before the name.
    WithoutKinds,
    /// Names are shortened to the part that their parent's name does not have.
    WithShortNames,
    /// No columns. The most important words come first.
    Narrow,
}

/// Renders the tree to the available width.
pub(super) fn lines(root: &Node, look: &Look) -> String {
    let has_room = |form: &Form| {
        let plain = || columns(&table(&rows(root, *form), false));
        look.columns.is_none_or(|columns| plain() <= columns)
    };
    let forms = [Form::Whole, Form::WithoutKinds, Form::WithShortNames];
    let form = forms.into_iter().find(has_room).unwrap_or(Form::Narrow);
    table(&rows(root, form), look.is_coloured)
}

fn rows(root: &Node, form: Form) -> Vec<Vec<Text>> {
    let mut rows = Rows { form, all: Vec::new() };
    if form != Form::Narrow {
        rows.add(TITLES.map(Text::from).to_vec());
    }
    rows.row(root, &root.name, "");
    rows.branches(root, &root.name, "");
    rows.all
}

struct Rows {
    form: Form,
    all: Vec<Vec<Text>>,
}

impl Rows {
    /// Adds the children of `node`, which is indented by `indent` and owned by the object `owner`.
    fn branches(&mut self, node: &Node, owner: &str, indent: &str) {
        let last = node.children.len().saturating_sub(1);
        for (index, child) in node.children.iter().enumerate() {
            let (branch, below) = match (self.form, index == last) {
                (Form::Narrow, _) => (" ", " "),
                (_, true) => ("└──", "   "),
                (_, false) => ("├──", "│  "),
            };
            let is_object = !child.kind.is_empty();
            let name = if is_object { self.name(&child.name, owner) } else { child.name.clone() };
            self.row(child, &name, &format!("{indent}{branch}"));
            self.branches(child, if is_object { &child.name } else { owner }, &format!("{indent}{below}"));
        }
    }

    fn name(&self, name: &str, owner: &str) -> String {
        let rest = name.strip_prefix(owner).and_then(|rest| rest.strip_prefix('-'));
        match (self.form, rest) {
            (Form::WithShortNames | Form::Narrow, Some(rest)) => format!("…{rest}"),
            (Form::Whole | Form::WithoutKinds, _) | (_, None) => name.to_owned(),
        }
    }

    fn row(&mut self, node: &Node, name: &str, branch: &str) {
        let Node { sign, kind, status, age, info, .. } = node;
        let info = Text::joined(info.clone(), ",");
        if self.form == Form::Narrow {
            let text = Text::from(format!("{branch}{sign} "));
            let text = match status {
                // A healthy object needs no word.
                Some((Mark::Good, _)) => {
                    text.with(Mark::Good.sign(), Mark::Good.colour()).with(format!(" {name} "), None)
                }
                Some((mark, word)) => {
                    text.with(mark.sign(), mark.colour()).with(format!(" {name} {word} "), None)
                }
                None => text.with(name, None),
            };
            return self.all.push(vec![text.and(&info)]);
        }
        let status = status.as_ref().map(|(mark, word)| Text::marked(*mark, word));
        self.add(vec![
            format!("{branch}{sign} {name}").into(),
            (*kind).into(),
            status.unwrap_or_default(),
            age.clone().into(),
            info,
        ]);
    }

    fn add(&mut self, mut row: Vec<Text>) {
        if self.form != Form::Whole {
            row.remove(KIND);
        }
        self.all.push(row);
    }
}
