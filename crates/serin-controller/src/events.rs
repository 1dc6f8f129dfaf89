//! Sends Events, in order and aside from decisions: a slow or refused Event never holds up a Rollout.
//!
//! The queue is bounded. When it is full the oldest Event is dropped and counted, for the newest say best how things
//! are. Each Event is an object of its own: two Events of one reason with different messages must both be readable. Only
//! when there are very many about one Rollout those of one reason become one (`allowance`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Request;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::params::PostParams;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::allowance::Allowance;
use super::apply::Server;
use super::letter::Letter;
use serin_clock::{self as clock, Clock};
use serin_core::domain::event::EventNote;
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::Precondition;
use serin_machine::failure::WriteError;
use serin_values::backoff::Backoff;

/// How many Events may wait to be sent.
pub const CAPACITY: usize = 2_000;
/// The longest message in bytes that the API server accepts.
pub const MESSAGE_BYTES: usize = 1_024;
/// The component that Events come from; tools select Events by it.
pub const COMPONENT: &str = "rollouts-controller";

/// How often an Event is tried that meets a server which is away, and how long between two tries at most.
const ATTEMPTS: u32 = 12;
const RETRY: Backoff = Backoff::doubling(Duration::from_millis(250), Duration::from_secs(5));

#[derive(Debug, Default)]
struct Waiting {
    letters: VecDeque<Letter>,
    allowances: BTreeMap<ObjectRef, Allowance>,
    /// Dropped since it was last reported.
    dropped: u64,
    closed: bool,
    /// The number of the last one.
    last: u64,
}

impl Waiting {
    fn enqueue(&mut self, letters: Vec<Letter>) {
        for letter in letters {
            if self.letters.len() >= CAPACITY {
                self.letters.pop_front();
                self.dropped += 1;
            }
            self.letters.push_back(letter);
        }
    }

    /// Enqueues what was collected and is due, which at the end is everything.
    fn release(&mut self, now: Timestamp) {
        let is_due = |allowance: &Allowance| allowance.due().is_some_and(|due| self.closed || due <= now);
        let due: Vec<_> =
            self.allowances.iter().filter(|(_, a)| is_due(a)).map(|(key, _)| key.clone()).collect();
        for key in due {
            let letters = self.allowances.get_mut(&key).map(Allowance::release).unwrap_or_default();
            self.enqueue(letters);
        }
        self.allowances.retain(|_, allowance| !allowance.is_whole(now));
    }
}

/// What the sender does next.
enum Task {
    Send(Letter),
    WaitUntil(Timestamp),
    Wait,
    End,
}

/// The Events that wait to be sent.
#[derive(Debug, Default)]
pub struct EventQueue {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

impl EventQueue {
    /// Adds an Event about the primary object `object`, which was in the state `state`.
    pub fn push(&self, object: &ObjectRef, state: &Precondition, note: &EventNote, now: Timestamp) {
        let mut waiting = self.lock();
        // Times have seconds only: it is by their names that Events of one second keep their order in lists.
        waiting.last = u64::try_from(now.as_nanosecond()).unwrap_or(0).max(waiting.last + 1);
        let letter = Letter::new(object.clone(), state.clone(), note.clone(), now, waiting.last);
        let allowance = waiting.allowances.entry(object.clone()).or_insert_with(|| Allowance::new(now));
        let letters = allowance.admit(letter, now);
        waiting.enqueue(letters);
        drop(waiting);
        self.wake.notify_one();
    }

    /// No Event follows; [`send`](Self::send) returns when those that wait are sent.
    pub fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Sends Events until the queue is closed and empty.
    pub async fn send(&self, server: &impl Server, clock: &Clock) {
        loop {
            let (task, dropped) = self.next(clock.now());
            if dropped > 0 {
                tracing::warn!(dropped, "the API server takes Events too slowly; the oldest were dropped");
            }
            match task {
                Task::Send(letter) => deliver(&letter, server).await,
                Task::WaitUntil(due) => tokio::select! {
                    biased;
                    () = self.wake.notified() => {}
                    () = clock.sleep_until(due) => {}
                },
                Task::Wait => self.wake.notified().await,
                Task::End => return,
            }
        }
    }

