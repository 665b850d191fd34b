//! Families: one file, a row a rule. `{column}` in any text is replaced by the row's value; a text that is nothing but
//! `{column}` becomes the value itself, so that numbers and lists stay what they are.

use serde_json::{Map, Value};

use super::raw::{RawCase, RawCondition, RawFix, RawRule};
use super::refused::Refused;
use super::span::Text;

type Row = Map<String, Value>;

/// The rules of a file, each with what its name adds; a file without rows is one rule.
pub(crate) fn rows(raw: RawRule, file: &str) -> Result<Vec<(Option<String>, RawRule)>, Refused> {
    let Some(rows) = raw.each.clone() else {
        return Ok(vec![(None, raw)]);
    };
    if rows.is_empty() {
        return Err(raw.title.refuse(file, "a family of no rows"));
    }
    let mut rules = Vec::new();
    for row in rows {
        let name = row.get("name").and_then(Value::as_str).filter(|n| is_name(n));
        let name = name.ok_or_else(|| raw.title.refuse(file, "each row has a `name` of a-z, 0-9 and _"))?.to_owned();
        let mut rule = raw.clone();
        fill_rule(&mut rule, &row).map_err(|(text, reason)| text.refuse(file, format!("row `{name}`: {reason}")))?;
        rules.push((Some(name), rule));
    }
    Ok(rules)
}

/// Whether it can be part of a rule's name.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

type Filled = Result<(), (Text, String)>;

fn fill_rule(rule: &mut RawRule, row: &Row) -> Filled {
    for text in [&mut rule.title, &mut rule.severity, &mut rule.layer, &mut rule.select, &mut rule.why] {
        fill_text(text, row)?;
    }
    rule.with.values_mut().try_for_each(|t| fill_text(t, row))?;
    rule.wrong.iter_mut().try_for_each(|t| fill_text(t, row))?;
    rule.because.iter_mut().try_for_each(|t| fill_text(t, row))?;
    rule.when.iter_mut().try_for_each(|c| fill_condition(c, row))?;
    fill_condition(&mut rule.check, row)?;
    fill_fix(&mut rule.fix, row)?;
    rule.cases.iter_mut().try_for_each(|c| fill_case(c, row))
}

fn fill_fix(fix: &mut RawFix, row: &Row) -> Filled {
    fill_text(&mut fix.how, row)?;
    for text in [&mut fix.action, &mut fix.approval, &mut fix.guard].into_iter().flatten() {
        fill_text(text, row)?;
    }
    let near = fix.how.clone();
    fix.with.values_mut().try_for_each(|v| fill_value(v, row, &near))
}

fn fill_condition(condition: &mut RawCondition, row: &Row) -> Filled {
    let texts =
        [&mut condition.at, &mut condition.op, &mut condition.compat, &mut condition.expected, &mut condition.expr];
    for text in texts.into_iter().flatten() {
        fill_text(text, row)?;
    }
    let near = condition.at.clone().unwrap_or_default();
    for value in [&mut condition.value, &mut condition.default].into_iter().flatten() {
        fill_value(value, row, &near)?;
    }
    for of in [&mut condition.all, &mut condition.any, &mut condition.none].into_iter().flatten() {
        of.iter_mut().try_for_each(|c| fill_condition(c, row))?;
    }
    Ok(())
}

fn fill_case(case: &mut RawCase, row: &Row) -> Filled {
    for text in [Some(&mut case.name), case.id.as_mut(), case.region.as_mut(), case.at.as_mut()].into_iter().flatten() {
        fill_text(text, row)?;
    }
    let near = case.name.clone();
    let documents =
        [&mut case.pass, &mut case.fail, &mut case.unknown, &mut case.not_applicable, &mut case.manual].into_iter();
    documents.flatten().chain(case.with.values_mut()).try_for_each(|v| fill_value(v, row, &near))
}

fn fill_text(text: &mut Text, row: &Row) -> Filled {
    text.text = filled(&text.text, row).map_err(|reason| (text.clone(), reason))?;
    Ok(())
}

fn fill_value(value: &mut Value, row: &Row, near: &Text) -> Filled {
    match value {
        Value::String(text) => {
            let whole = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).and_then(|c| row.get(c));
            *value = match whole {
                Some(whole) => whole.clone(),
                None => Value::String(filled(text, row).map_err(|reason| (near.clone(), reason))?),
            };
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|v| fill_value(v, row, near)),
        Value::Object(map) => {
            let mut made = Map::new();
            for (key, mut item) in std::mem::take(map) {
                fill_value(&mut item, row, near)?;
                made.insert(filled(&key, row).map_err(|reason| (near.clone(), reason))?, item);
            }
            *map = made;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The text with every `{column}` replaced. A column that no row has is refused; other braces stay.
fn filled(text: &str, row: &Row) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}').filter(|(column, _)| is_column(column)) {
            Some((column, behind)) => {
                let value = row.get(column).ok_or_else(|| format!("there is no column `{column}`"))?;
                out.push_str(&super::compare::text(value).unwrap_or_else(|| value.to_string()));
                rest = behind;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// A name that starts with a letter; `{2}` in a pattern is no column.
fn is_column(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && is_name(text)
}
