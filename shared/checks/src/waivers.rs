//! Waivers: findings that somebody accepts until a date. They come from a file that people review, never from a tag, and
//! never make anything compliant.

use jiff::Timestamp;
use picket_model::{Finding, Waiver};
use serde::Deserialize;

use crate::rules::{Catalogue, Refused, refused};

/// All waivers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waivers(Vec<Waiver>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    waivers: Vec<Waiver>,
}

impl Waivers {
    /// Reads waivers, for rules that there are.
    ///
    /// # Errors
    /// At the first that names no rule, no owner or no reason.
    pub fn parse(text: &str, file: &str, rules: &Catalogue) -> Result<Self, Refused> {
        let read: File = refused::parse(text, file)?;
        for waiver in &read.waivers {
            let wrong = if rules.get(&waiver.rule).is_none() {
                format!("`{}` is no rule", waiver.rule)
            } else if waiver.owner.trim().is_empty() || waiver.reason.trim().is_empty() {
                format!("the waiver of `{}` needs an owner and a reason", waiver.rule)
            } else {
                continue;
            };
            return Err(Refused { line: line_of(text, &waiver.rule), ..Refused::whole(file, wrong) });
        }
        Ok(Self(read.waivers))
    }

    /// The waiver of a rule and an asset that ends last.
    #[must_use]
    pub fn of(&self, rule: &str, asset: &str) -> Option<&Waiver> {
        self.0.iter().filter(|w| w.rule == rule && matches(&w.asset, asset)).max_by_key(|w| w.until)
    }

    /// Puts the waiver that fits onto a finding, or takes one off that is no longer there.
    pub fn attach(&self, finding: &mut Finding) {
        finding.waiver = self.of(&finding.rule, &finding.asset).cloned();
    }

    /// Those that have ended at `now`: somebody has to look again.
    pub fn ended(&self, now: Timestamp) -> impl Iterator<Item = &Waiver> {
        self.0.iter().filter(move |w| w.until <= now)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Waiver> {
        self.0.iter()
    }
}

fn line_of(text: &str, rule: &str) -> u64 {
    text.lines().position(|l| l.contains(rule)).map_or(0, |n| n as u64 + 1)
}

/// Whether `asset` is what the pattern says; `*` stands for any run of characters.
fn matches(pattern: &str, asset: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| asset.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::catalogue;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, asset, expected) in [
            ("eks.cluster/prod", "eks.cluster/prod", true),
            ("eks.cluster/*", "eks.cluster/prod", true),
            ("*", "anything", true),
            ("eks.cluster/*-test", "eks.cluster/a-test", true),
            ("eks.cluster/*-test", "eks.cluster/test", false),
            ("a*b*c", "a-b-b-c", true),
            ("ab*ba", "aba", false),
            ("eks.cluster/prod", "eks.cluster/prod-2", false),
        ] {
            assert_eq!(matches(pattern, asset), expected, "{pattern} {asset}");
        }
    }

    #[test]
    fn a_waiver_without_an_owner_a_reason_or_a_rule_is_refused_with_its_line() {
        let rules = catalogue::built_in().unwrap();
        let rule = rules.iter().next().unwrap().name.clone();
        let of = |rule: &str, owner: &str, end: &str| {
            let text = format!("waivers:\n  - {{rule: {rule}, asset: '*', owner: '{owner}', reason: r{end}}}\n");
            Waivers::parse(&text, "waivers.yaml", rules)
        };
        let until = ", until: '2027-01-31T00:00:00Z'";
        assert_eq!(of(&rule, "me", until).unwrap().iter().count(), 1);
        assert!(
            of("no_such_rule", "me", until).unwrap_err().to_string().starts_with("waivers.yaml:2:0: `no_such_rule`")
        );
        assert!(of(&rule, " ", until).unwrap_err().reason.contains("owner"));
        assert!(of(&rule, "me", "").unwrap_err().reason.contains("until"));
    }
}
