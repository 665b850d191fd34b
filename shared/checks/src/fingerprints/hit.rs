//! Marks that were found: in tags, texts, ports, images and probes. What they come to is `weigh`'s.

use picket_model::Untrusted;
use picket_model::landscape::{GroupRule, Image, Named, NodeRole, Probe, Tags};
use regex::bytes::Regex;

use super::catalogue::{Pattern, Place, catalogue};
use super::schema::{NameIn, PortMark, Ports, RoleIn, TagMark, TagOn, Weight};

/// A mark that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Index into the catalogue's marks.
    pub mark: usize,
    /// What it is worth here.
    pub weight: Weight,
    /// What was found.
    pub found: Untrusted,
    /// The cluster that it names.
    pub cluster: Option<Untrusted>,
    /// The version that it tells.
    pub version: Option<Untrusted>,
    /// The role that it tells.
    pub role: Option<NodeRole>,
}

impl Hit {
    pub(crate) fn new(mark: usize, found: &str) -> Self {
        let of = &catalogue().marks[mark];
        Self { mark, weight: of.weight, found: Untrusted::new(found), cluster: None, version: None, role: of.role }
    }
}

/// At most this much of a text other than user data is looked at.
const LONGEST: usize = 1024;

/// The marks in a text of `place`.
#[must_use]
pub fn in_text(place: Place, text: &str) -> Vec<Hit> {
    let Some(patterns) = catalogue().texts.get(&place) else { return Vec::new() };
    let bytes = text.as_bytes();
    let bytes = if place == Place::UserData { bytes } else { &bytes[..bytes.len().min(LONGEST)] };
    patterns.within(bytes).into_iter().filter_map(|p| of_pattern(p, bytes)).collect()
}

/// The marks of a thing that is told by its name: a record of DNS, a bucket, a secret.
#[must_use]
pub fn in_named(named: &Named) -> Vec<Hit> {
    let mut hits = in_tags(TagOn::Thing, &named.tags);
    let Some(patterns) = catalogue().texts.get(&Place::Thing(named.kind)) else { return hits };
    let name = named.name.as_str().as_bytes();
    let valued = |p: &&Pattern| {
        let one = |regex: &Regex| named.values.iter().any(|v| regex.is_match(v.as_str().as_bytes()));
        p.values.as_ref().is_none_or(one)
    };
    hits.extend(patterns.within(name).into_iter().filter(valued).filter_map(|p| of_pattern(p, name)));
    hits
}

fn of_pattern(pattern: &Pattern, text: &[u8]) -> Option<Hit> {
    if pattern.except.as_ref().is_some_and(|e| e.is_match(text)) {
        return None;
    }
    let found = pattern.regex()?.captures(text)?;
    let of = |name| found.name(name).map(|m| Untrusted::new(&String::from_utf8_lossy(m.as_bytes())));
    let whole = String::from_utf8_lossy(found.get(0)?.as_bytes());
    let mut hit = Hit::new(pattern.mark, whole.trim());
    hit.cluster = of("cluster").filter(is_name);
    hit.version = of("version").filter(|v| !v.is_empty());
    Some(hit)
}

/// Whether it can be a name, and not a variable that a template or script fills in.
pub(super) fn is_name(name: &Untrusted) -> bool {
    !name.is_empty() && !name.as_str().contains(['$', '{', '}', '%', '<', '>', '"', '\''])
}

/// The marks among the tags of a thing of this kind.
#[must_use]
pub fn in_tags(on: TagOn, tags: &Tags) -> Vec<Hit> {
    let mut hits = Vec::new();
    if tags.is_empty() {
        return hits;
    }
    for of in &catalogue().tags {
        for (key, value) in tags.iter().filter(|(k, v)| of.says.matches(k.as_str(), v.as_str())) {
            hits.push(of.says.hit(of.mark, on, key, value));
        }
    }
    hits
}

impl TagMark {
    fn matches(&self, key: &str, value: &str) -> bool {
        let by_key = match (&self.key, &self.prefix) {
            (Some(exact), _) => exact == key,
            (None, Some(prefix)) => key.len() > prefix.len() && key.starts_with(prefix.as_str()),
            (None, None) => false,
        };
        by_key
            && self.value.as_ref().is_none_or(|text| text.compile().is_ok_and(|regex| regex.is_match(value.as_bytes())))
    }

    fn hit(&self, mark: usize, on: TagOn, key: &Untrusted, value: &Untrusted) -> Hit {
        let suffix = || {
            let prefix = self.prefix.as_deref().unwrap_or_default();
            Untrusted::new(key.as_str().strip_prefix(prefix).unwrap_or_default())
        };
        let read = |part: NameIn| if part == NameIn::Value { value.clone() } else { suffix() };
        let role = match self.role {
            Some(RoleIn::Value) => role_of(value.as_str()),
            Some(RoleIn::Suffix) => role_of(suffix().as_str()),
            other => other.and_then(RoleIn::fixed),
        };
        let shared = matches!(on, TagOn::Group | TagOn::Role | TagOn::Place | TagOn::Image | TagOn::Thing);
        // What stands on a place that many share makes nobody a node, whatever the key.
        let weight = match on {
            TagOn::Place => self.elsewhere.min(Weight::Weak),
            _ if shared => self.elsewhere.min(self.weight),
            _ => self.weight,
        };
        Hit {
            mark,
            weight,
            found: Untrusted::new(&format!("{key}={value}")),
            cluster: self.cluster.map(read).filter(is_name),
            version: self.version.map(read).filter(|v| !v.is_empty()),
            role,
        }
    }
}

