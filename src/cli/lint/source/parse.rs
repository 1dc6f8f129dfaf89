//! Parses the text of a file into documents.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::error::Category;

use super::node::{Content, Entry, Mark, Node};
use super::parts::{self, Part};
use super::scalar;

/// Maximum nesting of values; no Kubernetes object is nested deeper.
const DEPTH_MAX: usize = 100;
/// Maximum number of values in a document, with aliases expanded.
const SIZE_MAX: usize = 500_000;

/// The reason why a document, or a part of it, is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli::lint) struct Fault {
    pub(in crate::cli::lint) at: Mark,
    pub(in crate::cli::lint) kind: FaultKind,
    /// The problem and its remedy.
    pub(in crate::cli::lint) problem: String,
}

/// The kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::lint) enum FaultKind {
    /// The document is invalid, and gets no further findings.
    Syntax,
    /// A duplicate field.
    Duplicate,
}

/// Parses the documents of a text. Skips empty ones. Also returns the faults of each document. An invalid document
/// does not hide the others.
pub(in crate::cli::lint) fn parse(text: &str, is_json: bool) -> (Vec<Node>, Vec<Fault>) {
    let mut documents = Vec::new();
    let mut faults = Vec::new();
    let parts = match parts::json(text) {
        Ok(parts) => parts,
        Err(error) if is_json => {
            let at = Mark { line: error.line().max(1), column: error.column().max(1) };
            let problem = match error.classify() {
                Category::Eof => "unexpected end of the JSON".to_owned(),
                Category::Io | Category::Syntax | Category::Data => format!("invalid JSON: {error}"),
            };
            return (documents, vec![Fault { at, kind: FaultKind::Syntax, problem }]);
        }
        Err(_) => parts::yaml(text),
    };
    for part in parts {
        let mut composer = Composer::new(&part);
        match composer.document() {
            Ok(Some(document)) => documents.push(document),
            Ok(None) => {}
            Err(fault) => composer.faults.push(fault),
        }
        faults.append(&mut composer.faults);
    }
    (documents, faults)
}

type Events<'t> = Parser<'t, saphyr_parser::StrInput<'t>>;

struct Composer<'t> {
    part: &'t Part<'t>,
    events: Events<'t>,
    anchors: BTreeMap<usize, Node>,
    size: usize,
    depth: usize,
    faults: Vec<Fault>,
}

impl<'t> Composer<'t> {
    fn new(part: &'t Part<'t>) -> Self {
        let events = Parser::new_from_str(&part.text);
        Self { part, events, anchors: BTreeMap::new(), size: 0, depth: 0, faults: Vec::new() }
    }

    fn document(&mut self) -> Result<Option<Node>, Fault> {
        let mut document = None;
        while let Some(event) = self.events.next_event() {
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            match event {
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
                Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd => document = Some(self.node(event, span)?),
            }
        }
        Ok(document.filter(|node| node.content != Content::Null))
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Fault> {
        match self.events.next_event() {
            Some(event) => event.map_err(|error| self.syntax(&error)),
            None => Err(fault(self.part.end(), "unexpected end of the document")),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Node, Fault> {
        let at = self.mark(span.start);
        self.size += 1;
        if self.size > SIZE_MAX || self.depth > DEPTH_MAX {
            return Err(fault(at, "too large: aliases and nesting expand to too many values"));
        }
        match event {
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::Scalar(text, style, anchor, tag) => {
                let node = scalar_node(&text, style, tag.as_deref(), at);
                Ok(self.anchored(anchor, node))
            }
            Event::SequenceStart(anchor, _) => {
                let items = self.items()?;
                Ok(self.anchored(anchor, Node { at, content: Content::List(items), word: None }))
            }
            Event::MappingStart(anchor, _) => {
                let entries = self.entries()?;
                Ok(self.anchored(anchor, Node { at, content: Content::Map(entries), word: None }))
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => Err(fault(at, "unexpected end: a value is missing")),
        }
    }

    fn alias(&mut self, anchor: usize, at: Mark) -> Result<Node, Fault> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(fault(at, "the alias refers to a value that contains it"));
        };
        self.size += size(&node);
        Ok(node)
    }

    fn anchored(&mut self, anchor: usize, node: Node) -> Node {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        node
    }

    fn items(&mut self) -> Result<Vec<Node>, Fault> {
        let mut items = Vec::new();
        self.depth += 1;
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                self.depth -= 1;
                return Ok(items);
            }
            items.push(self.node(event, span)?);
        }
    }

