//! The kinds of objects that a scenario is watched by.

/// A kind that recordings and scripts name by a short word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Rollout,
    ReplicaSet,
    Service,
    Ingress,
    AnalysisRun,
    Experiment,
    Deployment,
    Job,
}

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Rollout,
        Self::ReplicaSet,
        Self::Service,
        Self::Ingress,
        Self::AnalysisRun,
        Self::Experiment,
        Self::Deployment,
        Self::Job,
    ];

    /// The word for it in recordings and scripts.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Rollout => "rollout",
            Self::ReplicaSet => "rs",
            Self::Service => "svc",
            Self::Ingress => "ing",
            Self::AnalysisRun => "run",
            Self::Experiment => "exp",
            Self::Deployment => "deploy",
            Self::Job => "job",
        }
    }

    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind that manifests call so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.names().1 == name)
    }

    /// Group and version, the kind as objects say it, and its plural.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Rollout => ("apis/argoproj.io/v1alpha1", "Rollout", "rollouts"),
            Self::ReplicaSet => ("apis/apps/v1", "ReplicaSet", "replicasets"),
            Self::Service => ("api/v1", "Service", "services"),
            Self::Ingress => ("apis/networking.k8s.io/v1", "Ingress", "ingresses"),
            Self::AnalysisRun => ("apis/argoproj.io/v1alpha1", "AnalysisRun", "analysisruns"),
            Self::Experiment => ("apis/argoproj.io/v1alpha1", "Experiment", "experiments"),
            Self::Deployment => ("apis/apps/v1", "Deployment", "deployments"),
            Self::Job => ("apis/batch/v1", "Job", "jobs"),
        }
    }

    /// The URL path of all objects of the kind in a namespace.
    pub(crate) fn collection(self, namespace: &str) -> String {
        let (group, _, plural) = self.names();
        format!("/{group}/namespaces/{namespace}/{plural}")
    }
}

/// The URL path of the events in a namespace.
pub(crate) fn events(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/events")
}
