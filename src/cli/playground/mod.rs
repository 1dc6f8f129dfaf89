//! `serin playground`: the whole system on one machine without Kubernetes: an embedded API and its actors, pods that
//! answer HTTP, an ingress proxy, and the controller, with real requests.

mod client;
mod error;
mod manifest;
mod picture;
mod story;
mod tale;
mod traffic;
mod view;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use error::PlaygroundError;
use story::Story;
use world::{Settings, World};

use super::stops::Stops;

/// Commands to try with the example. They must fit on a terminal of 80 columns and 24 rows.
const EXAMPLE_HINTS: &str = "  serin set image demo demo=argoproj/rollouts-demo:yellow
  serin promote demo  # continues after the pause
  serin abort demo    # rolls back the update";

/// Flags of `serin playground`.
#[derive(Debug, Args)]
pub struct Flags {
    /// Manifests to apply instead of the example: files or directories.
    #[arg(short, long = "filename", value_name = "FILE_OR_DIRECTORY", num_args = 1..)]
    filename: Vec<PathBuf>,

    /// Play a story, including the user's part, and check it with real responses.
    #[arg(long, value_enum, conflicts_with = "filename")]
    story: Option<Story>,

    /// Port of the ingress proxy; 0 selects a free port.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,

    /// Port of the embedded Kubernetes API; 0 selects a free port.
    #[arg(long = "api-port", default_value_t = 0, value_name = "PORT")]
    api_port: u16,

    /// Startup time of a pod in milliseconds.
    #[arg(long = "start-latency", default_value_t = 300, value_name = "MILLISECONDS")]
    start_latency: u64,
}

/// Runs the playground until Ctrl-C, or until the end of its story.
pub fn run(flags: Flags) -> Result<(), PlaygroundError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(PlaygroundError::Runtime)?.block_on(async {
        // From here on, no signal ends the process before its files are removed.
        let mut stops = Stops::new().map_err(PlaygroundError::Runtime)?;
        tokio::select! {
            done = play(flags) => done,
            () = stops.next() => Ok(()),
        }
    })
}

async fn play(flags: Flags) -> Result<(), PlaygroundError> {
    let manifests = manifest::read(&flags.filename)?;
    let settings = Settings {
        ingress_port: flags.port,
        api_port: flags.api_port,
        start_latency: Duration::from_millis(flags.start_latency),
    };
    let world = World::start(settings).await?;
    tokio::select! {
        done = act(&world, flags.story, manifests) => done,
        ended = world.controller() => ended.map_err(PlaygroundError::Controller),
    }
}

async fn act(
    world: &World,
    story: Option<Story>,
    manifests: Vec<manifest::Document>,
) -> Result<(), PlaygroundError> {
    if let Some(story) = story {
        return story.play(world).await;
    }
    if manifests.is_empty() {
        world.apply(manifest::parse("the example", world::EXAMPLE)?).await?;
        return view::show(world, EXAMPLE_HINTS).await;
    }
    world.apply(manifests).await?;
    view::show(world, "").await
}
