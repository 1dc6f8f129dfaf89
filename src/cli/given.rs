//! Flags that make printed commands reach the same cluster as the current command.

use std::fmt::Write as _;

use super::program::Program;

/// The given flags that select the cluster, quoted for a shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// The flags, each with a leading space.
    flags: String,
    /// The proxy, for which kubectl has no flag.
    proxy: Option<String>,
}

impl Given {
    /// Adds a flag if it has a value. A placeholder replaces each secret.
    pub(super) fn with(mut self, flag: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            let _ = write!(self.flags, " --{flag}={}", quoted(value));
        }
        self
    }

    /// Adds a flag without a value if it is on.
    pub(super) fn with_switch(mut self, flag: &str, is_on: bool) -> Self {
        if is_on {
            let _ = write!(self.flags, " --{flag}");
        }
        self
    }

    /// The proxy.
    pub(super) fn through(self, proxy: Option<&str>) -> Self {
        Self { proxy: proxy.map(quoted), ..self }
    }

    /// A command of this program.
    #[must_use]
    pub(super) fn own(&self, program: Program, words: &str) -> String {
        let proxy = self.proxy.iter().map(|proxy| format!(" --proxy-url={proxy}"));
        format!("{} {words}{}{}", program.command(), self.flags, proxy.collect::<String>())
    }

    /// A command of kubectl.
    #[must_use]
    pub(super) fn kubectl(&self, words: &str) -> String {
        let proxy = self.proxy.iter().map(|proxy| format!("HTTPS_PROXY={proxy} "));
        format!("{}kubectl {words}{}", proxy.collect::<String>(), self.flags)
    }
}

/// Quotes a word for a shell. Process arguments cannot contain the NUL character, which cannot be quoted.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_said_again_for_a_shell() {
        let none = Given::default();
        assert_eq!(none.own(Program::Serin, "undo a -n b"), "serin undo a -n b");
        assert_eq!(none.kubectl("get pods"), "kubectl get pods");
        let given =
            Given::default().with("context", Some("it's")).with_switch("sure", true).with("user", None);
        let given = given.with_switch("other", false).through(Some("http://a b"));
        assert_eq!(
            given.own(Program::Plugin, "undo a"),
            r#"kubectl argo rollouts undo a --context="it's" --sure --proxy-url='http://a b'"#
        );
        assert_eq!(
            given.kubectl("get pods"),
            r#"HTTPS_PROXY='http://a b' kubectl get pods --context="it's" --sure"#
        );
    }
}
