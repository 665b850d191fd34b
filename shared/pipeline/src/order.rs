//! An order: a person wants these instances cut off. It becomes a decision like any other, and meets the same rails.

use jiff::Timestamp;
use picket_model::{CaseId, Decision, InstanceId, Reason, Scope, Score, Target, TriggerKind, Untrusted, Verdict};
use serde::{Deserialize, Serialize};

/// What a person orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Which instances.
    pub instances: Vec<InstanceId>,
    /// Who orders it, as AWS knows them.
    pub by: Untrusted,
    /// Why.
    pub reason: Untrusted,
}

impl Order {
    /// The decision that carries it out in `scope`, as its own case.
    #[must_use]
    pub fn decision(&self, scope: &Scope, now: Timestamp) -> Decision {
        let names: Vec<&str> = self.instances.iter().map(InstanceId::as_str).collect();
        let reason = Reason {
            signal: "ordered".to_owned(),
            weight: 100,
            says: format!("{} ordered it: {}", self.by, self.reason),
            evidence: "picket quarantine".to_owned(),
        };
        let target = |id: &InstanceId| Target {
            asset: id.to_string(),
            instance: Some(id.clone()),
            vpc: None,
            instance_type: None,
            name: Untrusted::default(),
            node_of: None,
        };
        Decision {
            case: CaseId::derive(scope, &format!("order {} {now}", names.join(","))),
            verdict: Verdict::Quarantine,
            scope: scope.clone(),
            targets: self.instances.iter().map(target).collect(),
            score: Score { total: 100, reasons: vec![reason], unknown: Vec::new() },
            principal: None,
            trigger: TriggerKind::Manual,
            triggered_at: now,
            policy: String::new(),
            ordered: true,
        }
    }
}
