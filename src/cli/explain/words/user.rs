//! Words for causes that need a user.

use super::speaker::{Command, Speaker, Words};
use crate::cli::view::out_of;
use serin_insight::explain::{Revision, Serving, WayBack};

/// The abort, if the stable revision can take over.
fn abort(way_back: &WayBack, speaker: Speaker<'_>) -> Option<Command> {
    let to = "roll back to the stable revision, which then gets all traffic";
    way_back.target().filter(|_| !way_back.is_aborted).map(|_| speaker.own("abort", to))
}

/// The rollback to the template of the stable revision.
fn undo(way_back: &WayBack, speaker: Speaker<'_>) -> Option<Command> {
    let number = way_back.target()?.number?;
    let to = "roll back the spec, too, to the template of the stable revision";
    Some(speaker.own(&format!("undo| --to-revision {number}"), to))
}

/// The promotion of the newest revision, if no other revision serves.
fn promote(way_back: &WayBack, speaker: Speaker<'_>) -> Option<Command> {
    let to = "promote the newest revision at once, because only it has available pods";
    (way_back.only_new_serves() && !way_back.is_aborted).then(|| speaker.own("promote| --full", to))
}

/// The commands for an update that cannot continue. `image` adds the one that sets another image.
pub(super) fn commands(way_back: &WayBack, image: bool, speaker: Speaker<'_>) -> Vec<Command> {
    let set_image = || {
        let verb = format!("set image| {}=IMAGE", way_back.container);
        speaker.own(&verb, "try another image")
    };
    let image = image.then(set_image);
    [promote(way_back, speaker), abort(way_back, speaker), undo(way_back, speaker), image]
        .into_iter()
        .flatten()
        .collect()
}

/// The commands that stop an update that is waiting for a user.
fn beside(way_back: &WayBack, speaker: Speaker<'_>) -> Vec<Command> {
    [promote(way_back, speaker), abort(way_back, speaker)].into_iter().flatten().collect()
}

pub(super) fn aborted(
    said: &str,
    serving: &Serving,
    way_back: Option<&WayBack>,
    speaker: Speaker<'_>,
) -> Words {
    let why = if said.is_empty() { String::new() } else { format!(": {}", said.trim_end_matches('.')) };
    let has = |stable: &Revision| {
        let pods = out_of(stable.available, stable.wants, "pod");
        format!("the stable revision {} has {pods} available", stable.hash)
    };
    let serves = match serving {
        Serving::Stable(stable) => {
            format!("The stable revision {} serves until a user acts.", stable.hash)
        }
        Serving::New { new, stable } => format!("Revision {} still serves: {}.", new.hash, has(stable)),
        Serving::Both(stable) => {
            format!("Both revisions serve until the stable one has taken over: {}.", has(stable))
        }
        Serving::Neither => "Neither revision has an available pod that users reach.".to_owned(),
    };
    let words = Words::new(format!("The update was aborted{why}. {serves}"));
    let Some(way_back) = way_back else { return words };
    words
        .with(speaker.own("retry rollout", "retry the same update from its first step"))
        .with_all(undo(way_back, speaker).into_iter().collect())
}

pub(super) fn abortable(way_back: &WayBack, speaker: Speaker<'_>) -> Words {
    Words::new("An update started before the spec became invalid. It can still be aborted.")
        .with_all(abort(way_back, speaker).into_iter().collect())
}

pub(super) fn held(speaker: Speaker<'_>) -> Words {
    // A promotion would end the current step, too.
    let spec = r#"{"spec":{"paused":false}}"#;
    let patch = format!("patch rollout {} --type merge -p '{spec}'", speaker.rollout);
    Words::new("A user paused the Rollout: spec.paused is true.").with(speaker.kubectl(&patch, "resume it"))
}

pub(super) fn pause(
    step: usize,
    steps: usize,
    ends: bool,
    way_back: &WayBack,
    speaker: Speaker<'_>,
) -> Words {
    let (how, to) = if ends {
        ("ends automatically", "end the pause now")
    } else {
        ("only a user ends", "continue with the next step")
    };
    let because = format!("Step {step} of {steps} is a pause that {how}.");
    Words::new(because).with(speaker.own("promote", to)).with_all(beside(way_back, speaker))
}

pub(super) fn promotion(
    preview: Option<&str>,
    idle_seconds: Option<i32>,
    ends: bool,
    way_back: &WayBack,
    speaker: Speaker<'_>,
) -> Words {
    let place = preview.map(|name| format!(" (Service {name})")).unwrap_or_default();
    let how = if ends { "is promoted after a delay" } else { "waits until a user promotes it" };
    let idle = idle_seconds.map_or_else(String::new, |seconds| {
        format!(" autoPromotionSeconds ({seconds}) has no effect while autoPromotionEnabled is false.")
    });
    Words::new(format!("The new revision{place} is ready, and {how}.{idle}"))
        .with(speaker.own("promote", "send all requests to it now"))
        .with_all(beside(way_back, speaker))
}

pub(super) fn inconclusive(way_back: &WayBack, speaker: Speaker<'_>) -> Words {
    Words::new("An analysis was inconclusive; a user must decide.")
        .with(speaker.own("promote", "continue the update"))
        .with_all(beside(way_back, speaker))
}
