//! Ways into the networks besides the internet: VPN connections, client VPN endpoints, transit gateways.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types as ec2;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{Ask, Tell as _};

/// VPNs and transit gateways.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let (connections, endpoints, transit) = futures::join!(
        client.describe_vpn_connections().send(),
        client.describe_client_vpn_endpoints().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_transit_gateways().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let live = |c: &ec2::VpnConnection| c.state() != Some(&ec2::VpnState::Deleted);
    let connections =
        connections.map(|c| c.vpn_connections.unwrap_or_default().into_iter().filter(live).collect::<Vec<_>>());
    let mut all = ask.listed("ec2.vpn_connection", "ec2:DescribeVpnConnections", connections, vpn);
    all.extend(ask.listed("ec2.client_vpn_endpoint", "ec2:DescribeClientVpnEndpoints", endpoints, client_vpn));
    all.extend(ask.listed("ec2.transit_gateway", "ec2:DescribeTransitGateways", transit, transit_gateway));
    all
}

fn vpn(v: &ec2::VpnConnection) -> (String, Value) {
    let tunnels = v.options().map(|o| o.tunnel_options()).unwrap_or_default();
    let logging = |t: &ec2::TunnelOption| {
        let logs = t.log_options().and_then(|l| l.cloud_watch_log_options());
        logs.and_then(|c| c.log_enabled()).unwrap_or_default()
    };
    let value = json!({
        "vpn_connection_id": v.vpn_connection_id(),
        "state": v.state().map(|s| s.as_str()),
        "tunnel_status": v.vgw_telemetry().iter().filter_map(|t| t.status()).map(|s| s.as_str()).collect::<Vec<_>>(),
        "tunnel_log_enabled": tunnels.iter().map(logging).collect::<Vec<_>>(),
        "tags": tags(v.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (v.vpn_connection_id().text(), value)
}

fn client_vpn(e: &ec2::ClientVpnEndpoint) -> (String, Value) {
    let value = json!({
        "client_vpn_endpoint_id": e.client_vpn_endpoint_id(),
        "connection_log_enabled": e.connection_log_options().and_then(|l| l.enabled()).unwrap_or_default(),
        "tags": tags(e.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (e.client_vpn_endpoint_id().text(), value)
}

fn transit_gateway(g: &ec2::TransitGateway) -> (String, Value) {
    let auto = g.options().and_then(|o| o.auto_accept_shared_attachments());
    let value = json!({
        "transit_gateway_id": g.transit_gateway_id(),
        "state": g.state().map(|s| s.as_str()),
        "auto_accept_shared_attachments": auto.map(|a| a.as_str()),
        "tags": tags(g.tags().iter().map(|t| (t.key(), t.value()))),
    });
    (g.transit_gateway_id().text(), value)
}