    /// What is to be done now, and how many Events were dropped since it was last asked.
    fn next(&self, now: Timestamp) -> (Task, u64) {
        let mut waiting = self.lock();
        waiting.release(now);
        let task = match waiting.letters.pop_front() {
            Some(letter) => Task::Send(letter),
            None if waiting.closed => Task::End,
            None => {
                let due = waiting.allowances.values().filter_map(Allowance::due).min();
                due.map_or(Task::Wait, Task::WaitUntil)
            }
        };
        (task, std::mem::take(&mut waiting.dropped))
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn deliver(letter: &Letter, server: &impl Server) {
    for attempt in 0..ATTEMPTS {
        let error = match request(letter) {
            Ok(request) => match server.send(request).await {
                // An Event that exists was created by a request whose answer was lost.
                Ok(_) | Err(WriteError::AlreadyExists) => return,
                Err(error) => error,
            },
            Err(error) => WriteError::Rejected(error.to_string()),
        };
        match error {
            WriteError::Transient(_) => clock::sleep(RETRY.delay(attempt)).await,
            // It goes with everything else there.
            WriteError::NamespaceEnds(_) => return,
            WriteError::Conflict(_)
            | WriteError::AlreadyExists
            | WriteError::Forbidden(_)
            | WriteError::Rejected(_) => {
                let (namespace, reason) = (&letter.object.key.namespace, letter.note.reason.as_str());
                tracing::warn!(namespace, reason, %error, "an Event was refused");
                return;
            }
        }
    }
    let (namespace, reason) = (&letter.object.key.namespace, letter.note.reason.as_str());
    tracing::warn!(namespace, reason, "an Event could not be sent");
}

fn request(letter: &Letter) -> Result<Request<Vec<u8>>, kube::core::request::Error> {
    let target =
        kube::core::Request::new(format!("/api/v1/namespaces/{}/events", letter.object.key.namespace));
    target.create(&PostParams::default(), body(letter).to_string().into_bytes())
}

fn body(letter: &Letter) -> Value {
    let Letter { object: ObjectRef { kind, key }, state, note, first, last, count, number } = letter;
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": key.namespace, "name": name(&key.name, *number)},
        "involvedObject": {
            "apiVersion": format!("{}/{}", kind.resource().group, kind.resource().versions[0]),
            "kind": kind.name(),
            "namespace": key.namespace,
            "name": key.name,
            "uid": state.uid,
            "resourceVersion": state.resource_version,
        },
        "type": note.reason.event_type().as_str(),
        "reason": note.reason.as_str(),
        "message": truncated(&note.message, MESSAGE_BYTES),
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "reportingInstance": "",
        "firstTimestamp": Time(*first),
        "lastTimestamp": Time(*last),
        "count": count,
    })
}

/// A name that no other Event has, within the length that Kubernetes allows for names.
fn name(rollout: &str, number: u64) -> String {
    const LONGEST: usize = 253;
    let suffix = format!("{number:016x}");
    let stem = truncated(rollout, LONGEST - 1 - suffix.len()).trim_end_matches(['.', '-']);
    format!("{stem}.{suffix}")
}

/// The longest beginning of `text` that has at most `bytes` bytes.
fn truncated(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serin_core::domain::event::EventReason;
    use serin_core::domain::plan::ObjectKind;
    use serin_machine::object::RawObject;

    #[derive(Default)]
    struct Double {
        failures: Mutex<u32>,
        messages: Mutex<Vec<String>>,
    }

    impl Server for Double {
        async fn send(&self, request: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
            let mut failures = self.failures.lock().expect("no panic");
            if *failures > 0 {
                *failures -= 1;
                return Err(WriteError::Transient("away".into()));
            }
            let body: Value = serde_json::from_slice(request.body()).expect("JSON");
            assert_eq!(request.uri().path(), "/api/v1/namespaces/shop/events");
            self.messages.lock().expect("no panic").push(body["message"].as_str().expect("text").to_owned());
            Ok(RawObject::default())
        }
    }

    fn clock() -> Clock {
        Clock::starting_at(Timestamp::UNIX_EPOCH)
    }

    fn push(queue: &EventQueue, message: &str) {
        let rollout = Precondition { uid: "u".into(), resource_version: "7".into() };
        let note = EventNote::new(EventReason::RolloutAborted, message);
        queue.push(
            &ObjectRef::new(ObjectKind::Rollout, "shop", "web"),
            &rollout,
            &note,
            Timestamp::UNIX_EPOCH,
        );
    }

    #[test]
    fn an_event_is_about_the_rollout() {
        let queue = EventQueue::default();
        push(&queue, "given up");
        let Task::Send(letter) = queue.next(Timestamp::UNIX_EPOCH).0 else { panic!("an Event waits") };
        let body = body(&letter);
        assert_eq!(body["metadata"]["name"], "web.0000000000000001");
        assert_eq!(body["involvedObject"]["kind"], "Rollout");
        assert_eq!(body["involvedObject"]["uid"], "u");
        assert_eq!((&body["type"], &body["reason"]), (&json!("Warning"), &json!("RolloutAborted")));
        assert_eq!(body["source"]["component"], "rollouts-controller");
        assert_eq!(body["firstTimestamp"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn messages_are_cut_by_bytes_and_between_characters() {
        assert_eq!(truncated("abc", 5), "abc");
        assert_eq!(truncated("aé", 2), "a");
        let message = "é".repeat(600);
        assert_eq!(truncated(&message, MESSAGE_BYTES).len(), 1_024);
    }

    #[test]
    fn names_keep_within_the_limit_of_kubernetes() {
        let long = name(&"a".repeat(253), 1);
        assert_eq!((long.len(), long.ends_with(".0000000000000001")), (253, true));
    }

    #[tokio::test]
    async fn a_full_queue_drops_the_oldest() {
        let (queue, server) = (EventQueue::default(), Double::default());
        for i in 0..CAPACITY + 2 {
            push(&queue, &i.to_string());
        }
        queue.close();
        queue.send(&server, &clock()).await;
        let messages = server.messages.lock().expect("no panic");
        assert_eq!((messages.len(), messages.first().map(String::as_str)), (CAPACITY, Some("2")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_collected_is_sent_in_time_and_at_the_end() {
        let (queue, server) = (EventQueue::default(), Double::default());
        let rollout = Precondition { uid: "u".into(), resource_version: "7".into() };
        let clock = clock();
        let scaled = |message: &str| {
            let note = EventNote::new(EventReason::ScalingReplicaSet, message);
            queue.push(&ObjectRef::new(ObjectKind::Rollout, "shop", "web"), &rollout, &note, clock.now());
        };
        (1..=27).for_each(|number| scaled(&number.to_string()));
        let sent = || server.messages.lock().expect("no panic").len();
        let watched = async {
            clock::sleep(Duration::from_secs(119)).await;
            assert_eq!(sent(), 25);
            clock::sleep(Duration::from_secs(2)).await;
            assert_eq!(sent(), 26);
            scaled("28");
            clock::sleep(Duration::from_secs(1)).await;
            assert_eq!(sent(), 26);
            queue.close();
        };
        futures::join!(queue.send(&server, &clock), watched);
        assert_eq!(server.messages.lock().expect("no panic")[25..], ["27; before: 26", "28"]);
    }

    #[tokio::test(start_paused = true)]
    async fn events_keep_their_order_when_the_server_is_away_for_a_while() {
        let (queue, server) = (EventQueue::default(), Double::default());
        *server.failures.lock().expect("no panic") = 5;
        push(&queue, "first");
        push(&queue, "second");
        queue.close();
        queue.send(&server, &clock()).await;
        assert_eq!(*server.messages.lock().expect("no panic"), ["first", "second"]);
    }
}
