//! Public addresses: taken away and given back; and denials in network ACLs.
//!
//! Guarantees: an Elastic IP that somebody uses elsewhere meanwhile is never taken from there. An ACL entry of somebody
//! else is never overwritten and never removed: numbers that are free are taken, and only denials of the instance's own
//! addresses that were not there before go.

use std::net::Ipv4Addr;

use aws_sdk_ec2::types::RuleAction;
use picket_model::{Acl, AclEntry, Elastic, InterfaceId, PublicAddress, Scope, Untrusted};
use picket_pipeline::flows::free_numbers;
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::{AwsLevers, failed, flows};
use crate::interfaces;

/// How often a number that somebody else took meanwhile is chosen anew.
const TRIES: usize = 5;

impl AwsLevers<'_> {
    /// `DisassociateAddress`, or `ModifyNetworkInterfaceAttribute` of `AssociatePublicIpAddress`; the permissions are
    /// named alike. An association that is gone is done.
    pub(super) async fn drop_address(&self, scope: &Scope, interface: &InterfaceId, of: &PublicAddress) -> Answer<()> {
        let client = self.clients.ec2(&scope.region);
        let Some(elastic) = &of.elastic else { return self.public_address(scope, interface, false).await };
        let sent = client.disassociate_address().association_id(elastic.association.as_str()).send().await;
        match sent.map(drop).map_err(|e| failed("taking the address off", interface, &e)) {
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            answer => answer,
        }
    }

    /// `AssociateAddress`, or `ModifyNetworkInterfaceAttribute` of `AssociatePublicIpAddress`; `ec2:AssociateAddress`,
    /// `ec2:ModifyNetworkInterfaceAttribute`. An Elastic IP that was released or is used elsewhere stays where it is.
    pub(super) async fn give_address(&self, scope: &Scope, interface: &InterfaceId, of: &PublicAddress) -> Answer<()> {
        let Some(elastic) = &of.elastic else { return self.public_address(scope, interface, true).await };
        let call = self.clients.ec2(&scope.region).associate_address().allocation_id(elastic.allocation.as_str());
        let call = call.network_interface_id(interface.as_str()).private_ip_address(of.private.to_string());
        let sent = call.allow_reassociation(false).send().await;
        match sent.map(drop).map_err(|e| failed("giving the address back to", interface, &e)) {
            Err(error) if error.kind == Kind::Conflict => {
                if !self.has_address(scope, interface, elastic).await? {
                    tracing::warn!(%interface, %error, "the address is used elsewhere now and stays there");
                }
                Ok(())
            }
            answer => answer,
        }
    }

    async fn has_address(&self, scope: &Scope, interface: &InterfaceId, elastic: &Elastic) -> Answer<bool> {
        let ids = [interface.to_string()];
        let found = interfaces::described(self.clients, scope, "network-interface-id", &ids).await?;
        let of = |i: &aws_sdk_ec2::types::NetworkInterface| {
            let of_one = |a: Option<&aws_sdk_ec2::types::NetworkInterfaceAssociation>| {
                a.and_then(|a| a.allocation_id()) == Some(elastic.allocation.as_str())
            };
            of_one(i.association()) || i.private_ip_addresses().iter().any(|p| of_one(p.association()))
        };
        Ok(found.iter().any(of))
    }

    async fn public_address(&self, scope: &Scope, interface: &InterfaceId, on: bool) -> Answer<()> {
        let call = self.clients.ec2(&scope.region).modify_network_interface_attribute();
        let sent = call.network_interface_id(interface.as_str()).associate_public_ip_address(on).send().await;
        sent.map(drop).map_err(|e| failed("setting whether there is a public address on", interface, &e))
    }

    async fn acl(&self, scope: &Scope, id: &Untrusted) -> Answer<Acl> {
        let doing = "reading network ACL";
        let call = self.clients.ec2(&scope.region).describe_network_acls().network_acl_ids(id.as_str());
        let answer = call.send().await.map_err(|e| failed(doing, id, &e))?;
        let found = answer.network_acls().first().map(|a| flows::acl(scope, a));
        found.ok_or_else(|| PortError::new(doing, id, Kind::NotFound, "it is not there"))
    }

    /// `DescribeNetworkAcls`, `CreateNetworkAclEntry`; the permissions are named alike. What is denied already is done.
    pub(super) async fn deny_in_acl(
        &self,
        scope: &Scope,
        id: &Untrusted,
        addresses: &[Ipv4Addr],
        limit: usize,
    ) -> Answer<()> {
        let mut acl = self.acl(scope, id).await?;
        for address in addresses {
            for egress in [false, true] {
                let entry = self.deny_one(scope, &mut acl, *address, egress, limit).await?;
                acl.entries.extend(entry);
            }
        }
        Ok(())
    }

    async fn deny_one(
        &self,
        scope: &Scope,
        acl: &mut Acl,
        address: Ipv4Addr,
        egress: bool,
        limit: usize,
    ) -> Answer<Option<AclEntry>> {
        let doing = "denying an instance in network ACL";
        for _ in 0..TRIES {
            let Some(entry) = next_entry(acl, address, egress, limit)? else { return Ok(None) };
            let call = self.clients.ec2(&scope.region).create_network_acl_entry().network_acl_id(acl.id.as_str());
            let call = call.rule_number(i32::from(entry.number)).egress(egress).protocol("-1");
            let sent = call.cidr_block(entry.cidr.as_str()).rule_action(RuleAction::Deny).send().await;
            match sent.map_err(|e| failed(doing, &acl.id, &e)) {
                Ok(_) => return Ok(Some(entry)),
                // Somebody else took the number meanwhile.
                Err(error) if error.kind == Kind::Conflict => *acl = self.acl(scope, &acl.id.clone()).await?,
                Err(error) => return Err(error),
            }
        }
        Err(PortError::new(doing, &acl.id, Kind::Transient, "every number that was free was taken meanwhile"))
    }

    /// `DescribeNetworkAcls`, `DeleteNetworkAclEntry`; the permissions are named alike.
    pub(super) async fn allow_in_acl(
        &self,
        scope: &Scope,
        id: &Untrusted,
        addresses: &[Ipv4Addr],
        before: &[AclEntry],
    ) -> Answer<()> {
        let acl = self.acl(scope, id).await?;
        for entry in ours(&acl, addresses, before) {
            let call = self.clients.ec2(&scope.region).delete_network_acl_entry().network_acl_id(id.as_str());
            let sent = call.rule_number(i32::from(entry.number)).egress(entry.egress).send().await;
            match sent.map(drop).map_err(|e| failed("taking a denial out of network ACL", id, &e)) {
                Err(error) if error.kind != Kind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The entry that denies an address in one direction; none if one does already.
fn next_entry(acl: &Acl, address: Ipv4Addr, egress: bool, limit: usize) -> Answer<Option<AclEntry>> {
    let doing = "denying an instance in network ACL";
    let of = || acl.entries.iter().filter(|e| e.egress == egress);
    let first_allow = of().filter(|e| e.allows).map(|e| e.number).min().unwrap_or(u16::MAX);
    if of().any(|e| e.denies(address) && e.number < first_allow) {
        return Ok(None);
    }
    if of().filter(|e| e.number < 32_767).count() >= limit {
        return Err(PortError::new(doing, &acl.id, Kind::Other, &format!("it has {limit} entries already")));
    }
    let number = free_numbers(&acl.entries, egress).next();
    let number = number.ok_or_else(|| PortError::new(doing, &acl.id, Kind::Other, "no number ahead of it is free"))?;
    let cidr = Untrusted::new(&format!("{address}/32"));
    Ok(Some(AclEntry { number, egress, allows: false, cidr, protocol: "-1".to_owned() }))
}

/// The denials of these addresses that were not there before.
fn ours<'a>(acl: &'a Acl, addresses: &'a [Ipv4Addr], before: &'a [AclEntry]) -> impl Iterator<Item = &'a AclEntry> {
    acl.entries.iter().filter(move |e| addresses.iter().any(|a| e.denies(*a)) && !before.contains(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u16, allows: bool, cidr: &str) -> AclEntry {
        AclEntry { number, egress: false, allows, cidr: cidr.into(), protocol: "-1".to_owned() }
    }

    fn acl(entries: Vec<AclEntry>) -> Acl {
        Acl { id: "acl-1".into(), ours: true, entries }
    }

    const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 5);

    #[test]
    fn a_denial_goes_ahead_of_what_allows_and_is_made_once() {
        let mut acl = acl(vec![entry(100, true, "0.0.0.0/0"), entry(99, false, "192.0.2.0/24")]);
        let next = next_entry(&acl, ADDRESS, false, 20).unwrap().unwrap();
        assert_eq!((next.number, next.cidr.as_str()), (98, "10.0.0.5/32"));
        acl.entries.push(next);
        assert_eq!(next_entry(&acl, ADDRESS, false, 20).unwrap(), None);
    }

    #[test]
    fn the_limit_and_the_lack_of_numbers_are_refusals() {
        let full = acl(vec![entry(100, true, "0.0.0.0/0"), entry(101, true, "10.0.0.0/8")]);
        assert_eq!(next_entry(&full, ADDRESS, false, 2).unwrap_err().kind, Kind::Other);
        let first = acl(vec![entry(1, true, "0.0.0.0/0")]);
        assert_eq!(next_entry(&first, ADDRESS, false, 20).unwrap_err().kind, Kind::Other);
    }

    #[test]
    fn what_was_denied_before_is_not_ours_to_take_away() {
        let before = vec![entry(7, false, "10.0.0.5/32")];
        let acl =
            acl([before.clone(), vec![entry(99, false, "10.0.0.5/32"), entry(98, false, "10.0.0.6/32")]].concat());
        assert_eq!(ours(&acl, &[ADDRESS], &before).map(|e| e.number).collect::<Vec<_>>(), [99]);
    }
}
