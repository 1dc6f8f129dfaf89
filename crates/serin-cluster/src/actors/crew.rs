//! All actors as a value: what they see, what is due, and which of their requests are under way. No clock, no requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::actor::Actor;
use super::request::Call;
use super::roster::ActorName;
use crate::api::request::{Request, Response, Verb};
use crate::view::{Change, Place, Resource, Sight, View};
use serin_values::backoff::Backoff;
use serin_values::time::after;

/// When an object is looked at again after a request about it was refused.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(16));

/// A request under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// An actor, by its position, and the object that it takes care of.
type Task = (usize, Place);

#[derive(Debug, Default)]
struct Course {
    due: Option<Timestamp>,
    /// How many requests are under way.
    under_way: usize,
    /// Whether one of them was refused.
    refused: bool,
    /// How often in a row that was so.
    failures: u32,
    /// Whether something has changed since they were computed.
    is_touched: bool,
    /// The requests that were computed last.
    last: Vec<Request>,
}

/// The actors, their view and their work.
#[derive(Debug)]
pub struct Crew {
    view: View,
    actors: Vec<Box<dyn Actor>>,
    courses: BTreeMap<Task, Course>,
    due: BTreeSet<(Timestamp, Task)>,
    events: Vec<Call>,
    tickets: BTreeMap<Ticket, (Option<Task>, Call)>,
    next_ticket: u64,
}

impl Crew {
    /// A crew of these actors that sees nothing yet.
    #[must_use]
    pub fn new(names: &BTreeSet<ActorName>) -> Self {
        Self {
            view: View::default(),
            actors: names.iter().flat_map(|name| name.actors()).collect(),
            courses: BTreeMap::new(),
            due: BTreeSet::new(),
            events: Vec::new(),
            tickets: BTreeMap::new(),
            next_ticket: 0,
        }
    }

    /// What the actors see.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// These are the resources that the API serves.
    pub fn know(&mut self, resources: Vec<Resource>, now: Timestamp) {
        let changes = self.view.know(resources);
        self.concern(changes, now);
        // What could not be done for want of a resource may be possible now.
        let idle: Vec<Task> = self.courses.keys().cloned().collect();
        for task in idle {
            self.touch(&task, now);
        }
    }

    /// A watch shows something.
    pub fn saw(&mut self, resource: &Arc<str>, sight: Sight, now: Timestamp) {
        let changes = match sight {
            Sight::Listed(items, version) => self.view.relisted(resource, items, version),
            Sight::Applied(object) => self.view.applied(resource, object).into_iter().collect(),
            Sight::Deleted(object) => self.view.deleted(resource, object).into_iter().collect(),
        };
        self.concern(changes, now);
    }

    /// When [`step`](Self::step) has something to do next; the distant past when at once.
    #[must_use]
    pub fn wake(&self) -> Option<Timestamp> {
        if self.events.is_empty() { self.due.first().map(|(time, _)| *time) } else { Some(Timestamp::MIN) }
    }

    /// The requests that are due: those of as many objects as it takes to have `limit` of them. Each is to be
    /// [`finished`](Self::finished) with its answer.
    pub fn step(&mut self, now: Timestamp, limit: usize) -> Vec<(Ticket, Request)> {
        let mut requests = Vec::new();
        while requests.len() < limit {
            let Some(call) = self.events.pop() else { break };
            requests.push(self.send(None, call));
        }
        while requests.len() < limit && self.due.first().is_some_and(|(time, _)| *time <= now) {
            let Some((_, task)) = self.due.pop_first() else { break };
            let Some(course) = self.courses.get_mut(&task) else { continue };
            course.due = None;
            course.is_touched = false;
            let step = self.actors[task.0].step(&self.view, &task.1, now);
            if step.calls.is_empty() {
                course.last.clear();
                if step.wake.is_none() && course.under_way == 0 {
                    self.courses.remove(&task);
                } else {
                    self.schedule(&task, step.wake);
                }
                continue;
            }
            let asked: Vec<Request> = step.calls.iter().map(|call| call.request.clone()).collect();
            // The same again: it did not do what it was to do, so there is no hurry.
            course.refused = course.last == asked;
            course.last = asked;
            course.under_way = step.calls.len();
            requests.extend(step.calls.into_iter().map(|call| self.send(Some(task.clone()), call)));
        }
        requests
    }

