//! From tokens to the tree: operators, blocks, literals and calls.

use std::sync::Arc;

use super::lexer::{Token, TokenKind, tokens};
use super::operators::{self, PIPE};
use super::tree::{Binary, Node, NodeKind, Unary};
use crate::budget::TEXT_MAX;
use crate::error::ConditionError;
use crate::functions::{Predicate, predicate};

/// The most levels of a tree, and of blocks and brackets in each other.
const DEPTH_MAX: usize = 100;
const NESTING_MAX: usize = 100;

/// A part of the tree, or why there is none.
pub(super) type Parsed = Result<Node, ConditionError>;

/// Parses the text of a condition.
pub(crate) fn parse(text: &str) -> Parsed {
    if text.len() > TEXT_MAX {
        return Err(ConditionError::whole(format!("the condition has more than {TEXT_MAX} bytes")));
    }
    let mut parser = Parser { tokens: tokens(text)?, position: 0, predicates: 0, nesting: 0 };
    let node = parser.sequence()?;
    if parser.current().kind == TokenKind::End { Ok(node) } else { Err(parser.unexpected()) }
}

/// An expression that may go on, with the operator that it ends in so far, or one that is complete.
enum Step {
    More(Node, Option<Binary>),
    Done(Node),
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    position: usize,
    /// The predicates around the position.
    predicates: usize,
    /// The expressions around the position.
    nesting: usize,
}

impl Parser {
    /// The token at the position. There always is one: the end is never passed.
    pub(super) fn current(&self) -> &Token {
        &self.tokens[self.position]
    }

    pub(super) fn advance(&mut self) -> Token {
        let token = self.current().clone();
        if token.kind != TokenKind::End {
            self.position += 1;
        }
        token
    }

    pub(super) fn error(&self, message: impl Into<String>) -> ConditionError {
        ConditionError::at(self.current().column, message)
    }

    pub(super) fn unexpected(&self) -> ConditionError {
        self.error(format!("unexpected token {}", self.current()))
    }

    pub(super) fn expect(&mut self, kind: TokenKind, text: &str) -> Result<Token, ConditionError> {
        if self.current().is(kind, text) { Ok(self.advance()) } else { Err(self.unexpected()) }
    }

    pub(super) fn accept(&mut self, kind: TokenKind, text: &str) -> bool {
        let is_there = self.current().is(kind, text);
        if is_there {
            self.advance();
        }
        is_there
    }

    /// A node above `children`. An error if the tree gets too high.
    pub(super) fn node(column: usize, kind: NodeKind) -> Parsed {
        let depth = 1 + kind.children().iter().map(|child| child.depth).max().unwrap_or(0);
        if depth > DEPTH_MAX {
            return Err(ConditionError::at(column, "the condition is nested too deeply"));
        }
        Ok(Node { column, depth, kind })
    }

    /// Expressions with semicolons between them.
    pub(super) fn sequence(&mut self) -> Parsed {
        let column = self.current().column;
        let mut nodes = vec![self.expression(0)?];
        while self.accept(TokenKind::Operator, ";") {
            if self.current().kind == TokenKind::End {
                break;
            }
            nodes.push(self.expression(0)?);
        }
        if nodes.len() == 1 { Ok(nodes.remove(0)) } else { Self::node(column, NodeKind::Sequence(nodes)) }
    }

    /// An expression of operators that bind at least as closely as `strength`.
    pub(super) fn expression(&mut self, strength: u32) -> Parsed {
        if self.nesting == NESTING_MAX {
            return Err(self.error("the condition is nested too deeply"));
        }
        self.nesting += 1;
        let node = self.unbounded_expression(strength);
        self.nesting -= 1;
        node
    }

    fn unbounded_expression(&mut self, strength: u32) -> Parsed {
        if strength == 0 && self.current().is_operator("let") {
            return self.variable();
        }
        if strength == 0 && self.current().is_operator("if") {
            return self.branches();
        }
        let mut left = self.primary()?;
        let mut last = None;
        loop {
            match self.operation(left, strength, last)? {
                Step::More(node, operator) => (left, last) = (node, operator),
                Step::Done(node) => {
                    left = node;
                    break;
                }
            }
        }
        if strength == 0 { self.conditional(left) } else { Ok(left) }
    }

