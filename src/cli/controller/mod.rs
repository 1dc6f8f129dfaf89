//! `serin controller`: flags, logging and the runtime of the controller.

mod flags;
mod unneeded;

use std::fs;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::cluster::ConfigError;
use flags::{ElectionFlags, LogFormat, LogLevel};
use serin_controller::lease::election::Terms;
use serin_controller::run::{self, ElectionOptions, Options, RunError};
use serin_core::measure::{DatadogAccount, Settings};

pub use flags::Flags;

/// The default namespace of the controller.
const NAMESPACE: &str = "argo-rollouts";
/// File with the namespace of a pod.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The reason why the controller did not run.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// No cluster is configured.
    #[error(transparent)]
    Cluster(#[from] ConfigError),
    /// The durations of the leader election contradict each other.
    #[error("{0}")]
    Terms(&'static str),
    /// The controller did not start, or stopped with an error.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The async runtime could not be created.
    #[error("cannot start threads: {0}")]
    Runtime(#[source] std::io::Error),
}

/// Runs the controller until it receives a stop signal.
pub fn run(flags: Flags) -> Result<(), ControllerError> {
    log_to_stderr(flags.loglevel, flags.logformat);
    for notice in flags.unneeded.notices() {
        tracing::warn!("{notice}");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ControllerError::Runtime)?;
    let done = runtime.block_on(async { Ok(run::run(options(flags).await?).await?) });
    // Pending requests are not awaited.
    runtime.shutdown_background();
    done
}

async fn options(flags: Flags) -> Result<Options, ControllerError> {
    let election = election(&flags.election)?;
    let config = flags.cluster.config().await?;
    if flags.namespace.is_some() && !flags.namespaced {
        tracing::warn!("--namespace has no effect without --namespaced");
    }
    let namespace = flags.namespaced.then(|| flags.namespace.unwrap_or(config.default_namespace.clone()));
    let port = |port: u16| (port != 0).then_some(port);
    Ok(Options {
        config,
        namespace,
        instance_id: Some(flags.instance_id).filter(|id| !id.is_empty()),
        rollout_threads: usize::from(flags.rollout_threads),
        // 0 means never; this duration is practically infinite.
        resync: Duration::from_secs(
            if flags.rollout_resync == 0 { u32::MAX } else { flags.rollout_resync }.into(),
        ),
        healthz_port: port(flags.healthz_port),
        metrics_port: port(flags.metrics_port),
        election,
        settings: settings(),
    })
}

/// The settings of metric providers, from the environment, under the names that the reference uses.
fn settings() -> Settings {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let datadog = || {
        Some(DatadogAccount {
            address: set("DD_ADDRESS")?,
            api_key: set("DD_API_KEY")?,
            app_key: set("DD_APP_KEY")?,
        })
    };
    Settings {
        namespace: own_namespace(),
        prometheus_address: set("ARGO_ROLLOUTS_PROMETHEUS_ADDRESS"),
        job_namespace: set("ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE"),
        datadog: datadog(),
    }
}

fn election(flags: &ElectionFlags) -> Result<Option<ElectionOptions>, ControllerError> {
    if !flags.elect {
        return Ok(None);
    }
    let terms = Terms::new(flags.lease_duration, flags.renew_deadline, flags.retry_period);
    let terms = terms.map_err(ControllerError::Terms)?;
    Ok(Some(ElectionOptions { namespace: own_namespace(), terms }))
}

/// The namespace of this controller.
fn own_namespace() -> String {
    let named = std::env::var("POD_NAMESPACE").ok().or_else(|| fs::read_to_string(NAMESPACE_FILE).ok());
    let named = named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    named.unwrap_or_else(|| NAMESPACE.to_owned())
}

fn log_to_stderr(level: LogLevel, format: LogFormat) {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    // The controller repeats the messages of libraries with context.
    let filter = EnvFilter::new(format!("off,serin={level}"));
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => log.with_ansi(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
