//! Quarantine groups that somebody put rules into while they were being used: read again at the moment of verification,
//! emptied at once, and never called CUT.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use picket_model::{Scope, Verification, VpcId};

use super::Ports;
use crate::actions::quarantine_group::{self, Check};
use crate::permit::Permit;
use crate::plan::Live;
use crate::ports::Answer;

/// What an interface in the quarantine group of such a VPC is called.
pub(super) type Reopened = BTreeMap<VpcId, Verification>;

/// Reads the quarantine groups that were used again; those that have rules are emptied where there is a permit.
pub(super) async fn read(ports: &Ports<'_>, permit: Option<&Permit>, scope: &Scope, used: &Live) -> Answer<Reopened> {
    let found = try_join_all(used.quarantine.keys().map(|vpc| one(ports, permit, scope, vpc))).await?;
    Ok(used.quarantine.keys().cloned().zip(found).filter_map(|(vpc, found)| Some((vpc, found?))).collect())
}

async fn one(ports: &Ports<'_>, permit: Option<&Permit>, scope: &Scope, vpc: &VpcId) -> Answer<Option<Verification>> {
    let check = quarantine_group::check(ports.containment, ports.holds, scope, vpc).await?;
    let Check::HasRules(group, rules) = check.clone() else { return Ok(None) };
    let Some(permit) = permit else {
        let why = format!("somebody put {rules} rules into {group}, the quarantine group");
        return Ok(Some(Verification::Leaking(why)));
    };
    Ok(Some(match quarantine_group::ensure(ports.containment, ports.holds, permit, scope, vpc, check).await {
        Ok(_) => Verification::Pending(format!(
            "somebody put {rules} rules into {group}, the quarantine group, meanwhile; they are removed, and connections \
             that came about by them may last until they idle out"
        )),
        Err(error) => Verification::Leaking(format!("somebody put {rules} rules into {group}: {error}")),
    }))
}
