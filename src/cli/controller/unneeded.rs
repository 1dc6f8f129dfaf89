//! Flags and variables of the reference that have no effect here: a table, from which the flags are defined.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// The value type of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A number.
    Number,
    /// A string.
    Text,
    /// Strings; the flag is repeatable.
    Texts,
    /// `true` or `false`; `true` without a value.
    Switch,
}

/// A flag that is accepted and has no effect.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) flag: &'static str,
    pub(super) alias: Option<&'static str>,
    pub(super) takes: Takes,
    pub(super) default: &'static str,
    /// The reason why it has no effect.
    pub(super) why: &'static str,
}

const fn row(flag: &'static str, takes: Takes, default: &'static str, why: &'static str) -> Row {
    Row { flag, alias: None, takes, default, why }
}

const NO_LIMIT: &str =
    "requests are limited by the API server's own priority and fairness, and by --rollout-threads";
const ONE_POOL: &str = "--rollout-threads bounds how many objects of all kinds are reconciled at a time";
const NO_ROUTER: &str = "this router is not built yet";
const ONE_QUEUE: &str = "Services and Ingresses are reconciled with the Rollouts that reference them";

/// All such flags.
pub(super) const FLAGS: &[Row] = &[
    row("kloglevel", Takes::Number, "0", "there is one log; --loglevel sets its level"),
    row("qps", Takes::Number, "40", NO_LIMIT),
    row("burst", Takes::Number, "80", NO_LIMIT),
    row("experiment-threads", Takes::Number, "10", ONE_POOL),
    row("analysis-threads", Takes::Number, "30", ONE_POOL),
    row("service-threads", Takes::Number, "10", ONE_QUEUE),
    row("ingress-threads", Takes::Number, "10", ONE_QUEUE),
    row("ephemeral-metadata-threads", Takes::Number, "10", "ten Pods of a Rollout are labelled at a time"),
    row(
        "ephemeral-metadata-update-pod-retries",
        Takes::Number,
        "3",
        "labelling a Pod is retried until it succeeds",
    ),
    Row {
        alias: Some("alb-verify-weight"),
        ..row("aws-verify-target-group", Takes::Switch, "false", NO_ROUTER)
    },
    row("aws-target-group-binding-api-version", Takes::Text, "elbv2.k8s.aws/v1beta1", NO_ROUTER),
    row("alb-tag-key-resource-id", Takes::Text, "ingress.k8s.aws/resource", NO_ROUTER),
    row("alb-ingress-classes", Takes::Texts, "alb", NO_ROUTER),
    row("nginx-ingress-classes", Takes::Texts, "nginx", "Ingresses of every class are watched"),
    row(
        "ingress-api-version",
        Takes::Text,
        "",
        "the version is networking.k8s.io/v1, which every supported cluster has",
    ),
    row("istio-api-version", Takes::Text, "v1alpha3", NO_ROUTER),
    row("ambassador-api-version", Takes::Text, "getambassador.io/v2", NO_ROUTER),
    row("traffic-split-api-version", Takes::Text, "v1alpha1", NO_ROUTER),
    row("traefik-api-group", Takes::Text, "traefik.io", NO_ROUTER),
    row("traefik-api-version", Takes::Text, "traefik.io/v1alpha1", NO_ROUTER),
    row("appmesh-crd-version", Takes::Text, "v1beta2", NO_ROUTER),
    row("self-service-notification-enabled", Takes::Switch, "false", "notifications are not built yet"),
    row("enable-pprof-address", Takes::Text, "", "there is no Go runtime to profile"),
    row("request-timeout", Takes::Text, "0", "a request takes 5 s at most"),
];

/// An environment variable of the reference that has no effect here.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    ("ROLLOUT_VERIFY_RETRY_INTERVAL", "no weight is verified yet"),
    ("ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG", "Jobs of metrics run in the cluster of the controller"),
];

/// The given flags of the table.
#[derive(Debug, Default)]
pub(super) struct Unneeded {
    given: Vec<&'static Row>,
}

impl Unneeded {
    /// One line per given flag and variable, with the reason why it has no effect.
    pub(super) fn notices(&self) -> Vec<String> {
        let flags = self.given.iter().map(|row| format!("--{} has no effect: {}", row.flag, row.why));
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let variables = VARIABLES.iter().filter(|(name, _)| is_set(name));
        flags.chain(variables.map(|(name, why)| format!("${name} has no effect: {why}"))).collect()
    }
}

impl Args for Unneeded {
    fn augment_args(command: Command) -> Command {
        command.next_help_heading("Accepted for compatibility, without effect").args(FLAGS.iter().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Unneeded {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_given = |row: &&Row| matches.value_source(row.flag) == Some(ValueSource::CommandLine);
        Ok(Self { given: FLAGS.iter().filter(is_given).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn arg(row: &Row) -> Arg {
    let arg = Arg::new(row.flag).long(row.flag).default_value(row.default).help(row.why).aliases(row.alias);
    match row.takes {
        Takes::Number => arg.value_name("NUMBER").value_parser(|text: &str| text.parse::<f64>()),
        Takes::Text => arg.value_name("TEXT"),
        Takes::Texts => arg.value_name("TEXT").action(ArgAction::Append),
        Takes::Switch => {
            let arg = arg.value_name("BOOL").value_parser(crate::cli::cluster::switch);
            arg.num_args(0..=1).require_equals(true).default_missing_value("true")
        }
    }
}
