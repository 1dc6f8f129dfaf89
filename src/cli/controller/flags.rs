//! Flags of the controller, named as in the reference.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::unneeded::Unneeded;
use crate::cli::cluster::{ClusterFlags, switch};
use serin_values::duration;

/// Flags of the controller, named as in the reference.
#[derive(Debug, Args)]
pub struct Flags {
    /// Namespace to watch, with --namespaced [default: that of the context]
    #[arg(long, short, value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,
    /// Watch a single namespace; needs no permissions outside of it
    #[arg(long, value_name = "BOOL", value_parser = switch, default_value = "false",
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) namespaced: bool,
    /// Reconcile Rollouts with this value of the label argo-rollouts.argoproj.io/controller-instance-id [default:
    /// those without the label]
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub(super) instance_id: String,
    /// Port of /healthz and /readyz; 0 disables both
    #[arg(long = "healthzPort", value_name = "PORT", default_value_t = 8080)]
    pub(super) healthz_port: u16,
    /// Port of /metrics; 0 disables it
    #[arg(long = "metricsPort", alias = "metricsport", value_name = "PORT", default_value_t = 8090)]
    pub(super) metrics_port: u16,
    /// Number of Rollouts that are reconciled concurrently
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) rollout_threads: u16,
    /// Seconds after which an unchanged Rollout is reconciled again; 0 disables resyncs
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub(super) rollout_resync: u32,
    /// Log level
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(super) loglevel: LogLevel,
    /// Log format [default: text]
    #[arg(long, value_name = "FORMAT", default_value = "", hide_default_value = true)]
    pub(super) logformat: LogFormat,
    /// Controllers to run [default: all that are built]
    #[arg(long, value_name = "NAME", value_parser = only_all)]
    pub(super) controllers: Option<String>,
    #[command(flatten)]
    pub(super) election: ElectionFlags,
    #[command(flatten)]
    pub(super) cluster: ClusterFlags,
    #[command(flatten)]
    pub(super) unneeded: Unneeded,
}

/// Flags of the leader election.
#[derive(Debug, Args)]
pub(super) struct ElectionFlags {
    /// Elect a leader among the replicas, with a Lease in the controller's namespace
    #[arg(long = "leader-elect", value_name = "BOOL", value_parser = switch, default_value = "true",
          num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) elect: bool,
    /// Time after which replicas may replace a leader that does not renew its lease
    #[arg(long = "leader-election-lease-duration", value_name = "DURATION", value_parser = go_duration,
          default_value = "15s")]
    pub(super) lease_duration: Duration,
    /// Time for which a leader tries to renew its lease before it exits
    #[arg(long = "leader-election-renew-deadline", value_name = "DURATION", value_parser = go_duration,
          default_value = "10s")]
    pub(super) renew_deadline: Duration,
    /// Interval for renewing or checking the lease
    #[arg(long = "leader-election-retry-period", value_name = "DURATION", value_parser = go_duration,
          default_value = "2s")]
    pub(super) retry_period: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogLevel {
    #[value(aliases = ["panic", "fatal"])]
    Error,
    #[value(alias = "warning")]
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    #[value(alias = "")]
    Text,
    Json,
}

/// Parses a Go duration that must be longer than 0.
fn go_duration(text: &str) -> Result<Duration, String> {
    let duration = duration::go_duration(text).and_then(|duration| Duration::try_from(duration).ok());
    duration.filter(|d| !d.is_zero()).ok_or_else(|| "expected a duration such as 15s or 1m30s".to_owned())
}

