//! Findings over time: a rule that fails for an asset is open from when it was first seen until it is seen to hold, or its
//! asset is seen to be gone. What merely could not be read changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use picket_model::Finding;

use crate::belongs::cluster_of;
use crate::book::Book;
use crate::rules::{Evidence, Judged, Rule, Verdict};

/// What became of the findings by one round of judging.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// All that were touched, as they are now: to be kept.
    pub findings: Vec<Finding>,
    /// The ids of those that are open now and were not before.
    pub opened: BTreeSet<String>,
    /// The ids of those that were open and are resolved.
    pub resolved: BTreeSet<String>,
}

/// Brings findings up to date with what was judged by `rules`. Of `known`, those of other rules stay as they are.
#[must_use]
pub fn reconcile(
    book: &Book,
    rules: &[&Rule],
    known: Vec<Finding>,
    judged: &[Judged<'_>],
    evidence: &Evidence,
    now: Timestamp,
) -> Change {
    let mut known: BTreeMap<String, Finding> = known.into_iter().map(|f| (f.id.clone(), f)).collect();
    let mut change = Change::default();
    for judged in judged {
        let id = id_of(judged);
        let before = known.remove(&id);
        let was_open = before.as_ref().is_some_and(|f| f.resolved_at.is_none());
        match (judged.verdict, before) {
            (Verdict::Fail, before) => {
                if !was_open {
                    change.opened.insert(id);
                }
                change.findings.push(found(book, judged, evidence, before, now));
            }
            (Verdict::Unknown, Some(mut before)) => {
                book.waivers.attach(&mut before);
                change.findings.push(before);
            }
            (_, Some(before)) => resolve(before, now, &mut change),
            (_, None) => {}
        }
    }
    for finding in known.into_values() {
        let kind = finding.asset.split('/').next().unwrap_or_default();
        let is_judged = rules.iter().any(|r| r.name == finding.rule);
        let is_gone = is_judged && evidence.is_complete(kind, &finding.account, finding.region.as_ref());
        if is_gone || book.rules().get(&finding.rule).is_none() {
            resolve(finding, now, &mut change);
        }
    }
    change
}

fn id_of(judged: &Judged<'_>) -> String {
    let d = judged.document;
    Finding::id_for(&d.account, d.region.as_ref(), &d.asset(), &judged.rule.name)
}

fn resolve(mut finding: Finding, now: Timestamp, change: &mut Change) {
    if finding.resolved_at.is_none() {
        finding.resolved_at = Some(now);
        change.resolved.insert(finding.id.clone());
        change.findings.push(finding);
    }
}

fn found(book: &Book, judged: &Judged<'_>, evidence: &Evidence, before: Option<Finding>, now: Timestamp) -> Finding {
    let rule = judged.rule;
    let evaluation = judged.evaluation();
    let mut finding = Finding {
        id: id_of(judged),
        rule: rule.name.clone(),
        title: wrong(rule),
        severity: rule.severity,
        account: evaluation.account,
        region: evaluation.region,
        asset: evaluation.asset,
        cluster: cluster_of(judged.document, evidence, before.as_ref().and_then(|b| b.cluster.as_deref())),
        controls: book.benchmarks().controls_of(&rule.name).to_vec(),
        readings: evaluation.readings,
        fix: rule.fix.how.clone(),
        action: rule.fix.action.clone(),
        first_seen: before.as_ref().map_or(now, |b| b.first_seen),
        last_seen: now,
        resolved_at: None,
        waiver: None,
    };
    book.waivers.attach(&mut finding);
    finding
}

/// What is wrong where a rule fails, in one line.
#[must_use]
pub fn wrong(rule: &Rule) -> String {
    rule.wrong.clone().unwrap_or_else(|| format!("Not so: {}", rule.title))
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
