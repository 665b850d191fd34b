//! Sections `never` and `exempt`: what is not touched, and what is not touched until a date.

use jiff::Timestamp;
use picket_model::{AccountId, GroupId, InstanceId, VpcId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;

/// Something that is never touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// An instance, VPC, group or account id.
    pub id: String,
    /// Why.
    pub why: String,
}

/// Something that is not touched until a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// An instance, VPC or account id.
    pub id: String,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Until when, such as `2027-01-31T00:00:00Z`.
    #[schemars(with = "String")]
    pub until: Timestamp,
}

pub(super) fn check(never: &[Never], exempt: &[Exemption]) -> Result<(), Fault> {
    if let Some(never) = never.iter().find(|n| !is_asset_id(&n.id)) {
        return Err(("never", format!("`{}` is no instance, VPC, group or account id", never.id)));
    }
    if let Some(exempt) = exempt.iter().find(|e| !is_asset_id(&e.id)) {
        return Err(("exempt", format!("`{}` is no instance, VPC or account id", exempt.id)));
    }
    Ok(())
}

fn is_asset_id(id: &str) -> bool {
    InstanceId::parse(id).is_ok()
        || VpcId::parse(id).is_ok()
        || GroupId::parse(id).is_ok()
        || AccountId::parse(id).is_ok()
}
