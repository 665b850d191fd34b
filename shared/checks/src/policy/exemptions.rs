//! Sections `never` and `exempt`: what is not touched, and what is not touched until a date.

use jiff::Timestamp;
use picket_model::{AccountId, GroupId, InstanceId, InterfaceId, Untrusted, VpcId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;

/// Something that is never touched: what has this id, or what this service manages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// An instance, interface, VPC, group or account id. A group or interface spares the interfaces that it names, and
    /// not the rest of their instance.
    #[serde(default)]
    pub id: String,
    /// Or the service that manages an interface, such as `eks.amazonaws.com` or `amazon-elb`; `*` for any.
    #[serde(default)]
    pub managed_by: Option<String>,
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
    if let Some(never) = never.iter().find(|n| n.managed_by.is_some() != n.id.is_empty()) {
        return Err(("never", format!("\"{}\" needs one of `id` and `managed_by`", Untrusted::new(&never.why))));
    }
    let wrong =
        |n: &&Never| n.managed_by.is_none() && !is_asset_id(&n.id) && InterfaceId::parse(n.id.as_str()).is_err();
    if let Some(never) = never.iter().find(wrong) {
        return Err(("never", format!("`{}` is no instance, interface, VPC, group or account id", never.id)));
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
