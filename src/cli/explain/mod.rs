//! `serin explain`: explains what a Rollout is waiting for, from the controller's own decisions.
//!
//! [`read`] reads a [`Picture`] of the cluster, which can be saved. `serin_insight::explain` finds the causes in it and
//! predicts the next decisions. [`words`] describes them, and [`explanation`] puts the words in order.

mod explanation;
mod read;
mod words;

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::client::{Cluster, UserFlags};
use super::completion;
use super::failure::{Failure, Program};
use super::output::{Form, print};

use explanation::describe;
use serin_insight::explain::Picture;
use words::Speaker;

/// Flags of `serin explain`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Name of the Rollout [default with --snapshot: the one in the file]
    #[arg(required_unless_present = "snapshot", add = ArgValueCandidates::new(completion::rollouts))]
    name: Option<String>,
    /// Write all objects that were read to a file, as YAML, or as JSON if its name ends in .json
    ///
    /// Secrets are not read. The file contains the values of environment variables in pod templates, because they are
    /// part of a revision.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Explain the objects in a saved file, as of the time when it was written, without a cluster
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    snapshot: Option<PathBuf>,
    /// Output format: json, yaml, or jsonpath=TEMPLATE
    #[arg(long, short, value_name = "FORM", value_parser = form)]
    output: Option<Form>,
    #[command(flatten)]
    user: UserFlags,
}

/// The output formats. `name` and `wide` would add nothing.
fn form(text: &str) -> Result<Form, String> {
    match text.parse()? {
        Form::Name | Form::Wide => Err("one of json, yaml, jsonpath=TEMPLATE".to_owned()),
        form @ (Form::Json | Form::Yaml | Form::JsonPath(_)) => Ok(form),
    }
}

/// Prints what a Rollout is waiting for.
pub(super) async fn run(flags: Flags, program: Program) -> Result<(), Failure> {
    let Flags { name, save, snapshot, output, user } = flags;
    let given = user.given();
    let picture = match (&snapshot, &name) {
        (Some(file), _) => load(file, name.as_deref())?,
        (None, name) => {
            read::read(&Cluster::open(user).await?, name.as_deref().unwrap_or_default(), program).await?
        }
    };
    if let Some(file) = &save {
        store(&picture, file)?;
    }
    let (namespace, rollout) = (&picture.explain.namespace, &picture.explain.rollout);
    let speaker = Speaker { program, namespace, rollout, given: &given };
    let explanation = describe(&picture, speaker).map_err(Failure::Failed)?;
    match output {
        Some(form) => print(&form.document(&explanation)?),
        None => print(&explanation.text()),
    }
}

fn load(file: &Path, name: Option<&str>) -> Result<Picture, Failure> {
    let failed = |problem: String| Failure::Failed(format!("cannot use {}: {problem}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let value =
        serde_yaml::from_str(&text).map_err(|error| failed(format!("invalid YAML or JSON: {error}")))?;
    let picture = Picture::from_value(&value).map_err(failed)?;
    match name.filter(|name| *name != picture.explain.rollout) {
        Some(name) => {
            Err(failed(format!("it contains the Rollout {:?}, not {name:?}", picture.explain.rollout)))
        }
        None => Ok(picture),
    }
}

fn store(picture: &Picture, file: &Path) -> Result<(), Failure> {
    let form = if file.extension().is_some_and(|end| end == "json") { Form::Json } else { Form::Yaml };
    let text = form.document(picture)?;
    std::fs::write(file, text)
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", file.display())))
}
