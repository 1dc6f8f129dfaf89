//! Commands that are printed for a user to run: they reach the cluster that the command at hand reached.

use std::fmt::Write as _;

use super::failure::Program;

/// The flags about the cluster that a user gave, for a shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Each with a space before it.
    flags: String,
    /// The proxy, for which kubectl has no flag.
    proxy: Option<String>,
}

impl Given {
    /// The flag of that name, if there is a value. Of a secret only a word that stands for it.
    pub(super) fn with(mut self, flag: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            let _ = write!(self.flags, " --{flag}={}", quoted(value));
        }
        self
    }

    /// The flag of that name, which has no value, if it is on.
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

/// A word as a shell reads it. No argument of a process has the one character that cannot be quoted.
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
