//! The size of a preview.

/// What the size of a blue-green preview depends on.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is one fact, and every combination can occur")]
pub struct PreviewInput {
    /// `.spec.replicas`.
    pub replicas: i32,
    /// `.spec.strategy.blueGreen.previewReplicaCount`.
    pub preview_replicas: Option<i32>,
    /// The active service selects a ReplicaSet that exists and is not the one of the current revision.
    pub has_other_active: bool,
    /// A promotion skips pauses and analyses (`status.promoteFull`).
    pub is_promoted_full: bool,
    /// The status already speaks of the current revision (`status.currentPodHash` is its hash).
    pub is_current_recorded: bool,
    /// The update is paused, by the user or by the controller.
    pub is_paused: bool,
    /// The preview has passed its checks at the small size (`status.blueGreen.scaleUpPreviewCheckPoint`).
    pub is_checkpoint_passed: bool,
}

/// How many pods the ReplicaSet of the current revision should have before the active service is switched to it.
#[must_use]
pub fn preview_count(input: &PreviewInput) -> i32 {
    let Some(preview_replicas) = input.preview_replicas else {
        return input.replicas;
    };
    if !input.has_other_active || input.is_promoted_full {
        return input.replicas;
    }
    if input.is_current_recorded && !input.is_paused && input.is_checkpoint_passed {
        return input.replicas;
    }
    preview_replicas
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: PreviewInput = PreviewInput {
        replicas: 10,
        preview_replicas: Some(1),
        has_other_active: true,
        is_promoted_full: false,
        is_current_recorded: true,
        is_paused: false,
        is_checkpoint_passed: false,
    };

    #[test]
    fn preview_sizes() {
        for (input, expected) in [
            (SMALL, 1),
            (PreviewInput { preview_replicas: None, ..SMALL }, 10),
            (PreviewInput { has_other_active: false, ..SMALL }, 10),
            (PreviewInput { is_promoted_full: true, ..SMALL }, 10),
            (PreviewInput { is_current_recorded: false, is_checkpoint_passed: true, ..SMALL }, 1),
            (PreviewInput { is_checkpoint_passed: true, ..SMALL }, 10),
            (PreviewInput { is_checkpoint_passed: true, is_paused: true, ..SMALL }, 1),
        ] {
            assert_eq!(preview_count(&input), expected, "{input:?}");
        }
    }
}
