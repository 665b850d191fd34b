//! How a notice about a containment reads: what was done and verified, what it may break, until when, and what lifts it.

use std::collections::{BTreeMap, BTreeSet};

use picket_model::notice::InterfaceOutcome;
use picket_model::{AtDeadline, Decision, Notice, NoticeKind, Verification};

use super::{Story, stack};

/// How many interfaces are named on one line.
const MOST_NAMED: usize = 6;

/// What was done, how it was found afterwards, and what that may break.
pub(super) fn done(story: &mut Story, notice: &Notice) {
    match &notice.kind {
        NoticeKind::Quarantined { interfaces, contained_at, deadline } => {
            let held = interfaces.iter().filter(|i| !matches!(i.verification, Verification::Leaking(_))).count();
            let took = contained_at.duration_since(notice.decision.triggered_at).as_secs().max(0);
            story.line(
                "Done",
                &format!(
                    "{held} of {} interfaces are in the quarantine group, read back, {took} s after the call",
                    interfaces.len()
                ),
            );
            story.listed("Verified", verified(interfaces));
            story.listed("May break", may_break(&notice.decision));
            if let Some(deadline) = deadline {
                let then = match deadline.then {
                    AtDeadline::Lift => "it is lifted then, unless somebody keeps it",
                    AtDeadline::Escalate => "you are told again then, unless somebody keeps or lifts it",
                };
                story.line("Until", &format!("{}: {then}", deadline.at));
            }
        }
        NoticeKind::WouldQuarantine { steps } => story.listed("Would do", steps.clone()),
        NoticeKind::Secured { made, not_made } => {
            story.listed("Not done", not_made.clone());
            story.listed("Done", made.clone());
        }
        NoticeKind::Released { restored, .. } => {
            let text = |(i, g): &(picket_model::InterfaceId, Vec<picket_model::GroupId>)| {
                format!(
                    "{i} is in {} again",
                    g.iter().map(picket_model::GroupId::as_str).collect::<Vec<_>>().join(", ")
                )
            };
            story.listed("Restored", restored.iter().map(text).collect());
        }
        NoticeKind::Refused { .. }
        | NoticeKind::Suspicious
        | NoticeKind::Escalated { .. }
        | NoticeKind::Tampering { .. }
        | NoticeKind::Fix(_)
        | NoticeKind::Trouble { .. } => {}
    }
}

/// How interfaces were found: those of one instance that are alike, for the same reason, on one line; the worst first.
fn verified(interfaces: &[InterfaceOutcome]) -> Vec<String> {
    let mut alike: BTreeMap<(u8, &str, &str, &str), Vec<&str>> = BTreeMap::new();
    for i in interfaces {
        let (worst, why) = match &i.verification {
            Verification::Leaking(why) => (0, why.as_str()),
            Verification::Pending(why) => (1, why.as_str()),
            Verification::Cut => (2, ""),
        };
        alike.entry((worst, i.instance.as_str(), i.verification.word(), why)).or_default().push(i.interface.as_str());
    }
    let line = |((_, instance, word, why), ids): (&(u8, &str, &str, &str), &Vec<&str>)| {
        let named = ids.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = ids.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let why = if why.is_empty() { String::new() } else { format!("  {why}") };
        format!("{word:<8}{named}{more} of {instance}{why}")
    };
    alike.iter().map(line).collect()
}

/// What the containment may break, as far as is known: whoever is woken has to weigh it.
fn may_break(d: &Decision) -> Vec<String> {
    let (nodes, others): (Vec<_>, Vec<_>) = d.targets.iter().partition(|t| t.node_of.is_some());
    let mut lines = Vec::new();
    let clusters: BTreeSet<&str> = nodes.iter().filter_map(|t| t.node_of.as_deref()).collect();
    for cluster in clusters {
        let count = nodes.iter().filter(|t| t.node_of.as_deref() == Some(cluster)).count();
        let nodes = if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
        lines.push(format!("pods on {nodes}, {cluster}: cut off, and moved by their cluster where it can"));
    }
    match others.len() {
        0 => {}
        1 => lines.push("whatever speaks with it: every connection ends, and it is in no load balancer".to_owned()),
        n => lines
            .push(format!("whatever speaks with these {n}: every connection ends, and they are in no load balancer")),
    }
    lines
}

/// The commands that people may need next.
pub(super) fn next(story: &mut Story, notice: &Notice) {
    let (case, stack) = (&notice.decision.case, stack(notice));
    match &notice.kind {
        NoticeKind::Quarantined { .. } | NoticeKind::Escalated { held: true, .. } => {
            if !matches!(&notice.kind, NoticeKind::Quarantined { deadline: None, .. }) {
                story.command("Keep it", &format!("picket keep {case} --reason \"...\" --stack {stack}"));
            }
            story.command("Lift it", &format!("picket release {case} --reason \"...\" --stack {stack}"));
            story.command("History", &format!("picket journal {case} --stack {stack}"));
        }
        NoticeKind::WouldQuarantine { .. }
        | NoticeKind::Refused { .. }
        | NoticeKind::Escalated { .. }
        | NoticeKind::Suspicious => {
            let ids: Vec<_> = notice.decision.targets.iter().filter_map(|t| t.instance.as_ref()).take(3).collect();
            if let Some(first) = ids.first() {
                story.command("Cut it off", &format!("picket quarantine {first} --reason \"...\" --stack {stack}"));
            }
        }
        NoticeKind::Secured { .. } => {
            story.command("Lift it", &format!("picket release {case} --reason \"...\" --stack {stack}"));
            story.command("History", &format!("picket journal {case} --stack {stack}"));
        }
        NoticeKind::Released { .. } => story.command("History", &format!("picket journal {case} --stack {stack}")),
        NoticeKind::Tampering { .. } => {
            story.command("Stop it", &format!("picket pause --reason \"...\" --stack {stack}"))
        }
        NoticeKind::Trouble { .. } | NoticeKind::Fix(_) => {}
    }
}
