//! How a provider asks for what it needs, without waiting for it.

use std::time::Duration;

use jiff::Timestamp;

use super::{Unfinished, failed, login};
use crate::domain::effect::{
    Effect, EffectAction, EffectFailure, EffectName, EffectOutput, HttpRequest, KnownEffects,
};

/// How long the read of a Secret may take.
const SECRET: Duration = Duration::from_secs(10);

/// The effects of one measurement: what was asked, and what came of it.
///
/// A provider is called again with each answer, asks the same questions in the same order, and gets further each time. So it
/// reads like a program that waits, and is a function of what is known.
#[derive(Debug)]
pub struct Inquiry<'a> {
    /// What names the measurement among those of its run.
    measurement: String,
    known: &'a KnownEffects,
    effects: Vec<Effect>,
    secrets: Vec<String>,
}

/// The answer of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The status, for example 200.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Inquiry<'a> {
    /// The effects of the measurement of that name, of which those are known.
    #[must_use]
    pub const fn new(measurement: String, known: &'a KnownEffects) -> Self {
        Self { measurement, known, effects: Vec::new(), secrets: Vec::new() }
    }

    /// When the first effect of the measurement was asked for, if one was.
    #[must_use]
    pub fn begun(&self) -> Option<Timestamp> {
        let prefix = format!("{}/", self.measurement);
        let own = self.known.iter().filter(|(EffectName(name), _)| name.starts_with(&prefix));
        own.map(|(_, known)| known.asked).min()
    }

    /// The effects that must go on until the measurement is over.
    #[must_use]
    pub fn into_effects(self) -> Vec<Effect> {
        self.effects
    }

    /// Notes a text that nothing may show. One of less than four bytes is not noted: it would be found in any number.
    pub fn conceal(&mut self, secret: &str) {
        if secret.len() >= 4 {
            self.secrets.push(secret.to_owned());
        }
    }

    /// `text` with asterisks in place of what nothing may show.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "*****"))
    }

    /// Sends a request, and gives what a server answers, whatever its status. `step` names the request within the measurement.
    ///
    /// # Errors
    /// There is no answer yet, or there will be none.
    pub fn exchange(
        &mut self,
        step: &str,
        request: HttpRequest,
        limit: Duration,
    ) -> Result<Response<'a>, Unfinished> {
        let request = login::out_of_url(request, self);
        let server = host_of(&request.url).to_owned();
        match self.ask(step, EffectAction::Exchange(request), limit)? {
            Ok(EffectOutput::Response { status, body }) => Ok(Response { status: *status, body }),
            Ok(EffectOutput::Secret(_)) => Err(failed("a server answered with a Secret")),
            Err(failure) => Err(failed(format!("{server}: {failure}"))),
        }
    }

    /// Reads a key of a Secret, as text.
    ///
    /// # Errors
    /// It is not read yet, or there is no such key.
    pub fn secret(&mut self, namespace: &str, name: &str, key: &str) -> Result<String, Unfinished> {
        let found = self.secret_key(namespace, name, key)?;
        found.ok_or_else(|| failed(format!("key '{key}' does not exist in secret '{name}'")))
    }

    /// Reads a key of a Secret, as text; `None` if the Secret has no such key.
    ///
    /// # Errors
    /// It is not read yet, or there is no such Secret.
    pub fn secret_key(
        &mut self,
        namespace: &str,
        name: &str,
        key: &str,
    ) -> Result<Option<String>, Unfinished> {
        let action = EffectAction::ReadSecret { namespace: namespace.to_owned(), name: name.to_owned() };
        match self.ask(&format!("secret/{namespace}/{name}"), action, SECRET)? {
            Ok(EffectOutput::Secret(data)) => {
                Ok(data.get(key).map(|value| String::from_utf8_lossy(value).into_owned()))
            }
            Ok(EffectOutput::Response { .. }) => Err(failed("a Secret was answered with a response")),
            Err(EffectFailure::NotFound(_)) => Err(failed(format!("secrets \"{name}\" not found"))),
            Err(failure) => Err(failed(format!("Secret \"{name}\" cannot be read: {failure}"))),
        }
    }

    fn ask(
        &mut self,
        step: &str,
        action: EffectAction,
        limit: Duration,
    ) -> Result<Result<&'a EffectOutput, &'a EffectFailure>, Unfinished> {
        let name = EffectName(format!("{}/{step}", self.measurement));
        let answer = self.known.get(&name).and_then(|known| known.answer.as_deref());
        if self.effects.iter().all(|effect| effect.name != name) {
            self.effects.push(Effect { name, action, limit });
        }
        answer.map(Result::as_ref).ok_or(Unfinished::Waiting)
    }
}

