//! Sends the requests that a plan asks for.

use std::future::Future;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::Request;

use super::failure::write_error;
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::Plan;
use serin_machine::caches::Caches;
use serin_machine::carry::{Carrying, Outcome};
use serin_machine::failure::WriteError;
use serin_machine::object::RawObject;
use serin_machine::request;

/// What answers requests.
pub trait Server: Send + Sync {
    /// Sends a request and reads the object that comes back.
    fn send(&self, request: Request<Vec<u8>>) -> impl Future<Output = Result<RawObject, WriteError>> + Send;
}

impl Server for kube::Client {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
        self.request(request).await.map_err(|error| write_error(&error))
    }
}

/// Carries out `plan` for that primary object.
pub async fn apply(plan: &Plan, object: &ObjectRef, caches: &Caches, server: &impl Server) -> Outcome {
    let mut carrying = Carrying::new(plan, object);
    let mut in_flight = FuturesUnordered::new();
    loop {
        while let Some((ticket, request)) = carrying.next_request() {
            in_flight.push(async move { (ticket, send(&request, caches, server).await) });
        }
        let Some((ticket, answer)) = in_flight.next().await else { return carrying.end() };
        carrying.answered(ticket, answer);
    }
}

async fn send(
    request: &request::Request,
    caches: &Caches,
    server: &impl Server,
) -> Result<RawObject, WriteError> {
    match request.to_http(caches.version(request.target.kind)) {
        Ok(request) => server.send(request).await,
        Err(error) => Err(WriteError::Rejected(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use serde_json::json;
    use tokio::sync::watch;

    use super::super::double::Double;
    use super::super::fence::{Fence, Grant, Standing};
    use super::super::metrics::Metrics;
    use super::super::outlet::Outlet;
    use super::*;
    use serin_clock::Clock;
    use serin_core::domain::plan::{
        Action, ObjectKind, Op, Precondition, Purpose, Stage, StageName, StatusWrite, Wake,
    };
    use serin_machine::carry::Ending;

    fn patch(kind: ObjectKind, name: &str) -> Op {
        let precondition = Precondition { uid: "u".into(), resource_version: "1".into() };
        let action = Action::Patch { precondition, patch: json!({"spec": {}}) };
        let purposes = vec![Purpose::ScaleReplicaSet { from: 0, to: 1 }];
        Op { kind, namespace: None, name: name.into(), action, purposes, events: Vec::new() }
    }

    fn plan() -> Plan {
        let ops = [
            vec![patch(ObjectKind::ReplicaSet, "a"), patch(ObjectKind::ReplicaSet, "b")],
            vec![patch(ObjectKind::Service, "s")],
        ];
        let stage = |ops| Stage { name: StageName::Create, ops, events: Vec::new() };
        Plan {
            seen: Precondition { uid: "u".into(), resource_version: "1".into() },
            stages: ops.into_iter().map(stage).collect(),
            status: StatusWrite { patch: json!({"status": {"whole": true}}), ..StatusWrite::nothing() },
            effects: Vec::new(),
            notes: Vec::new(),
            wake: Wake::OnChange,
        }
    }

    fn web() -> ObjectRef {
        ObjectRef::new(ObjectKind::Rollout, "shop", "web")
    }

    #[tokio::test]
    async fn requests_are_sent_one_after_the_other() {
        let server = Double::default();
        let outcome = apply(&plan(), &web(), &Caches::default(), &server).await;
        assert_eq!(outcome.ending, Ending::Done);
        let lines =
            ["PATCH replicasets/a", "PATCH replicasets/b", "PATCH services/s", "PATCH rollouts/web/status"];
        assert_eq!(server.lines(), lines);
        assert_eq!(server.body(3)["status"], json!({"whole": true}));
    }

    /// A server before whose first answer the controller stands still for longer than its lease lasts.
    struct Freezing(Double);

    impl Server for Freezing {
        async fn send(&self, request: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
            let answer = self.0.send(request).await;
            if self.0.lines().len() == 1 {
                tokio::time::advance(Duration::from_secs(20)).await;
            }
            answer
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_plan_that_was_decided_before_the_lease_was_over_nothing_is_sent_after() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let (renewal, lease) = (Duration::from_secs(10), Duration::from_secs(15));
        let grant = Grant { sent: clock.moment(), renewal, lease };
        // The other controller leads now, but nobody has told this one.
        let (_told, standing) = watch::channel(Standing::Leading(grant));
        let (server, fence) = (Freezing(Double::default()), Fence::of(standing));
        let (caches, metrics) = (Caches::default(), Metrics::default());
        let outlet = Outlet { server: &server, fence: &fence, caches: &caches, metrics: &metrics, clock };
        let outcome = apply(&plan(), &web(), &caches, &outlet).await;
        assert_eq!(server.0.lines(), ["PATCH replicasets/a"], "this one was sent in time");
        assert!(matches!(outcome.ending, Ending::Transient(_)), "{:?}", outcome.ending);
    }
}
