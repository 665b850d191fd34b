//! Take a public address away: every connection through it ends at once, tracked or not. What it was is recorded; an
//! Elastic IP comes back at the release, one that AWS chose cannot, and the release says so.

use picket_model::{Change, FlowFacts, Measure, PublicAddress};

/// What it needs of IAM.
pub const PERMISSIONS: &[&str] =
    &["ec2:DescribeNetworkInterfaces", "ec2:DisassociateAddress", "ec2:ModifyNetworkInterfaceAttribute"];

/// The measure for one address.
pub(crate) fn measure(facts: &FlowFacts, address: &PublicAddress) -> Measure {
    let (instance, interface, address) = (facts.instance.clone(), facts.interface.clone(), address.clone());
    let back =
        Change::GiveAddress { instance: instance.clone(), interface: interface.clone(), address: address.clone() };
    Measure::new("drop_address", Change::DropAddress { instance, interface, address }, Some(back))
}
