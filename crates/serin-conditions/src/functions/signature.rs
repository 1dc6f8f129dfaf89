//! How a function is declared.

use jiff::Timestamp;

use crate::budget::Budget;
use crate::types::Type;
use crate::value::{Items, Value};

/// A value, or the reason why there is none.
pub(crate) type Outcome = Result<Value, String>;

/// What functions use besides their arguments.
pub(crate) struct Context<'a> {
    pub(crate) budget: &'a mut Budget,
    pub(crate) now: Timestamp,
    pub(crate) is_result_nil: bool,
}

/// A function of the language.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) scope: Scope,
    pub(crate) signature: Signature,
    pub(crate) run: fn(&[Value], &mut Context<'_>) -> Outcome,
}

impl Function {
    /// True if what is missing is nil for the first argument.
    pub(crate) fn is_lenient(&self) -> bool {
        matches!(self.name, "isNil" | "default")
    }

    /// True if integers written as arguments are floats.
    pub(crate) fn takes_floats(&self) -> bool {
        matches!(self.name, "isNaN" | "isInf")
    }
}

/// Where a function can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everywhere: a part of the language.
    Language,
    /// Everywhere, but added to the language for analysis.
    Added,
    /// In conditions only.
    Conditions,
}

/// The arguments that a function takes, and the type that it returns.
pub(crate) enum Signature {
    /// Any of these.
    Overloads(&'static [Overload]),
    /// A function from the types of the arguments to the type that is returned. An error if they are wrong.
    Rule(fn(&[Type]) -> Result<Type, String>),
}

/// The arguments of a function, and what it returns.
pub(crate) type Overload = (&'static [Kind], Kind);

/// A type of an argument, or of what a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Bool,
    Int,
    Int64,
    Float,
    String,
    Time,
    Duration,
    Month,
    Weekday,
    Zone,
    List(Items),
}

impl Kind {
    pub(crate) fn to_type(self) -> Type {
        match self {
            Self::Any => Type::Any,
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Int64 => Type::Int64,
            Self::Float => Type::Float,
            Self::String => Type::String,
            Self::Time => Type::Time,
            Self::Duration => Type::Duration,
            Self::Month => Type::Month,
            Self::Weekday => Type::Weekday,
            Self::Zone => Type::Zone,
            Self::List(items) => Type::list(items),
        }
    }
}

/// The text that the argument at `index` is. An error for any other value.
pub(super) fn text(arguments: &[Value], index: usize) -> Result<&str, String> {
    match arguments.get(index) {
        Some(Value::String(text)) => Ok(text),
        found => Err(wrong(found, "string")),
    }
}

/// The message about an argument that is no `wanted`.
pub(super) fn wrong(found: Option<&Value>, wanted: &str) -> String {
    let found = found.filter(|value| !matches!(value, Value::Nil)).map_or("nil", Value::type_name);
    format!("interface conversion: interface {{}} is {found}, not {wanted}")
}

/// The argument at `index`; nil if it is missing.
pub(super) fn argument(arguments: &[Value], index: usize) -> &Value {
    arguments.get(index).unwrap_or(&Value::Nil)
}
