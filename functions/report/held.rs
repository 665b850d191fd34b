//! The quarantine board: a hold, what its journal says of how it was verified, and what was told of its case.

use std::collections::BTreeMap;

use jiff::Timestamp;
use picket_model::{Entry, Event, Hold, HoldState, Untrusted};
use picket_report::snapshot::Held;

use super::episode::Told;

/// As the report shows it.
pub fn held(hold: &Hold, journal: &[Entry], told: &[Told]) -> Held {
    let told = told.iter().find(|t| t.case == hold.case);
    let target = told.and_then(|t| t.assets.iter().find(|a| a.instance.as_deref() == Some(hold.instance.as_str())));
    let reasons = told.map(|t| t.reasons.iter().take(2).map(|r| r.says.as_str()).collect::<Vec<_>>().join("; "));
    Held {
        asset: hold.instance.to_string(),
        name: target.and_then(|t| t.name.clone()).unwrap_or_else(|| Untrusted::new("")),
        account: hold.scope.account.clone(),
        region: hold.scope.region.clone(),
        case: hold.case.clone(),
        since: hold.since,
        state: hold.state.to_string(),
        verified: verified(hold, journal),
        why: Untrusted::new(&reasons.unwrap_or_else(|| format!("`picket journal {}` says why", hold.case))),
        until: hold.deadline.as_ref().map(|d| d.at),
    }
}

/// The worst that was found, interface by interface, at the last look: LEAKING before PENDING before CUT. What was never
/// read back is not verified.
fn verified(hold: &Hold, journal: &[Entry]) -> String {
    let mut last: BTreeMap<&str, (Timestamp, &str)> = BTreeMap::new();
    for entry in journal.iter().filter(|e| e.event == Event::Verified) {
        let known = last.entry(&entry.subject).or_insert((entry.at, entry.details.as_str()));
        if entry.at >= known.0 {
            *known = (entry.at, entry.details.as_str());
        }
    }
    let ours = hold.captures.iter().map(|c| last.get(c.interface.as_str()).map(|(_, words)| *words));
    let worst = ours.max_by_key(|words| match words {
        Some(words) if words.starts_with("CUT") => 0,
        Some(words) if words.starts_with("PENDING") => 1,
        Some(_) => 3,
        None => 2,
    });
    match worst {
        Some(Some(words)) => words.replacen(": ", " ", 1),
        Some(None) => "PENDING not read back yet".to_owned(),
        None if hold.state == HoldState::Containing => "PENDING its interfaces are being moved".to_owned(),
        None => "LEAKING it has no interface that could be moved".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use picket_model::{Capture, CaseId, GroupId, InterfaceId, VpcId};

    use super::*;

    fn hold(interfaces: &[&str]) -> Hold {
        let capture = |id: &&str| Capture {
            interface: InterfaceId::parse(*id).unwrap(),
            vpc: VpcId::parse("vpc-0aaaaaaaaaaaaaaaa").unwrap(),
            groups: vec![GroupId::parse("sg-0aaaaaaaaaaaaaaaa").unwrap()],
        };
        let captures: Vec<Capture> = interfaces.iter().map(capture).collect();
        serde_json::from_value(serde_json::json!({
            "scope": {"account": "123456789012", "region": "us-east-1"}, "instance": "i-0aaaaaaaaaaaaaaaa",
            "case": "case-0123456789ab", "state": "contained", "captures": captures, "quarantine": [],
            "since": "2026-11-26T10:00:00Z", "lease_until": "2026-11-26T10:00:00Z", "released": null,
        }))
        .unwrap()
    }

    fn verified_as(subject: &str, at: &str, words: &str) -> Entry {
        Entry {
            case: CaseId::try_from("case-0123456789ab".to_owned()).unwrap(),
            at: at.parse().unwrap(),
            subject: subject.to_owned(),
            event: Event::Verified,
            by: Untrusted::new("respond"),
            details: Untrusted::new(words),
        }
    }

    const ONE: &str = "eni-0aaaaaaaaaaaaaaaa";
    const TWO: &str = "eni-0bbbbbbbbbbbbbbbb";

    #[test]
    fn the_last_look_counts_and_the_worst_interface() {
        let journal = [
            verified_as(ONE, "2026-11-26T10:00:01Z", "LEAKING: it is still shown in sg-1"),
            verified_as(ONE, "2026-11-26T10:00:05Z", "CUT"),
            verified_as(TWO, "2026-11-26T10:00:05Z", "PENDING: connections may last"),
        ];
        assert_eq!(held(&hold(&[ONE]), &journal, &[]).verified, "CUT");
        assert_eq!(held(&hold(&[ONE, TWO]), &journal, &[]).verified, "PENDING connections may last");
    }

    #[test]
    fn what_was_never_read_back_is_not_cut() {
        assert_eq!(held(&hold(&[ONE]), &[], &[]).verified, "PENDING not read back yet");
        assert!(held(&hold(&[]), &[], &[]).verified.starts_with("LEAKING"));
    }
}
