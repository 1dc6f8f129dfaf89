//! Converts objects to the representation that a client asks for.

use jiff::Timestamp;
use serde_json::Value;

use super::accept::Form;
use crate::api::table::{self, Printer};

/// Brings objects into the form that was asked for.
pub(super) struct Shaper {
    form: Form,
    printer: Option<Printer>,
}

impl Shaper {
    /// `printer` is required for tables only.
    pub(super) const fn new(form: Form, printer: Option<Printer>) -> Self {
        Self { form, printer }
    }

    /// An object or a list in that form.
    pub(super) fn shape(&self, body: Value, now: Timestamp) -> Value {
        match (self.form, &self.printer) {
            (Form::Table(include), Some(printer)) => printer.table(&body, include, now),
            (Form::Metadata, _) => table::partials(&body),
            (Form::Table(_) | Form::Json | Form::Yaml | Form::Discovery, _) => body,
        }
    }
}
