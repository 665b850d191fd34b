//! How a notice reads: one thought a line, what happened first, the command that lifts it last. Foreign words were
//! bounded and stripped when they came in (`Untrusted`); here they are kept out of the subject altogether.

use std::fmt::Write as _;

mod fixes;

use picket_model::{AtDeadline, Decision, Notice, NoticeKind, Verification};

/// SNS refuses a subject of 100 characters and more, and one with line breaks or control characters.
const LONGEST_SUBJECT: usize = 99;
/// SNS refuses messages above 256 KiB; a person reads far less.
const LONGEST_BODY: usize = 16 * 1024;
/// How many targets, interfaces or steps are listed before the rest is counted.
const MOST_LINES: usize = 10;

/// A message, ready to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// ASCII, at most 99 characters, no foreign words.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// `emergency`, `critical`, `high`, `medium` or `low`: what topics filter by.
    pub severity: &'static str,
}

/// The page of a notice.
#[must_use]
pub fn page(notice: &Notice) -> Page {
    let headline = headline(notice);
    let headline: String = headline.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut body = format!("{headline}\n");
    if let NoticeKind::Fix(fix) = &notice.kind {
        let body = fixes::body(&headline, notice, fix);
        let severity = fixes::severity(fix.became);
        return Page { subject: subject(notice), body: cut(&body, LONGEST_BODY), severity };
    }
    let d = &notice.decision;
    line(&mut body, "Case", &format!("{}, score {} of 100", d.case, d.score.total));
    if let NoticeKind::Escalated { why, .. } | NoticeKind::Tampering { what: why } = &notice.kind {
        line(&mut body, "What is", why);
    }
    if let NoticeKind::Trouble { what } | NoticeKind::Refused { why: what } = &notice.kind {
        line(&mut body, "Stopped", what);
    }
    who(&mut body, notice);
    listed(&mut body, "What", d.targets.iter().map(target_line).collect());
    listed(
        &mut body,
        "Why",
        d.score.reasons.iter().map(|r| format!("{:>3}  {}  ({})", r.weight, r.says, r.evidence)).collect(),
    );
    done(&mut body, notice);
    listed(&mut body, "Unknown", d.score.unknown.clone());
    next(&mut body, notice);
    Page { subject: subject(notice), body: cut(&body, LONGEST_BODY), severity: severity(&notice.kind) }
}

/// The page for a topic that refused the other: ASCII only, no words but ours and ids.
#[must_use]
pub fn plain(notice: &Notice) -> Page {
    let body = format!(
        "{}\nThe full message could not be sent. See it with: picket journal {} --stack {}\n",
        headline(notice),
        notice.decision.case,
        ascii(&notice.stack)
    );
    Page { subject: format!("Picket {}", notice.decision.case), body: ascii(&body), severity: severity(&notice.kind) }
}

fn headline(notice: &Notice) -> String {
    let d = &notice.decision;
    let where_ = format!("in account {}, {}", d.scope.account, d.scope.region);
    let what = count(d);
    match &notice.kind {
        NoticeKind::Quarantined { interfaces, .. } => {
            let leaking = interfaces.iter().any(|i| matches!(i.verification, Verification::Leaking(_)));
            let word = if leaking { "QUARANTINED, BUT LEAKING" } else { "QUARANTINED" };
            format!("{word}: {what} {where_}")
        }
        NoticeKind::WouldQuarantine { .. } => {
            format!("WOULD QUARANTINE: {what} {where_} (observe mode, nothing was changed)")
        }
        NoticeKind::Refused { .. } => format!("NOT QUARANTINED: {what} {where_}"),
        NoticeKind::Escalated { held: true, .. } => format!("STILL HELD, DECIDE NOW: {what} {where_}"),
        NoticeKind::Escalated { .. } => format!("NOT QUARANTINED, A LIMIT IS REACHED: {what} {where_}"),
        NoticeKind::Tampering { .. } => format!("PICKET IS BEING TAMPERED WITH {where_}"),
        NoticeKind::Suspicious => format!("LOOK AT: {what} {where_}"),
        NoticeKind::Released { .. } => format!("RELEASED: {what} {where_}"),
        NoticeKind::Fix(fix) => format!("{}: {what} {where_}", fixes::word(fix.became)),
        NoticeKind::Trouble { .. } => format!("PICKET NEEDS YOU {where_}"),
    }
}

fn count(d: &Decision) -> String {
    match d.targets.as_slice() {
        [one] => one.asset.clone(),
        [] => "nothing".to_owned(),
        many if many.iter().all(|t| t.instance.is_some()) => format!("{} instances", many.len()),
        many => format!("{} things", many.len()),
    }
}

fn subject(notice: &Notice) -> String {
    let d = &notice.decision;
    let word = headline(notice).split(':').next().unwrap_or("notice").to_owned();
    let word = word.split(" in account").next().unwrap_or("notice").to_owned();
    // Cluster names are foreign words; ids are ours or AWS's.
    let what = match d.targets.as_slice() {
        [one] if one.instance.is_none() => "an asset".to_owned(),
        _ => count(d),
    };
    let text = format!("Picket {word}: {what} in {} {}", d.scope.account, d.scope.region);
    ascii(&text).chars().take(LONGEST_SUBJECT).collect()
}

