//! Field layouts of volumes (Kubernetes `core/v1`, libraries 0.34).

use super::layout::go_structs;
use super::meta_layout::{
    LABEL_SELECTOR, LOCAL_OBJECT_REFERENCE, OBJECT_FIELD_SELECTOR, OBJECT_META, RESOURCE_FIELD_SELECTOR,
};

go_structs! {
    VOLUME {
        name! STR, hostPath? HOST_PATH_VOLUME, emptyDir? EMPTY_DIR_VOLUME,
        gcePersistentDisk? GCE_PERSISTENT_DISK_VOLUME,
        awsElasticBlockStore? AWS_ELASTIC_BLOCK_STORE_VOLUME, gitRepo? GIT_REPO_VOLUME,
        secret? SECRET_VOLUME, nfs? NFS_VOLUME, iscsi? ISCSI_VOLUME, glusterfs? GLUSTERFS_VOLUME,
        persistentVolumeClaim? PERSISTENT_VOLUME_CLAIM_VOLUME, rbd? RBD_VOLUME, flexVolume? FLEX_VOLUME,
        cinder? CINDER_VOLUME, cephfs? CEPH_FS_VOLUME, flocker? FLOCKER_VOLUME,
        downwardAPI? DOWNWARD_API_VOLUME, fc? FC_VOLUME, azureFile? AZURE_FILE_VOLUME,
        configMap? CONFIG_MAP_VOLUME, vsphereVolume? VSPHERE_VIRTUAL_DISK_VOLUME, quobyte? QUOBYTE_VOLUME,
        azureDisk? AZURE_DISK_VOLUME, photonPersistentDisk? PHOTON_PERSISTENT_DISK_VOLUME,
        projected? PROJECTED_VOLUME, portworxVolume? PORTWORX_VOLUME, scaleIO? SCALE_IO_VOLUME,
        storageos? STORAGE_OS_VOLUME, csi? CSI_VOLUME, ephemeral? EPHEMERAL_VOLUME, image? IMAGE_VOLUME,
    }

    HOST_PATH_VOLUME { path! STR, type? STR }

    EMPTY_DIR_VOLUME { medium: STR, sizeLimit? QUANTITY }

    GCE_PERSISTENT_DISK_VOLUME { pdName! STR, fsType: STR, partition: INT, readOnly: BOOL }

    AWS_ELASTIC_BLOCK_STORE_VOLUME { volumeID! STR, fsType: STR, partition: INT, readOnly: BOOL }

    GIT_REPO_VOLUME { repository! STR, revision: STR, directory: STR }

    SECRET_VOLUME { secretName: STR, items: [KEY_TO_PATH], defaultMode? INT, optional? BOOL }

    KEY_TO_PATH { key! STR, path! STR, mode? INT }

    NFS_VOLUME { server! STR, path! STR, readOnly: BOOL }

    ISCSI_VOLUME {
        targetPortal! STR, iqn! STR, lun! INT, iscsiInterface: STR, fsType: STR, readOnly: BOOL,
        portals: [STR], chapAuthDiscovery: BOOL, chapAuthSession: BOOL, secretRef? LOCAL_OBJECT_REFERENCE,
        initiatorName? STR,
    }

    GLUSTERFS_VOLUME { endpoints! STR, path! STR, readOnly: BOOL }

    PERSISTENT_VOLUME_CLAIM_VOLUME { claimName! STR, readOnly: BOOL }

    RBD_VOLUME {
        monitors! [STR], image! STR, fsType: STR, pool: STR, user: STR, keyring: STR,
        secretRef? LOCAL_OBJECT_REFERENCE, readOnly: BOOL,
    }

    FLEX_VOLUME {
        driver! STR, fsType: STR, secretRef? LOCAL_OBJECT_REFERENCE, readOnly: BOOL, options: {STR},
    }

    CINDER_VOLUME { volumeID! STR, fsType: STR, readOnly: BOOL, secretRef? LOCAL_OBJECT_REFERENCE }

    CEPH_FS_VOLUME {
        monitors! [STR], path: STR, user: STR, secretFile: STR, secretRef? LOCAL_OBJECT_REFERENCE,
        readOnly: BOOL,
    }

    FLOCKER_VOLUME { datasetName: STR, datasetUUID: STR }

    DOWNWARD_API_VOLUME { items: [DOWNWARD_API_VOLUME_FILE], defaultMode? INT }

    DOWNWARD_API_VOLUME_FILE {
        path! STR, fieldRef? OBJECT_FIELD_SELECTOR, resourceFieldRef? RESOURCE_FIELD_SELECTOR, mode? INT,
    }

    FC_VOLUME { targetWWNs: [STR], lun? INT, fsType: STR, readOnly: BOOL, wwids: [STR] }

    AZURE_FILE_VOLUME { secretName! STR, shareName! STR, readOnly: BOOL }

    CONFIG_MAP_VOLUME { name: STR, items: [KEY_TO_PATH], defaultMode? INT, optional? BOOL }

    VSPHERE_VIRTUAL_DISK_VOLUME {
        volumePath! STR, fsType: STR, storagePolicyName: STR, storagePolicyID: STR,
    }

    QUOBYTE_VOLUME { registry! STR, volume! STR, readOnly: BOOL, user: STR, group: STR, tenant: STR }

    AZURE_DISK_VOLUME {
        diskName! STR, diskURI! STR, cachingMode? STR, fsType? STR, readOnly? BOOL, kind? STR,
    }

    PHOTON_PERSISTENT_DISK_VOLUME { pdID! STR, fsType: STR }

    PROJECTED_VOLUME { sources! [VOLUME_PROJECTION], defaultMode? INT }

    VOLUME_PROJECTION {
        secret? SECRET_PROJECTION, downwardAPI? DOWNWARD_API_PROJECTION, configMap? CONFIG_MAP_PROJECTION,
        serviceAccountToken? SERVICE_ACCOUNT_TOKEN_PROJECTION,
        clusterTrustBundle? CLUSTER_TRUST_BUNDLE_PROJECTION, podCertificate? POD_CERTIFICATE_PROJECTION,
    }

    SECRET_PROJECTION { name: STR, items: [KEY_TO_PATH], optional? BOOL }

    DOWNWARD_API_PROJECTION { items: [DOWNWARD_API_VOLUME_FILE] }

    CONFIG_MAP_PROJECTION { name: STR, items: [KEY_TO_PATH], optional? BOOL }

    SERVICE_ACCOUNT_TOKEN_PROJECTION { audience: STR, expirationSeconds? INT, path! STR }

    CLUSTER_TRUST_BUNDLE_PROJECTION {
        name? STR, signerName? STR, labelSelector? LABEL_SELECTOR, optional? BOOL, path! STR,
    }

    POD_CERTIFICATE_PROJECTION {
        signerName: STR, keyType: STR, maxExpirationSeconds? INT, credentialBundlePath: STR, keyPath: STR,
        certificateChainPath: STR,
    }

    PORTWORX_VOLUME { volumeID! STR, fsType: STR, readOnly: BOOL }

    SCALE_IO_VOLUME {
        gateway! STR, system! STR, secretRef^ LOCAL_OBJECT_REFERENCE, sslEnabled: BOOL,
        protectionDomain: STR, storagePool: STR, storageMode: STR, volumeName: STR, fsType: STR,
        readOnly: BOOL,
    }

    STORAGE_OS_VOLUME {
        volumeName: STR, volumeNamespace: STR, fsType: STR, readOnly: BOOL,
        secretRef? LOCAL_OBJECT_REFERENCE,
    }

    CSI_VOLUME {
        driver! STR, readOnly? BOOL, fsType? STR, volumeAttributes: {STR},
        nodePublishSecretRef? LOCAL_OBJECT_REFERENCE,
    }

    EPHEMERAL_VOLUME { volumeClaimTemplate? PERSISTENT_VOLUME_CLAIM_TEMPLATE }

    PERSISTENT_VOLUME_CLAIM_TEMPLATE { metadata! OBJECT_META, spec! PERSISTENT_VOLUME_CLAIM_SPEC }

    PERSISTENT_VOLUME_CLAIM_SPEC {
        accessModes: [STR], selector? LABEL_SELECTOR, resources! VOLUME_RESOURCE_REQUIREMENTS,
        volumeName: STR, storageClassName? STR, volumeMode? STR, dataSource? TYPED_LOCAL_OBJECT_REFERENCE,
        dataSourceRef? TYPED_OBJECT_REFERENCE, volumeAttributesClassName? STR,
    }

    VOLUME_RESOURCE_REQUIREMENTS { limits: {QUANTITY}, requests: {QUANTITY} }

    TYPED_LOCAL_OBJECT_REFERENCE { apiGroup^ STR, kind! STR, name! STR }

    TYPED_OBJECT_REFERENCE { apiGroup^ STR, kind! STR, name! STR, namespace? STR }

    IMAGE_VOLUME { reference: STR, pullPolicy: STR }
}
