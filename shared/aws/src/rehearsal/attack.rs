//! The attack: a leaked key of a build robot, a group open to the world, accelerated machines that mine from the start.
//! The steps are those of the campaigns that Sysdig, Unit 42 and AWS described between 2020 and 2025.

use std::time::Instant;

use aws_sdk_ec2::types::{InstanceNetworkInterfaceSpecification, InstanceType, IpPermission, IpRange, Ipv6Range};
use picket_model::InstanceId;
use picket_pipeline::ports::Answer;

use super::account::{Account, make_group};
use super::{Rehearsal, said};

/// How many machines the attacker takes.
const MACHINES: i32 = 4;
/// A start script that fetches and runs a miner, gzipped and in base64 as attackers send it. Nothing runs it here.
const USER_DATA: &str = include_str!("miner.b64");

/// What the attacker did.
#[derive(Debug)]
pub struct Attack {
    /// The machines.
    pub machines: Vec<InstanceId>,
    /// When `RunInstances` was sent.
    pub called: Instant,
}

impl Rehearsal<'_> {
    /// Plays the attack. Each machine gets two interfaces.
    ///
    /// # Errors
    /// If the local cloud refuses a call.
    pub async fn attack(&self, account: &Account) -> Answer<Attack> {
        let ec2 = self.user("build-robot").await?;
        let group = make_group(&ec2, "launch-wizard-9", &account.vpc, &[]).await?;
        let world = IpPermission::builder()
            .ip_protocol("-1")
            .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build())
            .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build())
            .build();
        let open = ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(world);
        open.send().await.map_err(said("opening security group", &group))?;
        let helper = make_group(&ec2, "launch-wizard-10", &account.vpc, &[(8888, "0.0.0.0/0")]).await?;
        let interface = |n: i32, groups: [&str; 2]| {
            InstanceNetworkInterfaceSpecification::builder()
                .device_index(n)
                .subnet_id(&account.subnet)
                .set_groups(Some(groups.map(str::to_owned).to_vec()))
                .build()
        };
        let call = ec2.run_instances().image_id("ami-0f00dfacade000000").instance_type(InstanceType::G548xlarge);
        let call = call.min_count(MACHINES).max_count(MACHINES).user_data(USER_DATA.trim());
        let call = call
            .network_interfaces(interface(0, [&group, &helper]))
            .network_interfaces(interface(1, [&helper, &group]));
        let called = Instant::now();
        let made = call.send().await.map_err(said("launching", "the attacker's machines"))?;
        let machines = made.instances().iter().filter_map(|i| InstanceId::parse(i.instance_id()?).ok()).collect();
        Ok(Attack { machines, called })
    }
}
