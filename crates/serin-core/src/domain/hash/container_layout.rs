//! Field layouts of containers (Kubernetes `core/v1`, libraries 0.34).

use super::layout::go_structs;
use super::meta_layout::{OBJECT_FIELD_SELECTOR, RESOURCE_FIELD_SELECTOR};

go_structs! {
    CONTAINER {
        name! STR, image: STR, command: [STR], args: [STR], workingDir: STR, ports: [CONTAINER_PORT],
        envFrom: [ENV_FROM_SOURCE], env: [ENV_VAR], resources! RESOURCE_REQUIREMENTS,
        resizePolicy: [CONTAINER_RESIZE_POLICY], restartPolicy? STR,
        restartPolicyRules: [CONTAINER_RESTART_RULE], volumeMounts: [VOLUME_MOUNT],
        volumeDevices: [VOLUME_DEVICE], livenessProbe? PROBE, readinessProbe? PROBE, startupProbe? PROBE,
        lifecycle? LIFECYCLE, terminationMessagePath: STR, terminationMessagePolicy: STR,
        imagePullPolicy: STR, securityContext? SECURITY_CONTEXT, stdin: BOOL, stdinOnce: BOOL, tty: BOOL,
    }

    CONTAINER_PORT { name: STR, hostPort: INT, containerPort! INT, protocol: STR, hostIP: STR }

    ENV_FROM_SOURCE { prefix: STR, configMapRef? CONFIG_MAP_ENV_SOURCE, secretRef? SECRET_ENV_SOURCE }

    CONFIG_MAP_ENV_SOURCE { name: STR, optional? BOOL }

    SECRET_ENV_SOURCE { name: STR, optional? BOOL }

    ENV_VAR { name! STR, value: STR, valueFrom? ENV_VAR_SOURCE }

    ENV_VAR_SOURCE {
        fieldRef? OBJECT_FIELD_SELECTOR, resourceFieldRef? RESOURCE_FIELD_SELECTOR,
        configMapKeyRef? CONFIG_MAP_KEY_SELECTOR, secretKeyRef? SECRET_KEY_SELECTOR,
        fileKeyRef? FILE_KEY_SELECTOR,
    }

    CONFIG_MAP_KEY_SELECTOR { name: STR, key! STR, optional? BOOL }

    SECRET_KEY_SELECTOR { name: STR, key! STR, optional? BOOL }

    FILE_KEY_SELECTOR { volumeName! STR, path! STR, key! STR, optional? BOOL }

    RESOURCE_REQUIREMENTS { limits: {QUANTITY}, requests: {QUANTITY}, claims: [RESOURCE_CLAIM] }

    RESOURCE_CLAIM { name! STR, request: STR }

    CONTAINER_RESIZE_POLICY { resourceName! STR, restartPolicy! STR }

    CONTAINER_RESTART_RULE { action: STR, exitCodes? CONTAINER_RESTART_RULE_ON_EXIT_CODES }

    CONTAINER_RESTART_RULE_ON_EXIT_CODES { operator: STR, values: [INT] }

    VOLUME_MOUNT {
        name! STR, readOnly: BOOL, recursiveReadOnly? STR, mountPath! STR, subPath: STR,
        mountPropagation? STR, subPathExpr: STR,
    }

    VOLUME_DEVICE { name! STR, devicePath! STR }

    PROBE {
        exec? EXEC_ACTION, httpGet? HTTP_GET_ACTION, tcpSocket? TCP_SOCKET_ACTION, grpc? GRPC_ACTION,
        initialDelaySeconds: INT, timeoutSeconds: INT, periodSeconds: INT, successThreshold: INT,
        failureThreshold: INT, terminationGracePeriodSeconds? INT,
    }

    EXEC_ACTION { command: [STR] }

    HTTP_GET_ACTION { path: STR, port! INT_OR_STR, host: STR, scheme: STR, httpHeaders: [HTTP_HEADER] }

    HTTP_HEADER { name! STR, value! STR }

    TCP_SOCKET_ACTION { port! INT_OR_STR, host: STR }

    GRPC_ACTION { port! INT, service^ STR }

    LIFECYCLE { postStart? LIFECYCLE_HANDLER, preStop? LIFECYCLE_HANDLER, stopSignal? STR }

    LIFECYCLE_HANDLER {
        exec? EXEC_ACTION, httpGet? HTTP_GET_ACTION, tcpSocket? TCP_SOCKET_ACTION, sleep? SLEEP_ACTION,
    }

    SLEEP_ACTION { seconds! INT }

    SECURITY_CONTEXT {
        capabilities? CAPABILITIES, privileged? BOOL, seLinuxOptions? SE_LINUX_OPTIONS,
        windowsOptions? WINDOWS_SECURITY_CONTEXT_OPTIONS, runAsUser? INT, runAsGroup? INT,
        runAsNonRoot? BOOL, readOnlyRootFilesystem? BOOL, allowPrivilegeEscalation? BOOL, procMount? STR,
        seccompProfile? SECCOMP_PROFILE, appArmorProfile? APP_ARMOR_PROFILE,
    }

    CAPABILITIES { add: [STR], drop: [STR] }

    SE_LINUX_OPTIONS { user: STR, role: STR, type: STR, level: STR }

    WINDOWS_SECURITY_CONTEXT_OPTIONS {
        gmsaCredentialSpecName? STR, gmsaCredentialSpec? STR, runAsUserName? STR, hostProcess? BOOL,
    }

    SECCOMP_PROFILE { type! STR, localhostProfile? STR }

    APP_ARMOR_PROFILE { type! STR, localhostProfile? STR }

    EPHEMERAL_CONTAINER {
        name! STR, image: STR, command: [STR], args: [STR], workingDir: STR, ports: [CONTAINER_PORT],
        envFrom: [ENV_FROM_SOURCE], env: [ENV_VAR], resources! RESOURCE_REQUIREMENTS,
        resizePolicy: [CONTAINER_RESIZE_POLICY], restartPolicy? STR,
        restartPolicyRules: [CONTAINER_RESTART_RULE], volumeMounts: [VOLUME_MOUNT],
        volumeDevices: [VOLUME_DEVICE], livenessProbe? PROBE, readinessProbe? PROBE, startupProbe? PROBE,
        lifecycle? LIFECYCLE, terminationMessagePath: STR, terminationMessagePolicy: STR,
        imagePullPolicy: STR, securityContext? SECURITY_CONTEXT, stdin: BOOL, stdinOnce: BOOL, tty: BOOL,
        targetContainerName: STR,
    }
}
