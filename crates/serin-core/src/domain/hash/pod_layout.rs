//! Field layouts of a pod template and its scheduling (Kubernetes `core/v1`, libraries 0.34).

use super::container_layout::{
    APP_ARMOR_PROFILE, CONTAINER, EPHEMERAL_CONTAINER, RESOURCE_REQUIREMENTS, SE_LINUX_OPTIONS,
    SECCOMP_PROFILE, WINDOWS_SECURITY_CONTEXT_OPTIONS,
};
use super::layout::go_structs;
use super::meta_layout::{LABEL_SELECTOR, LOCAL_OBJECT_REFERENCE, OBJECT_META};
use super::volume_layout::VOLUME;

go_structs! {
    POD_TEMPLATE_SPEC { metadata! OBJECT_META, spec! POD_SPEC }

    POD_SPEC {
        volumes: [VOLUME], initContainers: [CONTAINER], containers! [CONTAINER],
        ephemeralContainers: [EPHEMERAL_CONTAINER], restartPolicy: STR,
        terminationGracePeriodSeconds? INT, activeDeadlineSeconds? INT, dnsPolicy: STR,
        nodeSelector: {STR}, serviceAccountName: STR, serviceAccount: STR,
        automountServiceAccountToken? BOOL, nodeName: STR, hostNetwork: BOOL, hostPID: BOOL,
        hostIPC: BOOL, shareProcessNamespace? BOOL, securityContext? POD_SECURITY_CONTEXT,
        imagePullSecrets: [LOCAL_OBJECT_REFERENCE], hostname: STR, subdomain: STR, affinity? AFFINITY,
        schedulerName: STR, tolerations: [TOLERATION], hostAliases: [HOST_ALIAS], priorityClassName: STR,
        priority? INT, dnsConfig? POD_DNS_CONFIG, readinessGates: [POD_READINESS_GATE],
        runtimeClassName? STR, enableServiceLinks? BOOL, preemptionPolicy? STR, overhead: {QUANTITY},
        topologySpreadConstraints: [TOPOLOGY_SPREAD_CONSTRAINT], setHostnameAsFQDN? BOOL, os? POD_OS,
        hostUsers? BOOL, schedulingGates: [POD_SCHEDULING_GATE], resourceClaims: [POD_RESOURCE_CLAIM],
        resources? RESOURCE_REQUIREMENTS, hostnameOverride? STR,
    }

    POD_SECURITY_CONTEXT {
        seLinuxOptions? SE_LINUX_OPTIONS, windowsOptions? WINDOWS_SECURITY_CONTEXT_OPTIONS,
        runAsUser? INT, runAsGroup? INT, runAsNonRoot? BOOL, supplementalGroups: [INT],
        supplementalGroupsPolicy? STR, fsGroup? INT, sysctls: [SYSCTL], fsGroupChangePolicy? STR,
        seccompProfile? SECCOMP_PROFILE, appArmorProfile? APP_ARMOR_PROFILE, seLinuxChangePolicy? STR,
    }

    SYSCTL { name! STR, value! STR }

    AFFINITY {
        nodeAffinity? NODE_AFFINITY, podAffinity? POD_AFFINITY, podAntiAffinity? POD_ANTI_AFFINITY,
    }

    NODE_AFFINITY {
        requiredDuringSchedulingIgnoredDuringExecution? NODE_SELECTOR,
        preferredDuringSchedulingIgnoredDuringExecution: [PREFERRED_SCHEDULING_TERM],
    }

    NODE_SELECTOR { nodeSelectorTerms! [NODE_SELECTOR_TERM] }

    NODE_SELECTOR_TERM {
        matchExpressions: [NODE_SELECTOR_REQUIREMENT], matchFields: [NODE_SELECTOR_REQUIREMENT],
    }

    NODE_SELECTOR_REQUIREMENT { key! STR, operator! STR, values: [STR] }

    PREFERRED_SCHEDULING_TERM { weight! INT, preference! NODE_SELECTOR_TERM }

    POD_AFFINITY {
        requiredDuringSchedulingIgnoredDuringExecution: [POD_AFFINITY_TERM],
        preferredDuringSchedulingIgnoredDuringExecution: [WEIGHTED_POD_AFFINITY_TERM],
    }

    POD_AFFINITY_TERM {
        labelSelector? LABEL_SELECTOR, namespaces: [STR], topologyKey! STR,
        namespaceSelector? LABEL_SELECTOR, matchLabelKeys: [STR], mismatchLabelKeys: [STR],
    }

    WEIGHTED_POD_AFFINITY_TERM { weight! INT, podAffinityTerm! POD_AFFINITY_TERM }

    POD_ANTI_AFFINITY {
        requiredDuringSchedulingIgnoredDuringExecution: [POD_AFFINITY_TERM],
        preferredDuringSchedulingIgnoredDuringExecution: [WEIGHTED_POD_AFFINITY_TERM],
    }

    TOLERATION { key: STR, operator: STR, value: STR, effect: STR, tolerationSeconds? INT }

    HOST_ALIAS { ip! STR, hostnames: [STR] }

    POD_DNS_CONFIG { nameservers: [STR], searches: [STR], options: [POD_DNS_CONFIG_OPTION] }

    POD_DNS_CONFIG_OPTION { name: STR, value? STR }

    POD_READINESS_GATE { conditionType! STR }

    TOPOLOGY_SPREAD_CONSTRAINT {
        maxSkew! INT, topologyKey! STR, whenUnsatisfiable! STR, labelSelector? LABEL_SELECTOR,
        minDomains? INT, nodeAffinityPolicy? STR, nodeTaintsPolicy? STR, matchLabelKeys: [STR],
    }

    POD_OS { name! STR }

    POD_SCHEDULING_GATE { name! STR }

    POD_RESOURCE_CLAIM { name! STR, resourceClaimName? STR, resourceClaimTemplateName? STR }
}
