//! Rules made of what a file says: every name looked up, every path and expression checked against the kinds.

use std::collections::BTreeMap;

use picket_model::{Region, Severity};
use serde_json::Value;

use super::expr;
use super::kind::{Kind, Kinds, Type};
use super::operator::Operator;
use super::path::{Path, Step};
use super::raw::{RawCase, RawCondition, RawFix, RawRule};
use super::refused::Refused;
use super::rule::{Case, Condition, Fix, Join, Layer, Leaf, Rule};
use super::span::Text;

/// When a case's document was read, unless it says otherwise.
const READ_AT: &str = "2026-01-01T00:00:00Z";

/// One file on its way to rules.
struct Compiler<'a> {
    file: &'a str,
    kinds: &'a Kinds,
    kind: &'a Kind,
    joins: Vec<Join>,
}

/// Makes the rule `name` of what `file` says.
pub(crate) fn compile(name: &str, file: &str, raw: &RawRule, kinds: &Kinds) -> Result<Rule, Refused> {
    let select = &raw.select;
    let kind = kinds.get(&select.text).ok_or_else(|| select.refuse(file, no_kind(&select.text)))?;
    let mut compiler = Compiler { file, kinds, kind, joins: Vec::new() };
    for (variable, of) in &raw.with {
        kinds.get(&of.text).ok_or_else(|| of.refuse(file, no_kind(&of.text)))?;
        if ["this", "id", "account", "region", "now"].contains(&variable.as_str()) {
            return Err(of.refuse(file, format!("`{variable}` is taken; call it otherwise")));
        }
        compiler.joins.push(Join { name: variable.clone(), kind: of.text.clone() });
    }
    let when = compiler.when(raw)?;
    let check = compiler.condition(&raw.check, select)?;
    let cases = raw.cases.iter().map(|c| compiler.case(c)).collect::<Result<_, _>>()?;
    Ok(Rule {
        name: name.to_owned(),
        file: file.to_owned(),
        title: compiler.says(&raw.title)?,
        wrong: raw.wrong.as_ref().map(|w| compiler.says(w)).transpose()?,
        severity: compiler.word::<Severity>(&raw.severity, "low medium high critical")?,
        layer: compiler.word::<Layer>(&raw.layer, "foundation network os runtime kubernetes workload")?,
        select: select.text.clone(),
        when,
        check,
        why: compiler.says(&raw.why)?,
        fix: compiler.fix(&raw.fix)?,
        evidence_only: raw.evidence_only,
        live: raw.live,
        cases,
        joins: compiler.joins,
    })
}

fn no_kind(name: &str) -> String {
    format!("`{name}` is no kind; kinds are the files of `kinds/`")
}