    fn entries(&mut self) -> Result<Vec<Entry>, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        self.depth += 1;
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let key = self.node(event, span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span)?;
            if key.word.as_deref() == Some("<<") {
                merged.push(value);
                continue;
            }
            let (at, key) = (key.at, self.key(key)?);
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                let hint = match key.as_str() {
                    "nginx" | "stableIngress" => "; use nginx.stableIngresses for several Ingresses",
                    _ => "",
                };
                let line = first.at.line;
                let problem = format!("duplicate field {key:?}; the first one is in line {line}{hint}");
                self.faults.push(Fault { at, kind: FaultKind::Duplicate, problem });
            }
            entries.push(Entry { key, at, value });
        }
        self.depth -= 1;
        for value in merged {
            merge(value, &mut entries)?;
        }
        Ok(entries)
    }

    fn key(&self, key: Node) -> Result<String, Fault> {
        match (key.content, key.word) {
            (Content::Text(text), _)
            | (Content::Null | Content::Truth(_) | Content::Number(_), Some(text)) => Ok(text),
            _ => Err(fault(key.at, &format!("a field name must be a string{}", self.hint(key.at)))),
        }
    }

    fn mark(&self, marker: Marker) -> Mark {
        self.part.mark(marker.line(), marker.col() + 1)
    }

    fn syntax(&self, error: &ScanError) -> Fault {
        let at = self.mark(*error.marker());
        fault(at, &format!("invalid YAML: {}{}", error.info(), self.hint(at)))
    }

    /// A hint about the most common causes of invalid YAML.
    fn hint(&self, at: Mark) -> &'static str {
        let line = self.part.line(at);
        let indent = &line[..line.len() - line.trim_start().len()];
        if indent.contains('\t') {
            "; the line is indented with a tab, use spaces"
        } else if line.contains("{{") {
            "; render a template, such as a Helm chart, first"
        } else {
            ""
        }
    }
}

fn fault(at: Mark, problem: &str) -> Fault {
    Fault { at, kind: FaultKind::Syntax, problem: problem.to_owned() }
}

/// Merges maps. Explicit fields override merged ones, and earlier maps override later ones.
fn merge(value: Node, entries: &mut Vec<Entry>) -> Result<(), Fault> {
    let at = value.at;
    match value.content {
        Content::Map(merged) => {
            for entry in merged {
                if entries.iter().all(|own| own.key != entry.key) {
                    entries.push(entry);
                }
            }
            Ok(())
        }
        Content::List(maps) => maps.into_iter().try_for_each(|map| merge(map, entries)),
        Content::Null | Content::Truth(_) | Content::Number(_) | Content::Text(_) => {
            Err(fault(at, "only maps can be merged by <<, as in `<<: *name`"))
        }
    }
}

fn scalar_node(text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Mark) -> Node {
    let is_text = tag.is_some_and(|tag| tag.suffix == "str" || tag.handle == "!");
    if style == ScalarStyle::Plain && !is_text {
        return Node { at, content: scalar::resolve(text), word: Some(text.to_owned()) };
    }
    Node { at, content: Content::Text(text.to_owned()), word: None }
}

fn size(node: &Node) -> usize {
    let items: usize = node.items().iter().map(size).sum();
    let entries: usize = node.entries().iter().map(|entry| size(&entry.value)).sum();
    1 + items + entries
}