/// Refuses the only other value of the reference, which selects a controller that is not built. Running all
/// controllers instead would be unexpected.
fn only_all(name: &str) -> Result<String, String> {
    Err(if name == "analysis" {
        "a controller of AnalysisRuns alone is not built yet".into()
    } else {
        "invalid value; leave the flag out to run all controllers".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command, CommandFactory, Parser};

    use super::super::unneeded;
    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        flags: Flags,
    }

    /// Flags of the reference that have an effect here: name, deprecated alias, default.
    const USED: [(&str, Option<&str>, &str); 34] = [
        ("rollout-resync", None, "900"),
        ("namespaced", None, "false"),
        ("loglevel", None, "info"),
        ("logformat", None, ""),
        ("metricsPort", Some("metricsport"), "8090"),
        ("healthzPort", None, "8080"),
        ("instance-id", None, ""),
        ("rollout-threads", None, "10"),
        ("leader-elect", None, "true"),
        ("leader-election-lease-duration", None, "15s"),
        ("leader-election-renew-deadline", None, "10s"),
        ("leader-election-retry-period", None, "2s"),
        ("controllers", None, ""),
        ("namespace", None, ""),
        ("kubeconfig", None, ""),
        ("context", None, ""),
        ("cluster", None, ""),
        ("user", None, ""),
        ("server", None, ""),
        ("tls-server-name", None, ""),
        ("insecure-skip-tls-verify", None, "false"),
        ("certificate-authority", None, ""),
        ("proxy-url", None, ""),
        ("disable-compression", None, "false"),
        ("client-certificate", None, ""),
        ("client-key", None, ""),
        ("token", None, ""),
        ("username", None, ""),
        ("password", None, ""),
        ("as", None, ""),
        ("as-group", None, ""),
        ("as-uid", None, ""),
        ("help", None, ""),
        ("version", None, ""),
    ];

    fn command() -> Command {
        let mut command = Cli::command().version("1");
        command.build();
        command
    }

    fn parse(args: &[&str]) -> Result<Flags, clap::Error> {
        Cli::try_parse_from(["controller"].iter().chain(args)).map(|cli| cli.flags)
    }

    fn default_of(arg: &Arg) -> String {
        let values = arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned());
        if arg.get_num_args().is_some_and(|n| !n.takes_values()) { String::new() } else { values.collect() }
    }

    #[test]
    fn every_flag_of_the_reference_is_accepted_with_its_default_and_its_alias() {
        let of_table = unneeded::FLAGS.iter().map(|row| (row.flag, row.alias, row.default));
        let expected: Vec<_> = USED.into_iter().chain(of_table).collect();
        let command = command();
        for (name, alias, default) in &expected {
            let arg = command.get_arguments().find(|arg| arg.get_long() == Some(name));
            let arg = arg.unwrap_or_else(|| panic!("--{name} is not there"));
            assert_eq!(default_of(arg), *default, "--{name}");
            assert_eq!(arg.get_all_aliases().unwrap_or_default(), alias.iter().copied().collect::<Vec<_>>());
            assert!(arg.get_help().is_some(), "--{name} says nothing about itself");
        }
        assert_eq!(command.get_arguments().count(), expected.len(), "a flag that is not in the table");
    }

    #[test]
    fn switches_are_set_as_in_go() {
        let flags = parse(&["--namespaced", "--leader-elect=F"]).expect("flags");
        assert!(flags.namespaced && !flags.election.elect);
        let flags = parse(&["--namespaced=false", "--leader-elect"]).expect("flags");
        assert!(!flags.namespaced && flags.election.elect);
        assert!(parse(&["--leader-elect=maybe"]).is_err());
    }

    #[test]
    fn values_are_those_of_the_reference() {
        let flags = parse(&["--loglevel", "warning", "--logformat", "json", "--metricsport", "1"]);
        let flags = flags.expect("flags");
        assert_eq!(
            (flags.loglevel, flags.logformat, flags.metrics_port),
            (LogLevel::Warn, LogFormat::Json, 1)
        );
        assert_eq!(parse(&[]).expect("flags").logformat, LogFormat::Text);
        let flags = parse(&["--leader-election-lease-duration", "1m30s"]).expect("flags");
        assert_eq!(flags.election.lease_duration, Duration::from_secs(90));
        for wrong in [
            ["--leader-election-retry-period", "2"],
            ["--leader-election-retry-period", "-2s"],
            ["--rollout-threads", "0"],
            ["--qps", "many"],
            ["--controllers", "analysis"],
        ] {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_flag_without_effect_says_so_once_it_is_given() {
        let notices = |args: &[&str]| parse(args).expect("flags").unneeded.notices();
        assert!(notices(&["--rollout-threads", "3"]).is_empty());
        let given = notices(&["--qps", "100", "--alb-verify-weight", "--nginx-ingress-classes", "a"]);
        let begins: Vec<_> = given.iter().map(|line| line.split(':').next().unwrap_or_default()).collect();
        let expected = ["qps", "aws-verify-target-group", "nginx-ingress-classes"];
        assert_eq!(begins, expected.map(|flag| format!("--{flag} has no effect")));
    }

    #[test]
    fn an_unknown_flag_is_an_error_that_names_the_nearest() {
        let error = parse(&["--rollout-thread", "3"]).expect_err("it is unknown").to_string();
        assert!(error.contains("'--rollout-threads'"), "{error}");
    }
}
