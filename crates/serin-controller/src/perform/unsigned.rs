//! What stands in for signatures in a program that was built without them.

use std::convert::Infallible;
use std::time::SystemTime;

use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;

use serin_core::domain::effect::{AwsSignature, EffectFailure};

/// Refuses each request.
#[derive(Debug, Default)]
pub(super) struct Signer;

/// What a request is signed with: nothing, so there is none.
#[derive(Debug, Clone)]
pub(super) struct Keys(Infallible);

impl Signer {
    #[allow(clippy::unused_async, reason = "the signer of Amazon's services waits for credentials")]
    pub(super) async fn prepare(
        &self,
        _: &str,
        _: &AwsSignature,
        _: SystemTime,
    ) -> Result<(String, Keys), EffectFailure> {
        Err(EffectFailure::Failed("this program was built without signatures of AWS (feature `aws`)".into()))
    }
}

impl Keys {
    pub(super) fn sign(
        &self,
        _: &mut Request<Full<Bytes>>,
        _: &[u8],
        _: SystemTime,
    ) -> Result<(), EffectFailure> {
        match self.0 {}
    }
}