    /// The operation on `left` that begins here, if there is one that binds closely enough.
    fn operation(&mut self, left: Node, strength: u32, last: Option<Binary>) -> Result<Step, ConditionError> {
        if self.current().kind != TokenKind::Operator {
            return Ok(Step::Done(left));
        }
        if self.current().text == "|" {
            return if strength > PIPE { Ok(Step::Done(left)) } else { self.pipe(left) };
        }
        let start = self.position;
        let negation = self.accept(TokenKind::Operator, "not").then(|| self.current().column);
        let found = operators::binary(&self.current().text);
        if negation.is_some() && !found.is_some_and(|(operator, _)| operator.is_negatable()) {
            return Err(self.unexpected());
        }
        let Some((operator, binds)) = found.filter(|(_, binds)| *binds >= strength) else {
            self.position = start;
            return Ok(Step::Done(left));
        };
        if last == Some(Binary::Coalesce) && operator != Binary::Coalesce {
            let name = operator.name();
            return Err(self.error(format!(
                "Operator ({name}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses."
            )));
        }
        let column = self.advance().column;
        let binds_right = if operator.is_right_associative() { binds } else { binds + 1 };
        let right = self.expression(binds_right)?;
        let node = if operator.is_chained() {
            self.comparisons(left, (operator, column, right), binds_right)?
        } else {
            Self::node(column, NodeKind::Binary(operator, Box::new([left, right])))?
        };
        let node = match negation {
            Some(column) => Self::node(column, NodeKind::Unary(Unary::Not("not"), Box::new(node)))?,
            None => node,
        };
        Ok(Step::More(node, Some(operator)))
    }

    /// `left | name(arguments)`, which means `name(left, arguments)`.
    fn pipe(&mut self, left: Node) -> Result<Step, ConditionError> {
        self.advance();
        let name = self.identifier()?;
        let call = self.call(&name, Some(left))?;
        Ok(Step::More(self.postfix(call)?, None))
    }

    /// `a < b < c`, which means `a < b && b < c`.
    fn comparisons(&mut self, first: Node, next: (Binary, usize, Node), binds: u32) -> Parsed {
        let column = next.1;
        let mut others = vec![next];
        while let Some((operator, _)) = operators::binary(&self.current().text)
            .filter(|(operator, _)| self.current().kind == TokenKind::Operator && operator.is_chained())
        {
            let column = self.advance().column;
            others.push((operator, column, self.expression(binds)?));
        }
        Self::node(column, NodeKind::Comparison(Box::new(first), others))
    }

    fn identifier(&mut self) -> Result<Token, ConditionError> {
        if self.current().kind == TokenKind::Identifier { Ok(self.advance()) } else { Err(self.unexpected()) }
    }

    fn variable(&mut self) -> Parsed {
        self.advance();
        let name = self.identifier()?;
        self.expect(TokenKind::Operator, "=")?;
        let value = Box::new(self.expression(0)?);
        self.expect(TokenKind::Operator, ";")?;
        let body = Box::new(self.sequence()?);
        Self::node(name.column, NodeKind::Let { name: name.text.into(), value, body })
    }

    /// `if a { b } else { c }`.
    fn branches(&mut self) -> Parsed {
        let column = self.advance().column;
        let condition = self.expression(0)?;
        let yes = self.block()?;
        self.expect(TokenKind::Operator, "else")?;
        let no = if self.current().is_operator("if") { self.expression(0)? } else { self.block()? };
        Self::node(column, NodeKind::If(Box::new([condition, yes, no])))
    }

    fn block(&mut self) -> Parsed {
        self.expect(TokenKind::Bracket, "{")?;
        let node = self.sequence()?;
        self.expect(TokenKind::Bracket, "}")?;
        Ok(node)
    }

