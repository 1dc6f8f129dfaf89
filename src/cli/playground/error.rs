//! Why the playground cannot go on.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the playground cannot go on.
#[derive(Debug, Error)]
pub enum PlaygroundError {
    /// The system refuses a thread, a socket or a signal.
    #[error("cannot run: {0}")]
    Runtime(io::Error),
    /// A port is taken.
    #[error("{0}; choose another port with --port or --api-port")]
    Listen(io::Error),
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
    #[error("the embedded API: {0}")]
    Api(#[from] kube::Error),
    /// What happened is not what the story says.
    #[error("the story went wrong: {0}")]
    Story(String),
}
