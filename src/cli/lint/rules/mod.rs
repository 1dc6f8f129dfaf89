//! The rules of lint: names, explanations, and the checks for advice.
//!
//! Advice is about Rollouts that are valid but probably not intended. It is a pure function of a Rollout and the
//! known objects around it.

mod analysis;
mod fields;
mod objects;
mod sizes;
mod steps;
mod subject;
mod timing;

use super::finding::Remark;
use super::rule::{Rule, Severity};
pub(super) use analysis::runs;
pub(super) use subject::Subject;

/// A rule about valid Rollouts, with its check.
struct Advice {
    rule: &'static Rule,
    look: fn(&Subject<'_>) -> Vec<Remark>,
}

pub(super) static UNREADABLE_FILE: Rule = Rule {
    id: "unreadable-file",
    severity: Severity::Error,
    summary: "a file or directory that cannot be read",
    why: "Its contents cannot be checked.",
};

pub(super) static NOT_YAML: Rule = Rule {
    id: "not-yaml",
    severity: Severity::Error,
    summary: "a document that is neither YAML nor JSON",
    why: "kubectl cannot read it. The other documents of the file are still checked.",
};

pub(super) static DUPLICATE_FIELD: Rule = Rule {
    id: "duplicate-field",
    severity: Severity::Error,
    summary: "a duplicate field",
    why: "One of the two has no effect. kubectl takes the last one; other tools refuse the document.",
};

pub(super) static NOT_AN_OBJECT: Rule = Rule {
    id: "not-an-object",
    severity: Severity::Error,
    summary: "a document without apiVersion, kind or name, or a Rollout of a version that does not exist",
    why: "The API server cannot identify it. In directories, documents without a kind are ignored.",
};

pub(super) static UNKNOWN_FIELD: Rule = Rule {
    id: "unknown-field",
    severity: Severity::Error,
    summary: "a field that the kind does not have",
    why: "The API server drops the field or refuses the object; either way the field has no effect.",
};

pub(super) static WRONG_TYPE: Rule = Rule {
    id: "wrong-type",
    severity: Severity::Error,
    summary: "a value of the wrong type",
    why: "The API server refuses the object.",
};

pub(super) static INVALID_METADATA: Rule = Rule {
    id: "invalid-metadata",
    severity: Severity::Error,
    summary: "an invalid name, label or annotation",
    why: "The API server refuses the object.",
};

pub(super) static INVALID_SPEC: Rule = Rule {
    id: "invalid-spec",
    severity: Severity::Error,
    summary: "a Rollout that the controller refuses",
    why: "The Rollout would get the condition InvalidSpec and stay unchanged. The message is that of the \
          condition.",
};

pub(super) static INVALID_REFERENCE: Rule = Rule {
    id: "invalid-reference",
    severity: Severity::Error,
    summary: "a Service, Ingress or workload that does not fit the Rollout that names it",
    why: "The Rollout would get the condition InvalidSpec until the object is corrected. Without --live, \
          objects outside of the files are assumed to be valid.",
};

pub(super) static NOT_BUILT: Rule = Rule {
    id: "not-built",
    severity: Severity::Error,
    summary: "a Rollout with a feature that this version of Serin does not support",
    why: "The Rollout would get the condition InvalidSpec and stay unchanged.",
};

pub(super) static MISSING_TEMPLATE: Rule = Rule {
    id: "missing-template",
    severity: Severity::Error,
    summary: "an AnalysisTemplate that is neither in the files nor in the cluster (only with --live)",
    why: "The Rollout would get the condition InvalidSpec until the template exists.",
};

pub(super) static MISSING_RIGHT: Rule = Rule {
    id: "missing-right",
    severity: Severity::Error,
    summary: "a Rollout that the user may not create or change (only with --live)",
    why: "kubectl apply of the file would be refused.",
};

/// The rules that are not advice.
const FACTS: [&Rule; 12] = [
    &UNREADABLE_FILE,
    &NOT_YAML,
    &DUPLICATE_FIELD,
    &NOT_AN_OBJECT,
    &UNKNOWN_FIELD,
    &WRONG_TYPE,
    &INVALID_METADATA,
    &INVALID_SPEC,
    &INVALID_REFERENCE,
    &NOT_BUILT,
    &MISSING_TEMPLATE,
    &MISSING_RIGHT,
];

const ADVICE: [Advice; 24] = [
    Advice { rule: &analysis::ENDLESS_ANALYSIS, look: analysis::endless },
    Advice { rule: &analysis::MISSING_ARGUMENT, look: analysis::missing_argument },
    Advice { rule: &analysis::PAUSES_SHORTER, look: analysis::pauses_shorter },
    Advice { rule: &analysis::NEVER_STARTS, look: analysis::never_starts },
    Advice { rule: &steps::WEIGHT_NOT_HELD, look: steps::weight_not_held },
    Advice { rule: &steps::WEIGHT_REPEATED, look: steps::weight_repeated },
    Advice { rule: &steps::WEIGHT_FALLS, look: steps::weight_falls },
    Advice { rule: &steps::SCALE_OVERWRITTEN, look: steps::scale_overwritten },
    Advice { rule: &steps::SCALE_AMBIGUOUS, look: steps::scale_ambiguous },
    Advice { rule: &steps::JUMP_TO_FULL, look: steps::jump_to_full },
    Advice { rule: &sizes::PAUSE_WITHOUT_CANARY, look: sizes::pause_without_canary },
    Advice { rule: &sizes::WEIGHT_ROUNDED, look: sizes::weight_rounded },
    Advice { rule: &sizes::TOO_FEW_PODS, look: sizes::too_few_pods },
    Advice { rule: &sizes::ALL_UNAVAILABLE, look: sizes::all_unavailable },
    Advice { rule: &sizes::LIMITS_ROUND_TO_ZERO, look: sizes::limits_round_to_zero },
    Advice { rule: &fields::PERCENT_WITHOUT_SIGN, look: fields::percent_without_sign },
    Advice { rule: &fields::NO_EFFECT, look: fields::no_effect },
    Advice { rule: &fields::REPLICAS_AND_AUTOSCALER, look: fields::replicas_and_autoscaler },
    Advice { rule: &fields::BEGINS_WITH_ONE_POD, look: fields::begins_with_one_pod },
    Advice { rule: &objects::FEWER_PODS, look: objects::fewer_pods },
    Advice { rule: &objects::SELECTS_VERSION, look: objects::selects_version },
    Advice { rule: &objects::STABLE_EMPTIED, look: objects::stable_emptied },
    Advice { rule: &fields::HASH_LABEL, look: fields::hash_label },
    Advice { rule: &timing::DEADLINE_TOO_SHORT, look: timing::deadline_too_short },
];

/// All rules.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    FACTS.into_iter().chain(ADVICE.iter().map(|advice| advice.rule))
}

/// The findings about a valid Rollout.
pub(super) fn advise(subject: &Subject<'_>) -> Vec<(&'static Rule, Remark)> {
    let all = ADVICE.iter();
    all.flat_map(|advice| (advice.look)(subject).into_iter().map(|remark| (advice.rule, remark))).collect()
}

/// The rules as a table in Markdown.
pub(super) fn table() -> String {
    let head =
        ["| rule | severity | what breaks it | why it matters |".to_owned(), "|---|---|---|---|".to_owned()];
    let rows = all().map(|Rule { id, severity, summary, why }| {
        format!("| `{id}` | {} | {summary} | {why} |", severity.as_str())
    });
    head.into_iter().chain(rows).collect::<Vec<_>>().join("\n") + "\n"
}
