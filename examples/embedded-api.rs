//! An empty embedded Kubernetes API to try clients on: no controllers, no nodes, no pods that run.
//!
//! `cargo run --example embedded-api -- KUBECONFIG` writes the file by which clients find it, and serves until Ctrl-C.

use std::path::PathBuf;

use clap::Parser;
use serin_clock::Clock;
use serin_cluster::api::store::{Settings, Store};
use serin_cluster::http::{Front, Server, ServerSettings};

/// Serves an empty embedded Kubernetes API on the loopback address until Ctrl-C.
#[derive(Debug, Parser)]
struct Options {
    /// Where to write the kubeconfig.
    kubeconfig: PathBuf,

    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Encrypt connections.
    #[arg(long)]
    tls: bool,

    /// Ask for this bearer token.
    #[arg(long)]
    token: Option<String>,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let store = Store::new(&Settings::default(), Clock::System.now());
    let front = Front::new(store, Clock::System);
    let settings = ServerSettings { port: options.port, tls: options.tls, token: options.token };
    let server = Server::start(front, settings).await?;
    std::fs::write(&options.kubeconfig, server.kubeconfig())?;
    println!("{}\nexport KUBECONFIG={}", server.url(), options.kubeconfig.display());
    tokio::signal::ctrl_c().await
}
