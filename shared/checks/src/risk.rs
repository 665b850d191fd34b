//! The risk of an asset: what is badly set, what the world can reach, and what is going on now, in one score with its
//! reasons. The table of weights is published (`picket explain risk`); each reason names the row that it comes from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use picket_model::{Finding, Reason, Score, Severity, Status};

use crate::book::Book;
use crate::rules::Rule;

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

/// The table. Findings of one severity add their row once, and a quarter of it for each further one, up to twice; of live
/// rules each rule counts by itself, since two signs say more than the same sign twice.
pub const WEIGHTS: &[Weight] = &[
    Weight { name: "live_critical", points: 60, about: "a critical sign that something is going on, such as a miner" },
    Weight { name: "live_high", points: 35, about: "a high one, such as what hides itself, or anybody who is bound" },
    Weight { name: "live_medium", points: 15, about: "a medium one, such as a DaemonSet that nobody knows" },
    Weight { name: "live_low", points: 5, about: "a low one" },
    Weight { name: "posture_critical", points: 40, about: "a critical finding is open" },
    Weight { name: "posture_high", points: 20, about: "a high finding is open" },
    Weight { name: "posture_medium", points: 8, about: "a medium finding is open" },
    Weight { name: "posture_low", points: 2, about: "a low finding is open" },
    Weight { name: "exposed", points: 20, about: "the whole internet can reach it" },
    Weight { name: "exposed_and_weak", points: 15, about: "it is exposed, and another finding is high or critical" },
    Weight { name: "live_and_exposed", points: 15, about: "something is going on in what the internet can reach" },
    Weight { name: "live", points: 0, about: "what woke Picket adds its own weight (`picket policy signals`)" },
    Weight { name: "waived", points: 0, about: "a waived finding adds nothing; it is shown" },
];

/// How many readings of a finding a reason repeats.
const READINGS: usize = 3;

/// What a rule is about, beside posture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct About {
    /// What the world can reach.
    pub exposure: bool,
    /// What is going on.
    pub live: bool,
}

impl About {
    /// What a rule of a book is about; one that is gone is about posture.
    #[must_use]
    pub fn of(book: &Book, rule: &str) -> Self {
        let of = |r: &Rule| Self { exposure: r.exposes(), live: r.live };
        book.rules().get(rule).map(of).unwrap_or_default()
    }
}

/// What is known of an asset beside its findings.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Signs that something is going on, each with its weight.
    pub reasons: Vec<Reason>,
    /// What could not be known.
    pub unknown: Vec<String>,
}

/// The risk of one asset: `of` names it, so that what is found of its parts names them.
#[must_use]
pub fn score(of: &str, findings: &[&Finding], live: &Live, about: impl Fn(&str) -> About, now: Timestamp) -> Score {
    let open: Vec<&Finding> = findings.iter().copied().filter(|f| f.status(now) == Status::Open).collect();
    let mut reasons: Vec<Reason> = live.reasons.clone();
    let mut alike: BTreeMap<(Severity, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in &open {
        let rule = if about(&finding.rule).live { finding.rule.as_str() } else { "" };
        alike.entry((finding.severity, rule)).or_default().push(finding);
    }
    for ((severity, rule), findings) in alike {
        several(of, row(severity, !rule.is_empty()), &findings, &mut reasons);
    }
    let goes_on = !live.reasons.is_empty() || open.iter().any(|f| about(&f.rule).live);
    if let Some(exposed) = open.iter().find(|f| about(&f.rule).exposure) {
        reasons.push(reason(of, "exposed", &exposed.title, exposed));
        let weak = |f: &&&Finding| about(&f.rule) == About::default() && f.severity >= Severity::High;
        if let Some(weak) = open.iter().find(weak) {
            reasons.push(reason(of, "exposed_and_weak", &format!("it is exposed, and: {}", weak.title), weak));
        }
        if goes_on {
            reasons.push(reason(
                of,
                "live_and_exposed",
                "something is going on in what the internet can reach",
                exposed,
            ));
        }
    }
    for waived in findings.iter().filter(|f| f.status(now) == Status::Waived) {
        reasons.push(reason(of, "waived", &format!("accepted: {}", waived.title), waived));
    }
    reasons.sort_by_key(|r| std::cmp::Reverse(r.weight));
    let total = reasons.iter().map(|r| u32::from(r.weight)).sum::<u32>().min(100);
    Score { total: u8::try_from(total).unwrap_or(100), reasons, unknown: live.unknown.clone() }
}

fn row(severity: Severity, live: bool) -> &'static str {
    match (severity, live) {
        (Severity::Critical, true) => "live_critical",
        (Severity::High, true) => "live_high",
        (Severity::Medium, true) => "live_medium",
        (Severity::Low, true) => "live_low",
        (Severity::Critical, false) => "posture_critical",
        (Severity::High, false) => "posture_high",
        (Severity::Medium, false) => "posture_medium",
        (Severity::Low, false) => "posture_low",
    }
}

