//! What must be true for the controller to start, and what to say to a person where it is not.

use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::client::ClientBuilder;
use kube::runtime::watcher;
use kube::{Client, Config};

use super::failure::root_cause;
use super::metrics::requests::CountRequests;
use serin_core::api::keys;
use serin_core::domain::object::ObjectKey;
use serin_core::domain::plan::ObjectKind;

/// How long the API server may take to answer the first request.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// Why the controller does not start, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The API server does not answer.
    #[error(
        "cannot reach the Kubernetes API server at {url}: {cause}\n\
         Is the cluster running, and is this the one you mean? --kubeconfig and --context choose another."
    )]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What happened.
        cause: String,
    },
    /// The API server does not know who is asking.
    #[error(
        "the Kubernetes API server at {url} does not accept the credentials: {cause}\n\
         Log in again, or choose another user with --kubeconfig or --context."
    )]
    Unauthorized {
        /// The API server.
        url: String,
        /// What it said.
        cause: String,
    },
    /// The custom resources are not defined.
    #[error(
        "the cluster does not know {missing} of {}; install the definitions first:\n\
         kubectl apply -f crds/   (or: serin crds | kubectl apply -f -)",
        keys::API_VERSION
    )]
    NoDefinitions {
        /// What it does not know.
        missing: String,
    },
    /// A right is missing.
    #[error(
        "no right to {verb} {resource}{}: {cause}\n\
         Bind the ClusterRole of deploy/ to the user: with a ClusterRoleBinding, or for --namespaced with a RoleBinding.",
        group_suffix(group)
    )]
    Forbidden {
        /// What is not allowed.
        verb: &'static str,
        /// To which resource.
        resource: &'static str,
        /// The API group of the resource.
        group: &'static str,
        /// What the API server said.
        cause: String,
    },
    /// A port is taken, or may not be used.
    #[error("cannot serve {pages} on port {port}: {cause}\nChoose another port with {flag}, or 0 for none.")]
    Port {
        /// What was to be served.
        pages: &'static str,
        /// The flag that says where.
        flag: &'static str,
        /// The port.
        port: u16,
        /// What happened.
        cause: String,
    },
    /// The lease cannot be had.
    #[error(
        "cannot take part in the election of a leader by the Lease {lease}: {cause}\n\
         Create the namespace and bind the Role of deploy/ in it, name another one in $POD_NAMESPACE, or run a single \
         replica with --leader-elect=false."
    )]
    NoLease {
        /// Where the lease should be.
        lease: ObjectKey,
        /// What the API server said.
        cause: String,
    },
    /// What is needed to take part in the election is not to be had from the system.
    #[error("cannot take part in the election of a leader: {0}")]
    Candidacy(#[source] std::io::Error),
    /// The client cannot be made, e.g. for want of a certificate.
    #[error("cannot use the configuration for {url}: {cause}")]
    Client {
        /// The API server.
        url: String,
        /// What is wrong.
        cause: String,
    },
    /// The signals that end the program cannot be received.
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] std::io::Error),
}

fn group_suffix(group: &str) -> String {
    if group.is_empty() { String::new() } else { format!(" of {group}") }
}

impl StartError {
    /// What a failed list says, if it is about a missing right.
    pub(super) fn of_list(kind: ObjectKind, error: &watcher::Error) -> Option<Self> {
        let (verb, error) = match error {
            watcher::Error::InitialListFailed(error) => ("list", error),
            watcher::Error::WatchStartFailed(error) => ("watch", error),
            watcher::Error::WatchError(_)
            | watcher::Error::WatchFailed(_)
            | watcher::Error::NoResourceVersion => return None,
        };
        let kube::Error::Api(status) = error else {
            return None;
        };
        let of = kind.resource();
        let (resource, group, cause) = (of.plural, of.group, status.message.clone());
        (status.code == 403).then_some(Self::Forbidden { verb, resource, group, cause })
    }
}

/// A cluster, and how its requests are sent and counted.
#[derive(Debug, Clone)]
pub struct Connection {
    config: Config,
    count: CountRequests,
}

impl Connection {
    /// The cluster of `config`. Requests are counted by `count`, and say that they come from `identity`.
    #[must_use]
    pub fn new(mut config: Config, identity: &str, count: CountRequests) -> Self {
        // A retry inside the client would hold up the Rollout for minutes and may repeat a write that was carried out.
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(5));
        // The API server ends each watch after 290 s; a connection that is silent for longer is dead.
        config.read_timeout = Some(Duration::from_mins(5));
        config.reset_reader_on_write = true;
        let agent = format!("serin/{} ({identity})", env!("CARGO_PKG_VERSION"));
        if let Ok(agent) = HeaderValue::from_str(&agent) {
            config.headers.push((USER_AGENT, agent));
        }
        Self { config, count }
    }

    /// Where the API server is.
    #[must_use]
    pub fn url(&self) -> String {
        self.config.cluster_url.to_string()
    }

    /// A client with connections of its own, which sends each request once.
    pub fn client(&self) -> Result<Client, StartError> {
        let failed = |error: kube::Error| StartError::Client { url: self.url(), cause: root_cause(&error) };
        let builder = ClientBuilder::try_from(self.config.clone()).map_err(failed)?;
        Ok(builder.with_layer(&self.count).build())
    }
}

/// Asks the API server at `url` whether it is there and knows the kinds that the controller is for.
pub async fn check(client: &Client, url: &str) -> Result<(), StartError> {
    let discovery = client.list_api_group_resources(keys::API_VERSION);
    let unreachable = |cause: String| StartError::Unreachable { url: url.to_owned(), cause };
    let answer = tokio::time::timeout(FIRST_ANSWER, discovery).await;
    let known =
        match answer.map_err(|_| unreachable(format!("no answer within {} s", FIRST_ANSWER.as_secs())))? {
            Ok(list) => list.resources,
            Err(kube::Error::Api(status)) => {
                let (url, cause) = (url.to_owned(), status.message.clone());
                return match status.code {
                    404 => Err(StartError::NoDefinitions { missing: "the kinds".into() }),
                    401 => Err(StartError::Unauthorized { url, cause }),
                    // Not everybody may look; the first lists will tell.
                    403 => Ok(()),
                    _ => Err(StartError::Unreachable { url, cause }),
                };
            }
            Err(error) => return Err(unreachable(root_cause(&error))),
        };
    for needed in ["rollouts", "rollouts/status"] {
        if !known.iter().any(|resource| resource.name == needed) {
            return Err(StartError::NoDefinitions { missing: format!("the resource {needed}") });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16) -> watcher::Error {
        let status = serde_json::json!({"code": code, "message": "nobody may", "reason": "x"});
        let status = serde_json::from_value(status).expect("a status");
        watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn a_missing_right_names_verb_resource_and_remedy() {
        let error =
            StartError::of_list(ObjectKind::ReplicaSet, &refused(403)).expect("a refusal").to_string();
        assert!(error.starts_with("no right to list replicasets of apps: nobody may\n"), "{error}");
        assert!(error.contains("ClusterRole") && error.contains("deploy/"), "{error}");
        let error = StartError::of_list(ObjectKind::Service, &refused(403)).expect("a refusal").to_string();
        assert!(error.starts_with("no right to list services: "), "{error}");
    }

    #[test]
    fn other_errors_of_a_list_do_not_end_the_program() {
        assert!(StartError::of_list(ObjectKind::Service, &refused(500)).is_none());
        assert!(StartError::of_list(ObjectKind::Service, &watcher::Error::NoResourceVersion).is_none());
    }
}
