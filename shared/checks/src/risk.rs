//! The risk of an asset: what is badly set, what the world can reach, and what is going on now, in one score with its
//! reasons. The table of weights is published (`picket explain risk`); each reason names the row that it comes from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use picket_model::{Finding, Reason, Score, Severity, Status};

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// The name that reasons carry.
    pub name: &'static str,
    /// What it adds.
    pub points: u8,
    /// When.
    pub about: &'static str,
}

/// The table. Findings of one severity add their row once, and a quarter of it for each further one, up to twice.
pub const WEIGHTS: &[Weight] = &[
    Weight { name: "posture_critical", points: 40, about: "a critical finding is open" },
    Weight { name: "posture_high", points: 20, about: "a high finding is open" },
    Weight { name: "posture_medium", points: 8, about: "a medium finding is open" },
    Weight { name: "posture_low", points: 2, about: "a low finding is open" },
    Weight { name: "exposed", points: 20, about: "the whole internet can reach it" },
    Weight { name: "exposed_and_weak", points: 15, about: "it is exposed, and another finding is high or critical" },
    Weight { name: "waived", points: 0, about: "a waived finding adds nothing; it is shown" },
    Weight { name: "live", points: 0, about: "a live sign adds its own weight (`picket policy signals`)" },
    Weight { name: "live_and_exposed", points: 15, about: "something is going on in what the internet can reach" },
];

/// What is known of an asset beside its findings.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Signs that something is going on, each with its weight.
    pub reasons: Vec<Reason>,
    /// What could not be known.
    pub unknown: Vec<String>,
}

/// The risk of one asset. `exposes` says whether a rule is about what the world can reach.
#[must_use]
pub fn score(findings: &[&Finding], live: &Live, exposes: impl Fn(&str) -> bool, now: Timestamp) -> Score {
    let open: Vec<&&Finding> = findings.iter().filter(|f| f.status(now) == Status::Open).collect();
    let mut reasons: Vec<Reason> = live.reasons.clone();
    for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
        posture(severity, open.iter().copied().copied().filter(|f| f.severity == severity), &mut reasons);
    }
    let exposed = open.iter().find(|f| exposes(&f.rule));
    if let Some(exposed) = exposed {
        reasons.push(reason("exposed", exposed.title.clone(), exposed));
        let weak = open.iter().find(|f| !exposes(&f.rule) && f.severity >= Severity::High);
        if let Some(weak) = weak {
            reasons.push(reason("exposed_and_weak", format!("it is exposed, and: {}", weak.title), weak));
        }
        if !live.reasons.is_empty() {
            reasons.push(reason("live_and_exposed", "something is going on in it".to_owned(), exposed));
        }
    }
    for waived in findings.iter().filter(|f| f.status(now) == Status::Waived) {
        reasons.push(reason("waived", format!("accepted: {}", waived.title), waived));
    }
    reasons.sort_by_key(|r| std::cmp::Reverse(r.weight));
    let total = reasons.iter().map(|r| u32::from(r.weight)).sum::<u32>().min(100);
    Score { total: u8::try_from(total).unwrap_or(100), reasons, unknown: live.unknown.clone() }
}

fn posture<'f>(severity: Severity, findings: impl Iterator<Item = &'f Finding>, reasons: &mut Vec<Reason>) {
    let name = match severity {
        Severity::Critical => "posture_critical",
        Severity::High => "posture_high",
        Severity::Medium => "posture_medium",
        Severity::Low => "posture_low",
    };
    let full = points(name);
    let mut left = u32::from(full) * 2;
    for (n, finding) in findings.enumerate() {
        let weight = if n == 0 { full } else { full.div_ceil(4) };
        let weight = u8::try_from(u32::from(weight).min(left)).unwrap_or(0);
        left -= u32::from(weight);
        let mut reason = reason(name, finding.title.clone(), finding);
        reason.weight = weight;
        reasons.push(reason);
    }
}

fn points(name: &str) -> u8 {
    WEIGHTS.iter().find(|w| w.name == name).map_or(0, |w| w.points)
}

