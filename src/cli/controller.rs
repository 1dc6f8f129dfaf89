//! `serin controller`: flags, logging and the runtime of the controller.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use tracing_subscriber::EnvFilter;

use crate::controller::failure::root_cause;
use crate::controller::run::{self, Options};
use crate::controller::start::StartError;

/// The flags of the controller, named as those of the reference.
#[derive(Debug, Args)]
pub struct Flags {
    /// File with clusters, users and contexts [default: $KUBECONFIG, ~/.kube/config, or the cluster that this runs in]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current context]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Namespace to look after, with --namespaced [default: that of the context]
    #[arg(long, short, value_name = "NAMESPACE", requires = "namespaced")]
    namespace: Option<String>,
    /// Look after one namespace only; needs no rights outside of it
    #[arg(long)]
    namespaced: bool,
    /// Port of /healthz and /readyz; 0 serves neither
    #[arg(long = "healthzPort", value_name = "PORT", default_value_t = 8080)]
    healthz_port: u16,
    /// How many Rollouts are reconciled at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    rollout_threads: u16,
    /// How much is logged
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    loglevel: LogLevel,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    logformat: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogLevel {
    Error,
    #[value(alias = "warning")]
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// Why the controller did not run.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// No cluster is configured.
    #[error(
        "no cluster to work on: {kubeconfig}; and this is not a pod of a cluster: {in_cluster}\n\
         Name a kubeconfig with --kubeconfig or in $KUBECONFIG."
    )]
    NoCluster {
        /// What is wrong with the kubeconfig.
        kubeconfig: String,
        /// What is missing of a pod's environment.
        in_cluster: String,
    },
    /// The kubeconfig cannot be used.
    #[error(
        "cannot use the kubeconfig {place}: {cause}\n\
         Name another one with --kubeconfig or in $KUBECONFIG, or another context with --context."
    )]
    Kubeconfig {
        /// The file, or the list of files of `$KUBECONFIG`.
        place: String,
        /// What is wrong with it.
        cause: String,
    },
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The runtime could not be made.
    #[error("cannot start threads: {0}")]
    Runtime(#[source] std::io::Error),
}

/// Runs the controller until it is told to stop.
pub fn run(flags: Flags) -> Result<(), ControllerError> {
    log_to_stderr(flags.loglevel, flags.logformat);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ControllerError::Runtime)?;
    let done = runtime.block_on(async {
        let config = config(flags.kubeconfig, flags.context).await?;
        let namespace = flags.namespaced.then(|| flags.namespace.unwrap_or(config.default_namespace.clone()));
        let options = Options {
            config,
            namespace,
            rollout_threads: usize::from(flags.rollout_threads),
            healthz_port: (flags.healthz_port != 0).then_some(flags.healthz_port),
        };
        Ok(run::run(options).await?)
    });
    // Whatever still waits for an answer is not waited for.
    runtime.shutdown_background();
    done
}

/// Where the cluster is: as the flags say, else as `$KUBECONFIG` or `~/.kube/config`, else the one around this pod.
async fn config(file: Option<PathBuf>, context: Option<String>) -> Result<Config, ControllerError> {
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    if let Some(file) = file {
        let failed = |error: KubeconfigError| unusable(&error, || file.display().to_string());
        let kubeconfig = Kubeconfig::read_from(&file).map_err(failed)?;
        return Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(failed);
    }
    let chosen = options.context.is_some();
    let error = match Config::from_kubeconfig(&options).await {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    let is_absent = matches!(&error, KubeconfigError::ReadConfig(cause, _) if cause.kind() == std::io::ErrorKind::NotFound)
        || matches!(error, KubeconfigError::FindPath);
    let named = std::env::var("KUBECONFIG").ok().filter(|paths| !paths.is_empty());
    if chosen || named.is_some() || !is_absent {
        return Err(unusable(&error, || named.unwrap_or_else(|| DEFAULT_KUBECONFIG.into())));
    }
    let kubeconfig = || format!("{}: {}", place(&error, || DEFAULT_KUBECONFIG.into()), cause(&error));
    let in_cluster = |error: &(dyn std::error::Error + 'static)| match std::env::var_os(SERVICE_HOST) {
        Some(_) => root_cause(error),
        None => format!("${SERVICE_HOST} is not set"),
    };
    Config::incluster().map_err(|error| ControllerError::NoCluster {
        kubeconfig: kubeconfig(),
        in_cluster: in_cluster(&error),
    })
}

const DEFAULT_KUBECONFIG: &str = "~/.kube/config";
/// Set in every pod.
const SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";

fn unusable(error: &KubeconfigError, named: impl FnOnce() -> String) -> ControllerError {
    ControllerError::Kubeconfig { place: place(error, named), cause: cause(error) }
}

/// The file that the error is about: the one that was `named`, or the one of several that could not be read.
fn place(error: &KubeconfigError, named: impl FnOnce() -> String) -> String {
    if let KubeconfigError::ReadConfig(_, path) = error { path.display().to_string() } else { named() }
}

fn cause(error: &KubeconfigError) -> String {
    if let KubeconfigError::CurrentContextNotSet = error {
        return "it has no current context".into();
    }
    if let KubeconfigError::LoadContext(context) = error {
        return format!(
            "it has no context {context:?}; `kubectl config get-contexts` lists those that it has"
        );
    }
    // An error in the YAML ends with a picture of the place.
    root_cause(error).lines().next().unwrap_or_default().to_owned()
}

fn log_to_stderr(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // What the libraries have to say is said again, with its context, by the controller.
    let filter = EnvFilter::new(format!("off,serin={level}"));
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => log.with_ansi(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
