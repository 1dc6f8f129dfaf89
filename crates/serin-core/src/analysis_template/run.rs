//! The AnalysisRun that a Rollout or an Experiment creates.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};
use thiserror::Error;

use super::arguments::{Unresolved, merge_arguments};
use super::collect::{Collected, TemplateError};
use super::flatten::{Conflict, flatten};
use super::place::Place;
use crate::api::analysis::{Argument, DryRun, MeasurementRetention};
use crate::api::{AnalysisRunSpec, Experiment, Rollout, TemplateMetadata, keys};
use serin_values::owner::controller_reference;
use serin_values::text_hash::text_hash;

/// The most characters of a name in Kubernetes.
const NAME_LENGTH_MAX: usize = 253;

/// Why an AnalysisRun cannot be made of templates.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// Templates cannot be used.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; also "))]
    Templates(Vec<TemplateError>),
    /// Templates contradict each other.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// An argument has no value.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
}

/// The spec of the AnalysisRun for templates, with the arguments and rules of the Rollout or Experiment. Its rules come
/// before those of the templates.
pub fn run_spec(
    collected: &Collected<'_>,
    given: &[Argument],
    dry_run: &[DryRun],
    retention: &[MeasurementRetention],
) -> Result<AnalysisRunSpec, RunError> {
    if !collected.errors.is_empty() {
        return Err(RunError::Templates(collected.errors.clone()));
    }
    let template = flatten(collected)?;
    Ok(AnalysisRunSpec {
        metrics: template.metrics,
        args: merge_arguments(&template.args, given)?,
        dry_run: [dry_run, template.dry_run.as_slice()].concat(),
        measurement_retention: [retention, template.measurement_retention.as_slice()].concat(),
        terminate: false,
        ttl_strategy: None,
    })
}

/// An AnalysisRun to create, except for its final name.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun {
    name: String,
    namespace: String,
    owner_uid: String,
    owner: Value,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    spec: AnalysisRunSpec,
}

/// The revision that an AnalysisRun of a Rollout is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRevision<'a> {
    /// Pod hash of its ReplicaSet.
    pub hash: &'a str,
    /// Its number.
    pub number: i64,
}

/// An AnalysisRun that exists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExistingRun<'a> {
    /// `uid` of its controller, if it has one.
    pub controller_uid: Option<&'a str>,
    /// True if it still measures: neither completed, nor being deleted.
    pub is_active: bool,
    /// Its spec, if it can be read.
    pub spec: Option<&'a AnalysisRunSpec>,
}

/// The AnalysisRun for an analysis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunChoice {
    /// An existing one already measures the same.
    Reuse(String),
    /// A new one with this name.
    Create(String),
}

impl NewRun {
    /// The AnalysisRun of a Rollout. `rollout` has the selector of its workload, if `workloadRef` names one.
    ///
    /// Labels and annotations of the controller are stronger than those of `analysisRunMetadata`, and these than
    /// `spec.selector.matchLabels`.
    #[must_use]
    pub fn of_rollout(
        rollout: &Rollout,
        place: Place,
        revision: NewRevision<'_>,
        metadata: Option<&TemplateMetadata>,
        spec: AnalysisRunSpec,
    ) -> Self {
        let NewRevision { hash, number } = revision;
        let owner = rollout.metadata.name.as_deref().unwrap_or_default();
        let infix = Some(place.infix()).filter(|infix| !infix.is_empty());
        let infix = infix.map_or_else(String::new, |infix| format!("-{infix}"));
        let name = format!("{owner}-{hash}-{number}{infix}");
        let mut run = Self::new(keys::ROLLOUT, &rollout.metadata, name, metadata, spec);
        let selector = rollout.spec.selector.as_ref().and_then(|selector| selector.match_labels.clone());
        for (key, value) in selector.unwrap_or_default() {
            run.labels.entry(key).or_insert(value);
        }
        run.labels.insert(keys::POD_HASH_LABEL.to_owned(), hash.to_owned());
        run.labels.insert(keys::ROLLOUT_TYPE_LABEL.to_owned(), place.label().to_owned());
        match place.step() {
            Some(index) => run.labels.insert(keys::STEP_INDEX_LABEL.to_owned(), index.to_string()),
            None => run.labels.remove(keys::STEP_INDEX_LABEL),
        };
        run.own_instance(&rollout.metadata);
        run.annotations.insert(keys::REVISION.to_owned(), number.to_string());
        run
    }

