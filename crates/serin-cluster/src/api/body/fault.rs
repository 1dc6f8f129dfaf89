//! Why bytes are no JSON, in the words of the API server.

/// The first fault; none where the bytes are one JSON document.
pub(super) fn of(text: &[u8]) -> Option<String> {
    let mut reader = Reader { rest: text };
    let read = reader.value("looking for beginning of value").and_then(|()| match reader.next() {
        None => Ok(()),
        Some(byte) => Err(unexpected(byte, "after top-level value")),
    });
    read.err()
}

struct Reader<'a> {
    rest: &'a [u8],
}

type Read = Result<(), String>;

fn unexpected(byte: u8, context: &str) -> String {
    format!("invalid character '{}' {context}", shown(byte))
}

fn shown(byte: u8) -> String {
    match char::from(byte) {
        '\'' => "\\'".to_owned(),
        '"' => "\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        character if character.is_control() && character.is_ascii() => format!("\\x{byte:02x}"),
        character if character.is_control() => format!("\\u{byte:04x}"),
        character => character.to_string(),
    }
}

fn end() -> String {
    "unexpected end of JSON input".to_owned()
}

impl Reader<'_> {
    /// The next byte, blank or not.
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// The next byte that is not blank.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if !b" \t\r\n".contains(&byte) {
                return Some(byte);
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn value(&mut self, context: &str) -> Read {
        let first = self.next().ok_or_else(end)?;
        self.value_from(first, context)
    }

    fn value_from(&mut self, first: u8, context: &str) -> Read {
        match first {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.text(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            b'-' => match self.byte().ok_or_else(end)? {
                digit if digit.is_ascii_digit() => self.number(digit),
                other => Err(unexpected(other, "in numeric literal")),
            },
            digit if digit.is_ascii_digit() => self.number(digit),
            other => Err(unexpected(other, context)),
        }
    }

    fn object(&mut self) -> Read {
        let mut context = "looking for beginning of object key string";
        let mut next = self.next().ok_or_else(end)?;
        if next == b'}' {
            return Ok(());
        }
        loop {
            if next != b'"' {
                return Err(unexpected(next, context));
            }
            self.text()?;
            match self.next().ok_or_else(end)? {
                b':' => self.value("looking for beginning of value")?,
                other => return Err(unexpected(other, "after object key")),
            }
            match self.next().ok_or_else(end)? {
                b',' => {}
                b'}' => return Ok(()),
                other => return Err(unexpected(other, "after object key:value pair")),
            }
            context = "looking for beginning of object key string";
            next = self.next().ok_or_else(end)?;
        }
    }

    fn array(&mut self) -> Read {
        let mut next = self.next().ok_or_else(end)?;
        if next == b']' {
            return Ok(());
        }
        loop {
            self.value_from(next, "looking for beginning of value")?;
            match self.next().ok_or_else(end)? {
                b',' => {}
                b']' => return Ok(()),
                other => return Err(unexpected(other, "after array element")),
            }
            next = self.next().ok_or_else(end)?;
        }
    }

    fn text(&mut self) -> Read {
        loop {
            match self.byte().ok_or_else(end)? {
                b'"' => return Ok(()),
                b'\\' => match self.byte().ok_or_else(end)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => self.hexadecimal()?,
                    other => return Err(unexpected(other, "in string escape code")),
                },
                byte if byte < b' ' => return Err(unexpected(byte, "in string literal")),
                _ => {}
            }
        }
    }

    fn hexadecimal(&mut self) -> Read {
        for _ in 0..4 {
            match self.byte().ok_or_else(end)? {
                byte if byte.is_ascii_hexdigit() => {}
                other => return Err(unexpected(other, "in \\u hexadecimal character escape")),
            }
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Read {
        for wanted in word.bytes().skip(1) {
            let found = self.byte().ok_or_else(end)?;
            if found != wanted {
                let wanted = char::from(wanted);
                return Err(unexpected(found, &format!("in literal {word} (expecting '{wanted}')")));
            }
        }
        Ok(())
    }

    fn number(&mut self, first: u8) -> Read {
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.byte();
            self.some_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.byte();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.byte();
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.byte();
        }
    }

    fn some_digits(&mut self, context: &str) -> Read {
        match self.byte().ok_or_else(end)? {
            digit if digit.is_ascii_digit() => {
                self.digits();
                Ok(())
            }
            other => Err(unexpected(other, context)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_by_the_first_byte_that_is_wrong() {
        for (text, why) in [
            ("", "unexpected end of JSON input"),
            ("{\"a\": ", "unexpected end of JSON input"),
            ("x", "invalid character 'x' looking for beginning of value"),
            ("{]", "invalid character ']' looking for beginning of object key string"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("1 2", "invalid character '2' after top-level value"),
            ("truth", "invalid character 't' in literal true (expecting 'e')"),
            ("\"\n\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("-x", "invalid character 'x' in numeric literal"),
        ] {
            assert_eq!(of(text.as_bytes()).as_deref(), Some(why), "{text}");
        }
        assert_eq!(of(&[0x9e]).unwrap(), "invalid character '\\u009e' looking for beginning of value");
        for text in [" {\"a\": [1, -2.5e+3, null, true, \"\\u00e4\\n\"], \"b\": {}} ", "0", "[]", "\"\""] {
            assert_eq!(of(text.as_bytes()), None, "{text}");
        }
    }
}
