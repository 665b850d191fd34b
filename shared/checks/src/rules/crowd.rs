//! Evidence made of the rules' own cases, as much as is wanted, to see how fast judging is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use picket_model::{AccountId, Document, Fact, Region};
use serde_json::Value;

use super::evidence::Evidence;
use super::rule::Rule;

/// For each kind that these rules look at, `documents` documents in `places` Regions. Every other one is made of what
/// passes, and the rest of what fails; all the facts that any rule asks for are in each.
#[must_use]
pub fn crowd(rules: &[&Rule], documents: usize, places: usize, at: Timestamp) -> Evidence {
    let mut kinds: BTreeMap<&str, [Value; 2]> = BTreeMap::new();
    for rule in rules {
        for case in &rule.cases {
            let bad = usize::from(case.expect == "fail");
            merge(&mut entry(&mut kinds, &rule.select)[bad], &case.document);
            for (join, (_, items)) in rule.joins.iter().zip(&case.with) {
                let of = entry(&mut kinds, &join.kind);
                items.iter().flatten().for_each(|item| merge(&mut of[bad], item));
            }
        }
    }
    let mut evidence = Evidence::default();
    let Ok(account) = AccountId::parse("123456789012") else { return evidence };
    let regions: Vec<Region> = (0..places.max(1)).filter_map(|n| Region::parse(format!("xx-made-{n}")).ok()).collect();
    for (kind, of) in &kinds {
        for region in &regions {
            evidence.complete(kind, &account, Some(region));
        }
        evidence.add((0..documents).map(|n| Document {
            kind: (*kind).to_owned(),
            account: account.clone(),
            region: regions.get(n % regions.len().max(1)).cloned(),
            id: format!("{kind}-{n}"),
            read_at: at,
            facts: Fact::known(of[n / regions.len().max(1) % 2].clone(), "made"),
        }));
    }
    evidence
}

fn entry<'a, 'k>(kinds: &'a mut BTreeMap<&'k str, [Value; 2]>, kind: &'k str) -> &'a mut [Value; 2] {
    kinds.entry(kind).or_insert_with(|| [Value::Object(Default::default()), Value::Object(Default::default())])
}

/// Adds the fields that are not there yet.
fn merge(into: &mut Value, more: &Value) {
    let (Value::Object(into), Value::Object(more)) = (into, more) else { return };
    for (key, value) in more {
        match into.get_mut(key) {
            Some(there) => merge(there, value),
            None => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Verdict, catalogue, judge_all};

    #[test]
    fn a_crowd_is_judged_by_every_rule_and_most_of_it_is_decided() {
        let rules: Vec<&Rule> = catalogue::built_in().unwrap().iter().filter(|r| r.select == "eks.cluster").collect();
        let evidence = crowd(&rules, 20, 2, Timestamp::UNIX_EPOCH);
        let judged = judge_all(rules.iter().copied(), &evidence);
        assert_eq!(judged.len(), rules.len() * 20);
        let decided = judged.iter().filter(|j| matches!(j.verdict, Verdict::Pass | Verdict::Fail)).count();
        assert!(decided * 2 > judged.len(), "{decided} of {}", judged.len());
    }
}
