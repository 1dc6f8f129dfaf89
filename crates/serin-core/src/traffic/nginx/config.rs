//! The router as a Rollout configures it.

use super::router::{DEFAULT_ANNOTATION_PREFIX, NginxRouter, canary_ingress_name};
use crate::api::{Rollout, keys};
use crate::domain::object::Objects;
use crate::domain::plan::{ObjectKind, Op};
use crate::traffic::error::TrafficError;

impl<'a> NginxRouter<'a> {
    /// The router of a Rollout; none where it is not configured for ingress-nginx.
    #[must_use]
    pub fn of(rollout: &'a Rollout) -> Option<Self> {
        let canary = rollout.spec.strategy.canary.as_ref()?;
        let routing = canary.traffic_routing.as_ref()?;
        let nginx = routing.nginx.as_ref()?;
        let single = nginx.stable_ingress.as_ref().map(std::slice::from_ref);
        Some(Self {
            namespace: rollout.metadata.namespace.as_deref().unwrap_or_default(),
            rollout: rollout.metadata.name.as_deref().unwrap_or_default(),
            uid: rollout.metadata.uid.as_deref().unwrap_or_default(),
            stable_service: canary.stable_service.as_deref().unwrap_or_default(),
            canary_service: canary.canary_service.as_deref().unwrap_or_default(),
            stable_ingresses: single.unwrap_or(&nginx.stable_ingresses),
            annotation_prefix: nginx.annotation_prefix.as_deref().unwrap_or(DEFAULT_ANNOTATION_PREFIX),
            additional_annotations: &nginx.additional_ingress_annotations,
            canary_annotations: &nginx.canary_ingress_annotations,
            max_weight: routing.max_traffic_weight,
            field_manager: keys::FIELD_MANAGER,
        })
    }

    /// What to write so that the canary gets `weight` behind each stable Ingress.
    pub fn render_all(&self, objects: &Objects, weight: i32) -> Result<Vec<Op>, TrafficError> {
        let ingress = |name: &str| objects.get(ObjectKind::Ingress, self.namespace, name);
        let mut ops = Vec::new();
        for name in self.stable_ingresses {
            let Some(stable) = ingress(name) else {
                return Err(TrafficError::NoIngress { ingress: name.clone() });
            };
            let canary = ingress(&canary_ingress_name(self.rollout, name));
            ops.extend(self.render(stable, canary, weight)?);
        }
        Ok(ops)
    }
}
