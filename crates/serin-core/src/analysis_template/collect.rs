//! Templates with those that they include.

use std::collections::BTreeSet;

use thiserror::Error;

use super::name::{Scope, TemplateName, references};
use crate::api::{AnalysisTemplateSpec, DecodeError};

/// The most templates that one analysis may use, included ones counted.
pub const TEMPLATES_MAX: usize = 100;

/// Why a template of an analysis cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// It does not exist.
    #[error("{0} not found")]
    Missing(TemplateName),
    /// It exists, but its spec cannot be read.
    #[error("{name} cannot be read: {error}")]
    Unreadable {
        /// Which one.
        name: TemplateName,
        /// The field at fault.
        error: DecodeError,
    },
    /// It includes itself. The path starts and ends with it.
    #[error("templates include each other in a cycle: {}; remove one of these references", path(.0))]
    Cycle(Vec<TemplateName>),
    /// There are more than [`TEMPLATES_MAX`] of them.
    #[error("more than {TEMPLATES_MAX} templates are used, included ones counted")]
    TooMany,
}

fn path(names: &[TemplateName]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> ")
}

/// The templates of an analysis.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected<'a> {
    /// AnalysisTemplates, each followed by those that it includes.
    namespaced: Vec<(TemplateName, &'a AnalysisTemplateSpec)>,
    /// ClusterAnalysisTemplates, in the same order.
    cluster: Vec<(TemplateName, &'a AnalysisTemplateSpec)>,
    /// Every template that was looked for, found or not. A change of any of them may change the result.
    pub names: BTreeSet<TemplateName>,
    /// Problems, in the order of the references. Empty if the analysis can use its templates.
    pub errors: Vec<TemplateError>,
}

impl<'a> Collected<'a> {
    /// The templates that were found, AnalysisTemplates first. Each appears once.
    pub fn templates(&self) -> impl Iterator<Item = (&TemplateName, &'a AnalysisTemplateSpec)> {
        self.namespaced.iter().chain(&self.cluster).map(|(name, spec)| (name, *spec))
    }
}

/// Finds the templates `names` and all that they include. The search continues after a problem, except after
/// [`TemplateError::TooMany`].
///
/// `lookup` returns the spec of a template, `None` if it does not exist, or where it cannot be read.
pub fn collect<'a>(
    names: &[TemplateName],
    lookup: impl Fn(&TemplateName) -> Option<Result<&'a AnalysisTemplateSpec, DecodeError>>,
) -> Collected<'a> {
    let mut walk = Walk { lookup, path: Vec::new(), collected: Collected::default() };
    walk.visit_all(names);
    walk.collected
}

struct Walk<'a, F> {
    lookup: F,
    /// The templates that include the current one, outermost first.
    path: Vec<TemplateName>,
    collected: Collected<'a>,
}

impl<'a, F> Walk<'a, F>
where
    F: Fn(&TemplateName) -> Option<Result<&'a AnalysisTemplateSpec, DecodeError>>,
{
    fn visit_all(&mut self, names: &[TemplateName]) {
        for name in names {
            if self.collected.errors.last() == Some(&TemplateError::TooMany) {
                return;
            }
            self.visit(name);
        }
    }

    /// The depth is limited by [`TEMPLATES_MAX`], because each template on the path is another one.
    fn visit(&mut self, name: &TemplateName) {
        if let Some(start) = self.path.iter().position(|outer| outer == name) {
            let mut cycle = self.path[start..].to_vec();
            cycle.push(name.clone());
            self.collected.errors.push(TemplateError::Cycle(cycle));
            return;
        }
        if self.collected.names.contains(name) {
            return;
        }
        if name.name.is_empty() {
            self.collected.errors.push(TemplateError::Missing(name.clone()));
            return;
        }
        if self.collected.names.len() == TEMPLATES_MAX {
            self.collected.errors.push(TemplateError::TooMany);
            return;
        }
        self.collected.names.insert(name.clone());
        match (self.lookup)(name) {
            None => self.collected.errors.push(TemplateError::Missing(name.clone())),
            Some(Err(error)) => {
                self.collected.errors.push(TemplateError::Unreadable { name: name.clone(), error });
            }
            Some(Ok(spec)) => {
                let list = match name.scope {
                    Scope::Namespace => &mut self.collected.namespaced,
                    Scope::Cluster => &mut self.collected.cluster,
                };
                list.push((name.clone(), spec));
                self.path.push(name.clone());
                self.visit_all(&references(&spec.templates));
                self.path.pop();
            }
        }
    }
}
