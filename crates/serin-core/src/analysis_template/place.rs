//! The fields of a Rollout that configure an analysis.

use std::borrow::Cow;

use crate::api::RolloutStrategy;
use crate::api::analysis::RolloutAnalysis;

/// A field of a Rollout that configures an analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `canary.analysis`, beside the steps.
    Background,
    /// `canary.steps[INDEX].analysis`.
    Step(usize),
    /// `blueGreen.prePromotionAnalysis`.
    PrePromotion,
    /// `blueGreen.postPromotionAnalysis`.
    PostPromotion,
}

impl Place {
    /// Path of the field.
    #[must_use]
    pub fn path(self) -> String {
        match self {
            Self::Background => "spec.strategy.canary.analysis".to_owned(),
            Self::Step(index) => format!("spec.strategy.canary.steps[{index}].analysis"),
            Self::PrePromotion => "spec.strategy.blueGreen.prePromotionAnalysis".to_owned(),
            Self::PostPromotion => "spec.strategy.blueGreen.postPromotionAnalysis".to_owned(),
        }
    }

    /// Value of the label `rollout-type` of its AnalysisRuns.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Step(_) => "Step",
            Self::PrePromotion => "PrePromotion",
            Self::PostPromotion => "PostPromotion",
        }
    }

    /// The last part of the names of its AnalysisRuns; empty for none.
    #[must_use]
    pub fn infix(self) -> String {
        match self {
            Self::Background => String::new(),
            Self::Step(index) => index.to_string(),
            Self::PrePromotion => "pre".to_owned(),
            Self::PostPromotion => "post".to_owned(),
        }
    }

    /// Index of its step, if it has one.
    #[must_use]
    pub const fn step(self) -> Option<usize> {
        match self {
            Self::Step(index) => Some(index),
            Self::Background | Self::PrePromotion | Self::PostPromotion => None,
        }
    }

    /// True if the update waits for the end of the AnalysisRun, so that every metric must have one.
    #[must_use]
    pub const fn must_end(self) -> bool {
        match self {
            Self::Step(_) | Self::PrePromotion | Self::PostPromotion => true,
            Self::Background => false,
        }
    }
}

/// The analyses of a Rollout, in the order of its fields. One without templates counts as absent.
#[must_use]
pub fn analyses(strategy: &RolloutStrategy) -> Vec<(Place, Cow<'_, RolloutAnalysis>)> {
    let mut all = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        let pre = blue_green.pre_promotion_analysis.iter();
        let post = blue_green.post_promotion_analysis.iter();
        all.extend(pre.map(|analysis| (Place::PrePromotion, Cow::Borrowed(analysis))));
        all.extend(post.map(|analysis| (Place::PostPromotion, Cow::Borrowed(analysis))));
    }
    if let Some(canary) = &strategy.canary {
        let steps = canary.steps.iter().enumerate();
        all.extend(
            steps.filter_map(|(index, step)| {
                Some((Place::Step(index), Cow::Borrowed(step.analysis.as_ref()?)))
            }),
        );
        let background = canary.analysis.iter();
        all.extend(background.map(|analysis| (Place::Background, Cow::Owned(analysis.to_analysis()))));
    }
    all.retain(|(_, analysis)| !analysis.templates.is_empty());
    all
}