    /// `node ? a : b`, and `node ?: b`, if that is there.
    fn conditional(&mut self, mut node: Node) -> Parsed {
        while self.current().is_operator("?") {
            let column = node.column;
            self.advance();
            let is_short = self.accept(TokenKind::Operator, ":");
            if is_short {
                let no = self.expression(0)?;
                node = Self::node(column, NodeKind::IfElse(Box::new([node, no])))?;
                continue;
            }
            let yes = self.expression(0)?;
            self.expect(TokenKind::Operator, ":")?;
            let no = self.expression(0)?;
            node = Self::node(column, NodeKind::If(Box::new([node, yes, no])))?;
        }
        Ok(node)
    }

    fn primary(&mut self) -> Parsed {
        let token = self.current().clone();
        if token.kind == TokenKind::Operator
            && let Some((operator, binds)) = operators::unary(&token.text)
        {
            self.advance();
            let operand = Box::new(self.expression(binds)?);
            let node = Self::node(token.column, NodeKind::Unary(operator, operand))?;
            return self.postfix(node);
        }
        if token.is_bracket("(") {
            self.advance();
            let node = self.sequence()?;
            self.expect(TokenKind::Bracket, ")")?;
            return self.postfix(node);
        }
        if self.predicates > 0 && (token.is_operator("#") || token.is_operator(".")) {
            let mut name = String::new();
            if token.text == "#" {
                self.advance();
                let is_named =
                    self.current().kind == TokenKind::Identifier && self.current().column == token.column + 1;
                if is_named {
                    name = self.advance().text;
                }
            }
            let node = Self::node(token.column, NodeKind::Pointer(name.into()))?;
            return self.postfix(node);
        }
        if token.is_operator("::") {
            self.advance();
            let name = self.identifier()?;
            let node = self.call(&name, None)?;
            return self.postfix(node);
        }
        self.secondary()
    }

    /// A literal, a name or a call.
    fn secondary(&mut self) -> Parsed {
        let token = self.current().clone();
        let kind = match token.kind {
            TokenKind::Identifier => {
                self.advance();
                match token.text.as_str() {
                    // Nothing follows these, not even brackets.
                    "true" | "false" => {
                        return Self::node(token.column, NodeKind::Bool(token.text == "true"));
                    }
                    "nil" => return Self::node(token.column, NodeKind::Nil),
                    _ if self.current().is_bracket("(") => {
                        let call = self.call(&token, None)?;
                        return self.postfix(call);
                    }
                    _ => NodeKind::Name(token.text.into()),
                }
            }
            TokenKind::Number => {
                self.advance();
                let number = number(&token.text).map_err(|message| self.error(message))?;
                return Self::node(token.column, number);
            }
            TokenKind::String => {
                self.advance();
                NodeKind::String(token.text.into())
            }
            TokenKind::Bracket if token.text == "[" => {
                self.advance();
                NodeKind::List(self.expressions("]")?)
            }
            TokenKind::Bracket if token.text == "{" => self.map()?,
            TokenKind::Operator | TokenKind::Bracket | TokenKind::End => return Err(self.unexpected()),
        };
        let node = Self::node(token.column, kind)?;
        self.postfix(node)
    }

    /// Expressions with commas between them, up to the bracket `end`.
    pub(super) fn expressions(&mut self, end: &str) -> Result<Vec<Node>, ConditionError> {
        let mut nodes = Vec::new();
        while !self.accept(TokenKind::Bracket, end) {
            if !nodes.is_empty() {
                self.expect(TokenKind::Operator, ",")?;
                if self.accept(TokenKind::Bracket, end) {
                    break;
                }
            }
            nodes.push(self.expression(0)?);
        }
        Ok(nodes)
    }

