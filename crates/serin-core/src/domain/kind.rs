//! The kinds of objects that Serin reads and writes, in one table.

use crate::api::keys;

/// How the status of a kind is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusResource {
    /// Through the subresource `status`.
    Subresource,
    /// With the object itself, since the kind has no such subresource.
    Object,
}

/// Where the API server serves a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceType {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// API versions that Serin can read, the best first. The API server is asked which of them it serves where there is
    /// more than one.
    pub versions: &'static [&'static str],
    /// The kind, as `kind` has it.
    pub kind: &'static str,
    /// The resource, as URLs and RBAC rules have it.
    pub plural: &'static str,
    /// How the status is written.
    pub status: StatusResource,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident: $group:expr, $versions:expr, $kind:expr, $plural:literal, $status:ident;)+) => {
        /// A kind of objects that Serin reads or writes. All of them live in namespaces.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ObjectKind {
            $($(#[$doc])* $variant,)+
        }

        impl ObjectKind {
            /// All kinds, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Where the API server serves objects of the kind.
            #[must_use]
            pub const fn resource(self) -> ResourceType {
                let (group, versions, kind, plural, status): (_, &'static [&'static str], _, _, _) = match self {
                    $(Self::$variant => ($group, &$versions, $kind, $plural, StatusResource::$status),)+
                };
                ResourceType { group, versions, kind, plural, status }
            }
        }
    };
}

kinds! {
    /// A Rollout: a primary kind, which is decided on.
    Rollout: keys::GROUP, ["v1alpha1"], keys::ROLLOUT, "rollouts", Subresource;
    /// A ReplicaSet with the hash label, the pods of a revision.
    ReplicaSet: "apps", ["v1"], "ReplicaSet", "replicasets", Subresource;
    /// A Service.
    Service: "", ["v1"], "Service", "services", Subresource;
    /// An Ingress.
    Ingress: "networking.k8s.io", ["v1"], "Ingress", "ingresses", Subresource;
    /// A Pod with the hash label.
    Pod: "", ["v1"], "Pod", "pods", Subresource;
    /// A Deployment that a template may come from, and whose place a Rollout may take.
    Deployment: "apps", ["v1"], "Deployment", "deployments", Subresource;
    /// A ReplicaSet that a template may come from, whoever controls it. Those with the hash label are known as
    /// [`ReplicaSet`](Self::ReplicaSet) as well.
    WorkloadReplicaSet: "apps", ["v1"], "ReplicaSet", "replicasets", Subresource;
    /// A PodTemplate that a template may come from.
    PodTemplate: "", ["v1"], "PodTemplate", "podtemplates", Subresource;
    /// An AnalysisRun: a primary kind, which is decided on.
    AnalysisRun: keys::GROUP, ["v1alpha1"], "AnalysisRun", "analysisruns", Object;
    /// An Experiment.
    Experiment: keys::GROUP, ["v1alpha1"], "Experiment", "experiments", Object;
    /// A Job that measures something.
    Job: "batch", ["v1"], "Job", "jobs", Subresource;
    /// A route of Gateway API.
    HttpRoute: "gateway.networking.k8s.io", ["v1", "v1beta1"], "HTTPRoute", "httproutes", Subresource;
}

impl ObjectKind {
    /// The kind, as `kind` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.resource().kind
    }

    /// The resource, as URLs and RBAC rules have it.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        self.resource().plural
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_version_and_names_of_its_own() {
        let mut seen = BTreeSet::new();
        for kind in ObjectKind::ALL {
            let of = kind.resource();
            assert!(!of.versions.is_empty(), "{kind:?}");
            let is_second = *kind == ObjectKind::WorkloadReplicaSet;
            assert!(seen.insert((of.group, of.plural)) != is_second, "{kind:?}");
        }
    }
}