fn reason(name: &str, says: String, finding: &Finding) -> Reason {
    let read = finding.readings.first().map_or_else(String::new, |r| format!(": {} is {}", r.at, r.found));
    Reason { signal: name.to_owned(), weight: points(name), says, evidence: format!("{}{read}", finding.id) }
}

/// Findings by the asset that they are about.
#[must_use]
pub fn by_asset(findings: &[Finding]) -> BTreeMap<(String, String, String), Vec<&Finding>> {
    let mut assets: BTreeMap<(String, String, String), Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|f| f.resolved_at.is_none()) {
        let region = finding.region.as_ref().map(ToString::to_string).unwrap_or_default();
        assets.entry((finding.account.to_string(), region, finding.asset.clone())).or_default().push(finding);
    }
    assets
}

#[cfg(test)]
mod tests {
    use picket_model::{AccountId, Waiver};

    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn finding(rule: &str, severity: Severity) -> Finding {
        Finding {
            id: format!("finding-{rule}"),
            rule: rule.to_owned(),
            title: format!("{rule} fails"),
            severity,
            account: AccountId::parse("123456789012").unwrap(),
            region: None,
            asset: "eks.cluster/prod".to_owned(),
            controls: Vec::new(),
            readings: Vec::new(),
            fix: String::new(),
            action: None,
            first_seen: now(),
            last_seen: now(),
            resolved_at: None,
            waiver: None,
        }
    }

    fn total(findings: &[Finding], live: &[u8]) -> u8 {
        let reasons = live.iter().map(|w| Reason {
            signal: "miner".to_owned(),
            weight: *w,
            says: String::new(),
            evidence: String::new(),
        });
        let live = Live { reasons: reasons.collect(), unknown: Vec::new() };
        score(&findings.iter().collect::<Vec<_>>(), &live, |r| r == "door", now()).total
    }

    #[test]
    fn weak_and_reachable_is_worse_than_both_apart() {
        let (door, weak) = (finding("door", Severity::High), finding("weak", Severity::High));
        assert_eq!(total(std::slice::from_ref(&weak), &[]), 20);
        assert_eq!(total(std::slice::from_ref(&door), &[]), 40);
        assert_eq!(total(&[door.clone(), weak], &[]), 60);
        assert_eq!(total(&[door], &[30]), 85);
        assert_eq!(total(&[], &[30]), 30);
    }

    #[test]
    fn a_hundred_small_things_are_not_a_great_one() {
        let small: Vec<_> = (0..100).map(|n| finding(&format!("small{n}"), Severity::Low)).collect();
        assert_eq!(total(&small, &[]), 4);
        let great: Vec<_> = (0..9).map(|n| finding(&format!("great{n}"), Severity::Critical)).collect();
        assert_eq!(total(&great, &[90]), 100);
    }

    #[test]
    fn a_waived_finding_is_shown_and_adds_nothing() {
        let mut waived = finding("weak", Severity::Critical);
        let until = "2026-02-01T00:00:00Z".parse().unwrap();
        waived.waiver = Some(Waiver {
            rule: "weak".to_owned(),
            asset: "*".to_owned(),
            owner: "me".to_owned(),
            reason: "r".to_owned(),
            until,
        });
        let score = score(&[&waived], &Live::default(), |_| false, now());
        assert_eq!((score.total, score.reasons[0].signal.as_str()), (0, "waived"));
    }

    #[test]
    fn every_reason_comes_from_a_row_of_the_table() {
        let all = [
            finding("door", Severity::Critical),
            finding("weak", Severity::High),
            finding("m", Severity::Medium),
            finding("l", Severity::Low),
        ];
        let score = score(&all.iter().collect::<Vec<_>>(), &Live::default(), |r| r == "door", now());
        assert!(score.reasons.iter().all(|r| WEIGHTS.iter().any(|w| w.name == r.signal)));
        assert!(score.reasons.windows(2).all(|w| w[0].weight >= w[1].weight));
    }
}
