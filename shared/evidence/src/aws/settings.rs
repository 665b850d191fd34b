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

impl Settings {
    /// Reads the owner's words from YAML, such as:
    ///
    /// ```yaml
    /// tiers:
    ///   tag: tier
    ///   resources: {web: [web-asg, sg-0abc1234def567890], data: [orders-db]}
    /// required_tags: [owner, environment]
    /// approved_images: [ami-0abc1234def567890]
    /// ```
    ///
    /// # Errors
    /// Says what is unknown or malformed, and where.
    pub fn parse(text: &str, file: &str) -> Result<Self, SettingsError> {
        let read: Self =
            serde_saphyr::from_str(text).map_err(|e| SettingsError { file: file.to_owned(), why: e.to_string() })?;
        match read.image_names.as_deref().map(regex::Regex::new) {
            Some(Err(e)) => Err(SettingsError { file: file.to_owned(), why: format!("`image_names`: {e}") }),
            _ => Ok(read),
        }
    }
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct SettingsError {
    /// The file.
    pub file: String,
    /// What is wrong, and where.
    pub why: String,
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
    fn settings_are_read_from_yaml_and_what_is_unknown_is_refused() {
        let read = Settings::parse("tiers: {resources: {web: [sg-1]}}\nrequired_tags: [owner]\n", "s.yaml").unwrap();
        assert_eq!((read.tiers.of(&["sg-1"], None), read.required_tags), ("web", vec!["owner".to_owned()]));
        for bad in ["tier: {}", "required_tags: owner", "image_names: '('"] {
            let why = Settings::parse(bad, "s.yaml").map_err(|e| e.to_string());
            assert!(why.is_err_and(|e| e.starts_with("s.yaml: ")), "{bad}");
        }
        assert_eq!(Settings::parse("{}", "s.yaml"), Ok(Settings::default()));
    }

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
