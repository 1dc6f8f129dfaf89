//! The values that a server gives to fields that are not set, by the type that has the field.
//!
//! Each line of `defaults.txt` is a type of [`types`](super::types) and its fields with their values as JSON. What depends
//! on more than the field itself is a rule of the [`verbs`](super::super::verbs).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use serin_kubernetes::types;

/// A field and what it is where it is not set.
#[derive(Debug)]
pub(in super::super) struct Default {
    pub(in super::super) field: &'static str,
    pub(in super::super) value: Value,
    /// Whether an empty value is one that was set.
    pub(in super::super) is_pointer: bool,
}

/// The defaults of a type, such as `core/v1.Probe`.
pub(in super::super) fn of(type_name: &str) -> &'static [Default] {
    static DEFAULTS: LazyLock<BTreeMap<&'static str, Vec<Default>>> =
        LazyLock::new(|| include_str!("defaults.txt").lines().filter_map(defaults_of_line).collect());
    DEFAULTS.get(type_name).map(Vec::as_slice).unwrap_or_default()
}

fn defaults_of_line(line: &'static str) -> Option<(&'static str, Vec<Default>)> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let own = types::find(name)?;
    let default = |word: &'static str| {
        let (field, value) = word.split_once('=')?;
        let is_pointer = own.fields.iter().find(|known| known.name == field)?.is_pointer;
        Some(Default { field, value: serde_json::from_str(value).ok()?, is_pointer })
    };
    Some((name, words.filter_map(default).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood() {
        for line in include_str!("defaults.txt").lines() {
            let read = defaults_of_line(line).map(|(_, defaults)| defaults.len());
            assert_eq!(read, Some(line.split(' ').count() - 1), "{line}");
        }
    }
}
