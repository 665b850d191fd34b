//! Whether EC2 remembers the connections that a set of groups lets through.
//!
//! A TCP or UDP connection is not remembered only if a rule allows it from or to everywhere, and the other direction
//! allows every answer: all ports to or from everywhere. Groups add up, so all rules of all groups count together.
//! Source: EC2 user guide, "Security group connection tracking", untracked connections.

use picket_model::Tracking;

/// A rule of a group, in either direction, one row a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRule {
    /// Whether it is for what goes out.
    pub egress: bool,
    /// The protocol: `tcp`, `udp`, `-1` for all.
    pub protocol: String,
    /// First and last port; none for all.
    pub ports: Option<(u16, u16)>,
    /// The addresses, a prefix list or a group.
    pub other: String,
}

impl GroupRule {
    /// Whether it allows all ports of a protocol from or to everywhere, in one family.
    fn is_all(&self, protocol: &str, everywhere: &str) -> bool {
        let ports = self.protocol == "-1" || self.ports.is_none() || self.ports == Some((0, 65_535));
        ports && (self.protocol == protocol || self.protocol == "-1") && self.other == everywhere
    }

    fn allows_family(&self, everywhere: &str) -> bool {
        let six = self.other.contains(':');
        let named = !self.other.contains('/');
        named || six == (everywhere == "::/0")
    }
}

/// What the rules mean for connections. Anything that is not wholly open both ways is taken as remembered.
#[must_use]
pub fn tracking(rules: &[GroupRule]) -> Tracking {
    let untracked = |everywhere: &str| {
        let carries = rules.iter().filter(|r| r.allows_family(everywhere));
        let mut protocols: Vec<&str> = carries.map(|r| r.protocol.as_str()).collect();
        if protocols.is_empty() {
            // Nothing of this family passes at all.
            return true;
        }
        protocols.retain(|p| *p != "-1" && *p != "icmp" && *p != "icmpv6");
        let wanted = if protocols.is_empty() { vec!["tcp", "udp"] } else { protocols };
        wanted
            .iter()
            .all(|p| [false, true].iter().all(|way| rules.iter().any(|r| r.egress == *way && r.is_all(p, everywhere))))
    };
    if untracked("0.0.0.0/0") && untracked("::/0") { Tracking::Untracked } else { Tracking::Tracked }
}
