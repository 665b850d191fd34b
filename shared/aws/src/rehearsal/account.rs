//! A believable account: an EKS cluster with a public endpoint, a kops cluster, a web tier, a bastion.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{InstanceType, IpPermission, IpRange, ResourceType, Tag, TagSpecification};
use picket_model::{GroupId, InstanceId, InterfaceId};
use picket_pipeline::ports::{Answer, Cloud as _};

use super::{Rehearsal, needed, said};

/// What stands in the account.
#[derive(Debug)]
pub struct Account {
    /// The network of everything.
    pub vpc: String,
    /// The subnet of everything.
    pub subnet: String,
    /// All machines.
    pub machines: Vec<Machine>,
}

/// A machine that is meant to be there.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Which.
    pub id: InstanceId,
    /// To what it belongs.
    pub part: &'static str,
}

/// One part of the account: its machines share a group and tags.
struct Part {
    name: &'static str,
    count: i32,
    kind: InstanceType,
    open: &'static [(i32, &'static str)],
    tags: &'static [(&'static str, &'static str)],
}

const PARTS: [Part; 5] = [
    Part {
        name: "EKS cluster shop",
        count: 3,
        kind: InstanceType::M5Xlarge,
        open: &[],
        tags: &[("Name", "shop-node"), ("eks:cluster-name", "shop"), ("kubernetes.io/cluster/shop", "owned")],
    },
    Part {
        name: "kops control plane",
        count: 1,
        kind: InstanceType::M5Large,
        open: &[],
        tags: &[
            ("Name", "control-plane.k8s.example.com"),
            ("KubernetesCluster", "k8s.example.com"),
            ("k8s.io/role/control-plane", "1"),
        ],
    },
    Part {
        name: "kops nodes",
        count: 2,
        kind: InstanceType::M5Large,
        open: &[],
        tags: &[("Name", "nodes.k8s.example.com"), ("KubernetesCluster", "k8s.example.com"), ("k8s.io/role/node", "1")],
    },
    Part {
        name: "web tier",
        count: 3,
        kind: InstanceType::T3Large,
        open: &[(80, "0.0.0.0/0"), (443, "0.0.0.0/0")],
        tags: &[("Name", "web")],
    },
    Part {
        name: "bastion",
        count: 1,
        kind: InstanceType::T3Micro,
        open: &[(22, "0.0.0.0/0")],
        tags: &[("Name", "bastion")],
    },
];

impl Rehearsal<'_> {
    /// Opens the account. Everything in it is launched by IAM user `platform`.
    ///
    /// # Errors
    /// If the local cloud refuses a call.
    pub async fn open_account(&self) -> Answer<Account> {
        let ec2 = self.user("platform").await?;
        let doing = "finding the network of";
        let subnets = ec2.describe_subnets().send().await.map_err(said(doing, "the account"))?;
        let mut subnets = subnets.subnets.unwrap_or_default();
        subnets.sort_by_key(|s| s.availability_zone.clone());
        let first = needed(subnets.first(), doing, "a subnet")?;
        let vpc = needed(first.vpc_id.clone(), doing, "a VPC")?;
        let subnet = needed(first.subnet_id.clone(), doing, "a subnet")?;
        self.create_cluster(&subnets).await?;
        let mut machines = Vec::new();
        for part in PARTS {
            machines.extend(launch(&ec2, &part, &vpc, &subnet).await?);
        }
        Ok(Account { vpc, subnet, machines })
    }

    async fn create_cluster(&self, subnets: &[aws_sdk_ec2::types::Subnet]) -> Answer<()> {
        use aws_sdk_eks::types::VpcConfigRequest;
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        let iam = aws_sdk_iam::Client::new(self.clients.config());
        let made = iam.create_role().role_name("eks").assume_role_policy_document(trust).send().await;
        made.map_err(said("creating IAM role", "eks"))?;
        let eks = self.clients.eks(&self.scope.region);
        let ids = subnets.iter().take(2).filter_map(|s| s.subnet_id.clone()).collect();
        let access = VpcConfigRequest::builder()
            .set_subnet_ids(Some(ids))
            .endpoint_public_access(true)
            .endpoint_private_access(true)
            .public_access_cidrs("0.0.0.0/0")
            .build();
        let role = format!("arn:aws:iam::{}:role/eks", self.scope.account);
        let call = eks.create_cluster().name("shop").role_arn(role).resources_vpc_config(access);
        call.send().await.map(drop).map_err(said("creating EKS cluster", "shop"))
    }

    /// The interfaces of some machines with their groups, in a fixed order: to compare before and after.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn groups_of(&self, ids: &[InstanceId]) -> Answer<Vec<(InterfaceId, Vec<GroupId>)>> {
        let interfaces = self.clients.interfaces(&self.scope, ids).await?;
        let mut rows: Vec<_> = interfaces.into_iter().map(|i| (i.id, i.groups)).collect();
        rows.sort();
        Ok(rows)
    }
}

async fn launch(ec2: &Client, part: &Part, vpc: &str, subnet: &str) -> Answer<Vec<Machine>> {
    let group = make_group(ec2, part.name, vpc, part.open).await?;
    let tags = part.tags.iter().map(|(k, v)| Tag::builder().key(*k).value(*v).build()).collect();
    let tags = TagSpecification::builder().resource_type(ResourceType::Instance).set_tags(Some(tags)).build();
    let call = ec2.run_instances().image_id("ami-12345678").instance_type(part.kind.clone());
    let call = call.min_count(part.count).max_count(part.count).subnet_id(subnet).security_group_ids(group);
    let made = call.tag_specifications(tags).send().await.map_err(said("launching", part.name))?;
    let ids = made.instances().iter().filter_map(|i| InstanceId::parse(i.instance_id()?).ok());
    Ok(ids.map(|id| Machine { id, part: part.name }).collect())
}

/// A group that lets the world reach some ports.
pub(super) async fn make_group(ec2: &Client, name: &str, vpc: &str, open: &[(i32, &str)]) -> Answer<String> {
    let call = ec2.create_security_group().group_name(name).description(name).vpc_id(vpc);
    let made = call.send().await.map_err(said("making security group", name))?;
    let id = needed(made.group_id, "making security group", name)?;
    for (port, from) in open {
        let range = IpRange::builder().cidr_ip(*from).build();
        let rule = IpPermission::builder().ip_protocol("tcp").from_port(*port).to_port(*port).ip_ranges(range).build();
        let call = ec2.authorize_security_group_ingress().group_id(&id).ip_permissions(rule);
        call.send().await.map_err(said("opening security group", name))?;
    }
    Ok(id)
}
