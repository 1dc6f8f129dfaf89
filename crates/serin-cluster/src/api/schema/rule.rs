//! Validation rules in CEL (`x-kubernetes-validations`).

use std::sync::{Arc, LazyLock};

use cel::objects::OptionalValue;
use cel::{Context, Env, ExecutionError, Program, extensions};
use serde_json::{Map, Value};

use super::super::status::Cause;
use super::cause::{cause, required, unsupported};
use super::kind::Kind;

/// What rules can call: the standard functions, and those for strings and lists.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib().with_optional_support(true);
    // Only a function that is declared twice is refused.
    let _declared = environment.add_extension(extensions::strings);
    let _declared = environment.add_extension(extensions::lists);
    Arc::new(environment)
});

/// The reasons that a rule may give.
const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/// A value that rules are tried on.
pub(super) struct Subject<'a> {
    /// The type by its schema.
    pub(super) kind: Option<Kind>,
    /// The value as messages show it.
    pub(super) value: &'a Value,
    /// The value as rules see it.
    pub(super) new: cel::Value,
    /// What an update replaces, as rules see it.
    pub(super) old: Option<cel::Value>,
}

/// One rule.
pub(super) struct Rule {
    text: String,
    message: Option<String>,
    message_expression: Option<Program>,
    reason: String,
    field_path: String,
    /// Whether `oldSelf` is an optional value, so that the rule is tried on creation, too.
    is_old_optional: bool,
    program: Program,
    /// Whether the rule compares with what was, and so holds for updates only.
    pub(super) is_transition: bool,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rule").field(&self.text).finish()
    }
}

impl Rule {
    /// Compiles the rule at `path`.
    pub(super) fn compile(rule: &Map<String, Value>, path: &str) -> Result<Self, Cause> {
        let text = |key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        if text("rule").is_empty() {
            return Err(required(format!("{path}.rule"), "rule is not specified"));
        }
        let reason = text("reason");
        if !reason.is_empty() && !REASONS.contains(&reason.as_str()) {
            return Err(unsupported(format!("{path}.reason"), &Value::from(reason), REASONS.into_iter()));
        }
        let program = |key: &str| {
            ENVIRONMENT.compile(&text(key)).map_err(|error| {
                let shown = shown(rule);
                let message = format!("Invalid value: {shown}: compilation failed: {error}");
                cause("FieldValueInvalid", format!("{path}.{key}"), message)
            })
        };
        let has_message_expression = !text("messageExpression").is_empty();
        let compiled = program("rule")?;
        Ok(Self {
            text: text("rule"),
            message: Some(text("message")).filter(|message| !message.is_empty()),
            message_expression: has_message_expression.then(|| program("messageExpression")).transpose()?,
            reason,
            field_path: text("fieldPath"),
            is_old_optional: rule.get("optionalOldSelf") == Some(&Value::Bool(true)),
            is_transition: compiled.references().has_variable("oldSelf"),
            program: compiled,
        })
    }

    /// The violation of the rule by the value at `path`, if any.
    pub(super) fn fault(&self, subject: &Subject<'_>, path: &str) -> Option<Cause> {
        if self.is_transition && subject.old.is_none() && !self.is_old_optional {
            return None;
        }
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.add_variable_from_value("self", subject.new.clone());
        let old = subject.old.clone();
        if self.is_old_optional {
            let old = old.map_or_else(OptionalValue::none, OptionalValue::of);
            context.add_variable_from_value("oldSelf", cel::Value::Opaque(Arc::new(old)));
        } else if let Some(old) = old.filter(|_| self.is_transition) {
            context.add_variable_from_value("oldSelf", old);
        }
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(true)) => None,
            Ok(_) => Some(self.broken(subject, path, &context)),
            Err(error) => {
                let kind = subject.kind.map_or("", Kind::as_str);
                let shown = self.message.as_ref().unwrap_or(&self.text);
                let error = error_text(&error);
                let message = format!("Invalid value: {kind:?}: {error} evaluating rule: {shown}");
                Some(cause("FieldValueInvalid", path, message))
            }
        }
    }

    fn broken(&self, subject: &Subject<'_>, path: &str, context: &Context<'_, '_>) -> Cause {
        let expressed = self.message_expression.as_ref().and_then(|program| match program.execute(context) {
            Ok(cel::Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Ok(_) | Err(_) => None,
        });
        let detail = expressed
            .or_else(|| self.message.clone())
            .unwrap_or_else(|| format!("failed rule: {}", self.text));
        let field = format!("{path}{}", self.field_path);
        let is_container = matches!(subject.kind, Some(Kind::Object | Kind::Array));
        let reason = if self.reason.is_empty() { "FieldValueInvalid" } else { &self.reason };
        let new = subject.value;
        let message = match reason {
            "FieldValueForbidden" => format!("Forbidden: {detail}"),
            "FieldValueRequired" => format!("Required value: {detail}"),
            "FieldValueDuplicate" => format!("Duplicate value: {new}"),
            _ if is_container => format!("Invalid value: {detail}"),
            _ => format!("Invalid value: {new}: {detail}"),
        };
        cause(reason, field, message)
    }
}

/// The rule as the message about one that cannot be compiled shows it.
fn shown(rule: &Map<String, Value>) -> String {
    let text = |key: &str| rule.get(key).cloned().unwrap_or_else(|| Value::from(""));
    let optional = |key: &str| rule.get(key).cloned().unwrap_or_default();
    format!(
        "{{\"Rule\":{},\"Message\":{},\"MessageExpression\":{},\"Reason\":{},\"FieldPath\":{},\"OptionalOldSelf\":{}}}",
        text("rule"),
        text("message"),
        text("messageExpression"),
        optional("reason"),
        text("fieldPath"),
        optional("optionalOldSelf"),
    )
}

fn error_text(error: &ExecutionError) -> String {
    if let ExecutionError::NoSuchKey(key) = error { format!("no such key: {key}") } else { error.to_string() }
}
