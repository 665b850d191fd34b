//! How a notice reads: one thought a line, what happened first, the command that lifts it last. Foreign words were
//! bounded and stripped when they came in (`Untrusted`); here they are kept out of the subject altogether. What each
//! channel makes of the story is in `channels`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

mod fixes;
mod held;

use picket_model::{CaseId, Decision, Notice, NoticeKind, Verification};

use crate::channels::{self, Form};

/// SNS refuses a subject of 100 characters and more, and one with line breaks or control characters.
const LONGEST_SUBJECT: usize = 99;
/// SNS refuses messages above 256 KiB; a person reads far less.
const LONGEST_BODY: usize = 16 * 1024;
/// How many characters of a line are kept.
const LONGEST_LINE: usize = 2_000;
/// How many targets, interfaces or steps are listed before the rest is counted.
const MOST_LINES: usize = 10;

/// What topics filter by, gravest first.
const SEVERITIES: [&str; 5] = ["emergency", "critical", "high", "medium", "low"];

/// A message, ready to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// ASCII, at most 99 characters, no foreign words.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// `emergency`, `critical`, `high`, `medium` or `low`: what topics filter by.
    pub severity: &'static str,
    /// What it is about, such as `quarantined`: what topics filter by, too.
    pub kind: &'static str,
    /// The account, in words.
    pub account: String,
    /// The Region, in words.
    pub region: String,
    /// How channels say it; a channel that has nothing to say about it is left out.
    pub forms: Vec<Form>,
    /// Whether it is the plainer one, that is sent without forms where forms can be refused.
    pub plain: bool,
}

impl Page {
    /// What the channel named `channel` says.
    #[must_use]
    pub fn form(&self, channel: &str) -> Option<&str> {
        self.forms.iter().find(|f| f.channel == channel).map(|f| f.text.as_str())
    }
}

/// What the lines of a part are, as far as a channel shows them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// Words, foreign ones among them.
    Words,
    /// A command for a terminal.
    Command,
    /// An address of ours to open.
    Link,
}

/// One thought: a label and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Such as `Why`.
    pub label: &'static str,
    /// One or more lines, each without control characters.
    pub lines: Vec<String>,
    /// What they are.
    pub is: Is,
}

/// A notice in words, before a channel gives it its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// What happened to what, in one line. It may hold foreign words.
    pub headline: String,
    /// The same without foreign words: ASCII, at most 99 characters.
    pub subject: String,
    /// What topics filter by.
    pub severity: &'static str,
    /// The rest, in the order in which it is read.
    pub parts: Vec<Part>,
    /// How many notices it tells.
    pub count: usize,
}

impl Story {
    /// As plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut body = format!("{}\n", self.headline);
        for part in &self.parts {
            for (n, text) in part.lines.iter().enumerate() {
                let _ = writeln!(body, "{:<10}{text}", if n == 0 { part.label } else { "" });
            }
        }
        cut(&body, LONGEST_BODY)
    }

    /// The commands that it names, with their labels.
    pub fn commands(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let commands = self.parts.iter().filter(|p| p.is == Is::Command);
        commands.flat_map(|p| p.lines.iter().map(|l| (p.label, l.as_str())))
    }

    /// One line; whatever a foreign word holds, it stays one.
    fn line(&mut self, label: &'static str, text: &str) {
        self.add(label, vec![text.to_owned()], Is::Words);
    }

    fn command(&mut self, label: &'static str, text: &str) {
        self.add(label, vec![text.to_owned()], Is::Command);
    }

    fn listed(&mut self, label: &'static str, mut lines: Vec<String>) {
        let total = lines.len();
        lines.truncate(MOST_LINES);
        if total > MOST_LINES {
            lines.push(format!("and {} more", total - MOST_LINES));
        }
        self.add(label, lines, Is::Words);
    }

    fn add(&mut self, label: &'static str, lines: Vec<String>, is: Is) {
        if !lines.is_empty() {
            let lines = lines.iter().map(|l| one_line(l)).collect();
            self.parts.push(Part { label, lines, is });
        }
    }
}

