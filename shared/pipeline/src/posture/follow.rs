//! What follows from findings that are new: one notice of the grave ones, and an order to fix for each that a rule knows
//! how to fix. Whether it is fixed is the policy's choice, which the fix stage asks.

use jiff::Timestamp;
use picket_checks::assessment::Assessed;
use picket_checks::{Book, Policy};
use picket_model::text::sha256_hex;
use picket_model::{
    CaseId, Decision, Finding, Notice, NoticeKind, Reason, Region, Scope, Score, Severity, Target, TriggerKind,
    Untrusted, Verdict,
};

use crate::fix::{self, Order, Remedy, Work, order_for};
use crate::in_force::Settings;
use crate::messages::Message;

/// How many findings one notice names.
const NAMED: usize = 10;

pub(super) fn messages(
    policy: &Policy,
    book: &Book,
    assessed: &Assessed,
    settings: &Settings,
    home: &Scope,
    now: Timestamp,
) -> Vec<Message> {
    let is_new =
        |f: &&Finding| assessed.change.opened.contains(&f.id) && f.waiver.as_ref().is_none_or(|w| w.until <= now);
    let new: Vec<&Finding> = assessed.change.findings.iter().filter(is_new).collect();
    // Fix acts at home alone: the role in other accounts only reads.
    let (orders, elsewhere): (Vec<Order>, Vec<Order>) = new
        .iter()
        .filter_map(|f| order(policy, book, f, &home.region))
        .partition(|order| order.scope.account == home.account);
    let mut messages: Vec<Message> = orders.into_iter().map(|o| Message::Fix(Box::new(Work::Order(o)))).collect();
    let mut grave: Vec<&Finding> = new.into_iter().filter(|f| f.severity >= Severity::High).collect();
    grave.sort_by(|a, b| (std::cmp::Reverse(a.severity), &a.id).cmp(&(std::cmp::Reverse(b.severity), &b.id)));
    messages.extend(notice(&grave, elsewhere.len(), settings, home, now).map(|n| Message::Notice(Box::new(n))));
    messages
}

fn order(policy: &Policy, book: &Book, finding: &Finding, home: &Region) -> Option<Order> {
    let fix = &book.rules().get(&finding.rule)?.fix;
    let remedy = Remedy { action: fix.action.as_deref()?, with: &fix.with, approval: fix.approval.as_deref() };
    order_for(policy, finding, &remedy, home)
}

/// One notice of the grave ones. `elsewhere`: how many the policy would fix if they were at home.
fn notice(grave: &[&Finding], elsewhere: usize, settings: &Settings, home: &Scope, now: Timestamp) -> Option<Notice> {
    let first = grave.first()?;
    let region = first.region.clone().unwrap_or_else(|| home.region.clone());
    let scope = Scope { account: first.account.clone(), region };
    let ids: Vec<_> = grave.iter().map(|f| f.id.as_str()).collect();
    let digest = sha256_hex(ids.join(" ").as_bytes());
    let case = CaseId::derive(&scope, &digest);
    let mut reasons: Vec<Reason> = grave.iter().take(NAMED).map(|f| reason(f)).collect();
    if let Some(more) = grave.len().checked_sub(NAMED).filter(|n| *n > 0) {
        let says = format!("and {more} more; `picket assess` lists them");
        reasons.push(Reason { signal: "more_findings".to_owned(), weight: 0, says, evidence: String::new() });
    }
    let total = reasons.iter().map(|r| r.weight).max().unwrap_or(0);
    if elsewhere > 0 {
        let says = format!("{elsewhere} of the new findings would be fixed at home; {}", fix::ONLY_AT_HOME);
        reasons.push(Reason { signal: "not_fixed_here".to_owned(), weight: 0, says, evidence: String::new() });
    }
    Some(Notice {
        id: format!("findings/{digest}"),
        kind: NoticeKind::Suspicious,
        decision: Decision {
            case,
            verdict: Verdict::Notify,
            scope,
            targets: grave.iter().take(NAMED).map(|f| target(f)).collect(),
            score: Score { total, reasons, unknown: Vec::new() },
            principal: None,
            trigger: TriggerKind::Schedule,
            triggered_at: now,
            policy: String::new(),
            ordered: false,
        },
        at: now,
        stack: settings.stack.clone(),
    })
}

fn reason(finding: &Finding) -> Reason {
    let weight = if finding.severity == Severity::Critical { 80 } else { 50 };
    let read = finding.readings.first().map_or_else(String::new, |r| format!("{} is {} ({})", r.at, r.found, r.source));
    let says = format!("{}: {}", finding.asset, finding.title);
    Reason { signal: finding.rule.clone(), weight, says, evidence: read }
}

fn target(finding: &Finding) -> Target {
    Target {
        asset: finding.asset.clone(),
        instance: None,
        vpc: None,
        instance_type: None,
        name: Untrusted::new(&finding.title),
        node_of: None,
    }
}
