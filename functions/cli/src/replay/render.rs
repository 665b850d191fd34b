//! How a replay reads: what woke us, why it matters, what is not known, what would be done.

use picket_model::{Principal, Score, Trigger, Verdict};

use super::judge::{Finding, Judged, Proposal};
use super::{Outcome, Replay, Replayed};
use crate::show::{Page, Paint, Reply, Text, Tone, millis};

/// So many ids are shown in one line.
const MOST_IDS: usize = 3;

impl Reply for Replayed {
    fn text(&self, paint: Paint) -> String {
        let mut page = Page::new(paint);
        for replay in &self.events {
            event(&mut page, replay, self.events.len());
        }
        page.next(self.next.as_deref()).done()
    }
}

fn event(page: &mut Page, replay: &Replay, of: usize) {
    if of > 1 {
        page.gap().line(Tone::Strong, format!("event {}", replay.position)).indent(true);
    }
    match &replay.outcome {
        Outcome::Dropped { reason } => {
            page.line(Tone::Dim, format!("dropped: {reason}"));
        }
        Outcome::Malformed { reason } => {
            page.line(Tone::Bad, format!("malformed: {reason}"));
        }
        Outcome::Judged(judged) => show(page, judged),
    }
    page.indent(false);
}

fn show(page: &mut Page, judged: &Judged) {
    trigger(page, &judged.trigger);
    for (n, gap) in judged.gaps.iter().enumerate() {
        page.field(if n == 0 { "not known" } else { "" }, Text::toned(Tone::Warn, gap.as_str()));
    }
    for finding in &judged.findings {
        page.gap();
        reasons(page, &finding.score);
        unknown(page, &finding.score);
        verdict(page, finding);
    }
    if judged.findings.is_empty() {
        page.gap().field("verdict", "none: there is nothing to judge");
    }
    for proposal in &judged.proposals {
        propose(page, proposal);
    }
}

fn trigger(page: &mut Page, trigger: &Trigger) {
    page.field("trigger", Text::toned(Tone::Strong, trigger.kind.to_string()))
        .field("where", format!("account {}, {}", trigger.scope.account, trigger.scope.region));
    match &trigger.principal {
        Some(principal) => who(page, principal),
        None => {
            page.field("who", "the event does not say");
        }
    }
    page.field("when", format!("{} UTC", millis(trigger.at))).field("subject", trigger.subject.to_string());
}

fn who(page: &mut Page, principal: &Principal) {
    let key = principal.access_key.as_ref().map(|k| format!(" with key {k}")).unwrap_or_default();
    let from = principal.source_ip.as_ref().map(|ip| format!(" from {ip}")).unwrap_or_default();
    page.field("who", format!("{principal}{key}{from}"));
    if let Some(agent) = &principal.user_agent {
        page.field("", agent.as_str());
    }
}

fn reasons(page: &mut Page, score: &Score) {
    if score.reasons.is_empty() {
        return;
    }
    let row = |r: &picket_model::Reason| -> Vec<Text> {
        vec![r.weight.to_string().into(), r.says.as_str().into(), r.evidence.as_str().into()]
    };
    page.table(&["WEIGHT", "WHAT", "EVIDENCE"], &[0], score.reasons.iter().map(row).collect()).gap();
}

/// Signals that could not be told, in the words `signal: why` of a score.
fn unknown(page: &mut Page, score: &Score) {
    if score.unknown.is_empty() {
        return;
    }
    let row = |line: &String| -> Vec<Text> {
        let (signal, why) = line.split_once(": ").unwrap_or(("", line));
        vec![signal.into(), why.into()]
    };
    page.table(&["NOT KNOWN", "WHY"], &[], score.unknown.iter().map(row).collect()).gap();
}

fn verdict(page: &mut Page, finding: &Finding) {
    let (tone, means) = match finding.verdict {
        Verdict::Note => (Tone::Good, "keep it in the inventory"),
        Verdict::Notify => (Tone::Warn, "tell people"),
        Verdict::Quarantine => (Tone::Bad, "cut it off"),
    };
    page.field("score", format!("{} of 100", finding.score.total))
        .field("verdict", Text::toned(tone, format!("{}: {means}", finding.verdict)));
    if let Some(why) = &finding.held_back {
        page.field("held back", why.as_str());
    }
    page.field("assets", ids(&finding.assets));
}

fn ids(assets: &[String]) -> String {
    let shown = assets.iter().take(MOST_IDS).map(String::as_str).collect::<Vec<_>>().join(", ");
    match assets.len().saturating_sub(MOST_IDS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn propose(page: &mut Page, proposal: &Proposal) {
    page.gap().field("case", proposal.case.as_str());
    let steps = proposal.plan.steps.iter().map(ToString::to_string);
    let skipped = proposal.plan.skipped.iter().map(|(id, why)| format!("nothing for {id}: {why}"));
    for (n, line) in steps.chain(skipped).enumerate() {
        page.field(if n == 0 { "plan" } else { "" }, line);
    }
    let tone = if proposal.permitted { Tone::Warn } else { Tone::Good };
    page.field("permit", Text::toned(tone, proposal.permit.as_str()));
}
