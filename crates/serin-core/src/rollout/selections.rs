//! The revisions that Services are to select.

use serde_json::{Value, json};

use super::context::Context;
use super::draft::Draft;
use super::snapshot::ServiceView;
use crate::api::keys;
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::Purpose;

/// The revisions that a decision has Services select, in the order in which it was decided.
#[derive(Debug, Default)]
pub(super) struct Selections<'a> {
    points: Vec<(&'a ServiceView, String)>,
}

impl<'a> Selections<'a> {
    /// Makes a Service select the pods of one revision only.
    pub(super) fn point(&mut self, service: &'a ServiceView, hash: &str) {
        self.points.push((service, hash.to_owned()));
    }

    /// The hash that the selector of a Service has once this is done; empty for none.
    pub(super) fn of(&self, service: &'a ServiceView) -> &str {
        let pointed = self.points.iter().find(|(pointed, _)| pointed.id.name == service.id.name);
        pointed.map(|(_, hash)| hash.as_str()).or_else(|| service.selected_hash()).unwrap_or_default()
    }

    /// Asks for the writes.
    pub(super) fn write(&self, cx: &Context<'_>, draft: &mut Draft) {
        for (service, to) in &self.points {
            let from = service.selected_hash().unwrap_or_default().to_owned();
            let mut patch = json!({"spec": {"selector": {keys::POD_HASH_LABEL: to}}});
            if service.managed_by.is_none() {
                patch["metadata"] = json!({"annotations": {keys::MANAGED_BY_ROLLOUTS: cx.spec.name()}});
            }
            let message =
                format!("Switched selector for service '{}' from '{from}' to '{to}'", service.id.name);
            let event = EventNote::new(EventReason::SwitchService, message);
            let purpose = Purpose::PointService { from, to: to.clone() };
            draft.patch_service(service, &patch, purpose, vec![event]);
        }
    }
}

/// Gives a Service back to its user.
pub(super) fn release(service: &ServiceView, draft: &mut Draft) {
    let patch = json!({
        "metadata": {"annotations": {keys::MANAGED_BY_ROLLOUTS: Value::Null}},
        "spec": {"selector": {keys::POD_HASH_LABEL: Value::Null}},
    });
    draft.patch_service(service, &patch, Purpose::ReleaseService, Vec::new());
}
