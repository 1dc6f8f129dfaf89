//! How results are printed: for people as text, for programs as objects.

use std::io::{self, Write};
use std::time::Duration;

use clap::ValueEnum;
use kube::api::DynamicObject;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde_json::json;

use super::failure::Failure;
use crate::api::keys;
use crate::clock::sleep;

/// How often it is looked whether anybody reads the output.
const LOOK: Duration = Duration::from_millis(500);

/// A form for programs, named as those of kubectl.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// The object as JSON.
    Json,
    /// The object as YAML.
    Yaml,
    /// Its kind and name.
    Name,
}

impl Form {
    /// One object of a kind.
    pub(super) fn object(self, kind: &str, object: &DynamicObject) -> Result<String, Failure> {
        match self {
            Self::Name => Ok(name(kind, object)),
            Self::Json | Self::Yaml => self.document(object),
        }
    }

    /// Several objects of a kind; as a list, where they are documents.
    pub(super) fn objects(self, kind: &str, objects: &[DynamicObject]) -> Result<String, Failure> {
        match self {
            Self::Name => Ok(objects.iter().map(|object| name(kind, object)).collect()),
            Self::Json | Self::Yaml => {
                // The items of a list do not repeat kind and version, but a mixed list has to.
                let items = objects.iter().map(|object| DynamicObject {
                    types: Some(kube::core::TypeMeta {
                        api_version: keys::API_VERSION.to_owned(),
                        kind: kind.to_owned(),
                    }),
                    ..object.clone()
                });
                let items: Vec<_> = items.collect();
                self.document(&json!({"apiVersion": "v1", "kind": "List", "items": items}))
            }
        }
    }

    fn document(self, value: &impl Serialize) -> Result<String, Failure> {
        let failed = |error: &dyn std::error::Error| Failure::Failed(error.to_string());
        if self == Self::Json {
            let text = serde_json::to_string_pretty(value).map_err(|error| failed(&error))?;
            return Ok(text + "\n");
        }
        // Through a JSON value, which has its keys in order.
        let value = serde_json::to_value(value).map_err(|error| failed(&error))?;
        serde_yaml::to_string(&value).map_err(|error| failed(&error))
    }
}

fn name(kind: &str, object: &DynamicObject) -> String {
    let kind = kind.to_lowercase();
    format!("{kind}.argoproj.io/{}\n", object.metadata.name.as_deref().unwrap_or_default())
}

/// Prints a result. Who does not want to read to the end need not.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match print_on(text) {
        Err(Failure::Unread) => Ok(()),
        printed => printed,
    }
}

/// Prints a piece of something that goes on, which ends where nobody reads it any more: [`Failure::Unread`].
pub(super) fn print_on(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| unprinted(&error))
}

/// Why nothing more can be printed.
pub(super) fn unprinted(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::Unread
    } else {
        Failure::Failed(format!("cannot print: {error}"))
    }
}

/// Returns when nobody reads the output any more. Only a pipe or a terminal can tell that by itself.
pub(super) async fn unread() -> Failure {
    loop {
        let out = io::stdout();
        let mut asked = [PollFd::new(&out, PollFlags::empty())];
        let told = poll(&mut asked, Some(&Timespec::default()));
        if told.is_ok() && asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return Failure::Unread;
        }
        sleep(LOOK).await;
    }
}
