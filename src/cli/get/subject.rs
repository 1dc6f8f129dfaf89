//! The object that `get` shows, and selectors for its dependents.

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::Resource;
use kube::api::{DynamicObject, ListParams};

use super::super::client::{self, Cluster};
use super::super::failure::Failure;
use super::super::view::{self, Look};
use serin_core::api::{Experiment, Rollout, keys};
use serin_insight::legible::Legible;
use serin_insight::object::is_owned;
use serin_insight::surroundings::Surroundings;

/// The kinds that `get` supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum SubjectKind {
    Rollout,
    Experiment,
}

impl SubjectKind {
    /// Parses a kind. Returns [`Failure::Usage`] for kinds that `get` does not support.
    pub(in crate::cli) fn of(kind: &str) -> Result<Self, Failure> {
        let found = [Self::Rollout, Self::Experiment].into_iter().find(|one| one.word() == kind);
        let unknown = || format!("cannot watch the kind {kind}; only Rollout and Experiment");
        found.ok_or_else(|| Failure::Usage(unknown()))
    }

    /// The kind as it is written in objects.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Rollout => keys::ROLLOUT,
            Self::Experiment => keys::EXPERIMENT,
        }
    }
}

/// The object that is shown.
#[derive(Debug)]
pub(super) enum Subject {
    Rollout(Box<Rollout>),
    Experiment(Box<Experiment>),
}

/// Label selectors for the dependents of a subject. `None` selects all objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    /// For `ReplicaSets` and pods.
    pub(super) pods: Option<String>,
    /// For Experiments and `AnalysisRuns`.
    pub(super) runs: Option<String>,
}

impl Subject {
    /// Parses a stored object as far as possible. The object's message reports what is wrong with it.
    pub(super) fn read(kind: SubjectKind, stored: DynamicObject) -> Result<Self, Failure> {
        Ok(match kind {
            SubjectKind::Rollout => Self::Rollout(Box::new(client::legible(stored)?.0)),
            SubjectKind::Experiment => Self::Experiment(Box::new(client::legible(stored)?.0)),
        })
    }

    pub(super) const fn kind(&self) -> SubjectKind {
        match self {
            Self::Rollout(_) => SubjectKind::Rollout,
            Self::Experiment(_) => SubjectKind::Experiment,
        }
    }

    pub(super) fn shown(&self, around: &Surroundings, look: &Look) -> String {
        match self {
            Self::Rollout(rollout) => view::rollout(rollout, around, look),
            Self::Experiment(experiment) => view::experiment(experiment, around, look),
        }
    }

    /// Selectors for the dependents, as narrow as possible.
    pub(super) fn selection(&self, experiments: &[Experiment]) -> Selection {
        match self {
            // The dependents of an Experiment have labels of their own.
            Self::Rollout(rollout)
                if !experiments.iter().any(|one| is_owned(&one.metadata, &rollout.metadata)) =>
            {
                let hashed = || keys::POD_HASH_LABEL.to_owned();
                let pods = client::own_selector(rollout).map_or_else(hashed, |own| own.to_string());
                Selection { pods: Some(pods), runs: Some(keys::POD_HASH_LABEL.to_owned()) }
            }
            Self::Rollout(_) | Self::Experiment(_) => Selection { pods: None, runs: None },
        }
    }

    /// Lists the dependents, with one request per kind. Also returns warnings about kinds that the user must not
    /// list.
    pub(super) async fn around(&self, cluster: &Cluster) -> Result<(Surroundings, Vec<String>), Failure> {
        let mut missing = Vec::new();
        let experiments: Vec<Experiment> = match self {
            Self::Rollout(_) => {
                let hashed = labelled(Some(keys::POD_HASH_LABEL.to_owned()));
                readable(custom(cluster, &hashed).await, "Experiments", &mut missing)?
            }
            Self::Experiment(_) => Vec::new(),
        };
        let Selection { pods, runs } = self.selection(&experiments);
        let (pods, runs) = (labelled(pods), labelled(runs));
        let (sets, pods, runs) =
            tokio::join!(cluster.list::<ReplicaSet>(&pods), cluster.list(&pods), custom(cluster, &runs));
        let around = Surroundings {
            replica_sets: readable(sets, "ReplicaSets", &mut missing)?,
            pods: readable(pods, "Pods", &mut missing)?,
            experiments,
            analysis_runs: readable(runs, "AnalysisRuns", &mut missing)?,
        };
        Ok((around, missing))
    }
}

/// Lists the custom resources of a kind. Unreadable ones do not hide the others.
async fn custom<K: Resource<DynamicType = ()> + Legible>(
    cluster: &Cluster,
    selector: &ListParams,
) -> Result<Vec<K>, Failure> {
    let objects = cluster.objects::<K>();
    let known = async {
        match objects.list(selector).await {
            Err(error) if Failure::is_unknown_kind(&error) => Ok(Vec::new()),
            answer => answer.map(|list| list.items),
        }
    };
    let stored = cluster.ask(known).await?;
    Ok(stored.into_iter().filter_map(|one| client::legible(one).ok()).map(|(one, _)| one).collect())
}

fn labelled(label_selector: Option<String>) -> ListParams {
    ListParams { label_selector, ..ListParams::default() }
}

/// Lists objects. If the user must not list them, returns none and adds a warning.
fn readable<T>(
    listed: Result<Vec<T>, Failure>,
    kinds: &str,
    missing: &mut Vec<String>,
) -> Result<Vec<T>, Failure> {
    match listed {
        Err(Failure::Refused(said)) => {
            missing.push(refusal(kinds, &said));
            Ok(Vec::new())
        }
        listed => listed,
    }
}

/// The warning about kinds that the user must not list.
pub(super) fn refusal(kinds: &str, said: &str) -> String {
    format!("{kinds} are not shown: {said}")
}
