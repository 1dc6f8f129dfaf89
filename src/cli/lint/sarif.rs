//! Findings in the Static Analysis Results Interchange Format, version 2.1.0, which code hosts show beside the source
//! lines.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::finding::Finding;
use super::rule::Rule;
use super::rules;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Characters of a path that a URI must escape.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

/// A log with one run.
pub(super) fn log(findings: &[Finding]) -> Value {
    let all: Vec<&Rule> = rules::all().collect();
    let descriptors: Vec<Value> = all.iter().map(|rule| descriptor(rule)).collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &all)).collect();
    let driver = json!({"name": "serin", "version": env!("CARGO_PKG_VERSION"), "rules": descriptors});
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    })
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "defaultConfiguration": {"level": rule.severity.as_str()},
    })
}

fn result(finding: &Finding, all: &[&Rule]) -> Value {
    let field = match finding.remark.field.as_str() {
        "" => String::new(),
        field => format!("{field}: "),
    };
    let uri = utf8_percent_encode(&finding.file.replace('\\', "/"), ESCAPED).to_string();
    let mut place = json!({"artifactLocation": {"uri": uri}});
    if let Some(at) = finding.at {
        place["region"] = json!({"startLine": at.line, "startColumn": at.column});
    }
    let mut location = json!({"physicalLocation": place});
    if let Some(name) = &finding.object {
        let path = [name.namespace.as_deref(), Some(&name.kind), Some(&name.name)];
        let path: Vec<&str> = path.into_iter().flatten().collect();
        let full = format!("{} {}", path.join("/"), finding.remark.field);
        location["logicalLocations"] = json!([{"fullyQualifiedName": full.trim_end()}]);
    }
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": all.iter().position(|rule| *rule == finding.rule),
        "level": finding.rule.severity.as_str(),
        "message": {"text": format!("{field}{}", finding.message())},
        "locations": [location],
    })
}
