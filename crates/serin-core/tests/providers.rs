//! Plays the golden files of metric providers, without a network.

#[path = "../../../tests/support/provider_vectors.rs"]
mod provider_vectors;

use std::panic::catch_unwind;

use provider_vectors::{Seen, Vector, all, known};
use serin_core::domain::effect::{Effect, EffectAction, EffectOutput, HttpRequest, KnownEffects};
use serin_core::measure::Unfinished;

const SERVER: &str = "https://metrics.example";

#[test]
fn providers_ask_and_find_what_the_golden_files_say() {
    let vectors = all();
    assert!(vectors.len() > 140, "only {}", vectors.len());
    let failed: Vec<_> = vectors
        .iter()
        .filter(|(_, vector)| catch_unwind(|| play(vector)).is_err())
        .map(|(file, vector)| format!("{file}: {}", vector.name))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Measures until there is an outcome, and answers each question once.
fn play(vector: &Vector) {
    let mut effects = KnownEffects::new();
    let mut exchanges = 0;
    loop {
        let (outcome, asked) = vector.look(SERVER, &effects);
        assert!(effects.keys().all(|name| asked.iter().any(|effect| effect.name == *name)), "all stay asked");
        let new: Vec<_> = asked.iter().filter(|effect| !effects.contains_key(&effect.name)).collect();
        if !matches!(outcome, Err(Unfinished::Waiting)) {
            assert!(new.is_empty(), "{}: it asks after the end", vector.name);
            assert_eq!(exchanges, vector.exchanges.len(), "{}: exchanges", vector.name);
            return vector.check_outcome(outcome, SERVER);
        }
        assert!(!new.is_empty(), "{}: it waits for nothing", vector.name);
        for effect in new {
            let answer = match &effect.action {
                EffectAction::ReadSecret { namespace, name } => vector.secret(namespace, name, SERVER),
                EffectAction::ListPods { .. } => panic!("no provider looks at pods"),
                EffectAction::Exchange(request) => {
                    check(vector, exchanges, effect, request);
                    let said = &vector.exchanges[exchanges].answer;
                    exchanges += 1;
                    Ok(EffectOutput::Response { status: said.status, body: said.body() })
                }
            };
            effects.insert(effect.name.clone(), known(answer));
        }
    }
}

fn check(vector: &Vector, index: usize, effect: &Effect, request: &HttpRequest) {
    let HttpRequest { method, url, headers, body, signature, .. } = request.clone();
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    vector.check_request(index, &Seen { method, target: path.to_owned(), headers, body });
    let signed = signature.map(|signature| {
        format!("{} {}", signature.service, signature.region.as_deref().unwrap_or("of the machine"))
    });
    let is_elsewhere = vector.exchanges.iter().any(|_| !url.starts_with(SERVER));
    assert_eq!(is_elsewhere, vector.is_elsewhere(), "{}", vector.name);
    vector.check_effect(index, effect, signed.as_deref(), &format!("{scheme}://{host}"));
}
