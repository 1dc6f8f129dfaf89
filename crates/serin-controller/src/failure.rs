//! What an error of the client means for a plan.

use serin_machine::failure::WriteError;

/// Why a request did not do what it was sent for.
#[must_use]
pub fn write_error(error: &kube::Error) -> WriteError {
    if let kube::Error::Api(status) = error {
        WriteError::from(&**status)
    } else {
        WriteError::Transient(root_cause(error))
    }
}

/// The innermost of a chain of errors, which is the one that says what happened.
#[must_use]
pub fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_an_answer_is_transient() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let error = write_error(&kube::Error::Service(Box::new(refused)));
        assert_eq!(error, WriteError::Transient("connection refused".into()));
    }
}
