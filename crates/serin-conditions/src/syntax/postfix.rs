//! From tokens to the tree: what follows an expression. Members, indices, slices and calls of methods.

use super::lexer::{Token, TokenKind};
use super::parser::{Parsed, Parser};
use super::tree::{Node, NodeKind};

impl Parser {
    /// `node` with the members, indices and slices that follow it.
    pub(super) fn postfix(&mut self, mut node: Node) -> Parsed {
        loop {
            let token = self.current().clone();
            if token.is_operator(".") || token.is_operator("?.") {
                self.advance();
                let optional = token.text == "?.";
                node = if optional && self.current().is_bracket("[") {
                    self.brackets(node, true)?
                } else {
                    self.named_member(node, optional)?
                };
            } else if token.is_bracket("[") {
                node = self.brackets(node, false)?;
            } else {
                return Ok(node);
            }
        }
    }

    /// `.name` or `.name(arguments)` of `owner`.
    fn named_member(&mut self, owner: Node, optional: bool) -> Parsed {
        let name = self.advance();
        if !is_member_name(&name) {
            return Err(self.error("expected name"));
        }
        let column = name.column;
        let (owner, is_chain) = unchained(owner);
        let owner = Box::new(owner);
        let kind = if self.accept(TokenKind::Bracket, "(") {
            let arguments = self.expressions(")")?;
            NodeKind::Method { owner, name: name.text.into(), arguments, optional }
        } else {
            let key = Box::new(Self::node(column, NodeKind::String(name.text.into()))?);
            NodeKind::Member { owner, key, optional }
        };
        let node = Self::node(column, kind)?;
        if is_chain || optional { Self::node(column, NodeKind::Chain(Box::new(node))) } else { Ok(node) }
    }

    /// `[index]` or `[from:to]` of `owner`.
    fn brackets(&mut self, owner: Node, optional: bool) -> Parsed {
        let column = self.advance().column;
        let from = if self.current().is_operator(":") { None } else { Some(Box::new(self.expression(0)?)) };
        if self.accept(TokenKind::Operator, ":") {
            let to = if self.current().is_bracket("]") { None } else { Some(Box::new(self.expression(0)?)) };
            self.expect(TokenKind::Bracket, "]")?;
            return Self::node(column, NodeKind::Slice { list: Box::new(owner), from, to });
        }
        self.expect(TokenKind::Bracket, "]")?;
        let Some(key) = from else { return Err(self.unexpected()) };
        // Unlike a name, an index after a chain is not part of it: the reference has it so.
        let node = Self::node(column, NodeKind::Member { owner: Box::new(owner), key, optional })?;
        if optional { Self::node(column, NodeKind::Chain(Box::new(node))) } else { Ok(node) }
    }
}

/// A name, or an operator that is a word.
fn is_member_name(token: &Token) -> bool {
    let is_word = token.text.chars().all(char::is_alphanumeric) && !token.text.is_empty();
    token.kind == TokenKind::Identifier || token.kind == TokenKind::Operator && is_word
}

/// The node in a chain, which the next member belongs to as well, and whether there was one.
fn unchained(node: Node) -> (Node, bool) {
    if let NodeKind::Chain(inner) = node.kind { (*inner, true) } else { (node, false) }
}
