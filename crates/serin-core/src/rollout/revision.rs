//! Revisions: which ReplicaSet runs a template.
//!
//! The current revision is the ReplicaSet that was created for exactly this template, and still has it. Nothing but the
//! template decides that: no generation, no time and no field of a status, all of which may be about another template.

use serde_json::{Map, Value};

use super::snapshot::ReplicaSetView;
use super::valid::ValidRollout;
use crate::api::{RolloutStatus, keys};
use crate::domain::template::EphemeralMetadata;
use crate::domain::{hash, template};

/// Whether a ReplicaSet of the snapshot is one of the Rollout's: its own, or an orphan that can be adopted. One without
/// a hash is of no revision.
pub(super) fn belongs(rs: &ReplicaSetView) -> bool {
    (rs.owned || !rs.deleting) && !rs.hash().is_empty()
}

/// The current template, and the names that it goes by.
#[derive(Debug)]
pub(super) struct Identity<'a> {
    template: &'a Value,
    /// The hash that a new ReplicaSet gets.
    pub(super) hash: String,
    /// The hash that releases of the reference before 1.9 gave it.
    legacy_hash: String,
    pub(super) digest: String,
    /// The metadata of all roles.
    roles: EphemeralMetadata,
}

/// How a ReplicaSet stands to a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// It was created for the template and still has it.
    Runs,
    /// It was created for the template, and somebody has given it another one.
    Edited,
    Other,
}

impl<'a> Identity<'a> {
    pub(super) fn new(spec: &ValidRollout<'a>, status: &RolloutStatus) -> Self {
        let template = spec.template.as_value();
        let collisions = status.collision_count;
        Self {
            template,
            hash: hash::pod_template_hash(template, collisions),
            legacy_hash: hash::pod_template_hash_legacy_null_timestamp(template, collisions),
            digest: template::digest(template),
            roles: spec.metadata_of_roles(),
        }
    }

    /// The ephemeral metadata in the template of the ReplicaSet. Where its record cannot be read, what the roles ask for is
    /// none of the user's template.
    fn injected(&self, rs: &ReplicaSetView) -> EphemeralMetadata {
        let recorded = rs.injected();
        let is_lost =
            recorded == EphemeralMetadata::default() && rs.annotations.contains_key(keys::EPHEMERAL_METADATA);
        if is_lost { self.roles.clone() } else { recorded }
    }

    /// The ReplicaSet that runs the template.
    ///
    /// A ReplicaSet keeps the hash that it was made with: libraries and algorithms change, and a hash that differs is no
    /// reason to replace running pods. So the one with today's hash comes first, and after it any other that fits.
    pub(super) fn find<'r>(&self, owned: &[&'r ReplicaSetView]) -> Option<&'r ReplicaSetView> {
        let runs = |rs: &&ReplicaSetView| self.fit(rs) == Fit::Runs;
        let named = owned.iter().copied().filter(|rs| self.is_named(rs)).find(runs);
        named.or_else(|| owned.iter().copied().find(runs))
    }

    /// Whether the ReplicaSet was created for the template and has another one now.
    pub(super) fn is_edited(&self, rs: &ReplicaSetView) -> bool {
        self.fit(rs) == Fit::Edited
    }

    /// Whether the hash is one that the template has.
    fn is_named(&self, rs: &ReplicaSetView) -> bool {
        rs.hash() == self.hash || rs.hash() == self.legacy_hash
    }

    fn fit(&self, rs: &ReplicaSetView) -> Fit {
        match rs.template_digest() {
            Some(digest) if digest == self.digest => {
                if self.is_as_created(rs) {
                    Fit::Runs
                } else {
                    Fit::Edited
                }
            }
            Some(_) => Fit::Other,
            None => self.fit_of_foreign(rs),
        }
    }

    /// A ReplicaSet that another controller created says with its hash what it was created for. Admission may have stored
    /// another template under it, so that pods which run already are taken as they are: that they would have to be
    /// replaced is what needs proof.
    fn fit_of_foreign(&self, rs: &ReplicaSetView) -> Fit {
        let is_equal = template::templates_equal(&rs.template, self.template, &self.injected(rs));
        match self.is_named(rs) {
            _ if is_equal => Fit::Runs,
            true if rs.owned && rs.has_pods() => Fit::Runs,
            true => Fit::Edited,
            false => Fit::Other,
        }
    }

    /// Whether the ReplicaSet, created for the template, has it as the API server stored it then. Its first generation is
    /// what was stored.
    fn is_as_created(&self, rs: &ReplicaSetView) -> bool {
        let stored = self.stored_digest(rs);
        stored == self.digest
            || rs.annotations.get(keys::STORED_TEMPLATE_DIGEST) == Some(&stored)
            || rs.generation <= 1
    }

    /// What an orphan is to say of itself when it is adopted, if it has the hash of the template, but another template.
    pub(super) fn digest_of_impostor(&self, rs: &ReplicaSetView) -> Option<String> {
        let is_impostor = rs.template_digest().is_none() && self.is_edited(rs);
        is_impostor.then(|| template::digest(&template::restored(&rs.template, &rs.injected())))
    }

    fn stored_digest(&self, rs: &ReplicaSetView) -> String {
        template::stored_digest(&rs.template, self.template, &self.injected(rs))
    }

    /// The annotations that keep what the current ReplicaSet was created for, as far as it lacks them. Those that are
    /// `due` are worth a write of their own: without them a later edit could not be told from what was stored.
    pub(super) fn record(&self, rs: &ReplicaSetView) -> Record {
        let mut annotations = Map::new();
        if rs.template_digest().is_none() {
            annotations.insert(keys::TEMPLATE_DIGEST.to_owned(), self.digest.clone().into());
        }
        let stored = self.stored_digest(rs);
        let is_stored = rs.annotations.get(keys::STORED_TEMPLATE_DIGEST) == Some(&stored);
        let is_due = stored != self.digest && !is_stored;
        if is_due {
            annotations.insert(keys::STORED_TEMPLATE_DIGEST.to_owned(), stored.into());
        }
        Record { annotations, is_due }
    }
}

/// What is to be written on a ReplicaSet, so that it can be told later what it was created for.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) annotations: Map<String, Value>,
    pub(super) is_due: bool,
}
