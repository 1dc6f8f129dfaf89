//! Types that are known before an evaluation.

use std::fmt;

use crate::value::{Items, MapKind, Value};

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Known at evaluation only.
    Any,
    /// Nil, and nothing else.
    Nil,
    Bool,
    Int,
    /// The other size of integers, which `asInt` and the methods of times return.
    Int64,
    Float,
    String,
    Time,
    Duration,
    Month,
    Weekday,
    Zone,
    /// A list, and the type of an item.
    List(Items, Box<Self>),
    /// A map, and the type of its values.
    Map(MapKind, Box<Self>),
}

impl Type {
    /// The type that the result `value` is checked as.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Float(_) => Self::Float,
            Value::String(_) => Self::String,
            Value::List(list) => Self::list(list.items),
            Value::Map(map) => Self::Map(map.kind, Box::new(Self::Any)),
            Value::Time(_) => Self::Time,
            Value::Duration(_) => Self::Duration,
            Value::Month(_) => Self::Month,
            Value::Weekday(_) => Self::Weekday,
            Value::Zone(_) => Self::Zone,
        }
    }

    /// The list with the items that its name says.
    pub(crate) fn list(items: Items) -> Self {
        Self::List(items, Box::new(Self::item(items)))
    }

    fn item(items: Items) -> Self {
        match items {
            Items::Any | Items::Pair => Self::Any,
            Items::Int => Self::Int,
            Items::Float => Self::Float,
            Items::String => Self::String,
            Items::Pairs => Self::list(Items::Pair),
        }
    }

    /// A list of any values that are known to be `item`s.
    pub(crate) fn list_of(item: Self) -> Self {
        Self::List(Items::Any, Box::new(item))
    }

    /// A map from texts to anything.
    pub(crate) fn named() -> Self {
        Self::Map(MapKind::Named, Box::new(Self::Any))
    }

    pub(crate) fn is_any(&self) -> bool {
        *self == Self::Any
    }

    pub(crate) fn is_integer(&self) -> bool {
        matches!(self, Self::Int | Self::Int64)
    }

    pub(crate) fn is_number(&self) -> bool {
        self.is_integer() || *self == Self::Float
    }

    /// The item of a list; `None` for any other type.
    pub(crate) fn items(&self) -> Option<&Self> {
        match self {
            Self::List(_, item) => Some(item),
            Self::Map(..)
            | Self::Any
            | Self::Nil
            | Self::Bool
            | Self::Int
            | Self::Int64
            | Self::Float
            | Self::String
            | Self::Time
            | Self::Duration
            | Self::Month
            | Self::Weekday
            | Self::Zone => None,
        }
    }

    /// True if a value of this type may be used where `wanted` is asked for, as far as is known.
    pub(crate) fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::List(items, _), Self::List(wanted, _)) => items == wanted,
            (Self::Map(kind, _), Self::Map(wanted, _)) => kind == wanted,
            (found, wanted) => found == wanted,
        }
    }

    /// True if two values of these types may be equal.
    pub(crate) fn is_comparable_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Nil, _)
            | (_, Self::Any | Self::Nil)
            | (Self::List(..), Self::List(..))
            | (Self::Map(..), Self::Map(..)) => true,
            (left, right) => left == right || left.is_number() && right.is_number(),
        }
    }

    /// The name in messages about arguments of functions, which say of nil that it cannot be printed.
    pub(crate) fn argument_name(&self) -> String {
        if *self == Self::Nil { "%!s(<nil>)".to_owned() } else { self.to_string() }
    }

    /// The name in messages about fields.
    pub(crate) fn owner_name(&self) -> String {
        if *self == Self::Nil { "nil".to_owned() } else { self.to_string() }
    }

    /// The name in messages about what a condition returns.
    pub(crate) fn outcome_name(&self) -> String {
        if *self == Self::Nil { "<nil>".to_owned() } else { self.to_string() }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Any => "interface {}",
            Self::Nil => "unknown",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Float => "float64",
            Self::String => "string",
            Self::Time => "time.Time",
            Self::Duration => "time.Duration",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
            Self::Zone => "*time.Location",
            Self::List(items, _) => items.list_name(),
            Self::Map(kind, _) => kind.name(),
        })
    }
}
