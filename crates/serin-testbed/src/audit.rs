//! The requests that the user `serin` made, as the API server's audit log tells them.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

/// What to record: the requests of the user `serin`, without bodies, once when the answer begins and once when it is over.
pub(super) const POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: [serin]
- level: None
";

/// One request to the API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, ...; for other paths the HTTP method.
    pub verb: String,
    /// The API group of the resource; empty for the core group.
    pub group: String,
    /// The plural name of the resource; empty for paths that name none.
    pub resource: String,
    /// The subresource, such as `status`; empty for none.
    pub subresource: String,
    /// The namespace; empty for cluster-wide requests.
    pub namespace: String,
    /// The object; empty for lists, watches and generated names.
    pub name: String,
    /// The HTTP status of the answer; 0 when there was none.
    pub code: u16,
    /// Path and query.
    pub request_uri: String,
    /// What the client says it is.
    pub user_agent: String,
    /// `ResponseStarted` (watches only: their answer has begun), `ResponseComplete`, or `Panic`.
    pub stage: String,
    /// When the request came in.
    pub received: Timestamp,
    /// When this stage was reached.
    pub at: Timestamp,
}

impl AuditEntry {
    /// Whether the request is one that changes something (create, update, patch, delete) and has been answered.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.stage == "ResponseComplete"
            && matches!(self.verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    verb: String,
    stage: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    #[serde(default)]
    user_agent: String,
    #[serde(default)]
    object_ref: ObjectRef,
    #[serde(default)]
    response_status: ResponseStatus,
    request_received_timestamp: Timestamp,
    stage_timestamp: Timestamp,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    api_group: String,
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}

impl From<Line> for AuditEntry {
    fn from(line: Line) -> Self {
        let object = line.object_ref;
        Self {
            verb: line.verb,
            group: object.api_group,
            resource: object.resource,
            subresource: object.subresource,
            namespace: object.namespace,
            name: object.name,
            code: line.response_status.code,
            request_uri: line.request_uri,
            user_agent: line.user_agent,
            stage: line.stage,
            received: line.request_received_timestamp,
            at: line.stage_timestamp,
        }
    }
}

/// Every entry so far, oldest first. A last line that is being written is left for the next time.
pub(super) fn read(log: &Path) -> io::Result<Vec<AuditEntry>> {
    let text = match fs::read_to_string(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    parse(&text)
}

fn parse(text: &str) -> io::Result<Vec<AuditEntry>> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole.lines().map(|line| serde_json::from_str::<Line>(line).map(AuditEntry::from));
    lines.collect::<Result<_, _>>().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/apis/argoproj.io/v1alpha1/namespaces/n/rollouts/r/status?x=y","verb":"patch","user":{"username":"serin","uid":"2"},"userAgent":"serin/1","objectRef":{"resource":"rollouts","namespace":"n","name":"r","apiGroup":"argoproj.io","apiVersion":"v1alpha1","subresource":"status"},"responseStatus":{"metadata":{},"code":200},"requestReceivedTimestamp":"2026-01-02T03:04:05.000006Z","stageTimestamp":"2026-01-02T03:04:05.000007Z"}"#;
    const VERSION: &str = r#"{"stage":"ResponseComplete","requestURI":"/version","verb":"get","responseStatus":{"code":200},"requestReceivedTimestamp":"2026-01-02T03:04:05.000006Z","stageTimestamp":"2026-01-02T03:04:05.000007Z"}"#;

    #[test]
    fn reads_entries_and_leaves_an_unfinished_line() {
        let log = format!("{PATCH}\n{VERSION}\n{}", &PATCH[..50]);
        let entries = parse(&log).unwrap();
        assert_eq!(entries.len(), 2);
        let patch = &entries[0];
        assert!(patch.is_write());
        assert_eq!(
            (patch.resource.as_str(), patch.subresource.as_str(), patch.name.as_str(), patch.code),
            ("rollouts", "status", "r", 200)
        );
        assert!(!entries[1].is_write());
        assert_eq!((patch.user_agent.as_str(), entries[1].user_agent.as_str()), ("serin/1", ""));
        assert_eq!(entries[1].resource, "");
    }

    #[test]
    fn a_line_of_another_shape_is_an_error() {
        assert!(parse("{}\n").is_err());
    }
}
