//! Stories that the playground plays without a user. The responses to visitors decide the result.

mod bad_release;
mod blue_green;
mod canary;
mod parts;
mod rollback;

use std::io::IsTerminal;

use clap::ValueEnum;

use super::error::PlaygroundError;
use super::view;
use super::world::World;

/// The available stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Story {
    /// A new version gets 20 %, then 50 %, then all traffic.
    Canary,
    /// Requests with a header reach the canary, independent of the weight.
    CanaryHeader,
    /// A preview beside the old version, a switch, and the rollback.
    BlueGreen,
    /// An update is aborted half way, and the old version is deployed again.
    Rollback,
    /// A new version that answers 500 reaches few users, and is rolled back.
    BadRelease,
}

impl Story {
    /// Plays the story, and shows it on a terminal. Returns an error that describes the first deviation.
    pub(super) async fn play(self, world: &World) -> Result<(), PlaygroundError> {
        if !std::io::stdout().is_terminal() {
            return self.tell(world).await;
        }
        let done = tokio::select! {
            done = self.tell(world) => done,
            Err(error) = view::picture(world, || world.tale.text()) => Err(error),
        };
        println!("{}", world.tale.text());
        done
    }

    async fn tell(self, world: &World) -> Result<(), PlaygroundError> {
        match self {
            Self::Canary => canary::tell(world).await,
            Self::CanaryHeader => canary::tell_of_header(world).await,
            Self::BlueGreen => blue_green::tell(world).await,
            Self::Rollback => rollback::tell(world).await,
            Self::BadRelease => bad_release::tell(world).await,
        }
    }
}
