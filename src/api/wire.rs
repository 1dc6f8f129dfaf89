//! How absent, null and blank values are read, and which values are left out when written.

use serde::de::value::StringDeserializer;
use serde::de::{Deserialize, Deserializer, IntoDeserializer};

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