fn who(body: &mut String, notice: &Notice) {
    let d = &notice.decision;
    if let NoticeKind::Released { by, reason, .. } = &notice.kind {
        line(body, "By", &by.to_string());
        line(body, "Because", &reason.to_string());
        return;
    }
    match &d.principal {
        Some(p) => {
            let key = p.access_key.as_ref().map(|k| format!(" with key {k}")).unwrap_or_default();
            let from = p.source_ip.as_ref().map(|ip| format!(" from {ip}")).unwrap_or_default();
            line(body, "Who", &format!("{p}{key}{from}"));
        }
        None => line(body, "Who", "not known"),
    }
    line(body, "When", &format!("{} ({})", d.triggered_at, d.trigger));
}

fn target_line(t: &picket_model::Target) -> String {
    let kind = t.instance_type.as_ref().map(|k| format!("  {k}")).unwrap_or_default();
    let name = if t.name.is_empty() { String::new() } else { format!("  named \"{}\"", t.name) };
    let node = t.node_of.as_ref().map(|n| format!("  {n}")).unwrap_or_default();
    format!("{}{kind}{name}{node}", t.asset)
}

fn done(body: &mut String, notice: &Notice) {
    match &notice.kind {
        NoticeKind::Quarantined { interfaces, contained_at, deadline } => {
            let held = interfaces.iter().filter(|i| !matches!(i.verification, Verification::Leaking(_))).count();
            let took = contained_at.duration_since(notice.decision.triggered_at).as_secs().max(0);
            line(
                body,
                "Done",
                &format!(
                    "{held} of {} interfaces are in the quarantine group, read back, {took} s after the call",
                    interfaces.len()
                ),
            );
            let lines = interfaces.iter().map(|i| {
                let why = match &i.verification {
                    Verification::Cut => String::new(),
                    Verification::Pending(why) | Verification::Leaking(why) => format!("  {why}"),
                };
                format!("{:<8}{} of {}{why}", i.verification.word(), i.interface, i.instance)
            });
            listed(body, "Verified", lines.collect());
            if let Some(deadline) = deadline {
                let then = match deadline.then {
                    AtDeadline::Lift => "it is lifted then, unless somebody keeps it",
                    AtDeadline::Escalate => "you are told again then, unless somebody keeps or lifts it",
                };
                line(body, "Until", &format!("{}: {then}", deadline.at));
            }
        }
        NoticeKind::WouldQuarantine { steps } => listed(body, "Would do", steps.clone()),
        NoticeKind::Released { restored, .. } => {
            let text = |(i, g): &(picket_model::InterfaceId, Vec<picket_model::GroupId>)| {
                format!(
                    "{i} is in {} again",
                    g.iter().map(picket_model::GroupId::as_str).collect::<Vec<_>>().join(", ")
                )
            };
            listed(body, "Restored", restored.iter().map(text).collect());
        }
        NoticeKind::Refused { .. }
        | NoticeKind::Suspicious
        | NoticeKind::Escalated { .. }
        | NoticeKind::Tampering { .. }
        | NoticeKind::Fix(_)
        | NoticeKind::Trouble { .. } => {}
    }
}

fn next(body: &mut String, notice: &Notice) {
    let (case, stack) = (&notice.decision.case, ascii(&notice.stack));
    match &notice.kind {
        NoticeKind::Quarantined { .. } | NoticeKind::Escalated { held: true, .. } => {
            if !matches!(&notice.kind, NoticeKind::Quarantined { deadline: None, .. }) {
                line(body, "Keep it", &format!("picket keep {case} --reason \"...\" --stack {stack}"));
            }
            line(body, "Lift it", &format!("picket release {case} --reason \"...\" --stack {stack}"));
            line(body, "History", &format!("picket journal {case} --stack {stack}"));
        }
        NoticeKind::WouldQuarantine { .. }
        | NoticeKind::Refused { .. }
        | NoticeKind::Escalated { .. }
        | NoticeKind::Suspicious => {
            let ids: Vec<_> = notice.decision.targets.iter().filter_map(|t| t.instance.as_ref()).take(3).collect();
            if let Some(first) = ids.first() {
                line(body, "Cut it off", &format!("picket quarantine {first} --reason \"...\" --stack {stack}"));
            }
        }
        NoticeKind::Released { .. } => line(body, "History", &format!("picket journal {case} --stack {stack}")),
        NoticeKind::Tampering { .. } => {
            line(body, "Stop it", &format!("picket pause --reason \"...\" --stack {stack}"))
        }
        NoticeKind::Trouble { .. } | NoticeKind::Fix(_) => {}
    }
}

/// One line; whatever a foreign word holds, it stays one.
fn line(body: &mut String, label: &str, text: &str) {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(body, "{label:<10}{text}");
}

fn listed(body: &mut String, label: &str, lines: Vec<String>) {
    let total = lines.len();
    for (n, text) in lines.into_iter().take(MOST_LINES).enumerate() {
        line(body, if n == 0 { label } else { "" }, &text);
    }
    if total > MOST_LINES {
        line(body, "", &format!("and {} more", total - MOST_LINES));
    }
}

fn severity(kind: &NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Escalated { .. } | NoticeKind::Tampering { .. } => "emergency",
        NoticeKind::Quarantined { .. } | NoticeKind::Refused { .. } | NoticeKind::Trouble { .. } => "critical",
        NoticeKind::WouldQuarantine { .. } => "high",
        NoticeKind::Suspicious => "medium",
        NoticeKind::Released { .. } => "low",
        NoticeKind::Fix(fix) => fixes::severity(fix.became),
    }
}

fn ascii(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ' || *c == '\n').collect()
}

/// Cuts at a character, with a word about it.
fn cut(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let mut end = longest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}\n(cut)\n", &text[..end])
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
