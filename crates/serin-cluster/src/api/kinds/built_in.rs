//! The table of built-in kinds.

use super::kind::{ALL_VERBS, GenerationRule, Kind, PART_VERBS, Subresource, owned};

/// Every built-in kind: group and version, then its kinds.
pub(super) fn all() -> Vec<Kind> {
    [
        core(),
        apps_and_batch(),
        networking(),
        policy_and_scaling(),
        events_and_leases(),
        definitions(),
        rights(),
    ]
    .concat()
}

fn core() -> Vec<Kind> {
    let mut namespaces = kind("", "v1", "namespaces", "Namespace").cluster().short("ns");
    namespaces.verbs.retain(|verb| verb != "deletecollection");
    vec![
        kind("", "v1", "bindings", "Binding").verbs(&["create"]),
        kind("", "v1", "configmaps", "ConfigMap").short("cm"),
        kind("", "v1", "endpoints", "Endpoints").short("ep").singular("endpoints"),
        kind("", "v1", "events", "Event").short("ev"),
        namespaces.part(["", "v1", "Namespace"], "finalize", &["update"]).status(),
        kind("", "v1", "nodes", "Node").cluster().short("no").status(),
        kind("", "v1", "pods", "Pod")
            .short("po")
            .in_all()
            .generation(GenerationRule::Spec)
            .part(["", "v1", "Binding"], "binding", &["create"])
            .part(["", "v1", "Pod"], "ephemeralcontainers", &PART_VERBS)
            .part(["policy", "v1", "Eviction"], "eviction", &["create"])
            .part(["", "v1", "Pod"], "log", &["get"])
            .part(["", "v1", "Pod"], "resize", &PART_VERBS)
            .status(),
        kind("", "v1", "podtemplates", "PodTemplate").generation(GenerationRule::ExceptMetadata),
        kind("", "v1", "secrets", "Secret"),
        kind("", "v1", "serviceaccounts", "ServiceAccount").short("sa").part(
            ["authentication.k8s.io", "v1", "TokenRequest"],
            "token",
            &["create"],
        ),
        kind("", "v1", "services", "Service").short("svc").in_all().status(),
    ]
}

fn apps_and_batch() -> Vec<Kind> {
    vec![
        kind("apps", "v1", "deployments", "Deployment").short("deploy").in_all().spec().scale().status(),
        kind("apps", "v1", "replicasets", "ReplicaSet").short("rs").in_all().spec().scale().status(),
        kind("batch", "v1", "jobs", "Job").in_all().spec().status(),
    ]
}

fn networking() -> Vec<Kind> {
    let group = "networking.k8s.io";
    vec![
        kind(group, "v1", "ingressclasses", "IngressClass").cluster().singular("ingressclass").spec(),
        kind(group, "v1", "ingresses", "Ingress").singular("ingress").short("ing").spec().status(),
        kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
            .generation(GenerationRule::ExceptServerMetadata),
    ]
}

fn policy_and_scaling() -> Vec<Kind> {
    vec![
        kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget").short("pdb").spec().status(),
        kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
            .short("hpa")
            .in_all()
            .status(),
        kind("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
            .short("hpa")
            .in_all()
            .status(),
    ]
}

fn events_and_leases() -> Vec<Kind> {
    vec![
        kind("events.k8s.io", "v1", "events", "Event").short("ev"),
        kind("coordination.k8s.io", "v1", "leases", "Lease"),
    ]
}

fn definitions() -> Vec<Kind> {
    let mut definitions =
        kind("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition");
    definitions.short_names = owned(&["crd", "crds"]);
    definitions.categories = owned(&["api-extensions"]);
    vec![definitions.cluster().spec().status()]
}

/// Roles and their bindings are kept for the manifests that hold them; every request is allowed whatever they say.
fn rights() -> Vec<Kind> {
    let [rbac, authorization] = ["rbac.authorization.k8s.io", "authorization.k8s.io"];
    vec![
        kind(rbac, "v1", "clusterrolebindings", "ClusterRoleBinding").cluster(),
        kind(rbac, "v1", "clusterroles", "ClusterRole").cluster(),
        kind(rbac, "v1", "rolebindings", "RoleBinding"),
        kind(rbac, "v1", "roles", "Role"),
        kind(authorization, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview").verbs(&["create"]),
        kind(authorization, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview")
            .cluster()
            .verbs(&["create"]),
        kind(authorization, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview")
            .cluster()
            .verbs(&["create"]),
        kind(authorization, "v1", "subjectaccessreviews", "SubjectAccessReview").cluster().verbs(&["create"]),
        kind("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview")
            .cluster()
            .verbs(&["create"]),
    ]
}

/// A namespaced kind with all verbs and without parts.
fn kind(group: &str, version: &str, plural: &str, kind: &str) -> Kind {
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        list_kind: format!("{kind}List"),
        plural: plural.to_owned(),
        singular: plural.strip_suffix('s').unwrap_or(plural).to_owned(),
        short_names: Vec::new(),
        categories: Vec::new(),
        namespaced: true,
        verbs: owned(&ALL_VERBS),
        subresources: Vec::new(),
        generation: GenerationRule::Never,
        definition: None,
        scale: None,
    }
}

impl Kind {
    fn cluster(self) -> Self {
        Self { namespaced: false, ..self }
    }

    fn short(self, name: &str) -> Self {
        Self { short_names: owned(&[name]), ..self }
    }

    fn singular(self, name: &str) -> Self {
        Self { singular: name.to_owned(), ..self }
    }

    fn in_all(self) -> Self {
        Self { categories: owned(&["all"]), ..self }
    }

    fn verbs(self, verbs: &[&str]) -> Self {
        Self { verbs: owned(verbs), ..self }
    }

    fn generation(self, generation: GenerationRule) -> Self {
        Self { generation, ..self }
    }

    fn spec(self) -> Self {
        self.generation(GenerationRule::Spec)
    }

    fn part(mut self, what: [&str; 3], name: &str, verbs: &[&str]) -> Self {
        self.subresources.push(Subresource::new(what, name, verbs));
        self
    }

    fn scale(mut self) -> Self {
        self.subresources.push(Subresource::scale());
        self
    }

    fn status(self) -> Self {
        let [group, version, kind] = [self.group.clone(), self.version.clone(), self.kind.clone()];
        self.part([&group, &version, &kind], "status", &PART_VERBS)
    }
}