/// The page of a notice.
#[must_use]
pub fn page(notice: &Notice) -> Page {
    page_with(notice, None)
}

/// The same with a link to the live report, which lasts for a while.
#[must_use]
pub fn page_with(notice: &Notice, report: Option<&str>) -> Page {
    let mut story = story(notice);
    if let Some(link) = report {
        story.parts.push(Part { label: "Report", lines: vec![link.to_owned()], is: Is::Link });
    }
    of(&story, notice, false)
}

/// The page for a sink that refused the other: ASCII only, no words but ours and ids.
#[must_use]
pub fn plain(notice: &Notice) -> Page {
    let command = format!("picket journal {} --stack {}", notice.decision.case, stack(notice));
    let mut story = Story {
        headline: ascii(&one_line(&headline(notice))),
        subject: format!("Picket {}", notice.decision.case),
        severity: severity(&notice.kind),
        parts: Vec::new(),
        count: 1,
    };
    story.line("Cut short", "The full message could not be sent.");
    story.command("See it", &command);
    of(&story, notice, true)
}

/// The page of several notices that are told together, oldest first; they are of one place. There is at least one.
#[must_use]
pub fn merged(notices: &[&Notice]) -> Page {
    let gravest = |n: &&Notice| SEVERITIES.iter().position(|s| *s == severity(&n.kind));
    let Some(first) = notices.iter().copied().min_by_key(gravest) else { return Page::default() };
    let scope = &first.decision.scope;
    let same = notices.iter().all(|n| n.kind.name() == first.kind.name());
    let word = if same { word_of(first) } else { "NOTICES".to_owned() };
    let headline = format!("{word}: {} MORE in account {}, {}", notices.len(), scope.account, scope.region);
    let mut story = Story {
        subject: ascii(&format!("Picket {word}: {} more in {} {}", notices.len(), scope.account, scope.region))
            .chars()
            .take(LONGEST_SUBJECT)
            .collect(),
        headline,
        severity: severity(&first.kind),
        parts: Vec::new(),
        count: notices.len(),
    };
    story.listed("What", notices.iter().map(|n| format!("{}  {}  {}", n.at, case(n), self::headline(n))).collect());
    let cases: BTreeSet<&CaseId> = notices.iter().map(|n| case(n)).collect();
    for case in cases.into_iter().take(3) {
        story.command("History", &format!("picket journal {case} --stack {}", stack(first)));
    }
    of(&story, first, false)
}

/// The case or the fix.
fn case(notice: &Notice) -> &CaseId {
    match &notice.kind {
        NoticeKind::Fix(fix) => &fix.id,
        _ => &notice.decision.case,
    }
}

fn of(story: &Story, notice: &Notice, plain: bool) -> Page {
    let (subject, scope) = (story.subject.clone(), &notice.decision.scope);
    Page {
        subject,
        body: story.text(),
        severity: story.severity,
        kind: notice.kind.name(),
        account: scope.account.to_string(),
        region: scope.region.to_string(),
        forms: channels::forms(story, notice),
        plain,
    }
}