/// The first counts whole, each further one a quarter, and all together twice. Those that add nothing are counted.
fn several(of: &str, name: &'static str, findings: &[&Finding], reasons: &mut Vec<Reason>) {
    let full = points(name);
    let mut left = u32::from(full) * 2;
    for (n, finding) in findings.iter().enumerate() {
        let weight = if n == 0 { full } else { full.div_ceil(4) };
        let weight = u8::try_from(u32::from(weight).min(left)).unwrap_or(0);
        left -= u32::from(weight);
        if weight == 0 {
            let says = format!("{} more of this severity add nothing", findings.len() - n);
            reasons.push(Reason {
                signal: name.to_owned(),
                weight,
                says,
                evidence: format!("{} and so on", finding.id),
            });
            return;
        }
        reasons.push(Reason { weight, ..reason(of, name, &finding.title, finding) });
    }
}

fn points(name: &str) -> u8 {
    WEIGHTS.iter().find(|w| w.name == name).map_or(0, |w| w.points)
}

fn reason(of: &str, name: &str, says: &str, finding: &Finding) -> Reason {
    let part = if finding.asset == of { String::new() } else { format!(" ({})", part_of(of, &finding.asset)) };
    let read: Vec<String> =
        finding.readings.iter().take(READINGS).map(|r| format!("{} is {}", r.at, r.found)).collect();
    let evidence = format!("{}: {}", finding.id, read.join("; "));
    Reason { signal: name.to_owned(), weight: points(name), says: format!("{says}{part}"), evidence }
}

/// A part of a cluster without the cluster's name, such as `workload shop/Pod/web`; another asset as it is called.
fn part_of(of: &str, asset: &str) -> String {
    let cluster = of.split_once('/').map_or("", |(_, name)| name);
    let inside = asset.strip_prefix("kubernetes.").and_then(|rest| rest.split_once('/'));
    let named = inside.and_then(|(kind, id)| Some((kind, id.strip_prefix(cluster)?.strip_prefix('/')?)));
    named.map_or_else(|| asset.to_owned(), |(kind, rest)| format!("{kind} {rest}"))
}

/// Where an asset is, and which it is.
pub type Place = (String, String, String);

/// Findings that are not resolved, by what they count for: an asset of its own, the instance that a node is, and the
/// cluster that they belong to. Parts of a cluster have no risk of their own; instances do, since they can be held.
#[must_use]
pub fn by_asset(findings: &[Finding]) -> BTreeMap<Place, Vec<&Finding>> {
    let mut assets: BTreeMap<Place, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|f| f.resolved_at.is_none()) {
        for asset in counts_for(finding) {
            let region = finding.region.as_ref().map(ToString::to_string).unwrap_or_default();
            assets.entry((finding.account.to_string(), region, asset)).or_default().push(finding);
        }
    }
    of_eks_where_known(assets)
}

/// The assets that a finding counts for.
#[must_use]
pub fn counts_for(finding: &Finding) -> Vec<String> {
    let (kind, id) = finding.asset.split_once('/').unwrap_or((&finding.asset, ""));
    let instance = match kind {
        "ec2.instance" => Some(finding.asset.clone()),
        "node" | "kubernetes.node" if id.starts_with("i-") => Some(format!("ec2.instance/{id}")),
        _ => None,
    };
    let all: Vec<String> = instance.into_iter().chain(finding.cluster.clone()).collect();
    if all.is_empty() { vec![finding.asset.clone()] } else { all }
}

