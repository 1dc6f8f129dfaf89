//! The lease by which replicas agree on the one that decides and writes.
//!
//! [`election`] says what to do; this module does it, on a thread and a connection of their own, so that a renewal
//! waits neither for other requests nor for decisions. What comes of it is told as a [`Standing`], which the
//! [fence](super::fence) reads before every other request.

pub mod election;

use std::future::Future;
use std::io;
use std::thread;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::PostParams;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::failure::root_cause;
use super::fence::{Fence, Standing};
use super::start::Connection;
use election::{Answer, Ask, Election, Terms};
use serin_clock::{self as clock, Clock, Moment};
use serin_core::api::keys;
use serin_core::domain::object::ObjectKey;
use serin_values::random::Rng;

/// How much longer those who wait pause between two looks at most, in percent.
const JITTER_PERCENT: u32 = 120;
/// How long giving the lease back may take.
const RELEASE: Duration = Duration::from_secs(5);

/// Where the lease of the controllers of an instance is.
#[must_use]
pub fn key(namespace: &str, instance_id: Option<&str>) -> ObjectKey {
    ObjectKey::new(namespace, keys::lease(instance_id))
}

/// A name that no other replica has: the machine's, and a random number.
pub fn identity() -> io::Result<String> {
    let host = hostname::get()?;
    Ok(format!("{}_{}", host.to_string_lossy(), uuid::Uuid::new_v4()))
}

/// What answers requests about the lease.
pub trait Registry: Send {
    /// Does what is asked.
    fn ask(&self, ask: Ask) -> impl Future<Output = Answer> + Send;
}

/// The lease at `key` on a cluster.
#[derive(Debug)]
struct OnCluster {
    api: Api<Lease>,
    name: String,
}

impl Registry for OnCluster {
    async fn ask(&self, ask: Ask) -> Answer {
        let written = |lease: Lease| Answer::Written(Box::new(lease));
        let params = PostParams::default();
        match ask {
            Ask::Read => match self.api.get(&self.name).await {
                Ok(lease) => Answer::Found(Box::new(lease)),
                Err(error) => failed(&error, false),
            },
            Ask::Create(lease) => {
                self.api.create(&params, &lease).await.map_or_else(|error| failed(&error, true), written)
            }
            Ask::Replace(lease) => {
                let replaced = self.api.replace(&self.name, &params, &lease).await;
                replaced.map_or_else(|error| failed(&error, false), written)
            }
        }
    }
}

fn failed(error: &kube::Error, is_creation: bool) -> Answer {
    let kube::Error::Api(status) = error else {
        return Answer::Failed(root_cause(error));
    };
    match status.code {
        404 if !is_creation => Answer::Absent,
        409 => Answer::Conflict,
        403 | 404 => Answer::Refused(status.message.clone()),
        _ => Answer::Failed(status.message.clone()),
    }
}

/// A candidate at work.
#[derive(Debug)]
pub struct Candidate {
    /// How it stands.
    pub standing: watch::Receiver<Standing>,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Candidate {
    /// Starts the candidate `identity` for the lease at `key` of a cluster.
    pub fn start(
        connection: Connection,
        key: ObjectKey,
        identity: String,
        terms: Terms,
        rng: Rng,
    ) -> io::Result<Self> {
        let (told, standing) = watch::channel(Standing::Standby { holder: None });
        let ((stop, stopped), (end, ended)) = (oneshot::channel(), oneshot::channel());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let candidacy = async move {
            let name = key.name.clone();
            match connection.client() {
                Ok(client) => {
                    let api = Api::namespaced(client, &key.namespace);
                    let election = Election::new(key, identity, terms);
                    campaign(&OnCluster { api, name }, election, terms, rng, &told, stopped).await;
                }
                Err(error) => {
                    let _ = told.send(Standing::Barred(error.to_string()));
                }
            }
        };
        thread::Builder::new().name("lease".into()).spawn(move || {
            runtime.block_on(candidacy);
            let _ = end.send(());
        })?;
        Ok(Self { standing, stop, ended })
    }

    /// The fence that is open while this candidate leads.
    #[must_use]
    pub fn fence(&self) -> Fence {
        Fence::of(self.standing.clone())
    }

    /// Stands down, and gives the lease back if it was held.
    pub async fn stop(self) {
        // One that has ended by itself has nothing to give back.
        let _ = self.stop.send(());
        if tokio::time::timeout(RELEASE, self.ended).await.is_err() {
            tracing::warn!("the lease could not be given back; others wait until it is over");
        }
    }
}

/// Stands as a candidate until `stopped`, or until there is nothing more to win.
async fn campaign(
    registry: &impl Registry,
    mut election: Election,
    terms: Terms,
    mut rng: Rng,
    told: &watch::Sender<Standing>,
    mut stopped: oneshot::Receiver<()>,
) {
    let clock = Clock::System;
    loop {
        let sent = clock.moment();
        let deadline = sooner(sent.monotonic + terms.patience(), election.ends());
        let answer = clock::until(deadline, registry.ask(election.next(sent))).await;
        election.heard(answer.unwrap_or_else(|| silence(sent, clock.moment())), sent, clock.moment());
        let standing = election.standing();
        let is_leading = matches!(standing, Standing::Leading(_));
        let is_over = matches!(standing, Standing::Barred(_) | Standing::Lost(_));
        if told.send(standing).is_err() || is_over {
            return;
        }
        let pause = election.pause();
        let most = if is_leading { pause } else { pause * JITTER_PERCENT / 100 };
        let wake = sooner(Instant::now() + rng.duration(pause, most), election.ends());
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            () = tokio::time::sleep_until(wake) => {}
        }
    }
    if let Some(ask) = election.release(clock.moment()) {
        let answer = clock::until(Instant::now() + terms.patience(), registry.ask(ask)).await;
        tracing::info!(released = matches!(answer, Some(Answer::Written(_))), "gave the lease back");
    }
}

fn silence(sent: Moment, now: Moment) -> Answer {
    Answer::Failed(format!("no answer within {:.1} s", now.since(&sent).as_secs_f64()))
}

fn sooner(a: Instant, b: Option<Instant>) -> Instant {
    b.map_or(a, |b| a.min(b))
}

#[cfg(test)]
mod tests;
