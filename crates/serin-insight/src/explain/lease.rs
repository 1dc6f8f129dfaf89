//! Reads from Leases if a controller is running for a Rollout.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;

use super::picture::Picture;
use serin_core::api::{Rollout, keys};
use serin_values::time::after;

/// The state of the controller of a Rollout, according to Leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Controller {
    /// A leader is active.
    Leads,
    /// The last leader no longer renews its Lease.
    Gone {
        /// Namespace and name of the Lease.
        lease: String,
        /// The last holder; empty if it released the Lease.
        holder: String,
        /// The time of the last renewal.
        since: Option<Timestamp>,
    },
    /// No Lease exists for the instance.
    Absent {
        /// The expected name of the Lease.
        lease: String,
        /// The Leases of other instances, with their namespaces.
        others: Vec<String>,
    },
    /// The user must not read Leases.
    Unknown,
}

/// The instance id of a Rollout.
#[must_use]
pub(super) fn instance_id(rollout: &Rollout) -> Option<&str> {
    let id = rollout.metadata.labels.as_ref()?.get(keys::INSTANCE_ID_LABEL)?;
    Some(id.as_str())
}

/// The name of the Lease of an instance.
#[must_use]
pub fn lease_name(instance_id: Option<&str>) -> String {
    keys::lease(instance_id.filter(|id| !id.is_empty()))
}

/// The state of the controller of an instance, according to the Leases of `picture`.
#[must_use]
pub(super) fn controller(picture: &Picture, instance_id: Option<&str>, now: Timestamp) -> Controller {
    if !picture.has_read("leases") {
        return Controller::Unknown;
    }
    let wanted = lease_name(instance_id);
    let leases: Vec<Lease> = picture.all("Lease");
    let (own, others): (Vec<_>, Vec<_>) =
        leases.into_iter().partition(|lease| lease.metadata.name.as_ref() == Some(&wanted));
    let standings: Vec<_> = own.iter().map(|lease| standing(lease, now)).collect();
    let leads = standings.iter().find(|standing| **standing == Controller::Leads);
    let absent = || Controller::Absent { lease: wanted.clone(), others: others.iter().map(place).collect() };
    leads.or(standings.first()).cloned().unwrap_or_else(absent)
}

fn place(lease: &Lease) -> String {
    let meta = &lease.metadata;
    format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

fn standing(lease: &Lease, now: Timestamp) -> Controller {
    let spec = lease.spec.clone().unwrap_or_default();
    let since = spec.renew_time.map(|time| time.0);
    let lasts = SignedDuration::from_secs(spec.lease_duration_seconds.unwrap_or(0).into());
    let holder = spec.holder_identity.unwrap_or_default();
    if !holder.is_empty() && since.is_some_and(|since| after(since, lasts) >= now) {
        return Controller::Leads;
    }
    Controller::Gone { lease: place(lease), holder, since }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(leases: &[serde_json::Value], id: Option<&str>) -> Controller {
        let now = "2026-01-01T00:01:00Z".parse().unwrap();
        let mut picture = Picture::new("shop", "demo", now);
        picture.add(leases.to_vec());
        controller(&picture, id, now)
    }

    fn lease(name: &str, holder: &str, renewed: &str) -> serde_json::Value {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": "ops"},
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed},
        })
    }

    #[test]
    fn a_lease_that_is_over_or_held_by_nobody_is_no_controller() {
        let name = "argo-rollouts-controller-lock";
        let gone = |holder: &str, since: &str| Controller::Gone {
            lease: format!("ops/{name}"),
            holder: holder.to_owned(),
            since: Some(since.parse().unwrap()),
        };
        let at = |time: &str| format!("2026-01-01T00:{time}.000000Z");
        assert_eq!(said(&[lease(name, "a", &at("00:46"))], None), Controller::Leads);
        assert_eq!(said(&[lease(name, "a", &at("00:44"))], None), gone("a", &at("00:44")));
        assert_eq!(said(&[lease(name, "", &at("00:59"))], None), gone("", &at("00:59")));
    }

    #[test]
    fn each_instance_has_its_lease() {
        let own = lease("argo-rollouts-controller-lock", "a", "2026-01-01T00:00:59.000000Z");
        let expected = Controller::Absent {
            lease: "argo-rollouts-controller-lock-blue".to_owned(),
            others: vec!["ops/argo-rollouts-controller-lock".to_owned()],
        };
        assert_eq!(said(&[own], Some("blue")), expected);
    }
}
