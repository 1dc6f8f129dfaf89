//! `serin set image`: changes images, which starts an update.

use clap::Args;
use clap_complete::ArgValueCandidates;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{DynamicObject, PostParams};
use kube::core::ApiResource;
use serde_json::Value;

use super::super::client;
use super::super::completion;
use super::super::failure::{Failure, Program};
use super::commander::Commander;
use super::manner::Done;
use super::target::{Target, Unnamed};
use super::wait::{Beginning, Goal};
use serin_core::api::Rollout;

/// Maximum number of attempts after write conflicts.
const ATTEMPTS: usize = 5;

/// Flags of `serin set image`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Image {
    /// Names of Rollouts, then containers with images, as in cart web=example.org/cart:1.5; * means all containers
    #[arg(value_name = "NAME|CONTAINER=IMAGE", required = true,
          add = ArgValueCandidates::new(completion::rollouts))]
    words: Vec<String>,
    #[command(flatten)]
    others: Unnamed,
    #[command(flatten)]
    beginning: Beginning,
}

/// A container and its new image; `*` means all containers.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    container: String,
    image: String,
}

/// Sets images.
pub(in crate::cli) async fn image(flags: Image, program: Program) -> Result<(), Failure> {
    let Image { words, others, beginning } = flags;
    let (target, changes) = read(words, others)?;
    let Beginning { waiting, manner, user } = beginning;
    let commander = Commander::open(user, manner, program).await?;
    let one = async |name: &str| set(&commander, name, &changes).await;
    let done = commander.each(target, "set the image of", one).await?;
    commander.wait(waiting, done, Goal::Settled).await
}

/// Splits arguments: those with an equals sign are images, the others are names of Rollouts.
fn read(words: Vec<String>, others: Unnamed) -> Result<(Target, Vec<Change>), Failure> {
    const EXAMPLE: &str = "CONTAINER=IMAGE, as in web=example.org/cart:1.5";
    let (pairs, names): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.contains('='));
    if names.is_empty() != others.are_meant() {
        let said = "select Rollouts by name, with --selector or with --all, and use only one of these";
        return Err(Failure::Usage(said.to_owned()));
    }
    let change = |pair: &String| {
        let (container, image) = pair.split_once('=').unwrap_or_default();
        if container.is_empty() || image.is_empty() {
            return Err(Failure::Usage(format!("invalid image {pair:?}: expected {EXAMPLE}")));
        }
        Ok(Change { container: container.to_owned(), image: image.to_owned() })
    };
    let changes = pairs.iter().map(change).collect::<Result<Vec<_>, _>>()?;
    if changes.is_empty() {
        return Err(Failure::Usage(format!("no image given: expected {EXAMPLE}")));
    }
    Ok((Target { names, others }, changes))
}

/// Sets the images of one Rollout, or of the Deployment in its `workloadRef`.
async fn set(commander: &Commander, name: &str, changes: &[Change]) -> Result<Done, Failure> {
    let rollout = commander.cluster.stored::<Rollout>(name, commander.program).await?;
    let Some(deployment) = rollout.data.pointer("/spec/workloadRef/name").and_then(Value::as_str) else {
        let kind = client::rollouts();
        let set = set_in(commander, (&kind, "rollout", name), Some(rollout), changes).await?;
        return Ok(Done { rollout: set.object.clone(), ..set });
    };
    let kind = ApiResource::erase::<Deployment>(&());
    let set = set_in(commander, (&kind, "deployment", deployment), None, changes).await?;
    Ok(Done { rollout: rollout.clone(), ..set })
}

/// Sets the images in an object with a template. `stored` is its last known state.
async fn set_in(
    commander: &Commander,
    (kind, word, name): (&ApiResource, &str, &str),
    mut stored: Option<DynamicObject>,
    changes: &[Change],
) -> Result<Done, Failure> {
    let program = commander.program;
    let mut attempts = 1;
    loop {
        let mut object = match stored.take() {
            Some(object) => object,
            None => commander.get(kind, name).await?,
        };
        let failed = |why| Failure::Failed(format!("{word} {name:?}: {why}"));
        if !change(&mut object, changes).map_err(failed)? && !program.is_plugin() {
            let said = format!("{word} {name:?} already has that image");
            return Ok(Done { said, rollout: object.clone(), object, is_changed: false });
        }
        match replace(commander, kind, name, object).await {
            Err(Failure::Conflict(_)) if attempts < ATTEMPTS => attempts += 1,
            answer => {
                let said = format!("{word} {name:?} image updated");
                return answer.map(|object| Done { said, rollout: object.clone(), object, is_changed: true });
            }
        }
    }
}

async fn replace(
    commander: &Commander,
    kind: &ApiResource,
    name: &str,
    object: DynamicObject,
) -> Result<DynamicObject, Failure> {
    if commander.manner.is_local() {
        return Ok(object);
    }
    let params = PostParams { dry_run: commander.manner.is_dry(), ..PostParams::default() };
    let objects = commander.cluster.objects_of(kind);
    commander.cluster.ask_about(kind, name, commander.program, objects.replace(name, &params, &object)).await
}

/// Puts the images into the template. Returns true if that changed anything, and an error for an unknown container.
fn change(object: &mut DynamicObject, changes: &[Change]) -> Result<bool, String> {
    const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
    let mut is_changed = false;
    for Change { container, image } in changes {
        let spec = object.data.pointer_mut("/spec/template/spec");
        let mut known = Vec::new();
        let mut is_found = false;
        let lists = spec.and_then(Value::as_object_mut).into_iter().flatten();
        let lists = lists.filter(|(field, _)| LISTS.contains(&field.as_str()));
        for one in lists.filter_map(|(_, list)| list.as_array_mut()).flatten() {
            let name = one["name"].as_str().unwrap_or_default().to_owned();
            if container == "*" || *container == name {
                is_found = true;
                is_changed |= one["image"] != *image;
                one["image"] = image.as_str().into();
            }
            known.push(name);
        }
        if !is_found {
            return Err(format!("container {container:?} not found; the template has: {}", known.join(", ")));
        }
    }
    Ok(is_changed)
}
