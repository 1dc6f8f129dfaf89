//! Errors of starting and using a control plane.

use std::io;

/// Why there is no control plane.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// Nothing to start it from; the message says what would help.
    #[error("{0}")]
    Unavailable(String),
    /// It should have worked.
    #[error("{0}")]
    Failed(String),
}

impl From<io::Error> for PlaneError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<kube::Error> for PlaneError {
    fn from(error: kube::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
