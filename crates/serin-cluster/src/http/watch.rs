//! Watches as streams of lines.

use std::convert::Infallible;
use std::sync::Arc;

use futures::stream;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::futures::Notified;

use super::answer;
use super::message::Body;
use super::shaper::Shaper;
use super::shared::Shared;
use crate::api::watch::{Cursor, EventType, WatchEvent};

/// The response to a watch: a line for each event, sent as soon as it is there, until the watch's own end or an error.
pub(super) fn stream(shared: Arc<Shared>, cursor: Cursor, shaper: Shaper) -> Response<Body> {
    let watch = Watch { shared, cursor, shaper, has_columns: false };
    let frames = stream::unfold(watch, |mut watch| async move {
        let bytes = watch.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(bytes)), watch))
    });
    answer::respond(200, "application/json", StreamBody::new(frames).boxed_unsync())
}

struct Watch {
    shared: Arc<Shared>,
    cursor: Cursor,
    shaper: Shaper,
    /// Whether the columns of tables were sent: the first table has them, for all.
    has_columns: bool,
}

impl Watch {
    /// The lines of the next events; none at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.cursor.is_over() {
                return None;
            }
            let shared = Arc::clone(&self.shared);
            // Before the look, so that nothing that comes after it is missed.
            let news = shared.news();
            let now = shared.now();
            let events = shared.store().next(&mut self.cursor, now);
            if !events.is_empty() {
                let mut lines = Vec::new();
                for event in &events {
                    self.write(event, now, &mut lines);
                }
                return Some(lines.into());
            }
            if self.cursor.ends_at().is_some_and(|end| end <= now) {
                return None;
            }
            self.wait(news).await;
        }
    }

    /// Returns when there may be something to send, or when the watch's time is over.
    async fn wait(&self, news: Notified<'_>) {
        let due = self.cursor.ends_at().into_iter().chain(self.cursor.bookmark_at()).min();
        let clock = self.shared.clock();
        let until_due = async {
            match due {
                Some(due) => clock.sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = news => {}
            () = until_due => {}
        }
    }

    fn write(&mut self, event: &WatchEvent, now: Timestamp, lines: &mut Vec<u8>) {
        let object = Value::clone(&event.object);
        let mut object =
            if event.event == EventType::Error { object } else { self.shaper.shape(object, now) };
        if object["kind"] == "Table" && std::mem::replace(&mut self.has_columns, true) {
            object["columnDefinitions"] = Value::Null;
        }
        let line = json!({"type": event.event.as_str(), "object": object});
        lines.extend(line.to_string().into_bytes());
        lines.push(b'\n');
    }
}
