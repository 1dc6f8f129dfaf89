//! Errors of the playground.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use serin_controller::failure::root_cause;
use serin_controller::run::RunError;

/// The reason why the playground stopped.
#[derive(Debug, Error)]
pub enum PlaygroundError {
    /// The operating system refuses a thread, a socket or a signal handler.
    #[error("cannot run: {0}")]
    Runtime(io::Error),
    /// A port is in use or not permitted.
    #[error("{cause}; choose another port with {flag}, or 0 for a free one")]
    Listen {
        /// The flag that names the port.
        flag: &'static str,
        /// The system's message and the address.
        cause: io::Error,
    },
    /// The terminal cannot be written to.
    #[error("the terminal: {0}")]
    Terminal(io::Error),
    /// The controller failed to start or stopped.
    #[error("the controller: {0}")]
    Controller(RunError),
    /// A file cannot be read or written.
    #[error("{path}: {cause}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's message.
        cause: io::Error,
    },
    /// A manifest is invalid.
    #[error("{source_name}: {problem}")]
    Manifest {
        /// File and, if known, line.
        source_name: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// The generated kubeconfig is unreadable.
    #[error("the kubeconfig: {0}")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// The embedded API refused a request.
    #[error("the embedded API: {}", said(.0))]
    Api(#[from] kube::Error),
    /// The story had another outcome than expected.
    #[error("the story failed: {0}")]
    Story(String),
}

/// The API's message, or the reason why there was no response.
pub(super) fn said(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error { status.message.clone() } else { root_cause(error) }
}
