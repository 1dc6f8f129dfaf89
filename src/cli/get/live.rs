//! Draws a scene continuously: in place on a terminal, otherwise as one frame per change.

use std::future::pending;
use std::io::{self, Stdout};
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::super::failure::Failure;
use super::super::output::{print, print_on, unprinted, unread};
use super::super::screen::{Screen, room};
use super::super::stops::Stops;
use super::super::view::Look;
use super::scene::Scene;
use serin_clock::{Clock, sleep};

/// Interval for refreshing ages.
const TICK: Duration = Duration::from_secs(1);
/// Minimum time between two frames.
const REST: Duration = Duration::from_millis(200);

/// The output for frames.
pub(super) enum Canvas {
    /// A terminal, where each frame replaces the last one.
    Terminal {
        screen: Screen<Stdout>,
        is_coloured: bool,
        /// The last frame, which stays on the screen when the watch ends.
        last: Option<String>,
    },
    /// Any other output: a new frame for each change other than ages.
    Paper {
        /// The fixed time at which frames are compared.
        since: Timestamp,
        last: Option<String>,
    },
}

/// Draws the scene until the user stops it, or the time is up. Returns a failure when the object is deleted.
pub(super) async fn show(
    mut scene: Scene<'_>,
    mut canvas: Canvas,
    limit: Option<Duration>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("cannot wait for signals: {error}"));
    let mut stops = Stops::new().map_err(failed)?;
    let mut resized = signal(SignalKind::window_change()).map_err(failed)?;
    let mut late = std::pin::pin!(async {
        match limit {
            Some(limit) => sleep(limit).await,
            None => pending().await,
        }
    });
    let mut unread = std::pin::pin!(unread());
    let begun = Instant::now();
    let (mut drawn, mut due) = (begun, begun + TICK);
    loop {
        tokio::select! {
            () = scene.change() => {}
            _ = resized.recv() => {}
            () = sleep_until(due) => {
                canvas.draw(&scene)?;
                drawn = Instant::now();
                due = drawn + TICK;
                continue;
            }
            () = stops.next() => break,
            () = &mut late => break,
            failure = &mut unread => return Err(failure),
        }
        scene.end().await?;
        if scene.is_settled() {
            due = due.min(drawn + REST);
        }
    }
    Ok(())
}

impl Canvas {
    /// Returns a canvas for the standard output.
    pub(super) fn new(is_coloured: bool, is_terminal: bool) -> Result<Self, Failure> {
        if !is_terminal {
            return Ok(Self::Paper { since: Clock::System.now(), last: None });
        }
        let screen = Screen::open(io::stdout()).map_err(|error| unprinted(&error))?;
        Ok(Self::Terminal { screen, is_coloured, last: None })
    }

    fn draw(&mut self, scene: &Scene<'_>) -> Result<(), Failure> {
        let now = Clock::System.now();
        let look = Look { is_full: true, ..Look::plain(now) };
        match self {
            Self::Terminal { screen, is_coloured, last } => {
                let room = room();
                let (columns, rows) = (Some(room.0.into()), Some(room.1.into()));
                let look = Look { is_coloured: *is_coloured, columns, rows, ..look };
                let Some(frame) = scene.frame(&look)? else { return Ok(()) };
                screen.show(&frame, room).map_err(|error| unprinted(&error))?;
                *last = scene.frame(&Look { rows: None, ..look })?;
            }
            Self::Paper { since, last } => {
                let meaning = scene.frame(&Look { now: *since, ..look })?;
                let Some(frame) = scene.frame(&look)?.filter(|_| meaning != *last) else { return Ok(()) };
                let gap = if last.is_some() { "\n" } else { "" };
                print_on(&format!("{gap}{frame}"))?;
                *last = meaning;
            }
        }
        Ok(())
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        if let Self::Terminal { screen, last, .. } = self {
            screen.close();
            // A write error means that no one reads the output.
            let _unread = last.take().map(|frame| print(&frame));
        }
    }
}
