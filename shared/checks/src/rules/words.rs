//! What was expected and what was found, in words, bounded: a document may hold megabytes.

use std::fmt::{self, Write};

use picket_model::Untrusted;
use picket_model::text::LONGEST;
use serde_json::Value;

use super::operator::{Operator, Order};
use super::rule::{Condition, Leaf};

/// Room for what `Untrusted` keeps, and one more, so that it marks the cut.
const ROOM: usize = 4 * LONGEST + 4;

/// A condition in lines of words, for people.
#[must_use]
pub fn condition(condition: &Condition) -> Vec<String> {
    let mut lines = Vec::new();
    walk(condition, 0, &mut lines);
    lines
}

fn walk(condition: &Condition, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let mut many = |word: &str, of: &[Condition]| {
        lines.push(format!("{indent}{word}:"));
        of.iter().for_each(|c| walk(c, depth + 1, lines));
    };
    match condition {
        Condition::All(of) => many("all of", of),
        Condition::Any(of) => many("one of", of),
        Condition::None(of) => many("none of", of),
        Condition::Leaf(leaf) => lines.push(format!("{indent}{}: {}", leaf.at, expected(leaf))),
        Condition::Expr(expr) => {
            if let Some(words) = expr.expected() {
                lines.push(format!("{indent}{words}"));
            }
            lines.push(format!("{indent}{}", expr.text()));
        }
    }
}

/// What a leaf asks for.
pub(crate) fn expected(leaf: &Leaf) -> String {
    if let Some(words) = &leaf.expected {
        return words.clone();
    }
    let what = operator(&leaf.operator);
    if leaf.some { format!("one that is {what}") } else { what }
}

fn operator(operator: &Operator) -> String {
    let list = |items: &[Value]| items.iter().map(brief_text).collect::<Vec<_>>().join(", ");
    match operator {
        Operator::Present => "present".to_owned(),
        Operator::Absent => "absent".to_owned(),
        Operator::Eq(value) => brief_text(value),
        Operator::NotEq(value) => format!("not {}", brief_text(value)),
        Operator::Number(order, n) => format!("{} {n}", order_words(*order)),
        Operator::Has(value, _) => format!("holds {}", brief_text(value)),
        Operator::NotHave(value, _) => format!("does not hold {}", brief_text(value)),
        Operator::HasAll(all) => format!("holds all of {}", list(all)),
        Operator::ValidElements(allowed) => format!("nothing but {}", list(allowed)),
        Operator::Bitmask(most) => format!("no more than mode {most:04o}"),
        Operator::Matches(regex) => format!("matches {}", regex.as_str()),
        Operator::CidrNotPublic => "not the whole internet".to_owned(),
        Operator::PortClosed(ports) => {
            let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
            format!("port {} closed to the internet", ports.join(", "))
        }
        Operator::Duration(order, seconds) => format!("{} {}", order_words(*order), duration(*seconds)),
    }
}

fn order_words(order: Order) -> &'static str {
    match order {
        Order::More => "more than",
        Order::AtLeast => "at least",
        Order::Less => "less than",
        Order::AtMost => "at most",
    }
}

fn duration(seconds: i64) -> String {
    match seconds {
        s if s % 86_400 == 0 && s != 0 => format!("{} days", s / 86_400),
        s if s % 3_600 == 0 && s != 0 => format!("{} hours", s / 3_600),
        s => format!("{s} seconds"),
    }
}

fn brief_text(value: &Value) -> String {
    brief(value).as_str().to_owned()
}

/// A value in one bounded line, without making more text than is kept.
pub(crate) fn brief(value: &Value) -> Untrusted {
    let mut room = Room(String::new());
    let _ = write_value(&mut room, value, true);
    Untrusted::new(&room.0)
}

fn write_value(out: &mut Room, value: &Value, outermost: bool) -> fmt::Result {
    match value {
        Value::Null => out.write_str("nothing"),
        Value::Bool(b) => write!(out, "{b}"),
        Value::Number(n) => write!(out, "{n}"),
        Value::String(text) if outermost && text.is_empty() => out.write_str("empty text"),
        Value::String(text) => out.write_str(text),
        Value::Array(items) if items.is_empty() => out.write_str("[]"),
        Value::Array(items) => {
            out.write_str("[")?;
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.write_str(", ")?;
                }
                write_value(out, item, false)?;
            }
            out.write_str("]")
        }
        Value::Object(map) => {
            out.write_str("{")?;
            for (n, (key, item)) in map.iter().enumerate() {
                if n > 0 {
                    out.write_str(", ")?;
                }
                write!(out, "{key}: ")?;
                write_value(out, item, false)?;
            }
            out.write_str("}")
        }
    }
}

/// Text that says no when it is full.
struct Room(String);

impl Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = ROOM.saturating_sub(self.0.len());
        if text.len() <= left {
            self.0.push_str(text);
            return Ok(());
        }
        let end = (0..=left).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0);
        self.0.push_str(&text[..end]);
        Err(fmt::Error)
    }
}
