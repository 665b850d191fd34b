//! Whether a source is the world, seen together with its neighbours: 0.0.0.0/1 and 128.0.0.0/1 are the world, and so
//! are 64 ranges that add up to it.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::Value;

/// An IPv4 range of at most this prefix length is the world; nobody who uses EC2 owns a /5.
const WORLD_V4: u8 = 5;
/// The same for IPv6: all of global unicast is a /3.
const WORLD_V6: u8 = 12;

/// Whether a range by itself is the world.
#[must_use]
pub fn is_world(cidr: &str) -> bool {
    match cidr.parse::<IpNet>() {
        Ok(IpNet::V4(net)) => net.prefix_len() <= WORLD_V4,
        Ok(IpNet::V6(net)) => net.prefix_len() <= WORLD_V6 && !net.addr().is_unique_local(),
        Err(_) => false,
    }
}

/// Whether ranges together hold the world.
#[must_use]
pub fn hold_the_world<'a>(cidrs: impl IntoIterator<Item = &'a str>) -> bool {
    !parts_of_the_world(&cidrs.into_iter().collect::<Vec<_>>()).is_empty()
}

/// Rules, each with `world`: whether its range is the world or one of several that make it up on the same ports.
#[must_use]
pub fn mark_world(mut rules: Vec<Value>) -> Vec<Value> {
    let same_ports = |a: &Value, b: &Value| ["protocol", "from_port", "to_port"].iter().all(|f| a[*f] == b[*f]);
    let marks: Vec<bool> = rules
        .iter()
        .map(|rule| {
            let Some(own) = rule["cidr"].as_str() else { return false };
            let peers: Vec<&str> =
                rules.iter().filter(|r| same_ports(r, rule)).filter_map(|r| r["cidr"].as_str()).collect();
            parts_of_the_world(&peers).contains(&own)
        })
        .collect();
    for (rule, world) in rules.iter_mut().zip(marks) {
        rule["world"] = world.into();
    }
    rules
}

/// Those among `cidrs` that are the world alone, or that come to it only together.
fn parts_of_the_world<'a>(cidrs: &[&'a str]) -> Vec<&'a str> {
    let (mut found, smaller): (Vec<&str>, Vec<&str>) = cidrs.iter().partition(|c| is_world(c));
    let nets: Vec<(&str, IpNet)> = smaller.iter().filter_map(|c| Some((*c, c.parse().ok()?))).collect();
    let together = together(&nets);
    found.extend(nets.iter().filter(|(_, n)| together.iter().any(|w| w.contains(n))).map(|(c, _)| *c));
    found
}

/// The ranges as wide as the world that these fill without a gap.
fn together(nets: &[(&str, IpNet)]) -> Vec<IpNet> {
    let (mut v4, mut v6): (Vec<Ipv4Net>, Vec<Ipv6Net>) = (Vec::new(), Vec::new());
    for (_, net) in nets {
        match net {
            IpNet::V4(net) => v4.push(net.trunc()),
            IpNet::V6(net) => v6.push(net.trunc()),
        }
    }
    let v4 = Ipv4Net::aggregate(&v4).into_iter().map(IpNet::V4);
    let v6 = Ipv6Net::aggregate(&v6).into_iter().map(IpNet::V6);
    v4.chain(v6).filter(|n| is_world(&n.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn marked(cidrs: &[&str]) -> Vec<bool> {
        let rule = |c: &&str| json!({"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr": c});
        mark_world(cidrs.iter().map(rule).collect()).iter().map(|r| r["world"] == true).collect()
    }

    #[test]
    fn the_world_in_halves_or_in_sixty_four_pieces_is_the_world() {
        assert_eq!(marked(&["0.0.0.0/1", "128.0.0.0/1"]), [true, true]);
        assert_eq!(marked(&["::/1", "8000::/1"]), [true, true]);
        let pieces: Vec<String> = (0..64_u32).map(|i| format!("{}.0.0.0/6", i * 4)).collect();
        assert!(marked(&pieces.iter().map(String::as_str).collect::<Vec<_>>()).iter().all(|w| *w));
    }

    #[test]
    fn an_office_beside_the_world_is_an_office_only_by_itself() {
        assert_eq!(marked(&["203.0.113.0/24", "10.0.0.0/8"]), [false, false]);
        assert_eq!(marked(&["0.0.0.0/0", "203.0.113.0/24"]), [true, false]);
        assert!(!hold_the_world(["fc00::/7", "172.64.0.0/13", "no range"]));
    }

    #[test]
    fn a_rule_without_a_range_is_not_the_world() {
        let rules = mark_world(vec![json!({"protocol": "-1", "from_port": 0, "to_port": 65535, "group_id": "sg-1"})]);
        assert_eq!(rules[0]["world"], false);
    }
}
