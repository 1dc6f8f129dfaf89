//! The parts of a description: sentences, and commands to run.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::failure::Program;
use crate::cli::given::Given;

/// A command that helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::cli::explain) struct Command {
    /// The command line.
    pub run: String,
    /// The purpose, as in "to end the pause".
    pub to: String,
}

/// The context of printed commands.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli::explain) struct Speaker<'a> {
    /// The name under which the program was called.
    pub(in crate::cli::explain) program: Program,
    /// Namespace of the Rollout.
    pub namespace: &'a str,
    /// Name of the Rollout.
    pub rollout: &'a str,
    /// The flags that selected the cluster.
    pub(in crate::cli::explain) given: &'a Given,
}

/// The description of a cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli::explain) struct Words {
    /// The cause and its reason, in sentences.
    pub because: String,
    /// Commands that help, the recommended one first.
    pub commands: Vec<Command>,
}

impl Words {
    pub(super) fn new(because: impl Into<String>) -> Self {
        Self { because: because.into(), commands: Vec::new() }
    }

    pub(super) fn with(self, command: Command) -> Self {
        self.with_all(vec![command])
    }

    pub(super) fn with_all(mut self, commands: Vec<Command>) -> Self {
        self.commands.extend(commands);
        self
    }
}

impl Speaker<'_> {
    /// A command of this program for the Rollout. `verb` may have arguments after the name, behind a `|`.
    pub(super) fn own(&self, verb: &str, to: &str) -> Command {
        let (verb, arguments) = verb.split_once('|').unwrap_or((verb, ""));
        let (name, namespace) = (self.rollout, self.namespace);
        let words = format!("{verb} {name}{arguments} -n {namespace}");
        Command { run: self.given.own(self.program, &words), to: to.to_owned() }
    }

    pub(super) fn kubectl(&self, arguments: &str, to: &str) -> Command {
        let words = format!("{arguments} -n {}", self.namespace);
        Command { run: self.given.kubectl(&words), to: to.to_owned() }
    }

    /// The command that edits an object.
    pub(super) fn edit_object(&self, kind: &str, name: &str, to: &str) -> Command {
        self.kubectl(&format!("edit {} {name}", kind.to_lowercase()), to)
    }

    /// The edit that names another object in a field of the Rollout.
    pub(super) fn rename(&self, field: &str) -> Command {
        self.edit_object("Rollout", self.rollout, &format!("use another one in {field}"))
    }

    pub(super) fn edit(&self) -> Command {
        self.edit_object(
            "Rollout",
            self.rollout,
            "correct the live Rollout, unless it is applied from a \
                                                   file",
        )
    }
}

/// Adds a full stop if there is none.
pub(in crate::cli::explain) fn sentence(text: &str) -> String {
    format!("{}.", text.trim().trim_end_matches('.'))
}

/// Formats a time in UTC.
#[must_use]
pub(in crate::cli::explain) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaker(given: &Given) -> Speaker<'_> {
        Speaker { program: Program::Serin, namespace: "shop", rollout: "demo", given }
    }

    #[test]
    fn commands_say_program_verb_rollout_and_namespace() {
        let given = Given::default();
        let line = |program| Speaker { program, ..speaker(&given) }.own("set image| web=IMAGE", "").run;
        assert_eq!(line(Program::Serin), "serin set image demo web=IMAGE -n shop");
        assert_eq!(line(Program::KubectlSerin), "kubectl serin set image demo web=IMAGE -n shop");
        assert_eq!(line(Program::Plugin), "kubectl argo rollouts set image demo web=IMAGE -n shop");
        assert_eq!(speaker(&given).kubectl("get pods", "").run, "kubectl get pods -n shop");
    }
}
