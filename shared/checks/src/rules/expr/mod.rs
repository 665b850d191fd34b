//! Expressions, for what one comparison cannot say. The language is CEL; everything else knows only this trait, so that
//! another one could stand in its place.

mod check;
mod functions;
mod lift;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, Program, Value as CelValue};

use super::evaluate::Scope;
use super::kind::Type;
use super::path::Path;

/// Something that is true or false of a document and those beside it.
pub trait Expression: std::fmt::Debug + Send + Sync {
    /// Whether it holds.
    ///
    /// # Errors
    /// Says why that cannot be told, such as a field that was not read.
    fn truth(&self, scope: &Scope<'_>) -> Result<bool, String>;

    /// As it was written.
    fn text(&self) -> &str;

    /// What it reads: a variable, and the path from there.
    fn reads(&self) -> &[(String, Option<Path>)];

    /// What is expected, in the rule's own words.
    fn expected(&self) -> Option<&str>;
}

/// The variables that every expression has, besides `this` and the joins.
const ALWAYS: [(&str, Type); 4] =
    [("id", Type::String), ("account", Type::String), ("region", Type::String), ("now", Type::Int)];

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(functions::env()));

#[derive(Debug)]
struct Cel {
    text: String,
    program: Program,
    reads: Vec<(String, Option<Path>)>,
    expected: Option<String>,
}

/// Compiles an expression over variables of these types.
///
/// # Errors
/// What is wrong, and at which character, where that is known.
pub(crate) fn compile(
    text: &str,
    variables: &BTreeMap<&str, Type>,
    expected: Option<String>,
) -> Result<Box<dyn Expression>, (Option<u32>, String)> {
    let program = ENV.compile(text).map_err(|errors| {
        let message = errors.to_string();
        (None, format!("is no CEL expression: {}", message.lines().next().unwrap_or_default().trim()))
    })?;
    let mut all: Vec<(String, Type)> = variables.iter().map(|(n, t)| ((*n).to_owned(), t.clone())).collect();
    all.extend(ALWAYS.iter().map(|(n, t)| ((*n).to_owned(), t.clone())));
    let mut checker = check::Checker::new(all);
    let of = checker
        .infer(program.expression())
        .map_err(|(id, reason)| (program.source_info().offset_for(id).map(|o| o.0), reason))?;
    if !matches!(of, Type::Bool | Type::Any) {
        return Err((None, format!("an expression is true or false; this one is {of}")));
    }
    let reads = checker.reads();
    Ok(Box::new(Cel { text: text.trim().to_owned(), program, reads, expected }))
}

impl Expression for Cel {
    fn truth(&self, scope: &Scope<'_>) -> Result<bool, String> {
        let variables = Variables(scope);
        let mut context = Context::with_env(ENV.clone());
        context.set_variable_resolver(&variables);
        match self.program.execute(&context) {
            Ok(CelValue::Bool(holds)) => Ok(holds),
            Ok(_) => Err("the expression is neither true nor false".to_owned()),
            Err(cel::ExecutionError::NoSuchKey(key)) => Err(format!("`{key}` was not read")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn reads(&self) -> &[(String, Option<Path>)] {
        &self.reads
    }

    fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }
}

struct Variables<'a, 'b>(&'a Scope<'b>);

impl VariableResolver for Variables<'_, '_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let scope = self.0;
        let document = scope.subject.document;
        match variable {
            "this" => Some(CowVal::Borrowed(scope.subject.lifted())),
            "id" => Some(lift::text(&document.id)),
            "account" => Some(lift::text(document.account.as_str())),
            "region" => Some(lift::text(document.region.as_ref().map_or("", |r| r.as_str()))),
            "now" => Some(lift::int(document.read_at.as_second())),
            other => scope.join(other).map(|joined| CowVal::Borrowed(joined.lifted())),
        }
    }
}

/// A value as CEL has it; nothing where there is null, so that a missing field is missing.
pub(crate) fn lifted(value: &serde_json::Value) -> Box<dyn Val> {
    lift::value(value)
}