impl Compiler<'_> {
    fn says(&self, text: &Text) -> Result<String, Refused> {
        let said = text.text.trim();
        if said.is_empty() { Err(text.refuse(self.file, "says nothing")) } else { Ok(said.to_owned()) }
    }

    fn word<T: serde::de::DeserializeOwned>(&self, text: &Text, known: &str) -> Result<T, Refused> {
        serde_json::from_value(Value::String(text.text.clone()))
            .map_err(|_| text.refuse(self.file, format!("`{}` is none of {known}", text.text)))
    }

    fn when(&self, raw: &RawRule) -> Result<Option<(Condition, String)>, Refused> {
        match (&raw.when, &raw.because) {
            (None, None) => Ok(None),
            (Some(when), Some(because)) => Ok(Some((self.condition(when, &raw.select)?, self.says(because)?))),
            (Some(_), None) => {
                Err(raw.select.refuse(self.file, "`when` needs `because`: the reason where it does not hold"))
            }
            (None, Some(because)) => {
                Err(because.refuse(self.file, "`because` is the reason of a `when`, which is missing"))
            }
        }
    }

    fn fix(&self, raw: &RawFix) -> Result<Fix, Refused> {
        if let Some(approval) = &raw.approval
            && !["never", "always", "policy"].contains(&approval.text.as_str())
        {
            return Err(approval.refuse(self.file, format!("`{}` is none of never always policy", approval.text)));
        }
        let text = |t: &Option<Text>| t.as_ref().map(|t| t.text.trim().to_owned()).filter(|t| !t.is_empty());
        Ok(Fix {
            how: self.says(&raw.how)?,
            action: text(&raw.action),
            with: raw.with.clone(),
            approval: text(&raw.approval),
            guard: text(&raw.guard),
        })
    }

    fn condition(&self, raw: &RawCondition, near: &Text) -> Result<Condition, Refused> {
        let many = |of: &[RawCondition]| -> Result<Vec<Condition>, Refused> {
            if of.is_empty() {
                return Err(near.refuse(self.file, "a condition of no conditions"));
            }
            of.iter().map(|c| self.condition(c, raw.at.as_ref().unwrap_or(near))).collect()
        };
        let is_leaf =
            raw.op.is_some() || raw.value.is_some() || raw.default.is_some() || raw.some || raw.compat.is_some();
        match (&raw.at, &raw.expr, &raw.all, &raw.any, &raw.none) {
            (Some(at), None, None, None, None) => self.leaf(raw, at).map(Condition::Leaf),
            (None, Some(expr), None, None, None) if !is_leaf => self.expr(expr, raw.expected.as_ref()),
            (None, None, Some(of), None, None) if !is_leaf => many(of).map(Condition::All),
            (None, None, None, Some(of), None) if !is_leaf => many(of).map(Condition::Any),
            (None, None, None, None, Some(of)) if !is_leaf => many(of).map(Condition::None),
            _ => {
                let at = raw.at.as_ref().or(raw.expr.as_ref()).or(raw.op.as_ref()).unwrap_or(near);
                Err(at.refuse(self.file, "a condition is one of: `at` with `op`, `expr`, `all`, `any`, `none`"))
            }
        }
    }

    fn leaf(&self, raw: &RawCondition, at: &Text) -> Result<Leaf, Refused> {
        let refuse = |text: &Text, reason: String| text.refuse(self.file, reason);
        let op = raw.op.as_ref().ok_or_else(|| refuse(at, "`at` needs `op`".to_owned()))?;
        let substring = match &raw.compat {
            Some(compat) if compat.text == "substring" => true,
            Some(compat) => return Err(refuse(compat, format!("`{}` is not `substring`", compat.text))),
            None => false,
        };
        let operator = Operator::parse(&op.text, raw.value.as_ref(), substring).map_err(|reason| refuse(op, reason))?;
        let path = Path::parse(&at.text).map_err(|reason| refuse(at, reason))?;
        let (join, below, root) = self.root(&path);
        let of = below.type_in(&root).map_err(|reason| refuse(at, reason))?;
        operator.suits(of).map_err(|reason| refuse(op, reason))?;
        if raw.default.is_some() && matches!(operator, Operator::Present | Operator::Absent) {
            return Err(refuse(op, format!("`{}` needs no default", op.text)));
        }
        Ok(Leaf {
            join,
            at: path,
            below,
            operator,
            default: raw.default.clone(),
            some: raw.some,
            expected: raw.expected.as_ref().map(|e| e.text.clone()),
        })
    }

    /// Where a path starts: in a join, whose name is its first step, or in the document.
    fn root(&self, path: &Path) -> (Option<usize>, Path, Type) {
        if let Some(Step::Key(first)) = path.0.first()
            && let Some(at) = self.joins.iter().position(|j| j.name == *first)
        {
            return (Some(at), Path(path.0[1..].to_vec()), self.joined_type(&self.joins[at]));
        }
        (None, path.clone(), self.kind.fields.clone())
    }

    fn joined_type(&self, join: &Join) -> Type {
        let mut of = self.kinds.get(&join.kind).map_or(Type::Any, |k| k.fields.clone());
        if let Type::Object(fields) = &mut of {
            fields.insert("_id".to_owned(), Type::String);
            fields.insert("_region".to_owned(), Type::String);
        }
        Type::List(Box::new(of))
    }

    fn expr(&self, text: &Text, expected: Option<&Text>) -> Result<Condition, Refused> {
        let mut variables = BTreeMap::from([("this", self.kind.fields.clone())]);
        for join in &self.joins {
            variables.insert(&join.name, self.joined_type(join));
        }
        let expected = expected.map(|e| e.text.clone());
        expr::compile(&text.text, &variables, expected).map(Condition::Expr).map_err(|(offset, reason)| {
            let mut refused = text.refuse(self.file, reason);
            refused.column += offset.map_or(0, u64::from);
            refused
        })
    }

    fn case(&self, raw: &RawCase) -> Result<Case, Refused> {
        let refuse = |reason: String| raw.name.refuse(self.file, reason);
        let all = [
            ("pass", &raw.pass),
            ("fail", &raw.fail),
            ("unknown", &raw.unknown),
            ("not_applicable", &raw.not_applicable),
            ("manual", &raw.manual),
        ];
        let given: Vec<_> = all.into_iter().filter_map(|(e, d)| d.as_ref().map(|d| (e, d))).collect();
        let [(expect, document)] = given[..] else {
            return Err(refuse("a case has one of: pass, fail, unknown, not_applicable, manual".to_owned()));
        };
        self.kind.fields.check(document, "").map_err(refuse)?;
        if let Some(name) = raw.with.keys().find(|n| !self.joins.iter().any(|j| j.name == **n)) {
            return Err(refuse(format!("`{name}` is not in the rule's `with`")));
        }
        let with = self.joins.iter().map(|j| self.case_join(raw, j)).collect::<Result<_, _>>()?;
        let region =
            raw.region.as_ref().map(|r| Region::parse(&r.text).map_err(|e| r.refuse(self.file, e.to_string())));
        let at = raw.at.as_ref().map_or(READ_AT, |a| &a.text);
        Ok(Case {
            name: raw.name.text.clone(),
            line: raw.name.line,
            expect,
            document: document.clone(),
            with,
            id: raw.id.as_ref().map_or_else(|| "case".to_owned(), |id| id.text.clone()),
            region: region.transpose()?,
            at: at.parse().map_err(|_| refuse(format!("`{at}` is no time")))?,
        })
    }

    fn case_join(&self, raw: &RawCase, join: &Join) -> Result<(String, Option<Vec<Value>>), Refused> {
        let refuse = |reason: String| raw.name.refuse(self.file, reason);
        let items = match raw.with.get(&join.name) {
            None => Some(Vec::new()),
            Some(Value::Null) => None,
            Some(Value::Array(items)) => Some(items.clone()),
            Some(_) => {
                return Err(refuse(format!("`{}` is a list of documents, or null where it was not read", join.name)));
            }
        };
        let of = self.joined_type(join);
        of.check(&Value::Array(items.clone().unwrap_or_default()), &join.name).map_err(refuse)?;
        Ok((join.name.clone(), items))
    }
}
