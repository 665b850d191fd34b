//! Checks an expression against the types of its variables before it ever runs: unknown names, fields that no evidence
//! has, functions that do not exist, comparisons that can never hold.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, operators};

use crate::rules::kind::{Type, names};
use crate::rules::path::{Path, Step};

use super::functions;

/// The node that is wrong, and why.
type Wrong = (u64, String);

/// CEL's own functions, with what they give.
const STANDARD: [(&str, Type); 16] = [
    ("bool", Type::Bool),
    ("contains", Type::Bool),
    ("double", Type::Number),
    ("dyn", Type::Any),
    ("endsWith", Type::Bool),
    ("hasValue", Type::Bool),
    ("int", Type::Int),
    ("matches", Type::Bool),
    ("max", Type::Any),
    ("min", Type::Any),
    ("orValue", Type::Any),
    ("size", Type::Int),
    ("startsWith", Type::Bool),
    ("string", Type::String),
    ("type", Type::Any),
    ("uint", Type::Int),
];

/// Walks an expression with the variables in scope.
pub(super) struct Checker {
    scope: Vec<(String, Type)>,
    globals: usize,
    reads: Vec<(String, Option<Path>)>,
}

impl Checker {
    pub(super) fn new(variables: Vec<(String, Type)>) -> Self {
        Self { globals: variables.len(), scope: variables, reads: Vec::new() }
    }

    /// What the expression reads, without repetition and without parts of longer paths.
    pub(super) fn reads(self) -> Vec<(String, Option<Path>)> {
        let mut reads = self.reads;
        reads.sort_by_key(|(name, path)| (name.clone(), path.as_ref().map(ToString::to_string)));
        reads.dedup();
        reads
    }

    /// The type of an expression.
    pub(super) fn infer(&mut self, expr: &IdedExpr) -> Result<Type, Wrong> {
        match &expr.expr {
            Expr::Literal(literal) => Ok(of_literal(literal)),
            Expr::Ident(name) => self.ident(expr.id, name),
            Expr::Select(select) => self.select(expr, select),
            Expr::Call(call) => self.call(expr.id, call),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::List(list) => {
                let mut of = Type::Any;
                for element in &list.elements {
                    of = self.infer(element)?;
                }
                Ok(Type::List(Box::new(of)))
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let cel::common::ast::EntryExpr::MapEntry(entry) = &entry.expr {
                        self.infer(&entry.key)?;
                        self.infer(&entry.value)?;
                    }
                }
                Ok(Type::Any)
            }
            Expr::Struct(_) | Expr::Unspecified => Err((expr.id, "messages are not known here".to_owned())),
        }
    }

    fn ident(&mut self, id: u64, name: &str) -> Result<Type, Wrong> {
        let at = self.scope.iter().rposition(|(n, _)| n == name);
        let at = at.ok_or_else(|| {
            let known: Vec<_> = self.scope.iter().map(|(n, _)| n.as_str()).filter(|n| !n.starts_with('@')).collect();
            (id, format!("`{name}` is not known; there are {}", known.join(", ")))
        })?;
        if at < self.globals {
            self.reads.push((name.to_owned(), None));
        }
        Ok(self.scope[at].1.clone())
    }

    fn select(&mut self, expr: &IdedExpr, select: &SelectExpr) -> Result<Type, Wrong> {
        let path = global_path(expr).filter(|(root, _)| self.is_global(root));
        let before = self.reads.len();
        let of = self.infer(&select.operand)?;
        if let Some((root, keys)) = path {
            self.reads.truncate(before);
            self.reads.push((root, Some(Path(keys.into_iter().map(Step::Key).collect()))));
        }
        let field = field_of(&of, &select.field).map_err(|reason| (expr.id, reason))?;
        Ok(if select.test { Type::Bool } else { field })
    }

    fn is_global(&self, name: &str) -> bool {
        self.scope.iter().rposition(|(n, _)| n == name).is_some_and(|at| at < self.globals)
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Result<Type, Wrong> {
        let target = call.target.as_ref().map(|t| self.infer(t)).transpose()?;
        let given: Vec<Type> = call.args.iter().map(|a| self.infer(a)).collect::<Result<_, _>>()?;
        if let Some(of) = operator(id, call, &given)? {
            return Ok(of);
        }
        let name = call.func_name.as_str();
        if let Some(function) = functions::ALL.iter().find(|f| f.name == name) {
            if target.is_some() || given.len() != function.arguments {
                return Err((id, format!("`{name}` takes {} arguments, in brackets", function.arguments)));
            }
            return Ok(function.gives.clone());
        }
        match STANDARD.iter().find(|(n, _)| *n == name) {
            Some((_, gives)) => Ok(gives.clone()),
            None => {
                let ours: Vec<_> = functions::ALL.iter().map(|f| f.name).collect();
                Err((id, format!("`{name}` is no function; beside CEL's own there are {}", ours.join(", "))))
            }
        }
    }

    fn comprehension(&mut self, c: &ComprehensionExpr) -> Result<Type, Wrong> {
        let range = self.infer(&c.iter_range)?;
        let (first, second) = match range {
            Type::List(of) => ((*of).clone(), *of),
            Type::Map(of) => (Type::String, *of),
            Type::Object(_) => (Type::String, Type::Any),
            Type::Any => (Type::Any, Type::Any),
            other => return Err((c.iter_range.id, format!("there is nothing to go through in {other}"))),
        };
        let accumulated = self.infer(&c.accu_init)?;
        let depth = self.scope.len();
        match &c.iter_var2 {
            Some(var2) => {
                let key = if matches!(first, Type::String) { Type::String } else { Type::Int };
                self.scope.push((c.iter_var.clone(), key));
                self.scope.push((var2.clone(), second));
            }
            None => self.scope.push((c.iter_var.clone(), first)),
        }
        self.scope.push((c.accu_var.clone(), accumulated));
        let stepped = self.infer(&c.loop_cond).and_then(|_| self.infer(&c.loop_step));
        let result = stepped.and_then(|of| {
            if let Some(last) = self.scope.last_mut() {
                last.1 = of;
            }
            self.infer(&c.result)
        });
        self.scope.truncate(depth);
        result
    }
}

