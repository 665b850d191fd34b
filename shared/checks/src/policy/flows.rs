//! How connections that outlive a change of groups are ended, and how far evidence goes. Containment itself needs none
//! of this: it is for instances that had time to connect.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fault;

/// Which public addresses may be taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DropAddress {
    /// None.
    Never,
    /// Elastic ones, which a release gives back.
    Elastic,
    /// Those that AWS chose, too; a release can only give another one.
    #[default]
    Any,
}

/// Which rungs of the ladder are allowed. The table is in `picket-pipeline`'s `flows`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flows {
    /// Take public addresses away.
    pub drop_address: DropAddress,
    /// Deny the instance's private addresses in the network ACL of the NAT gateway's subnet.
    pub deny_at_gateway: bool,
    /// How many entries an ACL may have in each direction: AWS allows 20, and 40 if asked.
    #[schemars(range(min = 1, max = 40))]
    pub acl_entries: u8,
    /// Put an interface into an all-open group for a moment, so that its connections are forgotten when it is closed.
    /// The stack's parameter `OpenWindow` has to say so as well.
    pub open_window: bool,
    /// Stop an instance whose connections nothing else ended, once its evidence is kept. Memory is lost.
    pub stop: bool,
}

impl Default for Flows {
    fn default() -> Self {
        Self { drop_address: DropAddress::Any, deny_at_gateway: true, acl_entries: 20, open_window: false, stop: false }
    }
}

impl Flows {
    pub(super) fn check(&self) -> Result<(), Fault> {
        if (1..=40).contains(&self.acl_entries) {
            return Ok(());
        }
        Err(("acl_entries", format!("is {}; AWS allows 1 to 40", self.acl_entries)))
    }
}

/// What is done about an instance's credentials beside denying its sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Credentials {
    /// Take its instance profile away, so that it gets no new credentials even if somebody opens the metadata service
    /// again. A release gives it back, and needs leave to pass the role.
    pub remove_profile: bool,
}

/// What is done for the evidence beside keeping it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Evidence {
    /// For how many days snapshots are locked against deletion; 0 does not lock them.
    #[schemars(range(max = 36500))]
    pub lock_snapshots_days: u16,
}
