//! What waits for a user.

use super::{Command, Speaker, Words};
use crate::cli::explain::cause::WayBack;

fn abort(speaker: Speaker<'_>) -> Command {
    speaker.own("abort", "take the update back, so that the stable revision gets everything")
}

fn undo(speaker: Speaker<'_>) -> Command {
    speaker.own("undo", "give the update up for good, with the template of the revision before")
}

impl WayBack {
    /// The ways to leave an update that cannot go on; `image` says whether another image may be one.
    pub(super) fn commands(&self, image: bool, speaker: Speaker<'_>) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.has_stable && !self.is_aborted {
            commands.push(abort(speaker));
        }
        if self.has_stable {
            commands.push(undo(speaker));
        }
        if image {
            let verb = format!("set image| {}=IMAGE", self.container);
            commands.push(speaker.own(&verb, "try another image"));
        }
        commands
    }
}

pub(super) fn aborted(said: &str, stable: &str, speaker: Speaker<'_>) -> Words {
    let why = if said.is_empty() { String::new() } else { format!(": {}", said.trim_end_matches('.')) };
    Words::new(format!(
        "The update was aborted{why}. The stable revision {stable} serves, until somebody decides what to do."
    ))
    .with(speaker.own("retry rollout", "try the same update again, from its first step"))
    .with(undo(speaker))
}

pub(super) fn held(speaker: Speaker<'_>) -> Words {
    // A promotion would end the current step, too.
    let spec = r#"{"spec":{"paused":false}}"#;
    let patch = format!("patch rollout {} --type merge -p '{spec}'", speaker.rollout);
    Words::new("A user holds it: spec.paused is true.").with(speaker.kubectl(&patch, "let it go on"))
}

pub(super) fn pause(step: usize, steps: usize, ends: bool, speaker: Speaker<'_>) -> Words {
    let (how, to) = if ends {
        ("ends by itself", "end the pause now")
    } else {
        ("only a user ends", "go on with the next step")
    };
    let because = format!("Step {step} of {steps} is a pause that {how}.");
    Words::new(because).with(speaker.own("promote", to)).with(abort(speaker))
}

pub(super) fn promotion(preview: Option<&str>, ends: bool, speaker: Speaker<'_>) -> Words {
    let place = preview.map(|name| format!(" (Service {name})")).unwrap_or_default();
    let how = if ends { "is promoted after a while" } else { "waits until a user promotes it" };
    Words::new(format!("The new revision{place} is ready, and {how}."))
        .with(speaker.own("promote", "send all requests to it now"))
        .with(abort(speaker))
}

pub(super) fn inconclusive(speaker: Speaker<'_>) -> Words {
    Words::new("An analysis has neither succeeded nor failed; a user has to judge.")
        .with(speaker.own("promote", "go on"))
        .with(abort(speaker))
}
