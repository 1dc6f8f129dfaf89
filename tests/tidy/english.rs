//! Plain English: habits that texts of this repository must not return to.
//!
//! The texts are for readers in a hurry. They use the terms of Kubernetes, start with the noun or the verb, and make one
//! statement per sentence.

use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

use crate::Finding;

/// The files and folders that are checked. The list only grows.
const CHECKED: &[&str] =
    &["README.md", "CHANGELOG.md", "docs/", "crates/serin-insight/", "src/cli/", "tests/cli/", "tests/tidy/"];

/// Files in checked folders that are not rewritten yet, with the reason.
const LATER: &[(&str, &str)] = &[
    ("docs/architecture.md", "is rewritten together with the code that it describes"),
    ("tests/tidy/english.rs", "names the habits"),
];

/// Phrases to avoid, and what to write instead. They match whole words, in any case.
const PHRASES: &[(&str, &str)] = &[
    ("all the same", "still"),
    ("anew", "again"),
    ("anybody", "anyone"),
    ("are to be", "must be, or: will be"),
    ("are told", "are reported"),
    ("bring out", "roll out, or: release"),
    ("brings out", "rolls out, or: releases"),
    ("but for", "except"),
    ("by itself", "automatically, or: without a user"),
    ("by themselves", "automatically, or: without a user"),
    ("everybody", "everyone, or: all users"),
    ("for ever", "forever"),
    ("gave up", "stopped, or: released"),
    ("give up", "stop, or: release"),
    ("given up", "stopped, or: released"),
    ("gives up", "stops, or: releases"),
    ("go on", "continue"),
    ("goes on", "continues"),
    ("going on", "running, or: in progress"),
    ("is none of", "is unsupported, or: must be one of"),
    ("is to be", "must be, or: will be"),
    ("is to have", "must have, or: wants"),
    ("is told", "is reported"),
    ("nobody", "no one, or: name the component"),
    ("somebody", "someone, or: the user"),
    ("takes back", "rolls back, or: aborts"),
    ("that which", "the noun"),
    ("the former", "the noun"),
    ("the latter", "the noun"),
    ("the way back", "the rollback"),
    ("went on", "continued"),
    ("whom", "who, or: split the sentence"),
];

/// Words that must not start a comment in code, and how to start instead.
const OPENINGS: &[(&str, &str)] = &[
    ("How", "the noun: \"The number of ...\", \"The interval ...\""),
    ("Of", "the subject of the sentence"),
    ("That", "the noun: \"The failure for ...\""),
    ("What", "the noun or the verb: \"The reason ...\", \"Returns ...\""),
    ("Whether", "\"True if ...\""),
    ("Who", "the noun: \"The user ...\""),
    ("Whoever", "the noun: \"A user who ...\""),
];

/// Uses that are intended: file, phrase, reason.
const INTENDED: &[(&str, &str, &str)] = &[];

/// True if the file at `path` is checked.
pub(crate) fn is_checked(path: &str) -> bool {
    let is_text = [".md", ".rs"].iter().any(|end| path.ends_with(end));
    let is_later = LATER.iter().any(|(file, _)| *file == path);
    is_text && !is_later && CHECKED.iter().any(|start| path.starts_with(start))
}

/// The habits in `text`, the file at `path`.
pub(crate) fn habits(path: &str, text: &str) -> Vec<Finding> {
    let is_code = Path::new(path).extension().is_some_and(|extension| extension == "rs");
    let paragraphs = if is_code { in_code(path, text) } else { in_markdown(text) };
    let mut findings = Vec::new();
    for paragraph in &paragraphs {
        let words = paragraph.words();
        let mut report = |index: usize, said: &str, instead: &str| {
            if !INTENDED.iter().any(|(file, phrase, _)| *file == path && *phrase == said) {
                let line = words.get(index).map_or(0, |(line, _)| *line);
                findings.push(format!("{path}:{line}: `{said}`; write {instead}"));
            }
        };
        let first = words.first().map_or("", |(_, word)| word.as_str());
        for (opening, instead) in OPENINGS.iter().filter(|_| paragraph.is_comment) {
            if paragraph.text[0].1.starts_with(opening) && first == opening.to_lowercase() {
                report(0, opening, instead);
            }
        }
        for (phrase, instead) in PHRASES {
            let phrase_words: Vec<&str> = phrase.split(' ').collect();
            let found = |window: &[(usize, String)]| window.iter().map(|(_, word)| word).eq(&phrase_words);
            for index in words.windows(phrase_words.len()).enumerate().filter(|(_, w)| found(w)) {
                report(index.0, phrase, instead);
            }
        }
    }
    findings
}

