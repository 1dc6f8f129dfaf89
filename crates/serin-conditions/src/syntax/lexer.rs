//! From a text to its tokens.

use std::fmt;

use serin_values::go_text::quoted;

use crate::error::ConditionError;

/// The smallest part of a condition, with its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) text: String,
    pub(super) column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Identifier,
    Number,
    String,
    Operator,
    Bracket,
    End,
}

impl Token {
    pub(super) fn is(&self, kind: TokenKind, text: &str) -> bool {
        self.kind == kind && self.text == text
    }

    pub(super) fn is_operator(&self, text: &str) -> bool {
        self.is(TokenKind::Operator, text)
    }

    pub(super) fn is_bracket(&self, text: &str) -> bool {
        self.is(TokenKind::Bracket, text)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            TokenKind::Identifier => "Identifier",
            TokenKind::Number => "Number",
            TokenKind::String => "String",
            TokenKind::Operator => "Operator",
            TokenKind::Bracket => "Bracket",
            TokenKind::End => "EOF",
        };
        if self.text.is_empty() {
            return formatter.write_str(kind);
        }
        write!(formatter, "{kind}({})", quoted(&self.text))
    }
}

/// Words that are operators.
const WORDS: [&str; 10] =
    ["in", "or", "and", "not", "matches", "contains", "startsWith", "endsWith", "let", "if"];

/// The tokens of `text`; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ConditionError> {
    let mut lexer = Lexer { letters: text.chars().collect(), position: 0, tokens: Vec::new() };
    while lexer.next_token()? {}
    Ok(lexer.tokens)
}

struct Lexer {
    letters: Vec<char>,
    position: usize,
    tokens: Vec<Token>,
}

