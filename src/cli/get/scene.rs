//! One object and its dependents, as seen by watches.

use std::collections::BTreeMap;

use futures::stream::{BoxStream, SelectAll, StreamExt};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::runtime::watcher::Config;
use serde::de::DeserializeOwned;

use super::super::client::{self, Cluster};
use super::super::failure::{Failure, Program};
use super::super::view::{self, Look};
use super::super::watch::{News, Sight, Trouble, news};
use super::subject::{Selection, Subject, SubjectKind, refusal};
use serin_clock::Clock;
use serin_core::api::{AnalysisRun, Experiment, Rollout, keys};
use serin_insight::surroundings::Surroundings;

/// The kinds that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Rollout,
    ReplicaSet,
    Pod,
    Experiment,
    AnalysisRun,
}

impl Kind {
    const fn of(subject: SubjectKind) -> Self {
        match subject {
            SubjectKind::Rollout => Self::Rollout,
            SubjectKind::Experiment => Self::Experiment,
        }
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Rollout => "Rollouts",
            Self::ReplicaSet => "ReplicaSets",
            Self::Pod => "Pods",
            Self::Experiment => "Experiments",
            Self::AnalysisRun => "AnalysisRuns",
        }
    }

    fn watch(self, cluster: &Cluster, settings: Config) -> BoxStream<'static, (Self, News)> {
        let objects = match self {
            Self::Rollout => cluster.objects::<Rollout>(),
            Self::ReplicaSet => cluster.objects::<ReplicaSet>(),
            Self::Pod => cluster.objects::<Pod>(),
            Self::Experiment => cluster.objects::<Experiment>(),
            Self::AnalysisRun => cluster.objects::<AnalysisRun>(),
        };
        news(objects, settings).map(move |news| (self, news)).boxed()
    }
}

/// The watched state of an object and its dependents.
pub(super) struct Scene<'a> {
    cluster: &'a Cluster,
    program: Program,
    name: String,
    kind: SubjectKind,
    selection: Selection,
    sights: BTreeMap<Kind, Sight>,
    watches: SelectAll<BoxStream<'static, (Kind, News)>>,
}

impl<'a> Scene<'a> {
    /// Starts watches for the dependents of the object `name`.
    pub(super) fn open(cluster: &'a Cluster, name: &str, subject: &Subject, program: Program) -> Self {
        let mut scene = Self {
            cluster,
            program,
            name: name.to_owned(),
            kind: subject.kind(),
            selection: subject.selection(&[]),
            sights: BTreeMap::new(),
            watches: SelectAll::new(),
        };
        scene.watch();
        scene
    }

    /// Starts watches with these selectors, as narrow as possible.
    fn watch(&mut self) {
        let named = Config::default().fields(&format!("metadata.name={}", self.name));
        let labelled = |labels: &Option<String>| {
            labels.as_ref().map_or_else(Config::default, |labels| Config::default().labels(labels))
        };
        let Selection { pods, runs } = &self.selection;
        let mut kinds = vec![
            (Kind::ReplicaSet, labelled(pods)),
            (Kind::Pod, labelled(pods)),
            (Kind::AnalysisRun, labelled(runs)),
            (Kind::of(self.kind), named),
        ];
        if self.kind == SubjectKind::Rollout {
            kinds.push((Kind::Experiment, Config::default().labels(keys::POD_HASH_LABEL)));
        }
        for (kind, _) in &kinds {
            self.sights.entry(*kind).or_default();
        }
        self.watches = kinds.into_iter().map(|(kind, settings)| kind.watch(self.cluster, settings)).collect();
    }

    /// Waits for an event and applies it.
    pub(super) async fn change(&mut self) {
        let Some((kind, news)) = self.watches.next().await else { return std::future::pending().await };
        self.sights.entry(kind).or_default().hear(news, Clock::System.now());
        if [Kind::Rollout, Kind::Experiment].contains(&kind) {
            self.select();
        }
    }

    /// Restarts watches when the selectors of the subject change.
    fn select(&mut self) {
        let Ok(Some(subject)) = self.subject() else { return };
        let selection = subject.selection(&self.all(Kind::Experiment));
        if selection != self.selection {
            self.selection = selection;
            self.sights.values_mut().for_each(Sight::widen);
            self.watch();
        }
    }

    /// True once all readable kinds have been listed.
    pub(super) fn is_settled(&self) -> bool {
        self.sights.values().all(Sight::is_settled)
    }

    /// The failure if the object was deleted, or must not be watched.
    pub(super) async fn end(&self) -> Result<(), Failure> {
        let Some(sight) = self.sights.get(&Kind::of(self.kind)) else { return Ok(()) };
        if let Some(refusal) = sight.refusal() {
            return Err(refusal);
        }
        if !sight.is_empty() {
            return Ok(());
        }
        Err(match (self.program.is_plugin(), self.kind) {
            (true, SubjectKind::Rollout) => self.cluster.unknown::<Rollout>(&self.name, self.program).await,
            (true, SubjectKind::Experiment) => {
                self.cluster.unknown::<Experiment>(&self.name, self.program).await
            }
            (false, kind) => Failure::deleted(kind.word(), &self.name),
        })
    }

    /// Renders the scene as text; `None` until the object itself has been seen.
    pub(super) fn frame(&self, look: &Look) -> Result<Option<String>, Failure> {
        let Some(subject) = self.subject()? else { return Ok(None) };
        let around = Surroundings {
            replica_sets: self.all(Kind::ReplicaSet),
            pods: self.all(Kind::Pod),
            experiments: self.all(Kind::Experiment),
            analysis_runs: self.all(Kind::AnalysisRun),
        };
        Ok(Some(view::warnings(&self.warnings(), look) + &subject.shown(&around, look)))
    }

    fn subject(&self) -> Result<Option<Subject>, Failure> {
        let sight = self.sights.get(&Kind::of(self.kind));
        let stored = sight.and_then(|sight| sight.objects.values().next().cloned());
        stored.map(|stored| Subject::read(self.kind, stored)).transpose()
    }

    /// The readable objects of a kind.
    fn all<K: Resource<DynamicType = ()> + DeserializeOwned>(&self, kind: Kind) -> Vec<K> {
        let objects = self.sights.get(&kind).into_iter().flat_map(|sight| sight.objects.values());
        objects.filter_map(|object| client::typed(object.clone()).ok()).collect()
    }

    /// Warnings about the scene.
    fn warnings(&self) -> Vec<String> {
        let absences = self.sights.values().filter_map(Sight::absence_now);
        let first = absences.min_by_key(|absence| absence.since).map(super::super::watch::Absence::words);
        let refused = self.sights.iter().filter_map(|(kind, sight)| match &sight.trouble {
            Some(Trouble::Refused(said)) => Some(refusal(kind.plural(), said)),
            Some(Trouble::Away(_) | Trouble::UnknownKind) | None => None,
        });
        first.into_iter().chain(refused).collect()
    }
}
