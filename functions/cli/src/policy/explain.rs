//! What a policy means, in plain words.

use jiff::Timestamp;
use picket_checks::policy::{Containment, Exemption, Never};
use picket_checks::{Policy, signals};
use picket_model::Mode;

use crate::show::{Page, Text, Tone, age};

/// Writes what `policy` means at `now`.
pub(super) fn write(page: &mut Page, policy: &Policy, now: Timestamp) {
    let risk = &policy.risk;
    match policy.mode {
        Mode::Observe => page.field("mode", "observe: it says what would be done, and changes nothing"),
        Mode::DryRun => page.field("mode", "dry_run: it asks AWS whether it would let it, and changes nothing"),
        Mode::ContainOnly => {
            let text = "contain_only: it cuts the network and no more, if the stack's parameter Mode is enforce";
            page.field("mode", Text::toned(Tone::Warn, text))
        }
        Mode::Enforce => {
            let text = "enforce: it quarantines, if the stack's parameter Mode is enforce too";
            page.field("mode", Text::toned(Tone::Warn, text))
        }
    };
    page.field("points", format!("from {} on: quarantine", risk.quarantine_at.0))
        .field("", format!("from {} on: tell people", risk.notify_at.0))
        .field("", "below: keep it in the inventory")
        .field("depth", depth(policy.containment))
        .field("limit", format!("{} instances an hour for each account", policy.blast_radius.instances_per_hour))
        .field("", "a plan that would pass the limit changes nothing, and people are told")
        .field("new", format!("is what was first seen at most {} ago", age(risk.new_for)))
        .field("", format!("nothing is new in the first {} of a deployment", age(risk.learning)));
    if !policy.probe.vpcs.is_empty() {
        page.field("probe", format!("machines in doubt are asked what they are, in {}", policy.probe.vpcs.join(", ")))
            .field("", "if the stack's parameter ProbeSubnets gives it a probe");
    }
    rails(page, policy);
    weights(page, policy);
    never(page, &policy.never);
    exempt(page, &policy.exempt, now);
}

/// What narrows or widens that, and what becomes of a quarantine that nobody looks at.
fn rails(page: &mut Page, policy: &Policy) {
    if let Some(percent) = policy.blast_radius.percent_per_hour {
        page.field("", format!("and at most {percent} percent of the account's running instances"));
    }
    if policy.keep_healthy.nodes_per_group > 0 {
        let nodes = policy.keep_healthy.nodes_per_group;
        page.field("healthy", format!("{nodes} members of each group keep working while it is only suspected"));
    }
    let holds = &policy.holds;
    if let Some(after) = holds.lift_suspected_after {
        let text = format!("below {} points it is lifted after {}, unless kept", holds.confirmed_at.0, age(after));
        page.field("holds", text);
    }
    if let Some(after) = holds.escalate_confirmed_after {
        page.field("holds", format!("what is confirmed is told again after {}", age(after)));
    }
    for one in &policy.overrides {
        let place = match (&one.when.account, &one.when.vpc, &one.when.tag) {
            (Some(account), ..) => format!("account {account}"),
            (_, Some(vpc), _) => vpc.clone(),
            (.., tag) => {
                format!("tag {}={}", policy.trusted_tag.as_deref().unwrap_or(""), tag.as_deref().unwrap_or(""))
            }
        };
        page.field("override", format!("{place}: {} ({})", one.mode, one.why));
    }
}

fn weights(page: &mut Page, policy: &Policy) {
    let row = |(name, points): (&picket_checks::policy::SignalName, &picket_checks::policy::Points)| -> Vec<Text> {
        let published = signals::ALL.iter().find(|s| s.name == name.as_str()).map_or(0, |s| s.weight);
        vec![name.as_str().into(), published.to_string().into(), points.0.to_string().into()]
    };
    let rows: Vec<_> = policy.risk.weights.iter().map(row).collect();
    if rows.is_empty() {
        page.field("weights", "as published; `picket policy signals` shows them");
    } else {
        page.gap().line(Tone::Strong, "weights of its own");
        page.table(&["SIGNAL", "PUBLISHED", "HERE"], &[1, 2], rows);
    }
}

fn never(page: &mut Page, never: &[Never]) {
    if never.is_empty() {
        return;
    }
    page.gap().line(Tone::Strong, "never touched");
    let row = |n: &Never| -> Vec<Text> {
        vec![n.managed_by.as_deref().unwrap_or(n.id.as_str()).into(), n.why.as_str().into()]
    };
    page.table(&["ID", "WHY"], &[], never.iter().map(row).collect());
}

fn exempt(page: &mut Page, exempt: &[Exemption], now: Timestamp) {
    if exempt.is_empty() {
        return;
    }
    page.gap().line(Tone::Strong, "exempt for a while: people are told, nothing is quarantined");
    let row = |e: &Exemption| -> Vec<Text> {
        let until = e.until.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let left = if e.until > now {
            format!("{until}, {} left", age(e.until.duration_since(now))).into()
        } else {
            Text::toned(Tone::Warn, format!("{until}: over, it has no effect"))
        };
        vec![e.id.as_str().into(), e.owner.as_str().into(), e.reason.as_str().into(), left]
    };
    page.table(&["ID", "OWNER", "REASON", "UNTIL"], &[], exempt.iter().map(row).collect());
}

/// How far a quarantine goes, in words.
fn depth(containment: Containment) -> &'static str {
    match containment {
        Containment::Full => "full: network, evidence, credentials, snapshots, load balancers, tag",
        Containment::ContainOnly => "contain_only: the network, and freezing the Auto Scaling group",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::Paint;

    #[test]
    fn a_policy_is_said_in_plain_words_and_an_exemption_that_is_over_is_called_over() {
        let text = "mode: enforce\nprobe: {vpcs: [vpc-87654321]}\nrisk: {weights: {root_user: 40}}\nnever: [{id: vpc-12345678, why: the bank}]\n\
            exempt:\n- {id: i-12345678, owner: ml, reason: training, until: '2027-01-02T00:00:00Z'}\n\
            - {id: i-87654321, owner: ml, reason: training, until: '2026-01-31T00:00:00Z'}\n";
        let policy = Policy::parse(text, "p.yaml").unwrap();
        let mut page = Page::new(Paint::default());
        write(&mut page, &policy, "2027-01-01T00:00:00Z".parse().unwrap());
        let said = page.done();
        for words in [
            "mode      enforce: it quarantines, if the stack's parameter Mode is enforce too\n",
            "points    from 70 on: quarantine\n          from 40 on: tell people\n",
            "probe     machines in doubt are asked what they are, in vpc-87654321\n",
            "limit     100 instances an hour for each account\n",
            "SIGNAL     PUBLISHED  HERE\nroot_user ",
            "vpc-12345678  the bank\n",
            "2027-01-02 00:00 UTC, 1 d left\n",
            "2026-01-31 00:00 UTC: over, it has no effect\n",
        ] {
            assert!(said.contains(words), "{words:?} is not in\n{said}");
        }
    }
}