/// The role that a word of any tool means.
#[must_use]
pub fn role_of(word: &str) -> Option<NodeRole> {
    let word = word.to_ascii_lowercase();
    let has = |names: &[&str]| names.iter().any(|n| word.contains(n));
    match () {
        () if has(&["bastion"]) => Some(NodeRole::Bastion),
        () if has(&["control", "master", "apiserver", "api-server", "server"]) => Some(NodeRole::ControlPlane),
        () if has(&["etcd"]) => Some(NodeRole::Etcd),
        () if has(&["node", "worker", "agent", "compute", "infra"]) => Some(NodeRole::Worker),
        () => None,
    }
}

/// The marks of an image. Its name can be given by anybody; only the publisher's own is worth what the file says.
#[must_use]
pub fn in_image(image: &Image) -> Vec<Hit> {
    let mut hits = in_tags(TagOn::Image, &image.tags);
    for (of, pattern) in &catalogue().images {
        let Some(mut hit) = of_pattern(pattern, image.name.as_str().as_bytes()) else { continue };
        let published = of.says.owners.is_empty()
            || image.owner.as_ref().is_none_or(|o| of.says.owners.iter().any(|known| known == o.as_str()));
        if !published {
            hit.weight = if hit.weight == Weight::Strong { Weight::Medium } else { Weight::Weak };
        }
        hits.push(hit);
    }
    hits
}

/// The marks of what these rules, taken together, open.
#[must_use]
pub fn in_ports(rules: &[&GroupRule]) -> Vec<Hit> {
    let open: Vec<Ports> = rules.iter().filter_map(|r| opened(r)).collect();
    let fits = |m: &PortMark| {
        let opens = |p: &Ports| open.iter().any(|o| opens(*o, *p, m.exact));
        m.all.iter().all(opens) && m.any.iter().filter(|p| opens(p)).count() >= m.at_least
    };
    let says = |m: &PortMark| {
        let wanted = m.all.iter().chain(&m.any).filter(|p| open.iter().any(|o| opens(*o, **p, m.exact)));
        wanted.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let hit = |of: &super::catalogue::Of<PortMark>| {
        (!open.is_empty() && fits(of.says)).then(|| Hit::new(of.mark, &says(of.says)))
    };
    catalogue().ports.iter().filter_map(hit).collect()
}

/// The ports of a rule; none where it opens everything, which tells nothing.
fn opened(rule: &GroupRule) -> Option<Ports> {
    let udp = match rule.protocol.as_str() {
        "tcp" | "6" => false,
        "udp" | "17" => true,
        _ => return None,
    };
    Some(Ports { udp, first: rule.first?, last: rule.last? })
}

/// How much wider than the wanted range a rule may be and still mean it.
const SLACK: u16 = 16;

fn opens(open: Ports, wanted: Ports, exact: bool) -> bool {
    let width = |p: Ports| p.last.saturating_sub(p.first);
    open.udp == wanted.udp
        && open.first <= wanted.first
        && open.last >= wanted.last
        && width(open) <= width(wanted).saturating_add(if exact { 0 } else { SLACK })
}

impl std::fmt::Display for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let protocol = if self.udp { "udp" } else { "tcp" };
        match self.first == self.last {
            true => write!(f, "{protocol} {}", self.first),
            false => write!(f, "{protocol} {}-{}", self.first, self.last),
        }
    }
}

/// The marks of what a role's own policies allow. What allows everything tells nothing.
#[must_use]
pub fn in_actions(actions: &[Untrusted]) -> Vec<Hit> {
    let service = |action: &str| action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let allows = |wanted: &String| {
        let same = |a: &&Untrusted| a.as_str().eq_ignore_ascii_case(wanted);
        let whole = |a: &&Untrusted| a.as_str().ends_with(":*") && service(a.as_str()) == service(wanted);
        actions.iter().any(|a| same(&a) || whole(&a))
    };
    let all = catalogue().actions.iter().filter(|of| !actions.is_empty() && of.says.all.iter().all(allows));
    all.map(|of| Hit::new(of.mark, &of.says.all.join(", "))).collect()
}

/// The marks of an answer to a probe.
#[must_use]
pub fn in_probe(probe: &Probe) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (of, body, certificate) in &catalogue().probes {
        let says = of.says;
        let asked = (says.ports.is_empty() || says.ports.contains(&probe.port))
            && says.path.as_ref().is_none_or(|p| *p == probe.path)
            && (says.status.is_empty() || probe.status.is_some_and(|s| says.status.contains(&s)));
        let named = |regex: &Regex| probe.names.iter().any(|n| regex.is_match(n.as_str().as_bytes()));
        let certified = certificate.as_ref().is_none_or(|c| c.regex().is_some_and(named));
        if !asked || !certified {
            continue;
        }
        let hit = match body {
            Some(pattern) => of_pattern(pattern, probe.body.as_str().as_bytes()),
            None => Some(Hit::new(of.mark, &format!("port {}{} answers", probe.port, probe.path))),
        };
        hits.extend(hit);
    }
    hits
}