fn of_literal(literal: &LiteralValue) -> Type {
    match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Double(_) => Type::Number,
        LiteralValue::Int(_) | LiteralValue::UInt(_) => Type::Int,
        LiteralValue::String(_) => Type::String,
        LiteralValue::Null | LiteralValue::Bytes(_) => Type::Any,
    }
}

/// The variable and the fields of `a.b.c`.
fn global_path(expr: &IdedExpr) -> Option<(String, Vec<String>)> {
    match &expr.expr {
        Expr::Ident(name) => Some((name.clone(), Vec::new())),
        Expr::Select(select) => {
            let (root, mut keys) = global_path(&select.operand)?;
            keys.push(select.field.clone());
            Some((root, keys))
        }
        _ => None,
    }
}

fn field_of(of: &Type, field: &str) -> Result<Type, String> {
    match of {
        Type::Any => Ok(Type::Any),
        Type::Map(of) => Ok((**of).clone()),
        Type::Object(fields) => fields
            .get(field)
            .cloned()
            .ok_or_else(|| format!("`{field}` is not in the evidence; there are {}", names(fields))),
        other => Err(format!("`{field}` of {other}")),
    }
}

/// The type that an operator gives; none if the call is no operator.
fn operator(id: u64, call: &CallExpr, given: &[Type]) -> Result<Option<Type>, Wrong> {
    let first = given.first().cloned().unwrap_or(Type::Any);
    Ok(Some(match call.func_name.as_str() {
        operators::EQUALS
        | operators::NOT_EQUALS
        | operators::GREATER
        | operators::GREATER_EQUALS
        | operators::LESS
        | operators::LESS_EQUALS => {
            comparable(given).map_err(|reason| (id, reason))?;
            Type::Bool
        }
        operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT => {
            if let Some(other) = given.iter().find(|t| !matches!(t, Type::Bool | Type::Any)) {
                return Err((id, format!("`&&`, `||` and `!` are for true and false, not for {other}")));
            }
            Type::Bool
        }
        operators::IN => {
            if let Some(Type::List(of)) = given.get(1) {
                comparable(&[first, (**of).clone()]).map_err(|reason| (id, reason))?;
            }
            Type::Bool
        }
        operators::NOT_STRICTLY_FALSE => Type::Bool,
        operators::CONDITIONAL => match (given.get(1), given.get(2)) {
            (Some(Type::List(of)), Some(other)) if **of == Type::Any => other.clone(),
            (Some(of), _) => of.clone(),
            (None, _) => Type::Any,
        },
        operators::INDEX | operators::OPT_INDEX => return index(id, call, &first).map(Some),
        operators::OPT_SELECT => Type::Any,
        operators::ADD => match (&first, given.get(1)) {
            (Type::List(of), Some(other @ Type::List(_))) if **of == Type::Any => other.clone(),
            _ => first,
        },
        operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO | operators::NEGATE => first,
        _ => return Ok(None),
    }))
}

fn index(id: u64, call: &CallExpr, of: &Type) -> Result<Type, Wrong> {
    match (of, call.args.get(1).map(|a| &a.expr)) {
        (Type::List(of) | Type::Map(of), _) => Ok((**of).clone()),
        (Type::Object(_), Some(Expr::Literal(LiteralValue::String(key)))) => {
            field_of(of, key.inner()).map_err(|reason| (id, reason))
        }
        (Type::Any | Type::Object(_), _) => Ok(Type::Any),
        (other, _) => Err((id, format!("`[..]` of {other}"))),
    }
}

fn comparable(given: &[Type]) -> Result<(), String> {
    let class = |of: &Type| match of {
        Type::Any => None,
        Type::String | Type::Cidr | Type::Time => Some("text"),
        Type::Int | Type::Number => Some("a number"),
        Type::Bool => Some("true or false"),
        Type::List(_) => Some("a list"),
        Type::Map(_) | Type::Object(_) => Some("a map"),
    };
    match given {
        [a, b] => match (class(a), class(b)) {
            (Some(a), Some(b)) if a != b => Err(format!("{a} is compared with {b}")),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}
