//! What the world may reach, by ingress rules. The world is `0.0.0.0/0`, `::/0`, and anything nearly as wide, so that
//! `0.0.0.0/1` with `128.0.0.0/1` does not slip through.

use ipnet::IpNet;
use picket_model::{Exposure, Openness, Rule};

/// An IPv4 source of at most this prefix length is the world; an owner of a /5 would not use EC2.
const WORLD_V4: u8 = 5;
/// The same for IPv6; all of global unicast is a /3.
const WORLD_V6: u8 = 12;

/// The rules among `rules` that let the world in, with the ports that they open.
#[must_use]
pub fn to_the_world(rules: &[Rule]) -> Vec<Exposure> {
    let open = |rule: &Rule| {
        is_world(&rule.cidr).then(|| openness(rule)).flatten().map(|openness| Exposure {
            group: rule.group.clone(),
            from: rule.cidr.clone(),
            openness,
        })
    };
    rules.iter().filter_map(open).collect()
}

/// Whether a range is so wide that it stands for everybody.
#[must_use]
pub fn is_world(cidr: &str) -> bool {
    // AWS hands out no other text; what cannot be read is not called open, and shows up as no rule.
    cidr.parse().is_ok_and(|net| is_world_net(&net))
}

/// Whether a network is the world, or nearly.
#[must_use]
pub fn is_world_net(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => net.prefix_len() <= WORLD_V4,
        IpNet::V6(net) => net.prefix_len() <= WORLD_V6 && !net.addr().is_unique_local(),
    }
}

/// The ports that a rule opens; none for ICMP and other protocols without ports.
fn openness(rule: &Rule) -> Option<Openness> {
    match rule.protocol.as_str() {
        "-1" => Some(Openness::Everything),
        "tcp" | "udp" | "6" | "17" => {
            let (first, last) = (rule.first.unwrap_or(0), rule.last.unwrap_or(u16::MAX));
            let all = first <= 1 && last == u16::MAX;
            Some(if all { Openness::Everything } else { Openness::Ports { first, last } })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use picket_model::GroupId;

    use super::*;

    fn rule(protocol: &str, ports: Option<(u16, u16)>, cidr: &str) -> Rule {
        Rule {
            group: GroupId::parse("sg-12345678").unwrap(),
            protocol: protocol.to_owned(),
            first: ports.map(|p| p.0),
            last: ports.map(|p| p.1),
            cidr: cidr.to_owned(),
        }
    }

    #[test]
    fn the_world_is_told_from_wide_private_and_narrow_sources() {
        let open = |cidr| !to_the_world(&[rule("tcp", Some((22, 22)), cidr)]).is_empty();
        for cidr in ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3"] {
            assert!(open(cidr), "{cidr}");
        }
        for cidr in ["10.0.0.0/8", "192.168.0.0/16", "203.0.113.0/24", "172.64.0.0/13", "fc00::/7", "not a net"] {
            assert!(!open(cidr), "{cidr}");
        }
    }

    #[test]
    fn all_ports_are_told_in_each_way_that_aws_can_say_it() {
        for rule in
            [rule("-1", None, "0.0.0.0/0"), rule("tcp", Some((0, 65535)), "0.0.0.0/0"), rule("tcp", None, "::/0")]
        {
            assert_eq!(to_the_world(&[rule])[0].openness, Openness::Everything);
        }
        let ssh = to_the_world(&[rule("tcp", Some((22, 22)), "0.0.0.0/0")]);
        assert_eq!(ssh[0].openness.to_string(), "port 22");
        assert_eq!(to_the_world(&[rule("icmp", None, "0.0.0.0/0")]), []);
    }
}
