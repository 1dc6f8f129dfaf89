//! How a Go struct is laid out as JSON: which fields, in which order, and when one is left out.
//!
//! The layouts themselves are data, written with [`go_structs!`]: a struct is its fields in declaration order,
//! each a name, a mark and a kind.
//!
//! | mark | Go | written when |
//! |---|---|---|
//! | `:` | `T`, `omitempty` | not the zero value (`false`, `0`, `""`, an empty list or map) |
//! | `?` | `*T`, `omitempty` | set, even to a zero value |
//! | `!` | `T` | always, as its zero value when unset (a list is then `null`, a struct has its own `!` fields) |
//! | `^` | `*T` | always, as `null` when unset |
//!
//! A kind is `STR`, `INT`, `BOOL`, `QUANTITY`, `INT_OR_STR`, `TIME`, `RAW` (any JSON), the name of another struct,
//! a list `[kind]` or a map with string keys `{kind}`.

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Bool,
    Int,
    Str,
    Quantity,
    IntOrStr,
    Time,
    Raw,
    List(&'static Kind),
    Map(&'static Kind),
    Struct(&'static Struct),
}

/// When a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Unless it has the zero value.
    NonZero,
    /// If it is set.
    Set,
    /// Always; the zero value stands in when it is unset.
    Always,
    /// Always; `null` stands in when it is unset.
    AlwaysNullable,
}

/// One field of a struct.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) presence: Presence,
    pub(super) kind: Kind,
}

/// A struct: its fields in declaration order.
#[derive(Debug)]
pub(super) struct Struct {
    pub(super) fields: &'static [Field],
}

/// Declares one static [`Struct`] for each `NAME { field MARK kind, ... }`.
macro_rules! go_structs {
    ($($name:ident { $($field:ident $mark:tt $kind:tt),* $(,)? })*) => {
        $(pub(super) static $name: $crate::domain::hash::layout::Struct = $crate::domain::hash::layout::Struct {
            fields: &[$($crate::domain::hash::layout::Field {
                name: stringify!($field),
                presence: $crate::domain::hash::layout::presence!($mark),
                kind: $crate::domain::hash::layout::kind!($kind),
            }),*],
        };)*
    };
}

/// The [`Presence`] of a mark.
macro_rules! presence {
    (:) => {
        $crate::domain::hash::layout::Presence::NonZero
    };
    (?) => {
        $crate::domain::hash::layout::Presence::Set
    };
    (!) => {
        $crate::domain::hash::layout::Presence::Always
    };
    (^) => {
        $crate::domain::hash::layout::Presence::AlwaysNullable
    };
}

/// The [`Kind`] of a kind token.
macro_rules! kind {
    (BOOL) => {
        $crate::domain::hash::layout::Kind::Bool
    };
    (INT) => {
        $crate::domain::hash::layout::Kind::Int
    };
    (STR) => {
        $crate::domain::hash::layout::Kind::Str
    };
    (QUANTITY) => {
        $crate::domain::hash::layout::Kind::Quantity
    };
    (INT_OR_STR) => {
        $crate::domain::hash::layout::Kind::IntOrStr
    };
    (TIME) => {
        $crate::domain::hash::layout::Kind::Time
    };
    (RAW) => {
        $crate::domain::hash::layout::Kind::Raw
    };
    ([$item:tt]) => {
        $crate::domain::hash::layout::Kind::List(&$crate::domain::hash::layout::kind!($item))
    };
    ({ $item:tt }) => {
        $crate::domain::hash::layout::Kind::Map(&$crate::domain::hash::layout::kind!($item))
    };
    ($name:ident) => {
        $crate::domain::hash::layout::Kind::Struct(&$name)
    };
}

pub(super) use {go_structs, kind, presence};
