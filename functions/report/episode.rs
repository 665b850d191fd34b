//! What was told, as notify keeps it for the report.

use jiff::Timestamp;
use picket_aws::Table;
use picket_model::{AccountId, CaseId, Reason, Region, Scope, Untrusted};
use picket_pipeline::ports::Answer;
use picket_report::snapshot::Episode;
use serde::Deserialize;

/// How many are read for a report.
const MOST: i32 = 500;

/// The fields of `infra/events/notice.schema.json` that the report shows.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    /// Such as `quarantined`.
    pub kind: String,
    headline: Untrusted,
    /// When it was told.
    pub at: Timestamp,
    account: AccountId,
    region: Region,
    /// The case, or the fix.
    pub case: CaseId,
    trigger: Trigger,
    /// Why, heaviest first.
    pub reasons: Vec<Reason>,
    /// What it is about.
    pub assets: Vec<Target>,
    contained_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Deserialize)]
struct Trigger {
    at: Timestamp,
}

/// An asset that something was told of.
#[derive(Debug, Clone, Deserialize)]
pub struct Target {
    /// The instance, where it is one.
    pub instance: Option<String>,
    /// Its owner's name for it.
    pub name: Option<Untrusted>,
}

impl Told {
    /// Where it happened.
    pub fn scope(&self) -> Scope {
        Scope { account: self.account.clone(), region: self.region.clone() }
    }

    /// As the report lists it.
    pub fn episode(&self) -> Episode {
        // A call that CloudTrail dates after the containment would be a negative time: the clocks disagree, and no time is told.
        let took = self.contained_at.map(|at| at.as_millisecond() - self.trigger.at.as_millisecond());
        Episode {
            case: self.case.clone(),
            at: self.at,
            what: self.headline.clone(),
            took_ms: took.and_then(|ms| u64::try_from(ms).ok()),
        }
    }
}

/// The latest, latest first.
pub async fn latest(table: &Table, account: &AccountId) -> Answer<Vec<Told>> {
    table.episodes(account, MOST).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(contained: &str) -> Told {
        serde_json::from_value(serde_json::json!({
            "id": "n", "kind": "quarantined", "headline": "QUARANTINED: 1 instance", "at": "2026-11-26T10:00:09Z",
            "account": "123456789012", "region": "us-east-1", "case": "case-0123456789ab",
            "trigger": {"kind": "RunInstances", "at": "2026-11-26T10:00:00Z"}, "score": 90, "reasons": [], "assets": [],
            "contained_at": contained, "more": "is ignored",
        }))
        .unwrap()
    }

    #[test]
    fn the_time_to_contain_runs_from_the_call_to_the_last_answer() {
        assert_eq!(told("2026-11-26T10:00:04.250Z").episode().took_ms, Some(4250));
    }

    #[test]
    fn clocks_that_disagree_make_no_time() {
        assert_eq!(told("2026-11-26T09:59:59Z").episode().took_ms, None);
    }
}