/// Some findings may be older than what is known of their cluster by now: one of EKS is one of EKS for all of them.
fn of_eks_where_known(mut assets: BTreeMap<Place, Vec<&Finding>>) -> BTreeMap<Place, Vec<&Finding>> {
    let others: Vec<Place> =
        assets.keys().filter(|(.., asset)| asset.starts_with("kubernetes.cluster/")).cloned().collect();
    for other in others {
        let of_eks = (other.0.clone(), other.1.clone(), other.2.replacen("kubernetes.", "eks.", 1));
        if assets.contains_key(&of_eks)
            && let Some(found) = assets.remove(&other)
        {
            assets.entry(of_eks).or_default().extend(found);
        }
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
            cluster: Some("eks.cluster/prod".to_owned()),
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

    fn about(rule: &str) -> About {
        About { exposure: rule == "door", live: rule.starts_with("miner") }
    }

    fn total(findings: &[Finding], live: &[u8]) -> u8 {
        let reasons = live.iter().map(|w| Reason {
            signal: "miner".to_owned(),
            weight: *w,
            says: String::new(),
            evidence: String::new(),
        });
        let live = Live { reasons: reasons.collect(), unknown: Vec::new() };
        score("eks.cluster/prod", &findings.iter().collect::<Vec<_>>(), &live, about, now()).total
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
        let small: Vec<_> = small.iter().collect();
        let score = score("eks.cluster/prod", &small, &Live::default(), about, now());
        let last = score.reasons.last().unwrap();
        assert_eq!((score.reasons.len(), last.says.as_str()), (4, "97 more of this severity add nothing"));
        let great: Vec<_> = (0..9).map(|n| finding(&format!("great{n}"), Severity::Critical)).collect();
        assert_eq!(total(&great, &[90]), 100);
    }

    #[test]
    fn what_goes_on_weighs_more_than_what_could() {
        let (miner, door) = (finding("miner", Severity::Critical), finding("door", Severity::Medium));
        assert_eq!(total(std::slice::from_ref(&miner), &[]), 60);
        assert_eq!(total(&[miner.clone(), finding("weak", Severity::High)], &[]), 80);
        assert_eq!(total(&[miner.clone(), door], &[]), 100, "60 for it, 8 and 20 for the door, 15 for both");
        let weak = [finding("weak", Severity::Low), finding("miner2", Severity::Critical), miner];
        assert_eq!(total(&weak, &[]), 100, "each live rule counts whole");
    }

    #[test]
    fn parts_count_for_their_cluster_and_nodes_for_their_instance_too() {
        let of = |asset: &str, cluster: Option<&str>| Finding {
            asset: asset.to_owned(),
            cluster: cluster.map(ToOwned::to_owned),
            ..finding("weak", Severity::High)
        };
        let findings = [
            of("kubernetes.workload/prod/shop/Pod/web", Some("eks.cluster/prod")),
            of("kubernetes.binding/prod/ClusterRoleBinding/x", Some("kubernetes.cluster/prod")),
            of("node/i-1", Some("eks.cluster/prod")),
            of("ec2.instance/i-2", None),
            of("s3.bucket/b", None),
        ];
        let by_asset = by_asset(&findings);
        let counted: Vec<_> = by_asset.iter().map(|((.., asset), all)| (asset.as_str(), all.len())).collect();
        let expected = [("ec2.instance/i-1", 1), ("ec2.instance/i-2", 1), ("eks.cluster/prod", 3), ("s3.bucket/b", 1)];
        assert_eq!(counted, expected);
        let score = score("eks.cluster/prod", &[&findings[0]], &Live::default(), about, now());
        assert!(score.reasons[0].says.ends_with("(workload shop/Pod/web)"), "{:?}", score.reasons);
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
        let score = score("eks.cluster/prod", &[&waived], &Live::default(), about, now());
        assert_eq!((score.total, score.reasons[0].signal.as_str()), (0, "waived"));
    }

    #[test]
    fn the_table_is_the_one_that_people_read() {
        let row = |w: &Weight| format!("| `{}` | {} | {} |", w.name, w.points, w.about);
        let readme = include_str!("../../../README.md");
        let missing: Vec<_> = WEIGHTS.iter().map(row).filter(|row| !readme.contains(row)).collect();
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn every_reason_comes_from_a_row_of_the_table() {
        let all = [
            finding("door", Severity::Critical),
            finding("weak", Severity::High),
            finding("m", Severity::Medium),
            finding("l", Severity::Low),
            finding("miner", Severity::Critical),
        ];
        let all: Vec<_> = all.iter().collect();
        let score = score("eks.cluster/prod", &all, &Live::default(), about, now());
        assert!(score.reasons.iter().all(|r| WEIGHTS.iter().any(|w| w.name == r.signal)));
        assert!(score.reasons.windows(2).all(|w| w[0].weight >= w[1].weight));
    }
}
