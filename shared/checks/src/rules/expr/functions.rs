//! The functions that rules have beside CEL's own. An argument that makes no sense is an error, so the rule is unknown.

use std::collections::BTreeSet;

use cel::common::types::{CelBool, CelInt, DYN_TYPE};
use cel::common::value::CowVal;
use cel::{Env, ExecutionError, Value as Cel};
use globset::GlobBuilder;
use jiff::Timestamp;
use serde_json::Value;

use crate::rules::kind::Type;
use crate::rules::{compare, network};

type Run = for<'b, 'v> fn(Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError>;

/// A function: its name, how many arguments it takes, what it gives, and what it does.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) arguments: usize,
    pub(super) gives: Type,
    run: Run,
}

/// All of them, alphabetical.
pub(super) const ALL: &[Function] = &[
    Function { name: "cidrContains", arguments: 2, gives: Type::Bool, run: cidr_contains },
    Function { name: "covers", arguments: 2, gives: Type::Bool, run: covers },
    Function { name: "distinct", arguments: 1, gives: Type::Int, run: distinct },
    Function { name: "duration", arguments: 1, gives: Type::Int, run: duration },
    Function { name: "glob", arguments: 2, gives: Type::Bool, run: glob },
    Function { name: "isPublicCidr", arguments: 1, gives: Type::Bool, run: is_public_cidr },
    Function { name: "modeWithin", arguments: 2, gives: Type::Bool, run: mode_within },
    Function { name: "portOpen", arguments: 2, gives: Type::Bool, run: port_open },
    Function { name: "semver", arguments: 1, gives: Type::Int, run: semver },
    Function { name: "time", arguments: 1, gives: Type::Int, run: time },
];

/// CEL with these functions.
pub(super) fn env() -> Env {
    let mut env = Env::stdlib();
    for function in ALL {
        let arguments = (0..function.arguments).map(|_| DYN_TYPE).collect();
        // The names are ours; a test calls each, so that a conflict with a later CEL cannot pass unseen.
        let _ = env.add_overload(function.name, function.name, arguments, function.run);
    }
    env
}

fn json(args: &[CowVal<'_, '_>], n: usize, name: &str) -> Result<Value, ExecutionError> {
    let value = args.get(n).ok_or(ExecutionError::MissingArgumentOrTarget)?;
    Cel::try_from(value.as_ref())?.json().map_err(|e| ExecutionError::function_error(name, e))
}

fn text(args: &[CowVal<'_, '_>], n: usize, name: &str) -> Result<String, ExecutionError> {
    match json(args, n, name)? {
        Value::String(text) => Ok(text),
        _ => Err(ExecutionError::function_error(name, "takes text")),
    }
}

fn bool_or<'b, 'v>(answer: Option<bool>, name: &str, why: &str) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let holds = answer.ok_or_else(|| ExecutionError::function_error(name, why))?;
    Ok(CowVal::owned(CelBool::from(holds)))
}

fn int_or<'b, 'v>(answer: Option<i64>, name: &str, why: &str) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let n = answer.ok_or_else(|| ExecutionError::function_error(name, why))?;
    Ok(CowVal::owned(CelInt::from(n)))
}

fn cidr_contains<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "cidrContains";
    bool_or(network::contains(&text(&args, 0, name)?, &text(&args, 1, name)?), name, "takes two address ranges")
}

/// Whether a list holds everything that another does: asked element by element it would take the product of their lengths.
fn covers<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "covers";
    let all = |value: Value| match value {
        Value::Array(all) => Some(all.iter().map(Value::to_string).collect::<BTreeSet<_>>()),
        _ => None,
    };
    let both = all(json(&args, 0, name)?).zip(all(json(&args, 1, name)?));
    bool_or(both.map(|(whole, part)| part.is_subset(&whole)), name, "takes two lists")
}

/// How many different values a list holds: a rule that compared each with each would take the square of its time.
fn distinct<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "distinct";
    let different = |all: Vec<Value>| all.iter().map(Value::to_string).collect::<BTreeSet<_>>().len();
    let count = match json(&args, 0, name)? {
        Value::Array(all) => i64::try_from(different(all)).ok(),
        _ => None,
    };
    int_or(count, name, "takes a list")
}

fn duration<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "duration";
    int_or(compare::seconds(&json(&args, 0, name)?), name, "takes a length of time, such as `90d`")
}

fn glob<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "glob";
    let pattern = GlobBuilder::new(&text(&args, 0, name)?).build();
    let pattern = pattern.map_err(|e| ExecutionError::function_error(name, e))?;
    bool_or(Some(pattern.compile_matcher().is_match(text(&args, 1, name)?)), name, "")
}

fn is_public_cidr<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "isPublicCidr";
    bool_or(network::is_public(&json(&args, 0, name)?), name, "takes an address range, or a list of them")
}

fn mode_within<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "modeWithin";
    let within = compare::mode(&json(&args, 0, name)?).zip(compare::octal(&json(&args, 1, name)?));
    bool_or(within.map(|(mode, most)| mode & !most == 0), name, "takes a file mode, and octal digits such as '644'")
}

fn port_open<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "portOpen";
    let port = json(&args, 1, name)?.as_u64().and_then(|n| u16::try_from(n).ok());
    let permissions = json(&args, 0, name)?;
    bool_or(port.and_then(|p| network::port_open(&permissions, p)), name, "takes a list of permissions, and a port")
}

/// A version as a number that compares as versions do: 1.30 is after 1.9. What follows the third part does not count.
fn semver<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "semver";
    let version = text(&args, 0, name)?;
    int_or(version_number(&version), name, "takes a version, such as `1.30`")
}

fn version_number(text: &str) -> Option<i64> {
    let digits = text.trim().trim_start_matches('v');
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let parts: Option<Vec<i64>> = digits[..end].split('.').take(3).map(|p| p.parse().ok()).collect();
    let parts = parts.filter(|p| p.iter().all(|n| (0..1_000_000).contains(n)))?;
    let part = |n: usize| parts.get(n).copied().unwrap_or(0);
    Some(part(0) * 1_000_000_000_000 + part(1) * 1_000_000 + part(2))
}

fn time<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = "time";
    let time = text(&args, 0, name)?.parse::<Timestamp>().ok();
    int_or(time.map(Timestamp::as_second), name, "takes a time, such as `2026-01-31T00:00:00Z`")
}
