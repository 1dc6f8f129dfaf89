//! A Kubernetes API on this machine to try things on: etcd, kube-apiserver, kube-controller-manager, a kubelet that makes
//! pods ready, the custom resources, and the controller.
//!
//! `cargo build && cargo run --example testbed` holds it all up until Ctrl-C or the end of its input; whatever it started
//! ends with it, however it ends.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serin_cluster::kubelet::KubeletSettings;
use serin_testbed::{ControlPlane, Held, PlaneError};

/// Holds a Kubernetes API with the Serin controller up until Ctrl-C or the end of its input.
#[derive(Debug, Parser)]
struct Options {
    /// How long a pod takes from its binding until it runs: `2500ms`, `2s`, `0`.
    #[arg(long, value_parser = duration, default_value = "2500ms")]
    start_latency: Duration,

    /// How long a pod takes from its deletion until it is gone: `1s`, `500ms`, `0`.
    #[arg(long, value_parser = duration, default_value = "1s")]
    drain: Duration,

    /// Do not start the controller, but leave its place to another.
    #[arg(long)]
    no_controller: bool,

    /// Arguments for the controller, after `--`.
    #[arg(last = true)]
    controller_args: Vec<String>,
}

/// `2500ms`, `2s`, `1m` or `0`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let wrong =
        || format!("{text:?} is no duration; write a whole number with ms, s or m, such as 2500ms, 2s or 0");
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number * 60)),
        "" if number == 0 => Ok(Duration::ZERO),
        _ => Err(wrong()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match hold(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn hold(options: Options) -> Result<(), PlaneError> {
    let program = if options.no_controller { None } else { Some(serin()?) };
    let plane = ControlPlane::start().await?;
    plane.install().await?;
    let settings = KubeletSettings {
        start_latency: options.start_latency,
        drain: options.drain,
        ..KubeletSettings::default()
    };
    let _kubelet = plane.start_kubelet(settings).await?;
    let mut controller = match program {
        Some(program) => {
            let args: Vec<&str> = options.controller_args.iter().map(String::as_str).collect();
            Some(plane.start_controller(&program, &args)?)
        }
        None => None,
    };
    explain(&plane, controller.is_some());
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        () = end_of_input() => Ok(()),
        status = end_of(&mut controller) => {
            let log = plane.directory().join("controller-1.log");
            let said = std::fs::read_to_string(log).unwrap_or_default();
            Err(PlaneError::Failed(format!("the controller ended: {status}\n{}", said.trim_end())))
        }
    }
}

/// The binary of the same build as this example.
fn serin() -> Result<PathBuf, PlaneError> {
    let example = std::env::current_exe()?;
    let profile = example.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let program = profile.join("serin");
    if program.is_file() {
        return Ok(program);
    }
    Err(PlaneError::Failed(format!("{} is not there; `cargo build` makes it", program.display())))
}

fn explain(plane: &ControlPlane, has_controller: bool) {
    let kubectl = plane.kubectl_program();
    println!(
        "A Kubernetes API is up, with pods that become ready{}.",
        if has_controller { ", and the controller" } else { "" }
    );
    println!();
    println!("  export KUBECONFIG={}", plane.admin_kubeconfig().display());
    println!("  {} get pods --all-namespaces", kubectl.display());
    println!();
    println!("The controller's kubeconfig, with the rights that deploy/ grants:");
    println!("  {}", plane.serin_kubeconfig().display());
    println!("Logs of the servers{}:", if has_controller { " and the controller" } else { "" });
    println!("  {}/*.log", plane.directory().display());
    println!();
    println!("Ctrl-C, or the end of the input, ends it all.");
}

/// Returns when the standard input has ended. A thread of its own reads it, because a read cannot be called off and would
/// hold the runtime up at the end.
async fn end_of_input() {
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _all = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(ended);
    });
    // The other end sends nothing: that it is gone is the news.
    let _gone = end.await;
}

/// Returns how the controller ended, if there is one and it does.
async fn end_of(controller: &mut Option<Held>) -> String {
    let Some(held) = controller else {
        return std::future::pending().await;
    };
    loop {
        match held.wait(Duration::from_hours(1)).await {
            Ok(None) => {}
            Ok(Some(status)) => return status.to_string(),
            Err(error) => return error.to_string(),
        }
    }
}
