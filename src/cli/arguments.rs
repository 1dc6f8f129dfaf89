//! Moves flags that stand before the verb: `kubectl argo rollouts -n shop get rollout cart`.

use std::ffi::OsString;

use clap::{Args, Command};

use super::client::UserFlags;

/// Returns the arguments in the order that clap expects. Each verb defines the flags of kubectl, so flags before the
/// verb are moved behind it. Arguments that are not understood keep their place, and clap reports them.
pub(super) fn in_order(command: &Command, arguments: Vec<OsString>) -> Vec<OsString> {
    let flags = UserFlags::augment_args(Command::new("flags"));
    let flags = flags.allow_external_subcommands(true).disable_help_flag(true).disable_version_flag(true);
    let Ok(matches) = flags.try_get_matches_from(&arguments) else { return arguments };
    let Some((verb, rest)) = matches.subcommand() else { return arguments };
    let behind = rest.get_many::<OsString>("").map_or(0, Iterator::count);
    let (before, words) = arguments.split_at(arguments.len() - behind - 1);
    debug_assert!(words.first().is_some_and(|word| word == verb));
    let (program, leading) = before.split_at(1);
    let (verbs, others) = words.split_at(verbs(command, words));
    [program, verbs, leading, others].concat()
}

/// Counts the first words that name a command and its subcommands.
fn verbs(command: &Command, words: &[OsString]) -> usize {
    let below = words.first().and_then(|word| command.find_subcommand(word));
    below.map_or(0, |command| 1 + verbs(command, &words[1..]))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    #[test]
    fn flags_of_kubectl_may_stand_before_the_verb() {
        for (given, read) in [
            ("get rollout a -n x", "get rollout a -n x"),
            ("-n x get rollout a", "get rollout -n x a"),
            ("--namespace=x --context c get ro a", "get ro --namespace=x --context c a"),
            ("-n x status a -n y", "status -n x a -n y"),
            ("--as jane set image a b=c", "set image --as jane a b=c"),
            ("-n x", "-n x"),
            ("--no-such-flag get", "--no-such-flag get"),
            ("-n x no-such-verb", "-n x no-such-verb"),
            ("--help", "--help"),
            ("", ""),
        ] {
            let words = |text: &str| -> Vec<OsString> {
                std::iter::once("serin").chain(text.split_whitespace()).map(OsString::from).collect()
            };
            assert_eq!(in_order(&Cli::command(), words(given)), words(read), "{given}");
        }
    }
}
