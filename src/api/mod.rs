//! The custom resources of the group `argoproj.io/v1alpha1`.
