//! Output formats for findings.

use serde_json::{Value, json};

use super::finding::Finding;
use super::rule::Severity;

/// One finding per line, in the format of compilers.
pub(super) fn text(findings: &[Finding]) -> String {
    findings.iter().map(line).collect()
}

fn line(finding: &Finding) -> String {
    let place = match finding.at {
        Some(at) => format!("{}:{}:{}", finding.file, at.line, at.column),
        None => finding.file.clone(),
    };
    let field = match finding.remark.field.as_str() {
        "" => String::new(),
        field => format!("{field}: "),
    };
    let (severity, id) = (finding.rule.severity.as_str(), finding.rule.id);
    format!("{place}: {severity}: {field}{} [{id}]\n", finding.message())
}

/// Counts findings in words; `None` if there are none.
pub(super) fn summary(findings: &[Finding]) -> Option<String> {
    let count = |severity| findings.iter().filter(|finding| finding.rule.severity == severity).count();
    let words = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let parts: Vec<String> = severities.iter().filter_map(|it| words(count(*it), it.as_str())).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A JSON document. `docs/lint.md` describes its fields.
pub(super) fn json(findings: &[Finding]) -> Value {
    let count = |severity| findings.iter().filter(|finding| finding.rule.severity == severity).count();
    let all: Vec<Value> = findings.iter().map(json_of).collect();
    json!({"findings": all, "errors": count(Severity::Error), "warnings": count(Severity::Warning),
        "notes": count(Severity::Note)})
}

fn json_of(finding: &Finding) -> Value {
    let remark = &finding.remark;
    let mut object = json!({
        "rule": finding.rule.id,
        "severity": finding.rule.severity,
        "file": finding.file,
        "field": remark.field,
        "problem": remark.problem,
    });
    if let Some(at) = finding.at {
        object["line"] = at.line.into();
        object["column"] = at.column.into();
    }
    if let Some(name) = &finding.object {
        object["object"] = json!(name);
    }
    if !remark.value.is_empty() {
        object["value"] = serde_json::from_str(&remark.value).unwrap_or(Value::Null);
    }
    if !remark.remedy.is_empty() {
        object["remedy"] = remark.remedy.as_str().into();
    }
    object
}