/// Lines that belong together, each with its number. Code in backticks is removed.
struct Paragraph {
    text: Vec<(usize, String)>,
    is_comment: bool,
}

impl Paragraph {
    /// The words in lower case, with their lines. Punctuation counts as a word, so that no phrase crosses it.
    fn words(&self) -> Vec<(usize, String)> {
        let mut words = Vec::new();
        for (line, text) in &self.text {
            for part in text.split_whitespace() {
                let inner = part.trim_matches(|c: char| !c.is_alphanumeric());
                words.push((*line, inner.to_lowercase()));
                if part.ends_with(['.', ',', ';', ':', '!', '?', ')', '|']) {
                    words.push((*line, String::new()));
                }
            }
        }
        words
    }
}

fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate().filter(|(index, _)| index % 2 == 0);
    parts.map(|(_, part)| part).collect::<Vec<_>>().join("_")
}

fn in_markdown(text: &str) -> Vec<Paragraph> {
    let mut is_fenced = false;
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let is_fence = line.starts_with("```");
        is_fenced ^= is_fence;
        lines.push((index + 1, if is_fenced || is_fence { "" } else { line }));
    }
    paragraphs(lines, false)
}

/// The comments and the string literals of Rust code.
fn in_code(path: &str, text: &str) -> Vec<Paragraph> {
    let comments = text.lines().enumerate().map(|(index, line)| {
        let comment = line.trim_start().strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']));
        (index + 1, comment.unwrap_or_default())
    });
    let mut all = paragraphs(comments, true);
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut literals = Vec::new();
    collect_literals(tokens, &mut literals);
    all.extend(literals.into_iter().map(|literal| Paragraph { text: vec![literal], is_comment: false }));
    all
}

/// The string literals of `tokens`, except those of doc comments.
fn collect_literals(tokens: TokenStream, literals: &mut Vec<(usize, String)>) {
    let mut is_doc = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_literals(group.stream(), literals),
            TokenTree::Ident(ident) => is_doc = ident == "doc",
            TokenTree::Literal(literal) if !is_doc => {
                let line = literal.span().start().line;
                if let syn::Lit::Str(text) = syn::Lit::new(literal) {
                    literals.push((line, without_code(&text.value())));
                }
            }
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
    }
}

fn paragraphs<'t>(lines: impl IntoIterator<Item = (usize, &'t str)>, is_comment: bool) -> Vec<Paragraph> {
    let mut all: Vec<Paragraph> = Vec::new();
    let mut is_open = false;
    for (number, line) in lines {
        let line = line.trim();
        if line.is_empty() {
            is_open = false;
            continue;
        }
        let text = (number, without_code(line));
        match all.last_mut() {
            Some(paragraph) if is_open => paragraph.text.push(text),
            _ => all.push(Paragraph { text: vec![text], is_comment }),
        }
        is_open = true;
    }
    all
}

#[test]
fn habits_are_found() {
    for (path, text, lines) in [
        ("a.md", "It begins\nanew.", &[2][..]),
        ("a.md", "Serin goes\non, and nobody sees it.", &[1, 2]),
        ("a.md", "What it is: `anew`.\n```\nanew\n```\n", &[]),
        ("a.md", "The renewal goes. On Monday it ends.", &[]),
        ("a.rs", "/// Whether it is.\nfn a() {}", &[1]),
        ("a.rs", "/// True if it is:\n/// what it is.\nfn a() {}", &[]),
        ("a.rs", "// But for this.\nfn a() {}", &[1]),
        ("a.rs", "/// Fine.\n\n/// What\nfn a() {}", &[3]),
        ("a.rs", "fn a() {\n    b(\"gives up\", \"What is it?\");\n}", &[2]),
        ("a.rs", "fn a() {\n    b(format!(\"{x} is told \\\n  so\"));\n}", &[2]),
        ("a.rs", "fn gives_up_anew() {}", &[]),
    ] {
        let found = habits(path, text);
        let starts: Vec<String> = lines.iter().map(|line| format!("{path}:{line}: ")).collect();
        let fits = found.len() == starts.len() && starts.iter().zip(&found).all(|(s, f)| f.starts_with(s));
        assert!(fits, "{text}: {found:?}");
    }
}

#[test]
fn exceptions_are_needed() {
    for (path, _) in LATER {
        assert!(CHECKED.iter().any(|start| path.starts_with(start)), "{path} is not checked");
        crate::source::read(path);
    }
    for (path, phrase, _) in INTENDED {
        assert!(crate::source::read(path).contains(phrase), "{path} does not contain `{phrase}`");
    }
}
