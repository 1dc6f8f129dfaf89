//! How absent, null and blank values are read, and which values are left out when written.
//!
//! `wire` makes a struct a part of a custom resource. Its fields have the names and the rules that Go's JSON gives them:
//! `null` is what is not there, a blank name is none, and of lists, maps, numbers and flags only those are written that
//! say something. A field that has its own rule says `#[serde_with(skip_apply)]`.

use macro_rules_attribute::attribute_alias;
use serde::de::value::StringDeserializer;
use serde::de::{Deserialize, Deserializer, IntoDeserializer};

attribute_alias! {
    #[apply(wire)] =
        #[serde_with::apply(
            Option<String> => #[serde(default, deserialize_with = "crate::api::wire::blank_as_none")],
            Option => #[serde(skip_serializing_if = "Option::is_none")],
            String => #[serde(default, deserialize_with = "crate::api::wire::null_as_default")],
            Vec => #[serde(default, deserialize_with = "crate::api::wire::null_as_default")]
                #[serde(skip_serializing_if = "crate::api::wire::is_default")],
            BTreeMap => #[serde(default, deserialize_with = "crate::api::wire::null_as_default")]
                #[serde(skip_serializing_if = "crate::api::wire::is_default")],
            bool => #[serde(default, deserialize_with = "crate::api::wire::null_as_default")]
                #[serde(skip_serializing_if = "crate::api::wire::is_default")],
            i32 => #[serde(default, deserialize_with = "crate::api::wire::null_as_default")]
                #[serde(skip_serializing_if = "crate::api::wire::is_default")],
            i64 => #[serde(default, deserialize_with = "crate::api::wire::null_as_default")]
                #[serde(skip_serializing_if = "crate::api::wire::is_default")],
        )]
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")];
}

/// Reads `null` as the type's default: an empty list or map, zero, false.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads `null` and the blank string as `None`.
pub(super) fn blank_as_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty());
    let read = |text: String| -> Result<T, D::Error> {
        let inner: StringDeserializer<D::Error> = text.into_deserializer();
        T::deserialize(inner)
    };
    text.map(read).transpose()
}

/// Whether a value is the one that its absence stands for.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::{CanaryStrategy, PauseCondition, RolloutPhase, RolloutStatus};

    #[test]
    fn a_blank_name_is_none() {
        let canary: CanaryStrategy =
            serde_json::from_value(json!({"canaryService": "", "stableService": "stable"}))
                .expect("a strategy");
        assert_eq!((canary.canary_service, canary.stable_service.as_deref()), (None, Some("stable")));
    }

    #[test]
    fn a_blank_phase_is_none_and_a_wrong_one_an_error() {
        let phase =
            |text: &str| serde_json::from_value::<RolloutStatus>(json!({"phase": text})).map(|s| s.phase);
        assert_eq!(phase("").expect("a status"), None);
        assert_eq!(phase("Paused").expect("a status"), Some(RolloutPhase::Paused));
        let error = phase("Sleeping").expect_err("no phase");
        assert!(error.to_string().contains("`Healthy`, `Degraded`, `Progressing`, `Paused`"), "{error}");
    }

    #[test]
    fn a_status_with_nothing_in_it_still_has_its_strategies() {
        let written = serde_json::to_value(RolloutStatus::default()).expect("JSON");
        assert_eq!(written, json!({"blueGreen": {}, "canary": {}}));
    }

    #[test]
    fn times_are_read_with_fractions_and_written_in_seconds() {
        for text in ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456Z", "2026-01-01T02:00:00+02:00"] {
            let condition = json!({"reason": "CanaryPauseStep", "startTime": text});
            let condition: PauseCondition = serde_json::from_value(condition).expect(text);
            let written = serde_json::to_value(condition).expect("JSON");
            assert_eq!(written["startTime"], "2026-01-01T00:00:00Z");
        }
    }
}