    /// The AnalysisRun for the analysis `analysis` of an Experiment.
    #[must_use]
    pub fn of_experiment(experiment: &Experiment, analysis: &str, spec: AnalysisRunSpec) -> Self {
        let owner = experiment.metadata.name.as_deref().unwrap_or_default();
        let metadata = experiment.spec.analysis_run_metadata.as_ref();
        let name = format!("{owner}-{analysis}");
        let mut run = Self::new(keys::EXPERIMENT, &experiment.metadata, name, metadata, spec);
        run.own_instance(&experiment.metadata);
        run
    }

    fn new(
        kind: &str,
        owner: &ObjectMeta,
        name: String,
        metadata: Option<&TemplateMetadata>,
        spec: AnalysisRunSpec,
    ) -> Self {
        let TemplateMetadata { labels, annotations } = metadata.cloned().unwrap_or_default();
        let reference =
            controller_reference(keys::API_VERSION, kind, owner.name.as_deref(), owner.uid.as_deref());
        Self {
            name,
            namespace: owner.namespace.clone().unwrap_or_default(),
            owner_uid: owner.uid.clone().unwrap_or_default(),
            owner: reference,
            labels,
            annotations,
            spec,
        }
    }

    /// The controller that looks after the owner also looks after the AnalysisRun.
    fn own_instance(&mut self, owner: &ObjectMeta) {
        let key = keys::INSTANCE_ID_LABEL;
        match owner.labels.as_ref().and_then(|labels| labels.get(key)) {
            Some(instance) => self.labels.insert(key.to_owned(), instance.clone()),
            None => self.labels.remove(key),
        };
    }

    /// The AnalysisRun to use. `existing` returns the one with a name.
    ///
    /// An existing AnalysisRun is used if it has the same owner, still measures, is not terminated, and has the same metrics,
    /// arguments and rules. Otherwise, its name is taken, and `.1`, `.2` and so on follow.
    pub fn choose<'a>(&self, existing: impl Fn(&str) -> Option<ExistingRun<'a>>) -> RunChoice {
        let mut collisions = 0_u64;
        loop {
            let name = self.name_after(collisions);
            match existing(&name) {
                None => return RunChoice::Create(name),
                Some(run) if self.is_done_by(&run) => return RunChoice::Reuse(name),
                Some(_) => collisions += 1,
            }
        }
    }

    /// The name after so many collisions. The part that identifies the owner is cut, and replaced by its hash, if the name
    /// would be too long.
    fn name_after(&self, collisions: u64) -> String {
        let suffix = if collisions == 0 { String::new() } else { format!(".{collisions}") };
        if self.name.len() + suffix.len() <= NAME_LENGTH_MAX {
            return format!("{}{suffix}", self.name);
        }
        let hash = text_hash(&self.name);
        let room = NAME_LENGTH_MAX.saturating_sub(suffix.len() + hash.len() + 1);
        let letters = self.name.char_indices().take_while(|(at, letter)| at + letter.len_utf8() <= room);
        let cut: String = letters.map(|(_, letter)| letter).collect();
        format!("{}-{hash}{suffix}", cut.trim_end_matches(|letter: char| !letter.is_alphanumeric()))
    }

    fn is_done_by(&self, run: &ExistingRun<'_>) -> bool {
        let Some(spec) = run.spec else { return false };
        run.is_active
            && !spec.terminate
            && run.controller_uid == Some(&self.owner_uid)
            && spec.metrics == self.spec.metrics
            && spec.args == self.spec.args
            && spec.dry_run == self.spec.dry_run
            && spec.measurement_retention == self.spec.measurement_retention
    }

    /// The object to create, with the name that [`choose`](Self::choose) returned.
    #[must_use]
    pub fn body(&self, name: &str) -> Value {
        json!({
            "apiVersion": keys::API_VERSION,
            "kind": keys::ANALYSIS_RUN,
            "metadata": {
                "name": name,
                "namespace": self.namespace,
                "labels": self.labels,
                "annotations": self.annotations,
                "ownerReferences": [self.owner],
            },
            "spec": self.spec,
        })
    }
}
