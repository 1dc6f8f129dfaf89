//! What the nginx router writes: names and annotations of canary Ingresses.
//!
//! These checks go beyond the reference, which finds out when the API server refuses the canary Ingress.

use super::error::{Findings, Path};
use super::names;
use crate::api::routing::NginxRouting;
use crate::traffic::nginx::{DEFAULT_ANNOTATION_PREFIX, annotation_key, canary_ingress_name};

/// Checks the router at `path` of the Rollout with that name.
pub(super) fn check(nginx: &NginxRouting, rollout: &str, path: &Path, found: &mut Findings) {
    let prefix = nginx.annotation_prefix.as_deref().unwrap_or(DEFAULT_ANNOTATION_PREFIX);
    if let Err(problem) = names::dns_subdomain(prefix) {
        found.invalid(&path.field("annotationPrefix"), prefix, problem);
    }
    check_annotations(nginx, prefix, path, found);
    if let Some(name) = &nginx.stable_ingress {
        check_ingress(name, rollout, &path.field("stableIngress"), found);
    }
    for (index, name) in nginx.stable_ingresses.iter().enumerate() {
        check_ingress(name, rollout, &path.field("stableIngresses").index(index), found);
    }
}

fn check_annotations(nginx: &NginxRouting, prefix: &str, path: &Path, found: &mut Findings) {
    let additional = path.field("additionalIngressAnnotations");
    for key in nginx.additional_ingress_annotations.keys() {
        match annotation_key(prefix, key) {
            Err(problem) => found.invalid(&additional.field(key), key.as_str(), problem),
            // A wrong prefix was named already.
            Ok(_) => has_form(key.rsplit('/').next().unwrap_or_default(), key, &additional, found),
        }
    }
    let verbatim = path.field("canaryIngressAnnotations");
    for key in nginx.canary_ingress_annotations.keys() {
        has_form(key, key, &verbatim, found);
    }
}

/// Checks that `text`, of the annotation `key` of the map at `path`, is a key. The API server ignores case.
fn has_form(text: &str, key: &str, path: &Path, found: &mut Findings) {
    if let Err(problem) = names::qualified_name(&text.to_lowercase()) {
        found.invalid(&path.field(key), key, problem);
    }
}

/// An Ingress whose name no Ingress can have is not missing, it is misspelt. The name of its canary is cut to the length
/// that names may have, which may leave a dot at the cut.
fn check_ingress(name: &str, rollout: &str, path: &Path, found: &mut Findings) {
    if name.is_empty() {
        return;
    }
    if let Err(problem) = names::dns_subdomain(name) {
        found.invalid(path, name, format!("is not a name that an Ingress can have: it {problem}"));
        return;
    }
    let canary = canary_ingress_name(rollout, name);
    if !rollout.is_empty() && names::dns_subdomain(&canary).is_err() {
        let problem = format!("the canary Ingress would get the name {canary:?}, which is invalid");
        found.invalid_but(path, name, problem, "shorten the name of the Ingress or of the Rollout");
    }
}
