//! Failures of user commands, and their exit codes.

use kube::core::Status;

use super::cluster::ConfigError;
pub(super) use super::program::Program;
use serin_controller::failure::root_cause;
use serin_core::api::keys;

/// The reason why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// A reason without an exit code of its own.
    #[error("{0}")]
    Failed(String),
    /// The arguments are invalid in combination.
    #[error("{0}")]
    Usage(String),
    /// Someone else changed the object in the meantime.
    #[error("{0}")]
    Conflict(String),
    /// The cluster does not have this kind.
    #[error("the cluster has no kind {0}; `serin crds` prints its definition")]
    UnknownKind(String),
    /// No one reads the output any more.
    #[error("the output is closed")]
    Unread,
    /// The object does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The user is not allowed to do this.
    #[error("{0}")]
    Refused(String),
    /// The API server did not answer in time.
    #[error("{0}")]
    TimedOut(String),
    /// The Rollout is Degraded.
    #[error("The rollout is in a degraded state with message: {0}")]
    Degraded(String),
    /// The Rollout is waiting for a user.
    #[error("the rollout is paused: {0}")]
    Paused(String),
    /// The Rollout is progressing.
    #[error("the rollout is progressing: {0}")]
    Progressing(String),
    /// Several objects failed, each for its own reason. The first one determines the exit code.
    #[error("{}", lines(.0))]
    Several(Vec<Failure>),
    /// The Rollout was not Healthy within the timeout.
    #[error("Rollout status watch exceeded timeout")]
    TimeLimit,
}

impl Failure {
    /// Returns `Ok` if there are no failures, and one combined failure otherwise.
    pub(super) fn together(mut failures: Vec<Self>) -> Result<(), Self> {
        match failures.pop() {
            None => Ok(()),
            Some(only) if failures.is_empty() => Err(only),
            Some(last) => {
                failures.push(last);
                Err(Self::Several(failures))
            }
        }
    }

    /// The individual failures.
    pub(super) fn complaints(&self) -> &[Self] {
        if let Self::Several(failures) = self { failures } else { std::slice::from_ref(self) }
    }

    /// The failure for an object that was deleted while it was watched.
    pub(super) fn deleted(kind: &str, name: &str) -> Self {
        Self::NotFound(format!("the {kind} {name:?} was deleted"))
    }

    /// The exit code.
    #[must_use]
    pub(super) fn code(&self, program: Program) -> u8 {
        let code = self.own_code();
        if program.is_plugin() { code.min(1) } else { code }
    }

    /// The exit code under the names `serin` and `kubectl-serin`.
    fn own_code(&self) -> u8 {
        match self {
            Self::Unread => 0,
            Self::Failed(_) | Self::Conflict(_) | Self::UnknownKind(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Refused(_) => 4,
            Self::TimedOut(_) => 5,
            Self::Degraded(_) => 10,
            Self::Paused(_) => 11,
            Self::Progressing(_) => 12,
            Self::TimeLimit => 124,
            Self::Several(failures) => failures.first().map_or(1, Self::own_code),
        }
    }

    /// The same failure for an object that is not a Rollout.
    pub(super) fn about(self, kind: &str) -> Self {
        if let Self::UnknownKind(_) = self { Self::UnknownKind(kind.to_owned()) } else { self }
    }

    /// True if the API server does not have the requested kind.
    pub(super) fn is_unknown_kind(error: &kube::Error) -> bool {
        matches!(error, kube::Error::Api(status) if status.code == 404 && !names_object(status))
    }
}

fn lines(failures: &[Failure]) -> String {
    let lines: Vec<String> = failures.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn names_object(status: &Status) -> bool {
    status.details.as_ref().is_some_and(|details| !details.name.is_empty())
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        let is_unknown_kind = Self::is_unknown_kind(&error);
        let kube::Error::Api(status) = &error else {
            return Self::Failed(format!("cannot reach the Kubernetes API server: {}", root_cause(&error)));
        };
        match status.code {
            404 if is_unknown_kind => Self::UnknownKind(keys::ROLLOUT.to_owned()),
            404 => Self::NotFound(status.message.clone()),
            409 => Self::Conflict(status.message.clone()),
            403 => Self::Refused(status.message.clone()),
            504 => Self::TimedOut(status.message.clone()),
            _ => Self::Failed(status.message.clone()),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_which_program_it_is() {
        for (path, program) in [
            ("/usr/bin/serin", Program::Serin),
            ("kubectl-serin", Program::KubectlSerin),
            ("./renamed", Program::Serin),
            ("/root/.krew/bin/kubectl-argo-rollouts", Program::Plugin),
            ("C:\\bin\\kubectl-argo-rollouts.exe", Program::Plugin),
        ] {
            assert_eq!(Program::of(path), program, "{path}");
        }
    }

    #[test]
    fn each_answer_of_the_api_server_has_its_code() {
        for (code, exit) in [(403, 4), (409, 1), (422, 1), (504, 5)] {
            let status = Status { message: "why".to_owned(), code, ..Status::default() };
            let failure = Failure::from(kube::Error::Api(status.boxed()));
            assert_eq!((failure.to_string().as_str(), failure.code(Program::Serin)), ("why", exit), "{code}");
            assert_eq!(failure.code(Program::Plugin), 1, "{code}");
        }
    }

    #[test]
    fn the_first_of_several_failures_decides_about_the_code() {
        let failures = vec![Failure::Refused("one".to_owned()), Failure::NotFound("two".to_owned())];
        let together = Failure::together(failures).unwrap_err();
        assert_eq!((together.to_string().as_str(), together.code(Program::Serin)), ("one\ntwo", 4));
        assert_eq!(together.code(Program::Plugin), 1);
    }
}
