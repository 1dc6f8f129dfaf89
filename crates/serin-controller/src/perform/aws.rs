//! Signatures of Amazon's services (SigV4), with the credentials of the place where the controller runs.
//!
//! They are looked for as Amazon's own tools do: in the environment, in profiles, in the token of a service account (IRSA), at
//! the agent of pod identities, and at the instance.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;
use tokio::sync::Mutex;

use super::super::failure::root_cause;
use serin_core::domain::effect::{AwsSignature, EffectFailure};

/// The place in a URL for the region.
const REGION: &str = "{region}";

/// The time before their end at which credentials are not used any more.
const RESERVE: Duration = Duration::from_mins(5);

/// A profile and a role, each if it is named.
type Who = (Option<String>, Option<String>);

/// A profile and a region, each if it is named.
type Place = (Option<String>, Option<String>);

/// The settings and the credentials that were found.
#[derive(Debug, Default)]
pub(super) struct Signer {
    places: Mutex<BTreeMap<Place, SdkConfig>>,
    known: Mutex<BTreeMap<Who, Credentials>>,
}

impl Signer {
    /// Puts the region into `url`, and returns the region and the credentials for requests to it.
    ///
    /// # Errors
    /// The region or the credentials are not known.
    pub(super) async fn prepare(
        &self,
        url: &str,
        signature: &AwsSignature,
        now: SystemTime,
    ) -> Result<(String, Keys), EffectFailure> {
        let config = self.config(signature).await;
        let region = config.region().map(ToString::to_string).ok_or_else(|| {
            EffectFailure::Failed("no AWS region is known; set it in the metric or as AWS_REGION".into())
        })?;
        let credentials = self.credentials(&config, signature, now).await?;
        let url = placed(url, &region, config.endpoint_url());
        Ok((url, Keys { region, service: signature.service.clone(), credentials }))
    }

    /// The settings of the machine, with the profile and the region of the metric.
    async fn config(&self, signature: &AwsSignature) -> SdkConfig {
        let place = (signature.profile.clone(), signature.region.clone());
        let mut places = self.places.lock().await;
        if let Some(config) = places.get(&place) {
            return config.clone();
        }
        let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(https);
        if let Some(profile) = &signature.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &signature.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let config = loader.load().await;
        places.insert(place, config.clone());
        config
    }

    /// The credentials of before, as long as they are good, or new ones.
    async fn credentials(
        &self,
        config: &SdkConfig,
        signature: &AwsSignature,
        now: SystemTime,
    ) -> Result<Credentials, EffectFailure> {
        let who = (signature.profile.clone(), signature.role.clone());
        // Held while they are fetched: others would fetch the same.
        let mut known = self.known.lock().await;
        let is_good = |found: &Credentials| found.expiry().is_some_and(|end| end > now + RESERVE);
        if let Some(found) = known.get(&who).filter(|found| is_good(found)) {
            return Ok(found.clone());
        }
        let failed = |error: &(dyn std::error::Error + 'static)| {
            EffectFailure::Failed(format!("no AWS credentials: {}", root_cause(error)))
        };
        let provider = config.credentials_provider();
        let provider = provider.ok_or_else(|| EffectFailure::Failed("no AWS credentials".into()))?;
        let found = match &signature.role {
            None => provider.provide_credentials().await,
            Some(role) => {
                let assumed = AssumeRoleProvider::builder(role).configure(config).session_name("serin");
                assumed.build_from_provider(provider).await.provide_credentials().await
            }
        };
        let found = found.map_err(|error| failed(&error))?;
        known.insert(who, found.clone());
        Ok(found)
    }
}

/// What a request is signed with.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    region: String,
    service: String,
    credentials: Credentials,
}

impl Keys {
    /// Signs a request with `body`.
    ///
    /// # Errors
    /// The request cannot be signed, such as one with a header that is not text.
    pub(super) fn sign(
        &self,
        request: &mut Request<Full<Bytes>>,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), EffectFailure> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            EffectFailure::Failed(format!("the request cannot be signed: {}", root_cause(error)))
        };
        let identity = self.credentials.clone().into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(&error))?;
        let url = request.uri().to_string();
        let headers =
            request.headers().iter().map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let headers: Option<Vec<_>> = headers.collect();
        let headers = headers.ok_or_else(|| EffectFailure::Failed("a header is not text".into()))?;
        let signable = SignableRequest::new(
            request.method().as_str(),
            url.as_str(),
            headers.into_iter(),
            SignableBody::Bytes(body),
        );
        let signable = signable.map_err(|error| failed(&error))?;
        let signed = sign(signable, &parameters.into()).map_err(|error| failed(&error))?;
        let (instructions, _) = signed.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

/// `url` with the region in its place, at `endpoint` if the machine has one for all services.
fn placed(url: &str, region: &str, endpoint: Option<&str>) -> String {
    let Some((_, after)) = url.split_once(REGION) else { return url.to_owned() };
    if let Some(endpoint) = endpoint {
        let path = after.find('/').map_or("", |start| &after[start..]);
        return format!("{}{path}", endpoint.trim_end_matches('/'));
    }
    // China has a domain of its own.
    let domain = if region.starts_with("cn-") { ".amazonaws.com.cn" } else { ".amazonaws.com" };
    url.replace(REGION, region).replacen(".amazonaws.com", domain, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example `get-vanilla` of Amazon's test suite for signatures.
    #[test]
    fn requests_are_signed_as_amazon_publishes() {
        let credentials =
            Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "test");
        let keys = Keys { region: "us-east-1".into(), service: "service".into(), credentials };
        let request = Request::builder().uri("https://example.amazonaws.com/");
        let mut request =
            request.header("host", "example.amazonaws.com").body(Full::default()).expect("a request");
        let time: jiff::Timestamp = "2015-08-30T12:36:00Z".parse().expect("a time");
        keys.sign(&mut request, b"", time.into()).expect("a signature");
        assert_eq!(request.headers()["x-amz-date"], "20150830T123600Z");
        assert_eq!(
            request.headers()["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }

    #[test]
    fn the_region_is_part_of_the_address() {
        let url = "https://monitoring.{region}.amazonaws.com/";
        for (region, endpoint, expected) in [
            ("eu-west-1", None, "https://monitoring.eu-west-1.amazonaws.com/"),
            ("cn-north-1", None, "https://monitoring.cn-north-1.amazonaws.com.cn/"),
            ("eu-west-1", Some("http://localhost:4566/"), "http://localhost:4566/"),
        ] {
            assert_eq!(placed(url, region, endpoint), expected);
        }
        let own = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/a";
        assert_eq!(placed(own, "us-east-1", Some("http://localhost:4566")), own);
    }
}
