//! Address ranges and ports, judged as the live signals judge them (`crate::exposure`), so that posture and alarms agree.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::compare;

/// The fields of a permission that may hold sources.
const SOURCES: [&str; 5] = ["cidrs", "cidr", "cidr_ipv4", "cidr_ipv6", "ipv6_cidrs"];

/// Whether the world is within the range, or within a list of ranges together; none for what is no range.
pub(crate) fn is_public(value: &Value) -> Option<bool> {
    match value {
        Value::String(text) => is_public_cidr(text),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            let nets: Option<Vec<IpNet>> = texts?.iter().map(|t| net(t)).collect();
            Some(together_public(&nets?))
        }
        _ => None,
    }
}

/// Whether the world is within the range.
pub(crate) fn is_public_cidr(text: &str) -> Option<bool> {
    net(text).map(|net| is_world(&net))
}

fn is_world(net: &IpNet) -> bool {
    crate::exposure::is_world(&net.to_string())
}

/// Halves of the world, or quarters, are the world.
fn together_public(nets: &[IpNet]) -> bool {
    let v4: Vec<Ipv4Net> = nets.iter().filter_map(|n| if let IpNet::V4(n) = n { Some(*n) } else { None }).collect();
    let v6: Vec<Ipv6Net> = nets.iter().filter_map(|n| if let IpNet::V6(n) = n { Some(*n) } else { None }).collect();
    let v4 = Ipv4Net::aggregate(&v4).into_iter().map(IpNet::V4);
    let v6 = Ipv6Net::aggregate(&v6).into_iter().map(IpNet::V6);
    v4.chain(v6).any(|n| is_world(&n))
}

/// A range, or an address as the range of itself.
fn net(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().ok().map(|address: core::net::IpAddr| IpNet::from(address)))
}

/// Whether all of `inner` is within `outer`.
pub(crate) fn contains(outer: &str, inner: &str) -> Option<bool> {
    Some(net(outer)?.contains(&net(inner)?))
}

/// Whether the world reaches `port` by one of the permissions; none where they cannot be read.
pub(crate) fn port_open(permissions: &Value, port: u16) -> Option<bool> {
    // Sources of all permissions count together: half of the world in each of two is the world.
    let mut nets = Vec::new();
    for permission in permissions.as_array()? {
        let map = permission.as_object()?;
        if !reaches(map, port)? {
            continue;
        }
        for source in SOURCES.iter().filter_map(|s| map.get(*s)) {
            match source {
                Value::Null => {}
                Value::String(text) => nets.push(net(text)?),
                Value::Array(items) => {
                    for item in items {
                        nets.push(net(item.as_str()?)?);
                    }
                }
                _ => return None,
            }
        }
    }
    Some(together_public(&nets))
}

fn reaches(permission: &serde_json::Map<String, Value>, port: u16) -> Option<bool> {
    let protocol = compare::text(permission.get("protocol")?)?.to_ascii_lowercase();
    let end = |name: &str, open: i64| match permission.get(name) {
        None | Some(Value::Null) => Some(open),
        Some(value) => value.as_i64(),
    };
    match protocol.as_str() {
        "-1" | "all" => Some(true),
        "tcp" | "udp" | "6" | "17" => {
            let (from, to) = (end("from_port", 0)?, end("to_port", 65_535)?);
            // AWS writes -1 for "all ports" in some answers.
            Some(from < 0 || (from..=to).contains(&i64::from(port)))
        }
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_world_is_seen_whole_in_halves_and_in_quarters() {
        for cidrs in [
            json!("0.0.0.0/0"),
            json!(["::/0"]),
            json!(["0.0.0.0/1", "128.0.0.0/1"]),
            json!(["0.0.0.0/6", "4.0.0.0/6", "8.0.0.0/5"]),
        ] {
            assert_eq!(is_public(&cidrs), Some(true), "{cidrs}");
        }
        for cidrs in [json!("10.0.0.0/8"), json!([]), json!(["203.0.113.0/24", "2001:db8::/32"]), json!("198.51.100.7")]
        {
            assert_eq!(is_public(&cidrs), Some(false), "{cidrs}");
        }
        assert_eq!(is_public(&json!("everywhere")), None);
    }

    #[test]
    fn a_port_is_open_by_its_range_by_all_protocols_and_by_no_range_at_all() {
        let open = |p: Value| port_open(&json!([p]), 22);
        assert_eq!(
            open(json!({"protocol": "tcp", "from_port": 20, "to_port": 25, "cidrs": ["0.0.0.0/0"]})),
            Some(true)
        );
        assert_eq!(open(json!({"protocol": "-1", "cidrs": ["::/0"]})), Some(true));
        assert_eq!(open(json!({"protocol": "tcp", "cidr": "0.0.0.0/0"})), Some(true));
        assert_eq!(
            open(json!({"protocol": "tcp", "from_port": 80, "to_port": 80, "cidrs": ["0.0.0.0/0"]})),
            Some(false)
        );
        assert_eq!(
            open(json!({"protocol": "icmp", "from_port": -1, "to_port": -1, "cidrs": ["0.0.0.0/0"]})),
            Some(false)
        );
        assert_eq!(
            open(json!({"protocol": "tcp", "from_port": 22, "to_port": 22, "cidrs": ["10.0.0.0/8"]})),
            Some(false)
        );
        assert_eq!(open(json!({"protocol": "tcp", "from_port": "ssh"})), None);
        assert_eq!(port_open(&json!("all"), 22), None);
        let half = |cidr: &str| json!({"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": cidr});
        assert_eq!(port_open(&json!([half("0.0.0.0/1"), half("128.0.0.0/1")]), 22), Some(true));
    }
}
