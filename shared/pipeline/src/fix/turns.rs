//! Whose turn it is. Some things must never be changed two at a time, such as the nodes of one cluster: what was read of
//! them names a turn, `facts.turn`, and a fix that acts on them holds it from its first intent to its end.
//!
//! A turn is taken and given back in the same write that begins and ends the fix, so that none is left behind.

use std::collections::BTreeSet;

use picket_model::fix::{Fix, FixState};
use serde_json::Value;

/// What becomes of turns when a fix is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turns {
    /// They stay as they are.
    Stay,
    /// All of these are taken, or nothing is written.
    Take(BTreeSet<String>),
    /// These are given back.
    GiveBack(BTreeSet<String>),
}

/// What `next` in place of `known` means for turns.
#[must_use]
pub fn moved(known: Option<&Fix>, next: &Fix) -> Turns {
    let acts = |f: &Fix| matches!(f.state, FixState::Applying | FixState::Undoing);
    match (known.filter(|k| acts(k)), acts(next)) {
        (None, true) => taken(of(next), Turns::Take),
        (Some(known), false) => taken(of(known), Turns::GiveBack),
        _ => Turns::Stay,
    }
}

fn taken(turns: BTreeSet<String>, what: fn(BTreeSet<String>) -> Turns) -> Turns {
    if turns.is_empty() { Turns::Stay } else { what(turns) }
}

/// The turns that a fix needs.
fn of(fix: &Fix) -> BTreeSet<String> {
    let named = |facts: &Value| facts.get("turn").and_then(Value::as_str).map(str::to_owned);
    fix.steps.iter().filter_map(|s| named(&s.facts)).collect()
}

#[cfg(test)]
#[path = "turns_tests.rs"]
mod tests;
