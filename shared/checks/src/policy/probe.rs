//! Section `probe`: where machines may be asked over the network what they are, by reads without credentials.

use std::collections::BTreeSet;

use picket_model::{Untrusted, VpcId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;

/// Where machines may be asked over the network what they are. The stack needs its probe for that, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Probe {
    /// The VPCs whose machines may be asked, `vpc-…`; none by default.
    #[schemars(inner(regex(pattern = "^vpc-[0-9a-f]{8,17}$")))]
    pub vpcs: Vec<String>,
}

impl Probe {
    /// The VPCs.
    #[must_use]
    pub fn vpcs(&self) -> BTreeSet<VpcId> {
        self.vpcs.iter().filter_map(|id| VpcId::parse(id.as_str()).ok()).collect()
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        match self.vpcs.iter().find(|id| VpcId::parse(id.as_str()).is_err()) {
            Some(odd) => {
                Err(("probe", format!("`{}` is no VPC id, such as vpc-0123456789abcdef0", Untrusted::new(odd))))
            }
            None => Ok(()),
        }
    }
}
