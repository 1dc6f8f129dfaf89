//! The tree of an expression.

use std::sync::Arc;

/// A part of an expression, with its column and the levels of its tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) column: usize,
    pub(crate) depth: usize,
    pub(crate) kind: NodeKind,
}

/// The kinds of nodes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NodeKind {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(Arc<str>),
    /// A name: a variable, or `$env`.
    Name(Arc<str>),
    /// The item that a predicate looks at (`#`, no name), or `#acc` and `#index`.
    Pointer(Arc<str>),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<[Node; 2]>),
    /// A member by its key, and whether the owner may be nil (`?.`).
    Member {
        owner: Box<Node>,
        key: Box<Node>,
        optional: bool,
    },
    /// The end of a chain of members: nil where an optional owner in it is nil.
    Chain(Box<Node>),
    Slice {
        list: Box<Node>,
        from: Option<Box<Node>>,
        to: Option<Box<Node>>,
    },
    /// A call of a function by its name.
    Call(Arc<str>, Vec<Node>),
    /// A call of a function that applies a predicate to the items of a list.
    Predicate {
        name: Arc<str>,
        list: Box<Node>,
        predicate: Option<Box<Node>>,
        /// The argument after the predicate: an order, or what an accumulator starts with.
        extra: Option<Box<Node>>,
    },
    /// A call of a method.
    Method {
        owner: Box<Node>,
        name: Arc<str>,
        arguments: Vec<Node>,
        optional: bool,
    },
    /// `let name = value; body`, and the column of the name.
    Let {
        name: Arc<str>,
        value: Box<Node>,
        body: Box<Node>,
    },
    /// Condition, then, else.
    If(Box<[Node; 3]>),
    /// `a ?: b`: `a` if that is true, else `b`.
    IfElse(Box<[Node; 2]>),
    /// The first operand of a chain of comparisons, and the others, each with its operator and the column of that.
    Comparison(Box<Node>, Vec<(Binary, usize, Node)>),
    Sequence(Vec<Node>),
    List(Vec<Node>),
    /// Keys and values.
    Map(Vec<(Node, Node)>),
}

/// An operator before its operand, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Not(&'static str),
    Plus,
    Minus,
}

impl Unary {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Not(name) => name,
            Self::Plus => "+",
            Self::Minus => "-",
        }
    }
}

/// An operator between two operands. Those with two spellings keep the one that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Or(&'static str),
    And(&'static str),
    Equal,
    Unequal,
    Less,
    Greater,
    AtMost,
    AtLeast,
    In,
    Matches,
    Contains,
    StartsWith,
    EndsWith,
    Range,
    Plus,
    Minus,
    Times,
    Divide,
    Remainder,
    Power(&'static str),
    Coalesce,
}

impl Binary {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Or(name) | Self::And(name) | Self::Power(name) => name,
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Matches => "matches",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Range => "..",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Coalesce => "??",
        }
    }
}

impl NodeKind {
    /// The nodes below.
    pub(crate) fn children(&self) -> Vec<&Node> {
        match self {
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Name(_)
            | Self::Pointer(_) => Vec::new(),
            Self::Unary(_, node) | Self::Chain(node) => vec![node],
            Self::Binary(_, nodes) | Self::IfElse(nodes) => nodes.iter().collect(),
            Self::Member { owner, key, .. } => vec![owner, key],
            Self::Slice { list, from, to } => {
                let ends = [from, to].into_iter().flatten().map(AsRef::as_ref);
                std::iter::once(list.as_ref()).chain(ends).collect()
            }
            Self::Call(_, nodes) | Self::Sequence(nodes) | Self::List(nodes) => nodes.iter().collect(),
            Self::Predicate { list, predicate, extra, .. } => {
                let others = [predicate, extra].into_iter().flatten().map(AsRef::as_ref);
                std::iter::once(list.as_ref()).chain(others).collect()
            }
            Self::Method { owner, arguments, .. } => {
                std::iter::once(owner.as_ref()).chain(arguments).collect()
            }
            Self::Let { value, body, .. } => vec![value, body],
            Self::If(nodes) => nodes.iter().collect(),
            Self::Comparison(first, others) => {
                std::iter::once(first.as_ref()).chain(others.iter().map(|(_, _, node)| node)).collect()
            }
            Self::Map(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
        }
    }
}