fn is_name(letter: char) -> bool {
    letter == '_' || letter == '$' || letter.is_alphanumeric()
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.position + ahead).copied()
    }

    /// The letters from `start` to the position.
    fn since(&self, start: usize) -> String {
        self.letters[start..self.position].iter().collect()
    }

    fn push(&mut self, kind: TokenKind, start: usize, text: String) {
        self.tokens.push(Token { kind, text, column: start + 1 });
    }

    /// Takes `length` letters as a token.
    fn take(&mut self, kind: TokenKind, length: usize) {
        let start = self.position;
        self.position += length;
        self.push(kind, start, self.since(start));
    }

    /// Adds a token, or skips what is none. False at the end.
    fn next_token(&mut self) -> Result<bool, ConditionError> {
        let start = self.position;
        let Some(letter) = self.peek(0) else {
            self.push(TokenKind::End, start, String::new());
            return Ok(false);
        };
        let second = self.peek(1);
        match letter {
            letter if letter.is_whitespace() => self.position += 1,
            '\'' | '"' => self.string(letter)?,
            '`' => self.raw_string()?,
            '0'..='9' => self.number()?,
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => self.number()?,
            '.' => self.take(TokenKind::Operator, if second == Some('.') { 2 } else { 1 }),
            '/' if second == Some('/') => {
                while self.peek(0).is_some_and(|letter| letter != '\n') {
                    self.position += 1;
                }
            }
            '/' if second == Some('*') => self.comment()?,
            '?' => self.take(TokenKind::Operator, if matches!(second, Some('.' | '?')) { 2 } else { 1 }),
            '|' | ':' => self.take(TokenKind::Operator, if second == Some(letter) { 2 } else { 1 }),
            '&' | '!' | '=' | '*' | '<' | '>' => {
                let is_double = matches!(second, Some('&' | '=' | '*'));
                self.take(TokenKind::Operator, if is_double { 2 } else { 1 });
            }
            ',' | ';' | '+' | '-' | '%' | '^' | '/' => self.take(TokenKind::Operator, 1),
            '#' => self.pointer(),
            '(' | ')' | '[' | ']' | '{' | '}' => self.take(TokenKind::Bracket, 1),
            letter if is_name(letter) => self.name(),
            letter => {
                let code = u32::from(letter);
                let message = format!("unrecognized character: U+{code:04X} '{letter}'");
                return Err(ConditionError::at(start + 1, message));
            }
        }
        Ok(true)
    }

    fn skip_name(&mut self) {
        while self.peek(0).is_some_and(is_name) {
            self.position += 1;
        }
    }

    fn name(&mut self) {
        let start = self.position;
        self.skip_name();
        let name = self.since(start);
        let is_word = WORDS.contains(&name.as_str()) || name == "else";
        self.push(if is_word { TokenKind::Operator } else { TokenKind::Identifier }, start, name);
    }

    /// `#`, and the name after it.
    fn pointer(&mut self) {
        self.take(TokenKind::Operator, 1);
        let start = self.position;
        self.skip_name();
        if self.position > start {
            self.push(TokenKind::Identifier, start, self.since(start));
        }
    }

    fn comment(&mut self) -> Result<(), ConditionError> {
        let start = self.position;
        self.position += 2;
        while self.peek(0) != Some('*') || self.peek(1) != Some('/') {
            if self.peek(0).is_none() {
                return Err(ConditionError::at(start + 1, "unclosed comment"));
            }
            self.position += 1;
        }
        self.position += 2;
        Ok(())
    }

    fn skip_digits(&mut self, is_digit: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(|letter| letter == '_' || is_digit(letter)) {
            self.position += 1;
        }
    }

    fn number(&mut self) -> Result<(), ConditionError> {
        let start = self.position;
        let radix = match (self.peek(0), self.peek(1)) {
            (Some('0'), Some('x' | 'X')) => 16,
            (Some('0'), Some('o' | 'O')) => 8,
            (Some('0'), Some('b' | 'B')) => 2,
            _ => 10,
        };
        if radix != 10 {
            self.position += 2;
        }
        self.skip_digits(|letter| letter.is_digit(radix));
        // Two dots are a range.
        if self.peek(0) == Some('.') && self.peek(1) != Some('.') {
            self.position += 1;
            self.skip_digits(|letter| letter.is_digit(radix));
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            self.position += 1;
            if matches!(self.peek(0), Some('+' | '-')) {
                self.position += 1;
            }
            self.skip_digits(|letter| letter.is_digit(radix));
        }
        if self.peek(0).is_some_and(is_name) {
            self.position += 1;
            let message = format!("bad number syntax: {}", quoted(&self.since(start)));
            return Err(ConditionError::at(start + 1, message));
        }
        self.push(TokenKind::Number, start, self.since(start));
        Ok(())
    }

    fn raw_string(&mut self) -> Result<(), ConditionError> {
        let start = self.position;
        let mut text = String::new();
        loop {
            self.position += 1;
            match (self.peek(0), self.peek(1)) {
                (Some('`'), Some('`')) => {
                    self.position += 1;
                    text.push('`');
                }
                (Some('`'), _) => break,
                (Some(letter), _) => text.push(letter),
                (None, _) => return Err(ConditionError::at(start + 1, "literal not terminated")),
            }
        }
        self.position += 1;
        self.push(TokenKind::String, start, text);
        Ok(())
    }

    fn string(&mut self, quote: char) -> Result<(), ConditionError> {
        let start = self.position;
        self.position += 1;
        let mut text = String::new();
        loop {
            let letter = match self.peek(0) {
                None | Some('\n') => {
                    return Err(ConditionError::at(start + 1, "literal not terminated"));
                }
                Some(letter) => letter,
            };
            self.position += 1;
            match letter {
                letter if letter == quote => break,
                '\\' => self.escape(&mut text).ok_or_else(|| {
                    ConditionError::at(start + 1, "unable to unescape string, invalid escape")
                })?,
                letter => text.push(letter),
            }
        }
        self.push(TokenKind::String, start, text);
        Ok(())
    }

    /// Reads the rest of an escape; `None` if it is invalid.
    fn escape(&mut self, text: &mut String) -> Option<()> {
        let letter = self.peek(0)?;
        self.position += 1;
        let escaped = match letter {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' | '\'' | '"' | '`' | '?' => letter,
            'x' | 'X' => self.code(2, 16)?,
            'u' if self.peek(0) == Some('{') => {
                self.position += 1;
                let length = self.letters[self.position..].iter().position(|letter| *letter == '}')?;
                let escaped = self.code(length, 16)?;
                self.position += 1;
                escaped
            }
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            '0'..='3' => {
                self.position -= 1;
                self.code(3, 8)?
            }
            _ => return None,
        };
        text.push(escaped);
        Some(())
    }

    /// The character whose code is the next `length` digits.
    fn code(&mut self, length: usize, radix: u32) -> Option<char> {
        let digits = self.letters.get(self.position..self.position.checked_add(length)?)?;
        if digits.is_empty() || !digits.iter().all(|digit| digit.is_digit(radix)) {
            return None;
        }
        self.position += length;
        let digits: String = digits.iter().collect();
        char::from_u32(u32::from_str_radix(&digits, radix).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        tokens(text).expect("tokens").iter().map(Token::to_string).collect()
    }

    #[test]
    fn tokens_have_kinds() {
        for (text, expected) in [
            ("a.b", vec!["Identifier(\"a\")", "Operator(\".\")", "Identifier(\"b\")", "EOF"]),
            ("1..3", vec!["Number(\"1\")", "Operator(\"..\")", "Number(\"3\")", "EOF"]),
            (".5 1e3", vec!["Number(\".5\")", "Number(\"1e3\")", "EOF"]),
            ("=== ", vec!["Operator(\"==\")", "Operator(\"=\")", "EOF"]),
            ("#acc", vec!["Operator(\"#\")", "Identifier(\"acc\")", "EOF"]),
            ("'it\\'s' /* x */ // y", vec!["String(\"it's\")", "EOF"]),
            (
                "a?.b??c",
                vec![
                    "Identifier(\"a\")",
                    "Operator(\"?.\")",
                    "Identifier(\"b\")",
                    "Operator(\"??\")",
                    "Identifier(\"c\")",
                    "EOF",
                ],
            ),
            ("`a``b\\n`", vec!["String(\"a`b\\\\n\")", "EOF"]),
            (r#""\x41\u0042\u{43}\101""#, vec!["String(\"ABCA\")", "EOF"]),
        ] {
            assert_eq!(texts(text), expected, "{text}");
        }
    }

    #[test]
    fn invalid_texts_have_a_column() {
        for (text, column) in [
            ("a @", 3),
            ("  'x", 3),
            ("1x", 1),
            ("/* x", 1),
            ("`", 1),
            ("'\\q'", 1),
            ("'\\u{}'", 1),
            ("'\\", 1),
        ] {
            assert_eq!(tokens(text).map_err(|error| error.column), Err(Some(column)), "{text}");
        }
    }
}