    /// How a request went.
    pub fn finished(&mut self, ticket: Ticket, response: &Response, now: Timestamp) {
        let Some((task, call)) = self.tickets.remove(&ticket) else { return };
        let changes: Vec<Change> = self.learn(&call, response).into_iter().collect();
        self.concern(changes, now);
        if let Some(report) = &call.report {
            let outcome = match response {
                Response::Done { body, .. } => Ok(body),
                Response::Refused(status) => Err(status.message.as_str()),
            };
            self.events.extend(Call::event(&self.view, report, outcome, now, ticket.0));
        }
        let Some(task) = task else { return };
        self.actors[task.0].answered(&task.1, &call, response, now);
        let Some(course) = self.courses.get_mut(&task) else { return };
        course.under_way = course.under_way.saturating_sub(1);
        // To a question, no is an answer, too; and what could not be made may have to be told first.
        let is_news = matches!(call.request.verb, Verb::Get | Verb::Create);
        course.refused |= !is_news && matches!(response, Response::Refused(_));
        if course.under_way == 0 {
            course.failures = if course.refused { course.failures + 1 } else { 0 };
            let hurry = !course.refused || course.is_touched;
            let wait = BACKOFF.delay(course.failures.saturating_sub(1));
            let time = if hurry { now } else { after(now, wait) };
            self.schedule(&task, Some(time));
        }
    }

    fn send(&mut self, task: Option<Task>, call: Call) -> (Ticket, Request) {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        let request = call.request.clone();
        self.tickets.insert(ticket, (task, call));
        (ticket, request)
    }

    /// What an answer shows of the object that the request was about.
    fn learn(&mut self, call: &Call, response: &Response) -> Option<Change> {
        let Response::Done { body, .. } = response else { return None };
        let resource = self.view.resource(&call.place.resource)?;
        let is_object = body["kind"] == resource.kind.as_str() && body["metadata"]["uid"].is_string();
        let name = Arc::clone(&resource.name);
        // Nobody looks at what nobody watches.
        if !self.view.is_listed(&name) {
            return None;
        }
        match call.request.verb {
            Verb::Get | Verb::Create | Verb::Update | Verb::Patch if is_object => {
                self.view.answered(&name, body)
            }
            Verb::Delete if is_object && lives_on(body) => self.view.answered(&name, body),
            Verb::Delete => {
                let uid = call.request.body["preconditions"]["uid"].as_str()?;
                self.view.removed(&call.place, uid)
            }
            Verb::Get
            | Verb::Create
            | Verb::Update
            | Verb::Patch
            | Verb::List
            | Verb::Watch
            | Verb::DeleteCollection => None,
        }
    }

    fn concern(&mut self, changes: Vec<Change>, now: Timestamp) {
        for change in changes {
            for index in 0..self.actors.len() {
                for place in self.actors[index].concerned(&self.view, &change) {
                    self.touch(&(index, place), now);
                }
            }
        }
    }

    fn touch(&mut self, task: &Task, now: Timestamp) {
        let course = self.courses.entry(task.clone()).or_default();
        course.is_touched = true;
        if course.under_way == 0 {
            self.schedule(task, Some(now));
        }
    }

    fn schedule(&mut self, task: &Task, time: Option<Timestamp>) {
        let Some(course) = self.courses.get_mut(task) else { return };
        if let Some(old) = course.due.take() {
            self.due.remove(&(old, task.clone()));
        }
        course.due = time;
        if let Some(time) = time {
            self.due.insert((time, task.clone()));
        }
    }
}

/// Whether the object that a delete answers with is still there: a finalizer holds it, or it is given time.
fn lives_on(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let is_held = metadata["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty());
    is_held || metadata["deletionGracePeriodSeconds"].as_i64().is_some_and(|seconds| seconds > 0)
}
