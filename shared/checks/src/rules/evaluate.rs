//! Whether a condition holds for a document: yes, no, or not known. One walk serves both the fast judgement, which stops
//! as soon as it can and notes nothing, and the one in words, which notes all that was read.

use std::sync::{Arc, OnceLock};

use cel::common::value::Val;
use picket_model::Document;
use serde_json::Value;

use super::expr::{self, Expression};
use super::operator::Operator;
use super::path::Step;
use super::rule::{Condition, Join, Leaf};

/// Yes, no, or not known. Unknown gives way only to what decides without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// That cannot be told.
    Unknown,
}

impl Truth {
    fn of(holds: Option<bool>) -> Self {
        match holds {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }

    /// The opposite; unknown stays.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// The document that is judged.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The document.
    pub document: &'a Document,
    /// Its facts.
    pub facts: &'a Value,
    lifted: OnceLock<Box<dyn Val>>,
}

impl<'a> Subject<'a> {
    /// A document whose facts are known.
    #[must_use]
    pub fn new(document: &'a Document, facts: &'a Value) -> Self {
        Self { document, facts, lifted: OnceLock::new() }
    }

    pub(crate) fn lifted(&self) -> &dyn Val {
        self.lifted.get_or_init(|| expr::lifted(self.facts)).as_ref()
    }
}

/// Documents of another kind, as a list.
#[derive(Debug)]
pub struct Joined {
    /// The list.
    pub values: Value,
    /// Why it is not known as a whole.
    pub unread: Option<String>,
    lifted: OnceLock<Box<dyn Val>>,
}

impl Joined {
    /// A list that was read.
    #[must_use]
    pub fn new(values: Vec<Value>, unread: Option<String>) -> Self {
        Self { values: Value::Array(values), unread, lifted: OnceLock::new() }
    }

    pub(crate) fn lifted(&self) -> &dyn Val {
        self.lifted.get_or_init(|| expr::lifted(&self.values)).as_ref()
    }
}

/// All that a rule can see.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The document.
    pub subject: &'a Subject<'a>,
    /// The names of the joins.
    pub names: &'a [Join],
    /// The joins, in the same order.
    pub joins: &'a [Arc<Joined>],
}

impl Scope<'_> {
    pub(crate) fn join(&self, name: &str) -> Option<&Joined> {
        let at = self.names.iter().position(|j| j.name == name)?;
        self.joins.get(at).map(AsRef::as_ref)
    }
}

/// Where a walk notes what it read.
pub(crate) trait Notes {
    /// Whether everything is to be seen, even what no longer matters.
    const ALL: bool;
    /// A leaf at one place, and whether it holds there; `turned` says that it must not.
    fn leaf(&mut self, leaf: &Leaf, indices: &[usize], found: Option<&Value>, truth: Truth, turned: bool);
    /// An expression, and whether it holds, or why not known.
    fn expr(&mut self, expr: &dyn Expression, scope: &Scope<'_>, holds: &Result<bool, String>, turned: bool);
}

/// Notes nothing.
pub(crate) struct Silent;

impl Notes for Silent {
    const ALL: bool = false;
    fn leaf(&mut self, _: &Leaf, _: &[usize], _: Option<&Value>, _: Truth, _: bool) {}
    fn expr(&mut self, _: &dyn Expression, _: &Scope<'_>, _: &Result<bool, String>, _: bool) {}
}

/// Whether `condition` holds.
pub(crate) fn truth<N: Notes>(condition: &Condition, scope: &Scope<'_>, turned: bool, notes: &mut N) -> Truth {
    match condition {
        Condition::All(of) => fold(of, scope, turned, notes, Truth::No),
        Condition::Any(of) => fold(of, scope, turned, notes, Truth::Yes),
        Condition::None(of) => fold(of, scope, !turned, notes, Truth::Yes).turned(),
        Condition::Leaf(leaf) => leaf_truth(leaf, scope, turned, notes),
        Condition::Expr(expr) => {
            let holds = expr.truth(scope);
            notes.expr(expr.as_ref(), scope, &holds, turned);
            Truth::of(holds.ok())
        }
    }
}

/// `decides` is what one of them is enough for; without one, an unknown one makes all unknown.
fn fold<N: Notes>(of: &[Condition], scope: &Scope<'_>, turned: bool, notes: &mut N, decides: Truth) -> Truth {
    let mut all = decides.turned();
    for condition in of {
        all = join(all, truth(condition, scope, turned, notes), decides);
        if all == decides && !N::ALL {
            break;
        }
    }
    all
}

fn join(sofar: Truth, next: Truth, decides: Truth) -> Truth {
    if sofar == decides || next == decides {
        decides
    } else if sofar == Truth::Unknown || next == Truth::Unknown {
        Truth::Unknown
    } else {
        sofar
    }
}

fn leaf_truth<N: Notes>(leaf: &Leaf, scope: &Scope<'_>, turned: bool, notes: &mut N) -> Truth {
    let root = match leaf.join {
        None => scope.subject.facts,
        Some(at) => scope.joins.get(at).map_or(&Value::Null, |j| &j.values),
    };
    let decides = if leaf.some { Truth::Yes } else { Truth::No };
    let mut all = decides.turned();
    leaf.below.visit(root, &mut |indices, found| {
        let one = one(leaf, found, scope);
        notes.leaf(leaf, indices, found, one, turned);
        all = join(all, one, decides);
        N::ALL || all != decides
    });
    all
}

fn one(leaf: &Leaf, found: Option<&Value>, scope: &Scope<'_>) -> Truth {
    let now = scope.subject.document.read_at;
    match (found, &leaf.operator) {
        (Some(found), operator) => Truth::of(operator.holds(found, now)),
        // Where a part was not read, or not as a whole, what is missing there is neither absent nor its default.
        (None, _) if is_unread(leaf, scope.subject.facts) => Truth::Unknown,
        (None, Operator::Present) => Truth::No,
        (None, Operator::Absent) => Truth::Yes,
        (None, operator) => leaf.default.as_ref().map_or(Truth::Unknown, |d| Truth::of(operator.holds(d, now))),
    }
}

/// Whether the collector says that the part which a path starts in was not read as a whole.
fn is_unread(leaf: &Leaf, facts: &Value) -> bool {
    let Some(Step::Key(part)) = leaf.below.0.first() else { return false };
    leaf.join.is_none() && facts.get("unread").is_some_and(|u| u.get(part).is_some())
}
