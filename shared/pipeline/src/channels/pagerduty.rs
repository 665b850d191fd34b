//! PagerDuty's Events API, version 2, without the routing key, which whoever posts it adds. One incident a case: what is
//! told again joins it, and a release resolves it. What nobody has to wake for is not sent.
//! Source: PagerDuty's "PD-CEF" (summary 1,024 characters, an event 512 KB).

use picket_model::{Notice, NoticeKind};
use serde_json::{Map, Value, json};

use super::{bounded, written};
use crate::render::{Is, Story};

const LONGEST_SUMMARY: usize = 1_024;
const LONGEST_LINE: usize = 500;

pub(super) fn write(story: &Story, notice: &Notice) -> Option<String> {
    let key = key(notice);
    if matches!(notice.kind, NoticeKind::Released { .. }) {
        return written(&json!({ "event_action": "resolve", "dedup_key": key }));
    }
    let severity = match story.severity {
        "emergency" | "critical" => "critical",
        "high" => "error",
        _ => return None,
    };
    let scope = &notice.decision.scope;
    let links: Vec<Value> = story
        .parts
        .iter()
        .filter(|p| p.is == Is::Link)
        .flat_map(|p| p.lines.iter().map(|l| json!({ "href": l, "text": p.label })))
        .collect();
    written(&json!({
        "event_action": "trigger",
        "dedup_key": key,
        "payload": {
            "summary": bounded(&story.subject, LONGEST_SUMMARY),
            "source": format!("{}/{}", scope.account, scope.region),
            "severity": severity,
            "timestamp": notice.at.to_string(),
            "component": "picket",
            "group": scope.account.to_string(),
            "class": notice.kind.name(),
            "custom_details": details(story),
        },
        "links": links,
    }))
}

/// The parts by label, as text: PagerDuty shows it as it is.
fn details(story: &Story) -> Map<String, Value> {
    let mut details = Map::new();
    details.insert("Headline".to_owned(), bounded(&story.headline, LONGEST_LINE).into());
    for part in story.parts.iter().filter(|p| p.is != Is::Link) {
        let lines: Vec<String> = part.lines.iter().map(|l| bounded(l, LONGEST_LINE)).collect();
        details.insert(part.label.to_owned(), lines.join("\n").into());
    }
    details
}

/// Names the incident: at most 255 characters.
fn key(notice: &Notice) -> String {
    let case = match &notice.kind {
        NoticeKind::Fix(fix) => &fix.id,
        _ => &notice.decision.case,
    };
    let stack: String = notice.stack.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(128).collect();
    format!("{stack}/{case}")
}