/// The scheme, host and port of a URL: what may be shown of it.
fn host_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |found| found + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |found| start + found);
    let shown = &url[..end];
    // What stands before the host is for nobody to see.
    shown.rfind('@').map_or(shown, |found| &shown[found + 1..])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::effect::KnownEffect;

    fn known(name: &str, answer: Option<Result<EffectOutput, EffectFailure>>) -> (EffectName, KnownEffect) {
        (EffectName(name.into()), KnownEffect { asked: Timestamp::UNIX_EPOCH, answer: answer.map(Arc::new) })
    }

    /// Asks for two things in turn.
    fn ask(known: &KnownEffects) -> (Result<u16, Unfinished>, Vec<String>) {
        let mut inquiry = Inquiry::new("m/1".into(), known);
        let mut both = || {
            inquiry.secret("shop", "keys", "token")?;
            let request = HttpRequest::get("https://user:hush@host:1/path?token=hush");
            inquiry.exchange("query", request, SECRET).map(|response| response.status)
        };
        let answer = both();
        (answer, inquiry.into_effects().into_iter().map(|effect| effect.name.0).collect())
    }

    #[test]
    fn what_is_asked_stays_asked_until_the_end() {
        let secret = EffectOutput::Secret([("token".to_owned(), b"hush".to_vec())].into());
        let mut effects = KnownEffects::new();
        assert_eq!(ask(&effects), (Err(Unfinished::Waiting), vec!["m/1/secret/shop/keys".into()]));
        effects.extend([known("m/1/secret/shop/keys", Some(Ok(secret)))]);
        let both = vec!["m/1/secret/shop/keys".to_owned(), "m/1/query".to_owned()];
        assert_eq!(ask(&effects), (Err(Unfinished::Waiting), both.clone()));
        effects.extend([known("m/1/query", None)]);
        assert_eq!(ask(&effects), (Err(Unfinished::Waiting), both.clone()));
        effects
            .extend([known("m/1/query", Some(Ok(EffectOutput::Response { status: 503, body: Vec::new() })))]);
        assert_eq!(ask(&effects), (Ok(503), both));
    }

    #[test]
    fn failures_name_what_failed_and_nothing_secret() {
        let absent = known("m/1/secret/shop/keys", Some(Err(EffectFailure::NotFound("keys".into()))));
        assert_eq!(ask(&[absent].into()).0, Err(failed("secrets \"keys\" not found")));
        let empty = known("m/1/secret/shop/keys", Some(Ok(EffectOutput::Secret([].into()))));
        assert_eq!(ask(&[empty].into()).0, Err(failed("key 'token' does not exist in secret 'keys'")));
        let secret = EffectOutput::Secret([("token".to_owned(), b"hush".to_vec())].into());
        let read = known("m/1/secret/shop/keys", Some(Ok(secret)));
        let refused = known("m/1/query", Some(Err(EffectFailure::Failed("connection refused".into()))));
        assert_eq!(ask(&[read, refused].into()).0, Err(failed("https://host:1: connection refused")));
    }

    #[test]
    fn a_measurement_begins_with_its_first_question() {
        let later = KnownEffect { asked: Timestamp::UNIX_EPOCH + SECRET, answer: None };
        let effects: KnownEffects = [
            (EffectName("m/1/query".into()), later.clone()),
            known("m/1/secret/shop/keys", None),
            known("m/10/query", None),
        ]
        .into();
        assert_eq!(Inquiry::new("m/1".into(), &effects).begun(), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(Inquiry::new("m/2".into(), &effects).begun(), None);
    }
}
