//! Columns, and the tables of built-in kinds that are made of them.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::openapi;

/// One column.
pub(super) struct Column {
    name: &'static str,
    kind: &'static str,
    format: &'static str,
    /// Columns of a priority above 0 are for `-o wide`.
    priority: i32,
    meaning: Meaning,
}

/// What a column is said to hold.
pub(super) enum Meaning {
    Unsaid,
    /// What a field of a type does.
    Field(&'static str, &'static str),
    Words(&'static str),
}

impl Column {
    pub(super) const fn new(name: &'static str, kind: &'static str, format: &'static str) -> Self {
        Self { name, kind, format, priority: 0, meaning: Meaning::Unsaid }
    }

    /// Holds what that field of a type does, such as `core/v1.PodStatus`.
    pub(super) const fn of(self, type_name: &'static str, field: &'static str) -> Self {
        Self { meaning: Meaning::Field(type_name, field), ..self }
    }

    pub(super) const fn meaning(self, words: &'static str) -> Self {
        Self { meaning: Meaning::Words(words), ..self }
    }

    pub(super) const fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }

    pub(super) fn definition(&self) -> Value {
        let Self { name, kind, format, priority, meaning } = self;
        let description = match meaning {
            Meaning::Unsaid => String::new(),
            Meaning::Field(type_name, field) => openapi::description(type_name, field),
            Meaning::Words(words) => (*words).to_owned(),
        };
        json!({"name": name, "type": kind, "format": format, "description": description, "priority": priority})
    }
}

/// A column that is always shown.
pub(super) const fn text(name: &'static str) -> Column {
    Column::new(name, "string", "")
}

/// A column for `-o wide`.
pub(super) const fn wide(name: &'static str) -> Column {
    text(name).wide()
}

/// A column of whole numbers.
pub(super) const fn number(name: &'static str) -> Column {
    Column::new(name, "integer", "")
}

/// The first column of most kinds.
pub(super) const NAME: Column = Column::new("Name", "string", "name").of("meta/v1.ObjectMeta", "name");

/// The last of the columns that are always shown, of most kinds.
pub(super) const AGE: Column = text("Age").of("meta/v1.ObjectMeta", "creationTimestamp");

pub(super) type Cells = fn(&Value, Timestamp) -> Vec<Value>;

/// The columns of a built-in kind, and what fills them.
pub(super) struct BuiltIn {
    pub(super) columns: &'static [Column],
    pub(super) cells: Cells,
}
