//! `serin playground`: the whole system on one machine, with no Kubernetes: an embedded API and its actors, pods that
//! answer HTTP, an ingress proxy, and the controller, shifting real requests.

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

/// What can be tried with the example. It has to have room on a terminal of 80 columns and 24 rows.
const EXAMPLE_HINTS: &str = "  serin set image demo demo=argoproj/rollouts-demo:yellow
  serin promote demo  # goes on after the pause
  serin abort demo    # takes the update back";

/// Flags of `serin playground`.
#[derive(Debug, Args)]
pub struct Flags {
    /// Manifests to apply instead of the example: files, or directories of files.
    #[arg(short, long = "filename", value_name = "FILE_OR_DIRECTORY", num_args = 1..)]
    filename: Vec<PathBuf>,

    /// Plays a story with the user's part done by itself, and checks on real responses that it went as told.
    #[arg(long, value_enum, conflicts_with = "filename")]
    story: Option<Story>,

    /// Port of the ingress proxy; 0 takes a free one.
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,

    /// Port of the embedded Kubernetes API; 0 takes a free one.
    #[arg(long = "api-port", default_value_t = 0, value_name = "PORT")]
    api_port: u16,

    /// Milliseconds that a pod takes to start.
    #[arg(long = "start-latency", default_value_t = 300, value_name = "MILLISECONDS")]
    start_latency: u64,
}

/// Runs the playground until Ctrl-C, or until its story is told.
pub fn run(flags: Flags) -> Result<(), PlaygroundError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(PlaygroundError::Runtime)?.block_on(async {
        // From here on no signal ends the process before what it has made is removed.
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
