//! What the owner of an account tells us, because no API does: tiers, tags that have to be there, approved images.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// The owner's words. All of it may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Which tier of a three-tier application a resource belongs to.
    pub tiers: Tiers,
    /// Tag keys that every resource has to carry. None: at least one tag, whichever.
    pub required_tags: Vec<String>,
    /// Machine images that may be used. None: those that the account's allowed-images setting lets through.
    pub approved_images: BTreeSet<String>,
    /// A regular expression for the names of own images. None: a name with a version or a date.
    pub image_names: Option<String>,
}

/// Tiers by tag, or by a map of resources.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tiers {
    /// The key of the tag that names the tier.
    pub tag: String,
    /// Resources by tier: ids, names or ARNs. This wins over the tag.
    pub resources: BTreeMap<String, Vec<String>>,
}

impl Default for Tiers {
    fn default() -> Self {
        Self { tag: "tier".to_owned(), resources: BTreeMap::new() }
    }
}

impl Tiers {
    /// The tier of a resource with these names and this tag: `web_lb`, `web`, `app_lb`, `app`, `data`, or empty.
    #[must_use]
    pub fn of(&self, names: &[&str], tag: Option<&str>) -> &'static str {
        let holds =
            |list: &Vec<String>| list.iter().any(|r| names.iter().any(|n| n == r || r.ends_with(&format!("/{n}"))));
        let mapped = self.resources.iter().find(|(_, list)| holds(list)).map(|(tier, _)| tier.as_str());
        mapped.or(tag).map_or("", known)
    }
}

/// A tier however people write it.
fn known(word: &str) -> &'static str {
    let plain: String = word.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.strip_suffix("tier").unwrap_or(&plain);
    match plain {
        "weblb" | "webelb" | "webalb" | "publiclb" | "lb" | "elb" => "web_lb",
        "web" | "frontend" | "presentation" => "web",
        "applb" | "appelb" | "appalb" | "internallb" => "app_lb",
        "app" | "application" | "backend" | "logic" => "app",
        "data" | "database" | "db" => "data",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_known_however_they_are_written_and_the_map_wins() {
        let tiers = Tiers::default();
        for (tag, tier) in
            [("Web", "web"), ("web-lb", "web_lb"), ("Data Tier", "data"), ("application", "app"), ("red", "")]
        {
            assert_eq!(tiers.of(&["x"], Some(tag)), tier, "{tag}");
        }
        let map = BTreeMap::from([("app".to_owned(), vec!["sg-1".to_owned()])]);
        let tiers = Tiers { resources: map, ..Tiers::default() };
        assert_eq!(tiers.of(&["sg-1"], Some("web")), "app");
        assert_eq!(tiers.of(&["sg-2"], None), "");
    }
}
