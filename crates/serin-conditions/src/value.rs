//! Values: the results of providers, and what expressions make of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Zoned;
use jiff::tz::TimeZone;

/// A value of an expression.
///
/// Integers and floats are different, as are lists by the type that Go has for them: it decides which operations are
/// valid, and is named in messages.
#[derive(Clone, Debug)]
pub enum Value {
    /// No value, such as the result of a query without data.
    Nil,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float. Numbers of JSON are floats.
    Float(f64),
    /// A text.
    String(Arc<str>),
    /// A list.
    List(List),
    /// A map, sorted by its keys.
    Map(Map),
    /// A point in time, in a time zone.
    Time(Box<Zoned>),
    /// A duration in nanoseconds.
    Duration(i64),
    /// A month, from 1.
    Month(i8),
    /// A day of the week, from Sunday as 0.
    Weekday(i8),
    /// A time zone.
    Zone(TimeZone),
}

/// The type that Go has for the items of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Items {
    /// Values of any type: `[]interface {}`.
    Any,
    /// Integers: `[]int`.
    Int,
    /// Floats: `[]float64`.
    Float,
    /// Texts: `[]string`.
    String,
    /// The two values of a pair: `[2]interface {}`.
    Pair,
    /// Pairs: `[][2]interface {}`.
    Pairs,
}

impl Items {
    /// The name of a list of such items, in Go.
    pub(crate) fn list_name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Int => "[]int",
            Self::Float => "[]float64",
            Self::String => "[]string",
            Self::Pair => "[2]interface {}",
            Self::Pairs => "[][2]interface {}",
        }
    }
}

/// A list with the type of its items.
#[derive(Clone, Debug)]
pub struct List {
    pub(crate) items: Items,
    pub(crate) values: Arc<[Value]>,
    /// The lists and maps in each other, from 1.
    depth: usize,
}

/// The type that Go has for a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MapKind {
    /// From texts to anything.
    Named,
    /// From anything to lists, as `groupBy` makes it.
    Groups,
}

impl MapKind {
    /// The name in Go.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Named => "map[string]interface {}",
            Self::Groups => "map[interface {}][]interface {}",
        }
    }
}

/// A map.
#[derive(Clone, Debug)]
pub struct Map {
    pub(crate) kind: MapKind,
    pub(crate) entries: Arc<BTreeMap<Key, Value>>,
    /// The lists and maps in each other, from 1.
    depth: usize,
}

/// A key of a map. The integer 1 and the float 1 are different keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Nil,
    Bool(bool),
    Int(i64),
    /// The bits of a float, in an order of their own.
    Float(u64),
    String(Arc<str>),
}

impl Key {
    /// The key that `value` is; `None` for a value that cannot be one.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Nil => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) | Value::Duration(value) => Self::Int(*value),
            Value::Month(value) | Value::Weekday(value) => Self::Int(i64::from(*value)),
            // Both zeros are the same key.
            Value::Float(value) => Self::Float(if *value == 0.0 { 0 } else { value.to_bits() }),
            Value::String(value) => Self::String(Arc::clone(value)),
            Value::List(_) | Value::Map(_) | Value::Time(_) | Value::Zone(_) => return None,
        })
    }

    /// The value of the key.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(bits) => Value::Float(f64::from_bits(*bits)),
            Self::String(value) => Value::String(Arc::clone(value)),
        }
    }
}

impl Value {
    /// A list of floats, as the samples of Prometheus are.
    #[must_use]
    pub fn floats(values: impl IntoIterator<Item = f64>) -> Self {
        Self::list(Items::Float, values.into_iter().map(Self::Float).collect())
    }

    /// A list of integers.
    #[must_use]
    pub fn ints(values: impl IntoIterator<Item = i64>) -> Self {
        Self::list(Items::Int, values.into_iter().map(Self::Int).collect())
    }

    /// A list of `values` of any type.
    #[must_use]
    pub fn any_list(values: Vec<Self>) -> Self {
        Self::list(Items::Any, values)
    }

    /// True for nil, and for a list without items: the results that a query without data has.
    #[must_use]
    pub fn is_nil_or_empty(&self) -> bool {
        matches!(self, Self::Nil) || matches!(self, Self::List(list) if list.values.is_empty())
    }

    pub(crate) fn list(items: Items, values: Vec<Self>) -> Self {
        let depth = 1 + values.iter().map(Self::depth).max().unwrap_or(0);
        Self::List(List { items, values: values.into(), depth })
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::String(text.into())
    }

    pub(crate) fn named(entries: BTreeMap<Key, Self>) -> Self {
        Self::map(MapKind::Named, entries)
    }

    pub(crate) fn map(kind: MapKind, entries: BTreeMap<Key, Self>) -> Self {
        let depth = 1 + entries.values().map(Self::depth).max().unwrap_or(0);
        Self::Map(Map { kind, entries: Arc::new(entries), depth })
    }

    /// The lists and maps in each other; 0 for any other value.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Time(_)
            | Self::Duration(_)
            | Self::Month(_)
            | Self::Weekday(_)
            | Self::Zone(_) => 0,
        }
    }

    /// The name of the type in Go.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::String(_) => "string",
            Self::List(list) => list.items.list_name(),
            Self::Map(map) => map.kind.name(),
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
            Self::Zone(_) => "*time.Location",
        }
    }
}

impl From<serde_json::Value> for Value {
    /// The value of a JSON document. Numbers are floats.
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::String(text.into()),
            serde_json::Value::Array(values) => Self::any_list(values.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(fields) => {
                let entries = fields.into_iter();
                let entries = entries.map(|(key, value)| (Key::String(key.into()), Self::from(value)));
                Self::named(entries.collect())
            }
        }
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}
