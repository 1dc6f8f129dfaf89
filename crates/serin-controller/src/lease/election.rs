//! Who leads: a value that is told what the API server says about the lease, and says what to ask it next.
//!
//! The rules are those of client-go, so that replicas of the reference and of Serin can take turns: whoever holds the
//! lease renews it; the others take it when it has no holder, or when they have seen no change of it for as long as it
//! says that it lasts. No time that another machine has written is compared with a clock of this one.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use tokio::time::Instant;

use crate::fence::{Grant, Standing};
use serin_clock::Moment;
use serin_core::domain::object::ObjectKey;

/// How long a lease lasts, and how it is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    lease: Duration,
    renewal: Duration,
    retry: Duration,
}

/// How much longer than the time between two attempts to renew the time for all attempts has to be, in percent.
const RENEWAL_PERCENT: u32 = 120;

impl Terms {
    /// A lease of `lease`, of which only whole seconds count, is given up when no renewal went well for `renewal`;
    /// it is renewed, or looked at by those who wait for it, each `retry`. An error says what does not fit together.
    pub fn new(lease: Duration, renewal: Duration, retry: Duration) -> Result<Self, &'static str> {
        let lease = Duration::from_secs(lease.as_secs());
        if retry.is_zero() {
            return Err("--leader-election-retry-period must be longer than 0");
        }
        if renewal * 100 <= retry * RENEWAL_PERCENT {
            return Err(
                "--leader-election-renew-deadline must be longer than 1.2 times --leader-election-retry-period",
            );
        }
        if lease <= renewal || i32::try_from(lease.as_secs()).is_err() {
            return Err(
                "--leader-election-lease-duration, of which only whole seconds count, must be longer than \
                 --leader-election-renew-deadline",
            );
        }
        Ok(Self { lease, renewal, retry })
    }

    /// The time between two attempts.
    #[must_use]
    pub const fn retry(&self) -> Duration {
        self.retry
    }

    /// How long one request about the lease may take: several fit into the time that a renewal has.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.renewal / 3
    }
}

/// A request about the lease.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// How is it?
    Read,
    /// Make it.
    Create(Box<Lease>),
    /// Let it be so, if it is still in the version that is named.
    Replace(Box<Lease>),
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It was read.
    Found(Box<Lease>),
    /// It was created or replaced, and now is so.
    Written(Box<Lease>),
    /// There is none.
    Absent,
    /// Somebody else has changed it or made it.
    Conflict,
    /// It may not be touched, or there is no place for it.
    Refused(String),
    /// Nothing that is known, for the reason given.
    Failed(String),
}

/// What is known of the lease.
#[derive(Debug)]
enum Known {
    Nothing,
    Absent,
    /// It is so, and has been since then at the latest.
    Lease(Box<Lease>, Instant),
}

/// One candidate.
#[derive(Debug)]
pub struct Election {
    key: ObjectKey,
    identity: String,
    terms: Terms,
    known: Known,
    /// When the last write that made this candidate the holder was sent.
    granted: Option<Moment>,
    /// How it ended, if it has.
    end: Option<Standing>,
    /// What went wrong last, until something goes well.
    trouble: Option<String>,
    /// Whether the lease was ever seen.
    has_seen: bool,
}

impl Election {
    /// The candidate `identity` for the lease at `key`.
    #[must_use]
    pub const fn new(key: ObjectKey, identity: String, terms: Terms) -> Self {
        let (known, has_seen) = (Known::Nothing, false);
        Self { key, identity, terms, known, granted: None, end: None, trouble: None, has_seen }
    }

    /// The name of this candidate.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// What to ask at `now`.
    #[must_use]
    pub fn next(&self, now: Moment) -> Ask {
        match &self.known {
            Known::Absent => {
                let (name, namespace) = (Some(self.key.name.clone()), Some(self.key.namespace.clone()));
                let metadata = ObjectMeta { name, namespace, ..ObjectMeta::default() };
                Ask::Create(Box::new(Lease { metadata, spec: Some(self.claim(None, now)) }))
            }
            Known::Lease(lease, since) if self.may_write(lease, *since, now.monotonic) => {
                let spec = Some(self.claim(lease.spec.as_ref(), now));
                Ask::Replace(Box::new(Lease { spec, ..Lease::clone(lease) }))
            }
            Known::Nothing | Known::Lease(..) => Ask::Read,
        }
    }

