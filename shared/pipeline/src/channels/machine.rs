//! For machines: one JSON object of a documented shape, the same in SNS and on the event bus
//! (`infra/events/notice.schema.json`). It says what the model says today, in words that stay when the model changes.

use picket_model::{Notice, NoticeKind, Target, Verification};
use serde_json::{Value, json};

use super::{bounded, written};
use crate::render::Story;

/// The version of the shape. A field may be added to it; whatever else changes makes a new one.
pub const DETAIL_VERSION: &str = "1";
/// How many of each list are named; EventBridge takes 256 KiB (1 MB lately), and every word here is bounded.
const MOST: usize = 50;
/// How many characters of a word that the model does not bound itself are kept.
const LONGEST: usize = 500;

pub(super) fn write(story: &Story, notice: &Notice) -> Option<String> {
    written(&detail(story, notice))
}

/// A notice as data.
#[must_use]
pub fn detail(story: &Story, notice: &Notice) -> Value {
    let d = &notice.decision;
    let principal = d
        .principal
        .as_ref()
        .map(|p| json!({ "arn": p.arn, "name": p.name, "access_key": p.access_key, "source_ip": p.source_ip }));
    let reasons = d.score.reasons.iter().take(MOST);
    let reasons: Vec<Value> = reasons
        .map(|r| json!({ "signal": r.signal, "weight": r.weight, "says": short(&r.says), "evidence": short(&r.evidence) }))
        .collect();
    let commands: Vec<Value> = story.commands().map(|(l, c)| json!({ "label": l, "command": c })).collect();
    json!({
        "version": DETAIL_VERSION,
        "id": short(&notice.id),
        "kind": notice.kind.name(),
        "severity": story.severity,
        "headline": story.headline,
        "count": story.count,
        "at": notice.at.to_string(),
        "stack": short(&notice.stack),
        "account": d.scope.account,
        "region": d.scope.region,
        "case": match &notice.kind { NoticeKind::Fix(fix) => &fix.id, _ => &d.case },
        "trigger": { "kind": d.trigger.to_string(), "at": d.triggered_at.to_string() },
        "score": d.score.total,
        "principal": principal,
        "assets": d.targets.iter().take(MOST).map(asset).collect::<Vec<_>>(),
        "reasons": reasons,
        "unknown": d.score.unknown.iter().take(MOST).map(|u| short(u)).collect::<Vec<_>>(),
        "interfaces": interfaces(&notice.kind),
        "contained_at": contained(&notice.kind),
        "expires_at": expires(&notice.kind),
        "commands": commands,
        "text": story.text(),
    })
}

fn short(text: &str) -> String {
    bounded(text, LONGEST)
}

fn asset(target: &Target) -> Value {
    json!({
        "id": short(&target.asset),
        "instance": target.instance,
        "type": target.instance_type,
        "name": target.name,
        "node_of": target.node_of.as_deref().map(short),
    })
}

fn interfaces(kind: &NoticeKind) -> Vec<Value> {
    let NoticeKind::Quarantined { interfaces, .. } = kind else { return Vec::new() };
    let one = |i: &picket_model::notice::InterfaceOutcome| {
        let why = match &i.verification {
            Verification::Cut => None,
            Verification::Pending(why) | Verification::Leaking(why) => Some(why),
        };
        json!({ "instance": i.instance, "interface": i.interface, "is": i.verification.word(), "why": why.map(|w| short(w)) })
    };
    interfaces.iter().take(MOST).map(one).collect()
}

fn contained(kind: &NoticeKind) -> Option<String> {
    match kind {
        NoticeKind::Quarantined { contained_at, .. } => Some(contained_at.to_string()),
        _ => None,
    }
}

fn expires(kind: &NoticeKind) -> Option<String> {
    match kind {
        NoticeKind::Quarantined { deadline, .. } => deadline.as_ref().map(|d| d.at.to_string()),
        NoticeKind::Fix(fix) => fix.expires_at.map(|at| at.to_string()),
        _ => None,
    }
}
