//! JSON as CEL values. Null is left out, so that what is not set is missing and `has()` says so.

use std::collections::HashMap;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use serde_json::Value;

pub(super) fn value(value: &Value) -> Box<dyn Val> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(b) => Box::new(CelBool::from(*b)),
        Value::Number(n) => match n.as_i64() {
            Some(int) => Box::new(CelInt::from(int)),
            None => Box::new(CelDouble::from(n.as_f64().unwrap_or(f64::NAN))),
        },
        Value::String(text) => Box::new(CelString::from(text.clone())),
        Value::Array(items) => Box::new(CelList::from(items.iter().map(self::value).collect::<Vec<_>>())),
        Value::Object(map) => {
            let set = map.iter().filter(|(_, v)| !v.is_null());
            let entries: HashMap<_, _> = set.map(|(k, v)| (CelMapKey::from(k.clone()), self::value(v))).collect();
            Box::new(CelMap::from(entries))
        }
    }
}

pub(super) fn text(text: &str) -> CowVal<'_, '_> {
    CowVal::owned(CelString::from(text))
}

pub(super) fn int<'b>(n: i64) -> CowVal<'b, 'b> {
    CowVal::owned(CelInt::from(n))
}
