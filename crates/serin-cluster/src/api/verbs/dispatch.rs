//! Dispatches a request to the function that carries it out.

use jiff::Timestamp;

use super::super::request::{Request, Response, Verb};
use super::super::status::Status;
use super::super::store::Store;
use super::call::{Answer, Call, Part, resolve};
use super::{options, refuse};

impl Store {
    /// Answers a request. A watch is answered by [`Store::watch`] instead.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        match self.dispatch(request, now) {
            Ok(answer) => Response::Done { code: answer.code, body: answer.body, warnings: answer.warnings },
            Err(status) => Response::Refused(status),
        }
    }

    /// Does what a request asks for.
    pub(super) fn dispatch(&mut self, request: &Request, now: Timestamp) -> Result<Answer, Status> {
        let resource = resolve(self, &request.target)?;
        let call = Call::new(request, resource, now);
        options::check(&call)?;
        let answer = match request.target.subresource.as_deref() {
            None => self.resource_verb(&call),
            Some(subresource) => self.subresource_verb(&call, subresource),
        };
        let warnings = call.warnings.take();
        match answer {
            Ok(answer) => Ok(Answer { warnings, ..answer }),
            Err(status) => Err(Status { warnings, ..status }),
        }
    }

    fn resource_verb(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        let named = call.request.target.name.is_some();
        match call.request.verb {
            Verb::Get if named => self.get(call),
            Verb::List | Verb::Watch => self.list(call),
            Verb::Create if !named => self.create(call),
            Verb::Update | Verb::Patch if named => self.update(call, Part::Main),
            Verb::Delete if named => self.delete(call),
            Verb::DeleteCollection if !named && call.resource.entry.allows("deletecollection") => {
                self.delete_collection(call)
            }
            Verb::Get | Verb::Create | Verb::Update | Verb::Patch | Verb::Delete | Verb::DeleteCollection => {
                Err(refuse::method_not_allowed())
            }
        }
    }

    fn subresource_verb(&mut self, call: &Call<'_>, subresource: &str) -> Result<Answer, Status> {
        let known = call.resource.entry.subresource(subresource).is_some();
        match (subresource, call.request.verb) {
            _ if !known => Err(refuse::no_resource()),
            ("status", Verb::Get) => self.get(call),
            ("status", Verb::Update | Verb::Patch) => self.update(call, Part::Status),
            ("finalize", Verb::Update) => self.update(call, Part::Finalize),
            ("scale", _) => self.scale(call),
            ("binding", Verb::Create) => self.bind(call),
            ("eviction", Verb::Create) => self.evict(call),
            _ => Err(refuse::method_not_allowed()),
        }
    }
}
