//! Requests over HTTP, in and out.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::ACCEPT;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Bytes;

use super::accept::Form;
use super::message::{Body, header};
use super::query::Query;
use super::route::{self, Page, Route};
use super::shaper::Shaper;
use super::shared::Shared;
use super::{answer, request, reviews, watch};
use crate::api::kinds::{self, Kind};
use crate::api::request::{Request, Response, Target, Verb};
use crate::api::status::{Reason, Status};
use crate::api::store::Store;
use crate::api::table::Printer;
use serin_clock::Clock;

/// How long a request may be: 3 MiB, as for the real server.
const BODY_LIMIT: usize = 3 << 20;

/// The embedded API as clients see it. Clones are the same API.
#[derive(Clone)]
pub struct Front {
    shared: Arc<Shared>,
}

impl Front {
    /// The front of a store.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { shared: Arc::new(Shared::new(store, clock)) }
    }

    /// A client that needs no socket.
    #[must_use]
    pub fn client(&self, default_namespace: &str) -> kube::Client {
        let front = self.clone();
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let front = front.clone();
            async move { Ok::<_, Infallible>(front.respond(request).await) }
        });
        kube::Client::new(service, default_namespace)
    }

    /// Forgets the past up to `revision`, as [`Store::compact`] does.
    pub fn compact(&self, revision: u64) {
        self.shared.store().compact(revision);
    }

    /// Answers a request that is about objects, as the store does. A watch is answered by HTTP only.
    #[must_use = "the request may have been refused"]
    pub fn handle(&self, request: &Request) -> Response {
        let now = self.shared.now();
        let mut store = self.shared.store();
        let before = store.revision();
        let response = store.handle(request, now);
        let has_changed = store.revision() != before;
        drop(store);
        if has_changed {
            self.shared.ring();
        }
        response
    }

    /// Answers an HTTP request.
    pub async fn respond<B>(&self, request: http::Request<B>) -> http::Response<Body>
    where
        B: hyper::body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let answered = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => self.answer(&head, &body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(Status::new(Reason::BadRequest, format!("the body is longer than {BODY_LIMIT} bytes")))
            }
            Err(error) => Err(Status::new(Reason::BadRequest, format!("the body ended early: {error}"))),
        };
        answered.unwrap_or_else(|status| answer::refusal(&status))
    }

    fn answer(&self, head: &http::request::Parts, body: &Bytes) -> Result<http::Response<Body>, Status> {
        let query = Query::parse(head.uri.query().unwrap_or_default())?;
        let accept = header(&head.headers, ACCEPT);
        match Route::of(head.uri.path()) {
            Route::Health => Ok(answer::text(200, "ok")),
            Route::Resource(target, is_watch) => {
                let is_watch = is_watch || query.is_watch;
                let form = Form::choose(accept, query.include)?;
                let Some(verb) = route::verb(&head.method, &target, is_watch) else {
                    let message = "the server does not allow this method on the requested resource";
                    return Err(Status::new(Reason::MethodNotAllowed, message));
                };
                let kind = self.kind(&target);
                let request =
                    request::read(verb, target, query.options, &head.headers, body, kind.as_deref())?;
                self.answer_resource(&request, form)
            }
            Route::Page(page) => {
                if page == Page::Swagger
                    && let Some(document) = answer::swagger(accept)
                {
                    return Ok(document);
                }
                let form = Form::choose(accept, query.include)?;
                let host = header(&head.headers, http::header::HOST).unwrap_or_default();
                let document = self.shared.documents().get(&page, form, host);
                let form = form_of_page(&page, form);
                Ok(document.map_or_else(not_found, |document| answer::document(200, &document, form)))
            }
            Route::Unknown => Ok(not_found()),
        }
    }

    fn answer_resource(&self, request: &Request, form: Form) -> Result<http::Response<Body>, Status> {
        if let Some(review) = reviews::answer(request) {
            return Ok(answer::document(201, &review, form));
        }
        if !self.serves(&request.target) {
            return Ok(not_found());
        }
        if request.verb == Verb::Watch {
            let cursor = self.shared.store().watch(request, self.shared.now())?;
            return Ok(watch::stream(Arc::clone(&self.shared), cursor, self.shaper(&request.target, form)));
        }
        match self.handle(request) {
            Response::Refused(status) => Err(status),
            Response::Done { code, body, warnings } => {
                let body = if body["kind"] == "Status" {
                    body
                } else {
                    self.shaper(&request.target, form).shape(body, self.shared.now())
                };
                let mut response = answer::document(code, &body, form);
                answer::warn(&mut response, &warnings);
                Ok(response)
            }
        }
    }

    /// Whether the group and version of a target have any resource. Where they have none, a path is nothing at all.
    fn serves(&self, target: &Target) -> bool {
        let store = self.shared.store();
        store.resources().any(|served| served.group == target.group && served.version == target.version)
    }

    /// The kind of what is sent to a target; none where there is no such resource.
    fn kind(&self, target: &Target) -> Option<String> {
        let resource = self.shared.store().resource(&target.group, &target.version, &target.resource)?;
        Some(match target.subresource.as_deref() {
            Some("scale") => "Scale".to_owned(),
            Some("eviction") => "Eviction".to_owned(),
            Some("binding") => "Binding".to_owned(),
            Some(_) | None => resource.kind.clone(),
        })
    }

    /// Brings objects of a target into the form that was asked for.
    fn shaper(&self, target: &Target, form: Form) -> Shaper {
        let printer = match form {
            Form::Table(_) => self.printer(target),
            Form::Json | Form::Yaml | Form::Metadata | Form::Discovery => None,
        };
        Shaper::new(form, printer)
    }

    fn printer(&self, target: &Target) -> Option<Printer> {
        if let Some(kind) = kinds::find(&target.group, &target.version, &target.resource) {
            return Some(Printer::new(kind, None));
        }
        let name = format!("{}.{}", target.resource, target.group);
        let definitions = self.shared.store().definitions();
        let definition =
            definitions.iter().find(|definition| definition["metadata"]["name"] == name.as_str())?;
        let served = Kind::from_definition(definition);
        let kind = served.iter().find(|kind| kind.version == target.version)?;
        Some(Printer::new(kind, Some(definition)))
    }
}

fn not_found() -> http::Response<Body> {
    answer::text(404, "404 page not found\n")
}

/// Only the lists of groups come in the aggregated form.
fn form_of_page(page: &Page, form: Form) -> Form {
    match (page, form) {
        (Page::CoreVersions | Page::Groups, Form::Discovery) => Form::Discovery,
        (_, Form::Yaml) => Form::Yaml,
        _ => Form::Json,
    }
}