    /// Takes in the answer to what was asked at `sent`, which arrived at `now`.
    pub fn heard(&mut self, answer: Answer, sent: Moment, now: Moment) {
        self.trouble = None;
        match answer {
            Answer::Found(lease) => self.found(lease, now.monotonic),
            Answer::Written(lease) => {
                self.known = Known::Lease(lease, now.monotonic);
                self.granted = Some(sent);
            }
            Answer::Absent => self.known = Known::Absent,
            Answer::Conflict => self.known = Known::Nothing,
            // Where it has worked before, somebody is at work on the rights or the API server has just come back.
            Answer::Refused(why) if !self.has_seen => self.ended(Standing::Barred(why)),
            Answer::Refused(why) | Answer::Failed(why) => self.trouble = Some(why),
        }
        self.has_seen |= matches!(self.known, Known::Lease(..));
        self.look_at_clock(now.monotonic);
    }

    /// How long to wait before the next request.
    #[must_use]
    pub fn pause(&self) -> Duration {
        if self.trouble.is_some() {
            return self.terms.retry;
        }
        match &self.known {
            Known::Nothing | Known::Absent => Duration::ZERO,
            Known::Lease(lease, _) if self.granted.is_none() && self.is_free(lease) => Duration::ZERO,
            Known::Lease(..) => self.terms.retry,
        }
    }

    /// How this candidate stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if let Some(end) = &self.end {
            return end.clone();
        }
        if let Some(sent) = self.granted {
            let Terms { lease, renewal, .. } = self.terms;
            return Standing::Leading(Grant { sent, renewal, lease });
        }
        let holder = if let Known::Lease(lease, _) = &self.known { holder(lease) } else { None };
        Standing::Standby { holder: holder.map(str::to_owned) }
    }

    /// How to give the lease back, for a leader that has sent its last request.
    #[must_use]
    pub fn release(&self, now: Moment) -> Option<Ask> {
        let Known::Lease(lease, _) = &self.known else { return None };
        let spec = lease.spec.clone().filter(|_| self.granted.is_some() && self.end.is_none())?;
        let spec = LeaseSpec {
            holder_identity: None,
            lease_duration_seconds: Some(1),
            renew_time: Some(MicroTime(now.wall)),
            ..spec
        };
        Some(Ask::Replace(Box::new(Lease { spec: Some(spec), ..Lease::clone(lease) })))
    }

    /// When leadership ends if nothing more is heard.
    #[must_use]
    pub fn ends(&self) -> Option<Instant> {
        self.granted.map(|sent| sent.monotonic + self.terms.renewal)
    }

    fn found(&mut self, lease: Box<Lease>, now: Instant) {
        let is_mine = holder(&lease) == Some(&self.identity);
        if self.granted.is_some() && !is_mine {
            let by = holder(&lease).unwrap_or("nobody");
            self.ended(Standing::Lost(format!("the lease is held by {by}")));
        }
        let since = match &self.known {
            Known::Lease(before, since) if before.spec == lease.spec => *since,
            Known::Lease(..) | Known::Nothing | Known::Absent => now,
        };
        self.known = Known::Lease(lease, since);
    }

    fn look_at_clock(&mut self, now: Instant) {
        if self.ends().is_some_and(|end| now >= end) {
            let why = self.trouble.as_deref().unwrap_or("the answer came too late");
            let seconds = self.terms.renewal.as_secs_f64();
            self.ended(Standing::Lost(format!("the lease could not be renewed for {seconds} s: {why}")));
        }
    }

    /// The first end is the one that counts.
    fn ended(&mut self, end: Standing) {
        self.end.get_or_insert(end);
    }

    /// Whether the lease is this candidate's to write.
    fn may_write(&self, lease: &Lease, since: Instant, now: Instant) -> bool {
        let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let lasts = seconds.map_or(self.terms.lease, Duration::from_secs);
        self.is_free(lease) || now.saturating_duration_since(since) >= lasts
    }

    fn is_free(&self, lease: &Lease) -> bool {
        holder(lease).is_none_or(|holder| holder == self.identity)
    }

    /// The lease as this candidate's own, from now on.
    fn claim(&self, before: Option<&LeaseSpec>, now: Moment) -> LeaseSpec {
        let is_new = before.is_none();
        let before = before.cloned().unwrap_or_default();
        let is_renewal = before.holder_identity.as_deref() == Some(&self.identity);
        let is_taken = !is_renewal && !is_new;
        let transitions = before.lease_transitions.unwrap_or_default();
        let now = Some(MicroTime(now.wall));
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(self.terms.lease.as_secs()).ok(),
            acquire_time: if is_renewal { before.acquire_time.clone() } else { now.clone() },
            renew_time: now,
            lease_transitions: Some(transitions.saturating_add(i32::from(is_taken))),
            ..before
        }
    }
}

/// Who holds the lease; nobody when the name is empty.
fn holder(lease: &Lease) -> Option<&str> {
    let spec = lease.spec.as_ref()?;
    spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}
