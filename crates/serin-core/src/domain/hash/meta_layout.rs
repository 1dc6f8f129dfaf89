//! Field layouts that every part of a pod template uses.

use super::layout::go_structs;

go_structs! {
    OBJECT_META {
        name: STR, generateName: STR, namespace: STR, selfLink: STR, uid: STR, resourceVersion: STR,
        generation: INT, creationTimestamp: TIME, deletionTimestamp? TIME,
        deletionGracePeriodSeconds? INT, labels: {STR}, annotations: {STR},
        ownerReferences: [OWNER_REFERENCE], finalizers: [STR], managedFields: [MANAGED_FIELDS_ENTRY],
    }

    OWNER_REFERENCE {
        apiVersion! STR, kind! STR, name! STR, uid! STR, controller? BOOL, blockOwnerDeletion? BOOL,
    }

    MANAGED_FIELDS_ENTRY {
        manager: STR, operation: STR, apiVersion: STR, time? TIME, fieldsType: STR, fieldsV1? RAW,
        subresource: STR,
    }

    LOCAL_OBJECT_REFERENCE { name: STR }

    OBJECT_FIELD_SELECTOR { apiVersion: STR, fieldPath! STR }

    RESOURCE_FIELD_SELECTOR { containerName: STR, resource! STR, divisor! QUANTITY }

    LABEL_SELECTOR { matchLabels: {STR}, matchExpressions: [SELECTOR_REQUIREMENT] }

    SELECTOR_REQUIREMENT { key! STR, operator! STR, values: [STR] }
}
