//! Events that wake posture: a call that changed something, or the clock. Only what is needed is read of them.

use std::collections::BTreeSet;

use picket_model::{AccountId, Region};
use picket_pipeline::posture::{Asked, Call};
use serde_json::Value;

/// What an event asks posture for; none where it changed nothing, failed, or is none of ours.
#[must_use]
pub fn asked(event: &Value) -> Option<Asked> {
    if let Ok(asked) = serde_json::from_value::<Asked>(event.clone()) {
        return Some(asked);
    }
    let account = AccountId::parse(event["account"].as_str()?).ok()?;
    let detail = &event["detail"];
    if is_clock(event) {
        return Some(Asked::Sweep { account });
    }
    let failed = detail.get("errorCode").is_some_and(|c| !c.is_null());
    let reads = detail["readOnly"] == true || detail["readOnly"] == "true";
    if failed || reads {
        return None;
    }
    let call =
        Call { source: detail["eventSource"].as_str()?.to_owned(), name: detail["eventName"].as_str()?.to_owned() };
    let region = Region::parse(detail["awsRegion"].as_str().or(event["region"].as_str())?).ok()?;
    Some(Asked::Calls { account, region, calls: BTreeSet::from([call]), found: BTreeSet::new() })
}

/// Whether the clock asks: for everything, in every account.
#[must_use]
pub fn is_clock(event: &Value) -> bool {
    event["detail-type"] == "Scheduled Event"
}

/// One question for several: a sweep answers all of its account, and calls of one place are asked about together.
#[must_use]
pub fn together(all: impl IntoIterator<Item = Asked>) -> Vec<Asked> {
    let mut joined: Vec<Asked> = Vec::new();
    for asked in all {
        let same = |other: &&mut Asked| match (&asked, &**other) {
            (Asked::Sweep { account: a }, Asked::Sweep { account: b }) => a == b,
            (Asked::Calls { account: a, region: r, .. }, Asked::Calls { account: b, region: s, .. }) => {
                a == b && r == s
            }
            _ => false,
        };
        match (joined.iter_mut().find(same), asked) {
            (Some(Asked::Calls { calls, found, .. }), Asked::Calls { calls: more, found: things, .. }) => {
                calls.extend(more);
                found.extend(things);
            }
            (Some(_), _) => {}
            (None, asked) => joined.push(asked),
        }
    }
    let swept: Vec<AccountId> = joined
        .iter()
        .filter_map(|a| if let Asked::Sweep { account } = a { Some(account.clone()) } else { None })
        .collect();
    joined.retain(|a| !matches!(a, Asked::Calls { account, .. } if swept.contains(account)));
    joined
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(region: &str, name: &str) -> Value {
        json!({"account": "123456789012", "region": region, "detail-type": "AWS API Call via CloudTrail",
            "detail": {"eventSource": "eks.amazonaws.com", "eventName": name, "awsRegion": region, "readOnly": false}})
    }

    #[test]
    fn calls_of_one_place_are_asked_about_together_and_a_sweep_answers_all() {
        let events = [
            call("us-east-1", "CreateCluster"),
            call("us-east-1", "UpdateClusterConfig"),
            call("eu-west-1", "CreateCluster"),
        ];
        let all: Vec<Asked> = events.iter().filter_map(asked).collect();
        let joined = together(all.clone());
        assert_eq!(joined.len(), 2);
        let Asked::Calls { calls, .. } = &joined[0] else { panic!("{joined:?}") };
        assert_eq!(calls.len(), 2);
        let clock =
            json!({"account": "123456789012", "region": "us-east-1", "detail-type": "Scheduled Event", "detail": {}});
        let swept = together(all.into_iter().chain(asked(&clock)));
        assert!(matches!(&swept[..], [Asked::Sweep { .. }]), "{swept:?}");
    }

    #[test]
    fn what_failed_or_only_read_asks_for_nothing() {
        let mut failed = call("us-east-1", "CreateCluster");
        failed["detail"]["errorCode"] = json!("AccessDenied");
        let mut read = call("us-east-1", "DescribeCluster");
        read["detail"]["readOnly"] = json!(true);
        for event in [failed, read, json!({}), json!({"account": "x"}), json!("text")] {
            assert_eq!(asked(&event), None, "{event}");
        }
    }

    #[test]
    fn what_was_found_is_asked_about_together_with_the_calls_of_its_place() {
        use picket_pipeline::posture::Thing;
        let (account, region) = (AccountId::parse("123456789012").unwrap(), Region::parse("us-east-1").unwrap());
        let own = |found| Asked::Calls {
            account: account.clone(),
            region: region.clone(),
            calls: BTreeSet::new(),
            found: BTreeSet::from([found]),
        };
        let events = [own(Thing::Machine), own(Thing::Cluster)].map(|a| serde_json::to_value(a).unwrap());
        let joined = together(events.iter().chain([&call("us-east-1", "RunInstances")]).filter_map(asked));
        let [Asked::Calls { calls, found, .. }] = &joined[..] else { panic!("{joined:?}") };
        assert_eq!((calls.len(), found.len()), (1, 2));
    }

    #[test]
    fn a_question_of_our_own_is_read_as_it_is() {
        let own = Asked::Sweep { account: AccountId::parse("123456789012").unwrap() };
        assert_eq!(asked(&serde_json::to_value(&own).unwrap()), Some(own));
    }
}
