//! What user data tells once it is known whose it is: the cluster's name, the version, what the node joins, its role.

use std::sync::{LazyLock, OnceLock};

use picket_model::Untrusted;
use picket_model::landscape::NodeRole;
use picket_model::text::sha256_hex;
use regex::bytes::Regex;

use super::catalogue::catalogue;
use super::hit::is_name;
use super::schema::{Reads, RoleIn, Text};

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The cluster's name.
    pub cluster: Option<Untrusted>,
    /// The version of Kubernetes.
    pub version: Option<Untrusted>,
    /// What the node joins, in lower case: a host name or an address.
    pub joins: Option<Untrusted>,
    /// A digest of the secret that joins nodes.
    pub token: Option<String>,
    /// The role.
    pub role: Option<NodeRole>,
}

/// The patterns of a distribution, compiled when they are first used.
struct Compiled {
    cluster: Vec<Regex>,
    version: Vec<Regex>,
    joins: Vec<Regex>,
    token: Vec<Regex>,
    roles: [(NodeRole, Vec<Regex>); 4],
}

impl Compiled {
    fn of(reads: &Reads) -> Self {
        let all = |texts: &[Text]| texts.iter().filter_map(|t| t.compile().ok()).collect();
        Self {
            cluster: all(&reads.cluster),
            version: all(&reads.version),
            joins: all(&reads.joins),
            token: all(&reads.token),
            roles: [
                (NodeRole::Bastion, all(&reads.bastion)),
                (NodeRole::ControlPlane, all(&reads.control_plane)),
                (NodeRole::Etcd, all(&reads.etcd)),
                (NodeRole::Worker, all(&reads.worker)),
            ],
        }
    }
}

static COMPILED: LazyLock<Vec<OnceLock<Compiled>>> =
    LazyLock::new(|| catalogue().distributions.iter().map(|_| OnceLock::new()).collect());

/// Secrets that people copy from documentation: they join nobody.
const OF_DOCUMENTATION: [&str; 4] = ["abcdef.0123456789abcdef", "my-shared-secret", "my-secret", "mynodetoken"];

/// Reads what the user data of a node of these distributions tells, the first of them first.
#[must_use]
pub fn read(distributions: &[usize], text: &str) -> Facts {
    let mut facts = Facts::default();
    for of in distributions {
        let Some(cell) = COMPILED.get(*of) else { continue };
        let patterns = cell.get_or_init(|| Compiled::of(&catalogue().distributions[*of].reads));
        let text = text.as_bytes();
        let role = || patterns.roles.iter().find(|(_, all)| all.iter().any(|r| r.is_match(text))).map(|(r, _)| *r);
        facts.cluster = facts.cluster.or_else(|| first(&patterns.cluster, text));
        facts.version = facts.version.or_else(|| first(&patterns.version, text));
        facts.joins = facts.joins.or_else(|| first(&patterns.joins, text).and_then(|j| host(j.as_str())));
        let token = || first(&patterns.token, text).filter(|t| !OF_DOCUMENTATION.contains(&t.as_str()));
        facts.token = facts.token.or_else(|| token().map(|t| sha256_hex(t.as_str().as_bytes())));
        facts.role = facts.role.or_else(role);
        let alone = catalogue().distributions[*of].reads.alone.and_then(RoleIn::fixed);
        facts.role = facts.role.or(alone.filter(|_| facts.joins.is_none()));
    }
    facts
}

fn first(patterns: &[Regex], text: &[u8]) -> Option<Untrusted> {
    let one = |regex: &Regex| {
        let found = regex.captures(text)?.name("it")?;
        Some(Untrusted::new(&String::from_utf8_lossy(found.as_bytes())))
    };
    patterns.iter().filter_map(one).find(is_name)
}

/// The host in an address, in lower case; none for what names only the machine itself.
#[must_use]
pub fn host(address: &str) -> Option<Untrusted> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split(['/', '?', ',']).next().unwrap_or_default();
    let host = match rest.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None if rest.matches(':').count() == 1 => rest.split(':').next().unwrap_or_default(),
        None => rest,
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let itself = ["", "localhost", "127.0.0.1", "::1", "0.0.0.0"].contains(&host.as_str());
    (!itself).then(|| Untrusted::new(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_what_is_left_of_an_address_without_scheme_port_and_path() {
        let of = |a: &str| host(a).map(|h| h.as_str().to_owned());
        assert_eq!(of("https://API.prod.example.com:6443/x").as_deref(), Some("api.prod.example.com"));
        assert_eq!(of("10.0.1.5:6443").as_deref(), Some("10.0.1.5"));
        assert_eq!(of("https://[fd00::5]:6443").as_deref(), Some("fd00::5"));
        assert_eq!(of("fd00::5").as_deref(), Some("fd00::5"));
        assert_eq!(of("https://127.0.0.1:6443"), None);
    }
}
