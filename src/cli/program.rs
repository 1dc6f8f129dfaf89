//! The names under which the program is called.

/// The name under which the program was called. Exit codes and messages depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// `serin`.
    Serin,
    /// `kubectl serin`: the same, as a kubectl plugin.
    KubectlSerin,
    /// `kubectl argo rollouts`: replaces the reference's plugin, which has the exit codes 0 and 1 only.
    Plugin,
}

impl Program {
    /// The program for an executable path.
    #[must_use]
    pub(super) fn of(path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.strip_suffix(".exe").unwrap_or(name);
        let named = [Self::KubectlSerin, Self::Plugin].into_iter().find(|program| program.name() == name);
        named.unwrap_or(Self::Serin)
    }

    /// True for the name of the reference's plugin, whose behaviour, output and exit codes apply.
    #[must_use]
    pub(super) const fn is_plugin(self) -> bool {
        match self {
            Self::Serin | Self::KubectlSerin => false,
            Self::Plugin => true,
        }
    }

    /// The name of the executable.
    #[must_use]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Serin => "serin",
            Self::KubectlSerin => "kubectl-serin",
            Self::Plugin => "kubectl-argo-rollouts",
        }
    }

    /// The command that users type.
    #[must_use]
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Serin => "serin",
            Self::KubectlSerin => "kubectl serin",
            Self::Plugin => "kubectl argo rollouts",
        }
    }

    /// The prefix of failure messages.
    #[must_use]
    pub(super) const fn complaint(self) -> &'static str {
        if self.is_plugin() { "Error" } else { "serin" }
    }

    /// The exit code for wrong arguments.
    #[must_use]
    pub(super) const fn usage_code(self) -> u8 {
        if self.is_plugin() { 1 } else { 2 }
    }
}
