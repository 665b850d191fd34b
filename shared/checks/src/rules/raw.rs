//! The shape of a rule file, strictly: an unknown field is refused where it stands. `compile` makes rules of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::span::Text;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRule {
    pub(crate) title: Text,
    pub(crate) wrong: Option<Text>,
    pub(crate) severity: Text,
    pub(crate) layer: Text,
    pub(crate) select: Text,
    #[serde(default)]
    pub(crate) with: BTreeMap<String, Text>,
    pub(crate) when: Option<RawCondition>,
    pub(crate) because: Option<Text>,
    pub(crate) check: RawCondition,
    pub(crate) why: Text,
    pub(crate) fix: RawFix,
    #[serde(default)]
    pub(crate) evidence_only: bool,
    #[serde(default)]
    pub(crate) live: bool,
    #[serde(default)]
    pub(crate) cases: Vec<RawCase>,
    pub(crate) each: Option<Vec<Map<String, Value>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCondition {
    pub(crate) at: Option<Text>,
    pub(crate) op: Option<Text>,
    pub(crate) value: Option<Value>,
    pub(crate) default: Option<Value>,
    #[serde(default)]
    pub(crate) some: bool,
    pub(crate) compat: Option<Text>,
    pub(crate) expected: Option<Text>,
    pub(crate) expr: Option<Text>,
    pub(crate) all: Option<Vec<RawCondition>>,
    pub(crate) any: Option<Vec<RawCondition>>,
    pub(crate) none: Option<Vec<RawCondition>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFix {
    pub(crate) how: Text,
    pub(crate) action: Option<Text>,
    #[serde(default)]
    pub(crate) with: Map<String, Value>,
    pub(crate) approval: Option<Text>,
    pub(crate) guard: Option<Text>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCase {
    pub(crate) name: Text,
    pub(crate) pass: Option<Value>,
    pub(crate) fail: Option<Value>,
    pub(crate) unknown: Option<Value>,
    pub(crate) not_applicable: Option<Value>,
    pub(crate) manual: Option<Value>,
    #[serde(default)]
    pub(crate) with: BTreeMap<String, Value>,
    pub(crate) id: Option<Text>,
    pub(crate) region: Option<Text>,
    pub(crate) at: Option<Text>,
}
