//! What a decision may ask for beside writes: an exchange with another server, a Secret, whatever takes time and has an answer.
//!
//! A [`Plan`](super::plan::Plan) names the effects that are to be running once it is carried out. The shell begins those that
//! are new, goes on with those that it knows, and cancels the others. An answer is part of the next snapshot, and of every
//! one after it, until a plan that was carried out no longer names its effect.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

/// The name of an effect among those of its primary object. An effect of the same name is the same one: it is not begun again
/// while it runs, nor after it was answered. A second attempt therefore has another name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EffectName(pub String);

/// Something to be run, and answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Its name.
    pub name: EffectName,
    /// What is done.
    pub action: EffectAction,
    /// How long it may take once it has begun. When that is over the answer is [`EffectFailure::TimedOut`].
    pub limit: Duration,
}

/// What an effect does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectAction {
    /// Sends a request to a server other than the API server.
    Exchange(HttpRequest),
    /// Reads a Secret.
    ReadSecret {
        /// `metadata.namespace`.
        namespace: String,
        /// `metadata.name`.
        name: String,
    },
    /// Lists Pods.
    ListPods {
        /// Their namespace.
        namespace: String,
        /// A label selector.
        labels: String,
    },
}

/// A request over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method, in capitals.
    pub method: String,
    /// The absolute address, `http` or `https`.
    pub url: String,
    /// Names and values of headers.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// Whether the certificate of the server goes unchecked.
    pub insecure: bool,
    /// How the request is signed, beside what its headers say.
    pub signature: Option<AwsSignature>,
}

/// A request is signed by the rules of AWS (`SigV4`), with the credentials that the controller finds where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSignature {
    /// The service that is asked, for example `aps`.
    pub service: String,
    /// The region; that of the profile or of the machine if not set.
    pub region: Option<String>,
    /// The profile whose credentials are used; the default one if not set.
    pub profile: Option<String>,
    /// The role that is taken with them.
    pub role: Option<String>,
}

impl HttpRequest {
    /// A request for what is at `url`, without headers.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            insecure: false,
            signature: None,
        }
    }

    /// A request that sends `body` to `url`, without headers.
    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST".into(), body: body.into(), ..Self::get(url) }
    }
}

impl std::fmt::Debug for HttpRequest {
    /// Headers, queries and bodies carry what must not be shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("HttpRequest").field("method", &self.method).field("url", &url).finish_non_exhaustive()
    }
}

/// What came of an effect. Cheap to copy.
pub type Answer = Arc<Result<EffectOutput, EffectFailure>>;

/// What is known of an effect that a plan asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownEffect {
    /// When a plan that names it was first carried out.
    pub asked: Timestamp,
    /// What came of it; none while it waits or runs.
    pub answer: Option<Answer>,
}

/// The effects of a primary object that the last plan named.
pub type KnownEffects = BTreeMap<EffectName, KnownEffect>;

/// What an effect gives when it succeeds.
#[derive(Clone, PartialEq, Eq)]
pub enum EffectOutput {
    /// The answer of a server, whatever its status.
    Response {
        /// The status, for example 200.
        status: u16,
        /// The body, of at most [`LARGEST_BODY`] bytes.
        body: Vec<u8>,
    },
    /// `data` of the Secret, decoded.
    Secret(BTreeMap<String, Vec<u8>>),
    /// Pods as the API server has them, without their specs.
    Pods(Vec<Value>),
}

impl std::fmt::Debug for EffectOutput {
    /// Values of Secrets are not shown, and of a body only its size.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Response { status, body } => write!(f, "Response({status}, {} bytes)", body.len()),
            Self::Pods(pods) => write!(f, "Pods({})", pods.len()),
            Self::Secret(data) => f.debug_tuple("Secret").field(&data.keys().collect::<Vec<_>>()).finish(),
        }
    }
}

/// The largest body that an exchange reads: 10 MiB.
pub const LARGEST_BODY: usize = 10 << 20;

/// Why an effect has no output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectFailure {
    /// It was not over when its time was.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The body of the answer was larger than [`LARGEST_BODY`].
    #[error("the answer is larger than {LARGEST_BODY} bytes")]
    TooLarge,
    /// There is no such object.
    #[error("{0} not found")]
    NotFound(String),
    /// Anything else, in words. It names neither headers nor queries.
    #[error("{0}")]
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_not_shown() {
        let request = HttpRequest {
            headers: vec![("Authorization".into(), "Bearer hush".into())],
            ..HttpRequest::post("https://prometheus/query?token=hush", "hush")
        };
        let secret = EffectOutput::Secret(BTreeMap::from([("password".into(), b"hush".to_vec())]));
        let response = EffectOutput::Response { status: 200, body: b"hush".to_vec() };
        let shown = format!("{request:?} {secret:?} {response:?}");
        assert!(!shown.contains("hush") && !shown.contains("104"), "{shown}");
        assert!(shown.contains("https://prometheus/query") && shown.contains("password"), "{shown}");
    }

    #[test]
    fn failures_are_put_in_words() {
        for (failure, expected) in [
            (EffectFailure::TimedOut(Duration::from_secs(90)), "no answer within 90s"),
            (EffectFailure::NotFound("Secret \"keys\"".into()), "Secret \"keys\" not found"),
        ] {
            assert_eq!(failure.to_string(), expected);
        }
    }
}
