//! Slack and Teams through Amazon Q Developer in chat applications: its custom notification, version 1.0. Both clients
//! read markdown of their own, so every foreign word stands between backticks, where neither reads any, and the
//! characters that begin a mention, a link or the end of that are put as others that look like them.
//! Source: its administrator guide, "Custom notifications" (at most 250, 8,000 and 350 characters).

use picket_model::{Notice, NoticeKind};
use serde_json::json;

use super::{bounded, written};
use crate::render::{Is, Part, Story};

const LONGEST_TITLE: usize = 250;
const LONGEST_DESCRIPTION: usize = 8_000;
const LONGEST_STEP: usize = 350;
const LONGEST_LINE: usize = 500;

pub(super) fn write(story: &Story, notice: &Notice) -> Option<String> {
    let scope = &notice.decision.scope;
    let steps: Vec<String> = story.commands().map(|(label, c)| step(label, c)).collect();
    written(&json!({
        "version": "1.0",
        "source": "custom",
        "id": notice.id,
        "content": {
            "textType": "client-markdown",
            "title": bounded(&format!("{} {}", sign(story.severity), story.subject), LONGEST_TITLE),
            "description": description(story),
            "nextSteps": steps,
            "keywords": [story.severity, notice.kind.name(), scope.account.to_string(), scope.region.to_string()],
        },
        "metadata": {
            // What is told of one case stays in one thread.
            "threadId": thread(notice),
            "summary": bounded(&story.subject, LONGEST_TITLE),
            "eventType": notice.kind.name(),
        },
    }))
}

fn thread(notice: &Notice) -> String {
    match &notice.kind {
        NoticeKind::Fix(fix) => fix.id.to_string(),
        _ => notice.decision.case.to_string(),
    }
}

/// Whole parts, as many as fit.
fn description(story: &Story) -> String {
    let mut text = inert(&story.headline);
    for part in story.parts.iter().filter(|p| p.is != Is::Command) {
        let more = format!("\n*{}*\n{}", part.label, lines(part));
        if text.chars().count() + more.chars().count() > LONGEST_DESCRIPTION - 20 {
            text.push_str("\n(cut)");
            break;
        }
        text.push_str(&more);
    }
    text
}

fn lines(part: &Part) -> String {
    let one = |l: &String| if part.is == Is::Link { l.clone() } else { inert(l) };
    part.lines.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn step(label: &str, command: &str) -> String {
    bounded(&format!("{label}: {}", inert(command)), LONGEST_STEP)
}

/// Between backticks, and without anything that ends them, mentions somebody or becomes a link.
fn inert(text: &str) -> String {
    let kept: String = bounded(text, LONGEST_LINE).chars().map(harmless).collect();
    // An address is shown as people who handle malware write it: nobody opens it by a slip.
    format!("`{}`", kept.replace("://", "[:]//").trim())
}

fn harmless(c: char) -> char {
    match c {
        '`' => '\'',
        '<' => '‹',
        '>' => '›',
        '@' => '＠',
        other => other,
    }
}

fn sign(severity: &str) -> &'static str {
    match severity {
        "emergency" | "critical" => "\u{1F6A8}",
        "high" => "\u{26A0}\u{FE0F}",
        _ => "\u{2139}\u{FE0F}",
    }
}
