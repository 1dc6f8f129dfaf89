//! Field layouts of canary steps, as the reference declares them since 1.9.

use super::layout::go_structs;
use super::meta_layout::LABEL_SELECTOR;

go_structs! {
    CANARY_STEP {
        setWeight? INT, pause? PAUSE, experiment? EXPERIMENT, analysis? ANALYSIS, setCanaryScale? SET_CANARY_SCALE,
        setHeaderRoute? SET_HEADER_ROUTE, setMirrorRoute? SET_MIRROR_ROUTE, plugin? PLUGIN,
    }

    PAUSE { duration? INT_OR_STR }

    SET_CANARY_SCALE { weight? INT, replicas? INT, matchTrafficWeight: BOOL }

    PLUGIN { name! STR, config? RAW }

    ANALYSIS {
        templates: [TEMPLATE_REF], args: [ARGUMENT], dryRun: [DRY_RUN],
        measurementRetention: [MEASUREMENT_RETENTION], analysisRunMetadata? LABELS_AND_ANNOTATIONS,
    }

    TEMPLATE_REF { templateName! STR, clusterScope? BOOL }

    ARGUMENT { name! STR, value: STR, valueFrom? ARGUMENT_SOURCE }

    ARGUMENT_SOURCE { podTemplateHashValue? STR, fieldRef? FIELD_REF }

    FIELD_REF { fieldPath! STR }

    DRY_RUN { metricName! STR }

    MEASUREMENT_RETENTION { metricName! STR, limit! INT }

    LABELS_AND_ANNOTATIONS { labels: {STR}, annotations: {STR} }

    EXPERIMENT {
        templates! [EXPERIMENT_TEMPLATE], duration: STR, analyses: [EXPERIMENT_ANALYSIS], dryRun: [DRY_RUN],
        analysisRunMetadata! LABELS_AND_ANNOTATIONS, scaleDownDelaySeconds? INT,
    }

    EXPERIMENT_TEMPLATE {
        name! STR, specRef! STR, replicas? INT, metadata! LABELS_AND_ANNOTATIONS, selector? LABEL_SELECTOR,
        weight? INT, service? EXPERIMENT_SERVICE,
    }

    EXPERIMENT_SERVICE { name: STR }

    EXPERIMENT_ANALYSIS {
        name! STR, templateName! STR, clusterScope: BOOL, args: [ARGUMENT], requiredForCompletion: BOOL,
    }

    SET_HEADER_ROUTE { name: STR, match: [HEADER_MATCH] }

    HEADER_MATCH { headerName! STR, headerValue^ STRING_MATCH }

    STRING_MATCH { exact: STR, prefix: STR, regex: STR }

    SET_MIRROR_ROUTE { name! STR, match: [ROUTE_MATCH], percentage? INT }

    ROUTE_MATCH { method? STRING_MATCH, path? STRING_MATCH, headers: {STRING_MATCH} }
}