/// A notice in words.
#[must_use]
pub fn story(notice: &Notice) -> Story {
    let mut story = Story {
        headline: one_line(&headline(notice)),
        subject: subject(notice),
        severity: severity(&notice.kind),
        parts: Vec::new(),
        count: 1,
    };
    if let NoticeKind::Fix(fix) = &notice.kind {
        fixes::tell(&mut story, notice, fix);
        return story;
    }
    let d = &notice.decision;
    story.line("Case", &format!("{}, score {} of 100", d.case, d.score.total));
    if let NoticeKind::Escalated { why, .. } | NoticeKind::Tampering { what: why } = &notice.kind {
        story.line("What is", why);
    }
    if let NoticeKind::Trouble { what } | NoticeKind::Refused { why: what } = &notice.kind {
        story.line("Stopped", what);
    }
    who(&mut story, notice);
    story.listed("What", d.targets.iter().map(target_line).collect());
    story.listed(
        "Why",
        d.score.reasons.iter().map(|r| format!("{:>3}  {}  ({})", r.weight, r.says, r.evidence)).collect(),
    );
    held::done(&mut story, notice);
    story.listed("Unknown", d.score.unknown.clone());
    held::next(&mut story, notice);
    story
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
        NoticeKind::Secured { not_made, .. } if !not_made.is_empty() => {
            format!("QUARANTINE NOT WHOLE, {} LEFT TO DO: {what} {where_}", not_made.len())
        }
        NoticeKind::Secured { .. } => format!("QUARANTINE COMPLETE: {what} {where_}"),
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

/// What happened, without to what and where.
fn word_of(notice: &Notice) -> String {
    let word = headline(notice).split(':').next().unwrap_or("notice").to_owned();
    word.split(" in account").next().unwrap_or("notice").to_owned()
}

fn subject(notice: &Notice) -> String {
    let d = &notice.decision;
    let word = word_of(notice);
    // Cluster names are foreign words; ids are ours or AWS's.
    let what = match d.targets.as_slice() {
        [one] => one.instance.as_ref().map_or_else(|| "an asset".to_owned(), ToString::to_string),
        _ => count(d),
    };
    let text = format!("Picket {word}: {what} in {} {}", d.scope.account, d.scope.region);
    ascii(&text).chars().take(LONGEST_SUBJECT).collect()
}

fn who(story: &mut Story, notice: &Notice) {
    let d = &notice.decision;
    if let NoticeKind::Released { by, reason, .. } = &notice.kind {
        story.line("By", &by.to_string());
        story.line("Because", &reason.to_string());
        return;
    }
    match &d.principal {
        Some(p) => {
            let key = p.access_key.as_ref().map(|k| format!(" with key {k}")).unwrap_or_default();
            let from = p.source_ip.as_ref().map(|ip| format!(" from {ip}")).unwrap_or_default();
            story.line("Who", &format!("{p}{key}{from}"));
        }
        None => story.line("Who", "not known"),
    }
    story.line("When", &format!("{} ({})", d.triggered_at, d.trigger));
}

fn target_line(t: &picket_model::Target) -> String {
    let kind = t.instance_type.as_ref().map(|k| format!("  {k}")).unwrap_or_default();
    let name = if t.name.is_empty() { String::new() } else { format!("  named \"{}\"", t.name) };
    let node = t.node_of.as_ref().map(|n| format!("  {n}")).unwrap_or_default();
    format!("{}{kind}{name}{node}", t.asset)
}

/// One line, bounded: every word of ours fits, and what comes from outside may be of any length.
fn one_line(text: &str) -> String {
    let mut kept: String = text.chars().take(LONGEST_LINE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST_LINE).is_some() {
        kept.push('…');
    }
    kept
}

fn severity(kind: &NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Escalated { .. } | NoticeKind::Tampering { .. } => "emergency",
        NoticeKind::Quarantined { .. } | NoticeKind::Refused { .. } | NoticeKind::Trouble { .. } => "critical",
        NoticeKind::WouldQuarantine { .. } => "high",
        NoticeKind::Secured { not_made, .. } if !not_made.is_empty() => "medium",
        NoticeKind::Suspicious => "medium",
        NoticeKind::Released { .. } | NoticeKind::Secured { .. } => "low",
        NoticeKind::Fix(fix) => fixes::severity(fix.became),
    }
}

/// The stack's name, which CloudFormation keeps to 128 letters, digits and hyphens.
fn stack(notice: &Notice) -> String {
    ascii(&notice.stack).chars().take(128).collect()
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
