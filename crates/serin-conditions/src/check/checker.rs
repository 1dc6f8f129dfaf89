//! The checker: names, predicates, branches and literals.

use std::sync::Arc;

use crate::error::ConditionError;
use crate::functions::{Scope, function, predicate};
use crate::syntax::{Node, NodeKind};
use crate::types::Type;
use crate::value::Items;

/// The type of an expression, or why it is invalid.
pub(super) type Checked = Result<Type, ConditionError>;

/// The names of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Names {
    /// Those of conditions, with a result of this type.
    Condition(Type),
    /// Those of times: there is no result.
    Time,
}

impl Names {
    /// True if functions of this scope are among them.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        match self {
            Self::Condition(_) => true,
            Self::Time => scope != Scope::Conditions,
        }
    }
}

/// The type of `node`. An error if no value of the result's type could be evaluated.
pub(crate) fn check(node: &Node, names: &Names) -> Checked {
    Checker { names, variables: Vec::new(), items: Vec::new(), lenient: 0, patterns: 0 }.check(node)
}

/// What the items of a list are for the predicate that looks at them.
pub(super) struct Scoped {
    pub(super) item: Type,
    /// True if there is an accumulator.
    pub(super) reduces: bool,
}

pub(super) struct Checker<'a> {
    pub(super) names: &'a Names,
    pub(super) variables: Vec<(Arc<str>, Type)>,
    pub(super) items: Vec<Scoped>,
    /// The calls around that take what is missing as nil.
    pub(super) lenient: usize,
    /// The regular expressions so far.
    pub(super) patterns: usize,
}

impl Checker<'_> {
    pub(super) fn check(&mut self, node: &Node) -> Checked {
        let column = node.column;
        match &node.kind {
            NodeKind::Nil => Ok(Type::Nil),
            NodeKind::Bool(_) => Ok(Type::Bool),
            NodeKind::Int(_) => Ok(Type::Int),
            NodeKind::Float(_) => Ok(Type::Float),
            NodeKind::String(_) => Ok(Type::String),
            NodeKind::Name(name) => self.name(name, column),
            NodeKind::Pointer(name) => self.pointer(name, column),
            NodeKind::Unary(operator, operand) => self.unary(*operator, operand, column),
            NodeKind::Binary(operator, operands) => self.binary(*operator, operands, column),
            NodeKind::Comparison(first, others) => self.comparison(first, others),
            NodeKind::Member { owner, key, .. } => self.member(owner, key, column),
            NodeKind::Chain(inner) => self.check(inner),
            NodeKind::Slice { list, from, to } => self.slice(list, [from.as_deref(), to.as_deref()], column),
            NodeKind::Call(name, arguments) => self.call(name, arguments, column),
            NodeKind::Predicate { name, list, predicate, extra } => {
                self.predicate(name, list, predicate.as_deref(), extra.as_deref())
            }
            NodeKind::Method { owner, name, arguments, .. } => self.method(owner, name, arguments, column),
            NodeKind::Let { name, value, body } => self.variable(name, value, body, column),
            NodeKind::If(nodes) => {
                let [condition, yes, no] = nodes.as_ref();
                self.condition(condition)?;
                Ok(either(self.check(yes)?, self.check(no)?))
            }
            NodeKind::IfElse(nodes) => {
                let [condition, no] = nodes.as_ref();
                let yes = self.condition(condition)?;
                Ok(either(yes, self.check(no)?))
            }
            NodeKind::Sequence(nodes) => self.last_of(nodes),
            NodeKind::List(nodes) => self.list(nodes),
            NodeKind::Map(pairs) => self.map(pairs),
        }
    }

    fn name(&self, name: &Arc<str>, column: usize) -> Checked {
        if let Some((_, found)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return Ok(found.clone());
        }
        match (name.as_ref(), self.names) {
            ("$env", _) => Ok(Type::named()),
            ("result", Names::Condition(result)) => Ok(result.clone()),
            _ if function(name).is_some_and(|function| self.names.has(function.scope)) => {
                Err(ConditionError::at(column, format!("{name} is a function: call it as {name}(...)")))
            }
            _ => Err(ConditionError::at(column, format!("unknown name {name}"))),
        }
    }

    fn pointer(&self, name: &Arc<str>, column: usize) -> Checked {
        let scope = self.items.last();
        let found = scope.and_then(|scope| match name.as_ref() {
            "" => Some(scope.item.clone()),
            "index" => Some(Type::Int),
            "acc" if scope.reduces => Some(Type::Any),
            _ => None,
        });
        found.ok_or_else(|| ConditionError::at(column, format!("unknown pointer #{name}")))
    }

    fn condition(&mut self, node: &Node) -> Checked {
        let found = self.check(node)?;
        if found == Type::Bool || found.is_any() {
            return Ok(found);
        }
        let message = format!("non-bool expression (type {found}) used as condition");
        Err(ConditionError::at(node.column, message))
    }

    fn variable(&mut self, name: &Arc<str>, value: &Node, body: &Node, column: usize) -> Checked {
        let is_known = self.variables.iter().any(|(known, _)| known == name);
        let known = match (name.as_ref(), self.names) {
            ("result", Names::Condition(_)) => Some(""),
            _ => match function(name).filter(|function| self.names.has(function.scope)) {
                Some(function) if function.scope == Scope::Language => Some("builtin "),
                Some(_) => Some(""),
                None if predicate(name).is_some() => Some("builtin "),
                None => is_known.then_some("variable "),
            },
        };
        if let Some(kind) = known {
            return Err(ConditionError::at(column, format!("cannot redeclare {kind}{name}")));
        }
        let value = self.check(value)?;
        self.variables.push((Arc::clone(name), value));
        let body = self.check(body);
        self.variables.pop();
        body
    }

    fn last_of(&mut self, nodes: &[Node]) -> Checked {
        let mut last = Type::Nil;
        for node in nodes {
            last = self.check(node)?;
        }
        Ok(last)
    }

    fn list(&mut self, nodes: &[Node]) -> Checked {
        let types = nodes.iter().map(|node| self.check(node)).collect::<Result<Vec<_>, _>>()?;
        let is_uniform = types.windows(2).all(|pair| pair[0] == pair[1]);
        let item = types.into_iter().next().filter(|item| is_uniform && *item != Type::Nil);
        Ok(item.map_or(Type::list(Items::Any), Type::list_of))
    }

    fn map(&mut self, pairs: &[(Node, Node)]) -> Checked {
        for (key, value) in pairs {
            self.check(key)?;
            self.check(value)?;
        }
        Ok(Type::named())
    }
}

/// The type of a value that is one of two.
fn either(yes: Type, no: Type) -> Type {
    match (yes, no) {
        (Type::Nil, other) | (other, Type::Nil) => other,
        (yes, no) if yes == no => yes,
        _ => Type::Any,
    }
}
