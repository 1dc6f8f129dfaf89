//! Namespaces to try something in.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client, Error};
use tokio::time::Instant;

use serin_clock as clock;

/// How long a namespace may take until pods are admitted to it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Creates a namespace whose name begins with `prefix` and a hyphen, and waits until pods are admitted to it, which needs
/// its service account `default`; an error says that it did not get one within 30 s.
pub async fn create(client: &Client, prefix: &str) -> Result<String, Error> {
    let metadata = ObjectMeta { generate_name: Some(format!("{prefix}-")), ..ObjectMeta::default() };
    let wanted = Namespace { metadata, ..Namespace::default() };
    let created = Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &wanted).await?;
    let name = created.metadata.name.unwrap_or_default();
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), &name);
    let deadline = Instant::now() + PATIENCE;
    while accounts.get_opt("default").await?.is_none() {
        if Instant::now() > deadline {
            let why = format!("namespace {name} got no service account default within {PATIENCE:?}");
            return Err(Error::Service(why.into()));
        }
        clock::sleep(Duration::from_millis(20)).await;
    }
    Ok(name)
}
