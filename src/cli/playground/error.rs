//! Why the playground cannot go on.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::controller::failure::root_cause;
use crate::controller::run::RunError;

/// Why the playground cannot go on.
#[derive(Debug, Error)]
pub enum PlaygroundError {
    /// The system refuses a thread, a socket or a signal.
    #[error("cannot run: {0}")]
    Runtime(io::Error),
    /// A port is taken, or may not be used.
    #[error("{cause}; choose another port with {flag}, or 0 for one that is free")]
    Listen {
        /// The flag that names the port.
        flag: &'static str,
        /// What the system said, and about which address.
        cause: io::Error,
    },
    /// The terminal cannot be written to.
    #[error("the terminal: {0}")]
    Terminal(io::Error),
    /// The controller did not start, or ended.
    #[error("the controller: {0}")]
    Controller(RunError),
    /// A file cannot be read or written.
    #[error("{path}: {cause}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A manifest is not what it should be.
    #[error("{source_name}: {problem}")]
    Manifest {
        /// File and, where it is known, line.
        source_name: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The kubeconfig that was written cannot be read.
    #[error("the kubeconfig: {0}")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// The embedded API refused a request.
    #[error("the embedded API: {}", said(.0))]
    Api(#[from] kube::Error),
    /// What happened is not what the story says.
    #[error("the story went wrong: {0}")]
    Story(String),
}

/// What the API said, or else what kept it from saying anything.
pub(super) fn said(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error { status.message.clone() } else { root_cause(error) }
}
