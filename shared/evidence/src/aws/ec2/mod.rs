//! EC2: instances, groups, networks, storage, images, templates and the account's defaults in a Region.

mod gateways;
mod groups;
mod images;
mod instances;
mod interfaces;
mod networks;
mod settings;
mod storage;
mod tagged;
mod templates;

use picket_model::Document;

use crate::aws::tell::{Ask, Service};
use crate::collector::Reach;

/// What each part makes and needs.
pub static EC2: Service = Service {
    reach: Reach::Region,
    kinds: &[
        "ec2.address",
        "ec2.client_vpn_endpoint",
        "ec2.flow_log",
        "ec2.image",
        "ec2.instance",
        "ec2.launch_template",
        "ec2.nat_gateway",
        "ec2.network_acl",
        "ec2.network_interface",
        "ec2.route_table",
        "ec2.security_group",
        "ec2.settings",
        "ec2.snapshot",
        "ec2.spot_fleet",
        "ec2.subnet",
        "ec2.tagged",
        "ec2.transit_gateway",
        "ec2.volume",
        "ec2.vpc",
        "ec2.vpc_endpoint",
        "ec2.vpc_peering_connection",
        "ec2.vpn_connection",
    ],
    permissions: &[
        "ec2:DescribeAddresses",
        "ec2:DescribeClientVpnEndpoints",
        "ec2:DescribeCustomerGateways",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeFlowLogs",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstances",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeManagedPrefixLists",
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSnapshotAttribute",
        "ec2:DescribeSnapshots",
        "ec2:DescribeSpotFleetRequests",
        "ec2:DescribeSubnets",
        "ec2:DescribeTrafficMirrorFilters",
        "ec2:DescribeTrafficMirrorSessions",
        "ec2:DescribeTrafficMirrorTargets",
        "ec2:DescribeTransitGatewayAttachments",
        "ec2:DescribeTransitGatewayRouteTables",
        "ec2:DescribeTransitGateways",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcBlockPublicAccessOptions",
        "ec2:DescribeVpcEndpointServiceConfigurations",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcPeeringConnections",
        "ec2:DescribeVpcs",
        "ec2:DescribeVpnConnections",
        "ec2:DescribeVpnGateways",
        "ec2:GetAllowedImagesSettings",
        "ec2:GetEbsEncryptionByDefault",
        "ec2:GetImageBlockPublicAccessState",
        "ec2:GetInstanceMetadataDefaults",
        "ec2:GetManagedPrefixListEntries",
        "ec2:GetSnapshotBlockPublicAccessState",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let ec2 = aws_sdk_ec2::Client::new(ask.config());
    let (machines, network) = futures::join!(
        async {
            futures::join!(
                instances::collect(ask, &ec2),
                templates::collect(ask, &ec2),
                storage::collect(ask, &ec2),
                images::collect(ask, &ec2),
                settings::collect(ask, &ec2),
            )
        },
        async {
            futures::join!(
                groups::collect(ask, &ec2),
                networks::collect(ask, &ec2),
                interfaces::collect(ask, &ec2),
                gateways::collect(ask, &ec2),
                tagged::collect(ask, &ec2),
            )
        },
    );
    let (a, b, c, d, e) = machines;
    let (f, g, h, i, j) = network;
    [a, b, c, d, e, f, g, h, i, j].concat()
}
