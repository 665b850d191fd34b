//! Keep: people say that a quarantine stays until it is released. Its deadline is gone then; nothing else changes.

use jiff::Timestamp;
use picket_model::{CaseId, Entry, Event, Hold, HoldState, InstanceId, Kept, Scope, Untrusted};
use serde::{Deserialize, Serialize};

use crate::ports::{Answer, Holds};

/// What a person says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Where.
    pub scope: Scope,
    /// All holds of this case.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// Or the holds of these instances.
    #[serde(default)]
    pub instances: Vec<InstanceId>,
    /// Who says it, as AWS knows them.
    pub by: Untrusted,
    /// Why.
    pub reason: Untrusted,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Answered {
    /// These stay until they are released.
    Kept {
        /// Which.
        instances: Vec<InstanceId>,
    },
    /// No such hold is open.
    NotHeld,
    /// Another worker changed one meanwhile; ask again.
    Busy {
        /// Which.
        instance: InstanceId,
    },
}

/// Takes the deadline from holds. Twice is once.
///
/// # Errors
/// If the store cannot be read or written.
pub async fn run(holds: &dyn Holds, order: &Order, now: Timestamp) -> Answer<Answered> {
    let mut found = holds.holds(&order.scope).await?;
    let meant = |h: &Hold| match &order.case {
        Some(case) => h.case == *case || h.also.contains(case),
        None => order.instances.contains(&h.instance),
    };
    found.retain(|h| meant(h) && matches!(h.state, HoldState::Containing | HoldState::Contained));
    if found.is_empty() {
        return Ok(Answered::NotHeld);
    }
    let mut instances = Vec::new();
    for hold in found {
        let kept = Kept { by: order.by.clone(), reason: order.reason.clone(), at: now };
        let next = Hold { deadline: None, kept: Some(kept), ..hold.clone() };
        let entry = Entry {
            case: hold.case.clone(),
            at: now,
            subject: format!("{} for {}", hold.instance, hold.case),
            event: Event::Planned,
            by: order.by.clone(),
            details: Untrusted::new(&format!("it stays until it is released: {}", order.reason)),
        };
        if hold.kept.is_none() && !holds.update(&hold, &next, &[entry]).await? {
            return Ok(Answered::Busy { instance: hold.instance });
        }
        instances.push(hold.instance);
    }
    Ok(Answered::Kept { instances })
}