    fn map(&mut self) -> Result<NodeKind, ConditionError> {
        self.advance();
        let mut pairs = Vec::new();
        while !self.accept(TokenKind::Bracket, "}") {
            if !pairs.is_empty() {
                self.expect(TokenKind::Operator, ",")?;
                if self.accept(TokenKind::Bracket, "}") {
                    break;
                }
            }
            let token = self.current().clone();
            let key = match token.kind {
                TokenKind::Number | TokenKind::String | TokenKind::Identifier => {
                    self.advance();
                    Self::node(token.column, NodeKind::String(token.text.into()))?
                }
                TokenKind::Bracket if token.text == "(" => self.expression(0)?,
                TokenKind::Operator | TokenKind::Bracket | TokenKind::End => {
                    return Err(self.error(format!(
                        "a map key must be a quoted string, a number, a identifier, or an expression enclosed in \
                         parentheses (unexpected token {token})"
                    )));
                }
            };
            self.expect(TokenKind::Operator, ":")?;
            pairs.push((key, self.expression(0)?));
        }
        Ok(NodeKind::Map(pairs))
    }

    /// A call of the function `name`; `first` is an argument that came through a pipe.
    fn call(&mut self, name: &Token, first: Option<Node>) -> Parsed {
        let column = name.column;
        let text: Arc<str> = name.text.as_str().into();
        let Some(Predicate { least, most, .. }) = predicate(&text) else {
            self.expect(TokenKind::Bracket, "(")?;
            let mut arguments: Vec<Node> = first.into_iter().collect();
            arguments.extend(self.expressions(")")?);
            return Self::node(column, NodeKind::Call(text, arguments));
        };
        self.expect(TokenKind::Bracket, "(")?;
        let is_piped = first.is_some();
        let list = match first {
            Some(list) => list,
            None if self.current().is_bracket(")") => {
                return Err(self.error(format!("expected at least {} arguments", least + 1)));
            }
            None => self.expression(0)?,
        };
        let mut following = Vec::new();
        while following.len() < *most {
            let is_last = self.current().is_bracket(")");
            if is_last && following.len() >= *least {
                break;
            }
            if is_last {
                return Err(
                    self.error(format!("expected at least {} arguments", least + usize::from(!is_piped)))
                );
            }
            if !following.is_empty() || !is_piped {
                self.expect(TokenKind::Operator, ",")?;
                // The last comma may be followed by nothing.
                if self.current().is_bracket(")") && following.len() >= *least {
                    break;
                }
            }
            following.push(if following.is_empty() { self.predicate()? } else { self.expression(0)? });
        }
        self.accept(TokenKind::Operator, ",");
        self.expect(TokenKind::Bracket, ")")?;
        let mut following = following.into_iter().map(Box::new);
        let (list, predicate, extra) = (Box::new(list), following.next(), following.next());
        Self::node(column, NodeKind::Predicate { name: text, list, predicate, extra })
    }

    fn predicate(&mut self) -> Parsed {
        self.predicates += 1;
        let node = if self.current().is_bracket("{") { self.block() } else { self.expression(0) };
        self.predicates -= 1;
        node
    }
}

/// The number that `text` is.
fn number(text: &str) -> Result<NodeKind, String> {
    let digits = text.replace('_', "").to_ascii_lowercase();
    let (radix, kind) = match digits.get(..2) {
        Some("0x") => (16, "hex"),
        Some("0b") => (2, "binary"),
        Some("0o") => (8, "octal"),
        _ => (10, "integer"),
    };
    if radix != 16 && digits.contains(['.', 'e']) {
        let problem =
            |reason: &str| format!("invalid float literal: strconv.ParseFloat: parsing \"{text}\": {reason}");
        let number: f64 = digits.parse().map_err(|_| problem("invalid syntax"))?;
        return if number.is_finite() {
            Ok(NodeKind::Float(number))
        } else {
            Err(problem("value out of range"))
        };
    }
    let start = if radix == 10 { 0 } else { 2 };
    let number = i64::from_str_radix(&digits[start..], radix);
    number.map(NodeKind::Int).map_err(|error| {
        let is_large = *error.kind() == std::num::IntErrorKind::PosOverflow;
        let reason = if is_large { "value out of range" } else { "invalid syntax" };
        format!("invalid {kind} literal: strconv.ParseInt: parsing \"{text}\": {reason}")
    })
}
