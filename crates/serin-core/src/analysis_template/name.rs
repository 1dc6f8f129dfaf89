//! Names of templates, and the references to them.

use std::fmt;

use crate::api::analysis::TemplateRef;
use crate::api::keys;

/// Where a template is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// An AnalysisTemplate in the namespace of the Rollout or Experiment.
    Namespace,
    /// A ClusterAnalysisTemplate.
    Cluster,
}

/// Kind and name of a template. Its namespace is always that of the Rollout or Experiment, also where a
/// ClusterAnalysisTemplate includes an AnalysisTemplate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateName {
    /// Where it is looked for.
    pub scope: Scope,
    /// `metadata.name`; empty if a reference names none.
    pub name: String,
}

impl TemplateName {
    /// The template `name` of that scope.
    #[must_use]
    pub fn new(scope: Scope, name: impl Into<String>) -> Self {
        Self { scope, name: name.into() }
    }

    /// Kind of the template.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.scope {
            Scope::Namespace => keys::ANALYSIS_TEMPLATE,
            Scope::Cluster => keys::CLUSTER_ANALYSIS_TEMPLATE,
        }
    }
}

impl From<&TemplateRef> for TemplateName {
    fn from(reference: &TemplateRef) -> Self {
        let is_cluster = reference.cluster_scope.unwrap_or(false);
        let scope = if is_cluster { Scope::Cluster } else { Scope::Namespace };
        Self::new(scope, reference.template_name.clone().unwrap_or_default())
    }
}

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} '{}'", self.kind(), self.name)
    }
}

/// The templates that a list names directly, in its order.
#[must_use]
pub fn references(list: &[TemplateRef]) -> Vec<TemplateName> {
    list.iter().map(TemplateName::from).collect()
}
