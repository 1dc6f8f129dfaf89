//! Actors of a cluster without nodes: the kubelet that makes pods run.
