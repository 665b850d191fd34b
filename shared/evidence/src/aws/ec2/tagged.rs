//! Things of which only the tags are judged: one kind, `ec2.tagged`, with the type of the resource.

use aws_sdk_ec2::Client;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{Ask, Tell as _};

const KIND: &str = "ec2.tagged";

fn thing(resource_type: &str, id: Option<&str>, tags: Value) -> (String, Value) {
    (id.text(), json!({"resource_type": resource_type, "resource_id": id, "tags": tags}))
}

/// Lists one type by its paged call.
macro_rules! paged {
    ($ask:ident, $call:expr, $permission:literal, $type:literal, $id:ident) => {
        $ask.listed(
            KIND,
            $permission,
            $call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await,
            |x| thing($type, x.$id(), tags(x.tags().iter().map(|t| (t.key(), t.value())))),
        )
    };
}

/// Lists one type by a call that has no pages.
macro_rules! whole {
    ($ask:ident, $call:expr, $permission:literal, $type:literal, $list:ident, $id:ident) => {
        $ask.listed(KIND, $permission, $call.send().await.map(|a| a.$list.unwrap_or_default()), |x| {
            thing($type, x.$id(), tags(x.tags().iter().map(|t| (t.key(), t.value()))))
        })
    };
}

/// Everything taggable that no other kind holds.
pub async fn collect(ask: Ask<'_>, c: &Client) -> Vec<Document> {
    let mut all = paged!(
        ask,
        c.describe_internet_gateways(),
        "ec2:DescribeInternetGateways",
        "internet-gateway",
        internet_gateway_id
    );
    all.extend(paged!(ask, c.describe_dhcp_options(), "ec2:DescribeDhcpOptions", "dhcp-options", dhcp_options_id));
    all.extend(prefix_lists(ask, c).await);
    all.extend(peerings(ask, c).await);
    all.extend(whole!(
        ask,
        c.describe_customer_gateways(),
        "ec2:DescribeCustomerGateways",
        "customer-gateway",
        customer_gateways,
        customer_gateway_id
    ));
    all.extend(whole!(
        ask,
        c.describe_vpn_gateways(),
        "ec2:DescribeVpnGateways",
        "vpn-gateway",
        vpn_gateways,
        vpn_gateway_id
    ));
    all.extend(transit_and_mirrors(ask, c).await);
    all
}

/// The account's own lists; those of AWS carry no tags of ours.
async fn prefix_lists(ask: Ask<'_>, c: &Client) -> Vec<Document> {
    let pages = c.describe_managed_prefix_lists().into_paginator().items().send();
    let own = pages.collect::<Result<Vec<_>, _>>().await.map(|lists| {
        lists.into_iter().filter(|l| l.owner_id() == Some(ask.place.account.as_str())).collect::<Vec<_>>()
    });
    ask.listed(KIND, "ec2:DescribeManagedPrefixLists", own, |x| {
        thing("prefix-list", x.prefix_list_id(), tags(x.tags().iter().map(|t| (t.key(), t.value()))))
    })
}

/// Peerings, with the ranges on both sides: routes are judged by them.
async fn peerings(ask: Ask<'_>, c: &Client) -> Vec<Document> {
    let pages = c.describe_vpc_peering_connections().into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await;
    ask.listed("ec2.vpc_peering_connection", "ec2:DescribeVpcPeeringConnections", listed, |p| {
        let sides = [p.accepter_vpc_info(), p.requester_vpc_info()];
        let value = json!({
            "vpc_peering_connection_id": p.vpc_peering_connection_id(),
            "status": p.status().and_then(|s| s.code()).map(|c| c.as_str()),
            "cidrs": sides.iter().flatten().filter_map(|v| v.cidr_block()).collect::<Vec<_>>(),
            "tags": tags(p.tags().iter().map(|t| (t.key(), t.value()))),
        });
        (p.vpc_peering_connection_id().text(), value)
    })
}

async fn transit_and_mirrors(ask: Ask<'_>, c: &Client) -> Vec<Document> {
    let mut all = paged!(
        ask,
        c.describe_transit_gateway_attachments(),
        "ec2:DescribeTransitGatewayAttachments",
        "transit-gateway-attachment",
        transit_gateway_attachment_id
    );
    all.extend(paged!(
        ask,
        c.describe_transit_gateway_route_tables(),
        "ec2:DescribeTransitGatewayRouteTables",
        "transit-gateway-route-table",
        transit_gateway_route_table_id
    ));
    all.extend(paged!(
        ask,
        c.describe_vpc_endpoint_service_configurations(),
        "ec2:DescribeVpcEndpointServiceConfigurations",
        "vpc-endpoint-service",
        service_id
    ));
    all.extend(paged!(
        ask,
        c.describe_traffic_mirror_sessions(),
        "ec2:DescribeTrafficMirrorSessions",
        "traffic-mirror-session",
        traffic_mirror_session_id
    ));
    all.extend(paged!(
        ask,
        c.describe_traffic_mirror_filters(),
        "ec2:DescribeTrafficMirrorFilters",
        "traffic-mirror-filter",
        traffic_mirror_filter_id
    ));
    all.extend(paged!(
        ask,
        c.describe_traffic_mirror_targets(),
        "ec2:DescribeTrafficMirrorTargets",
        "traffic-mirror-target",
        traffic_mirror_target_id
    ));
    all
}
