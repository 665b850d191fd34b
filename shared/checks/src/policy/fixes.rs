//! What the policy says about fixes: which findings are noted, proposed or fixed, how much may be fixed, and who is asked.

use jiff::SignedDuration;
use picket_model::fix::AtExpiry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done about what rules find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fixes {
    /// For every rule that is not listed in `of`.
    pub default: Do,
    /// For one rule, or for all rules of a control. A rule counts before a control.
    pub of: Vec<Choice>,
    /// How many fixes may be made per account in one clock hour. More than that do nothing.
    pub per_hour: u32,
    /// Whether users and roles may be stopped (`iam_deny_principal`, `iam_deny_sessions`, `iam_deactivate_key`). Such a
    /// fix asks people, too.
    pub principals: bool,
    /// How people are asked.
    pub approval: Asking,
}

impl Default for Fixes {
    fn default() -> Self {
        Self { default: Do::Note, of: Vec::new(), per_hour: 20, principals: false, approval: Asking::default() }
    }
}

/// What is done about a finding, from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Do {
    /// It is in the report.
    #[default]
    Note,
    /// People are told what would fix it, and asked.
    Propose,
    /// It is fixed.
    Fix,
}

/// The policy's choice for a rule or a control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The rule's name, such as `eks_audit_logs_on`.
    #[serde(default)]
    pub rule: Option<String>,
    /// Or a control, such as `cis-eks-1.8.0/2.1.1`; `cis-eks-1.8.0/*` is all of a benchmark.
    #[serde(default)]
    pub control: Option<String>,
    /// What is done.
    #[serde(rename = "do")]
    pub what: Do,
    /// Whether people are asked first, whatever the rule says. What cannot be undone is always asked.
    #[serde(default)]
    pub approval: Option<Ask>,
}

/// Whether people are asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Yes.
    Always,
    /// No.
    Never,
}

/// How people are asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Asking {
    /// How long they have.
    #[schemars(with = "String")]
    pub within: SignedDuration,
    /// What happens then. What cannot be undone is left.
    pub at_expiry: AtExpiry,
}

impl Default for Asking {
    fn default() -> Self {
        Self { within: SignedDuration::from_hours(24), at_expiry: AtExpiry::Leave }
    }
}

impl Fixes {
    /// What is done about a finding of `rule`, and whether people are asked because the policy says so.
    #[must_use]
    pub fn choose(&self, rule: &str, controls: &[String]) -> (Do, Option<Ask>) {
        let mine = self.of.iter().find(|c| c.rule.as_deref() == Some(rule));
        // Of several controls the most careful choice counts.
        let careful = || {
            let of = self.of.iter().filter(|c| c.control.as_ref().is_some_and(|w| controls.iter().any(|k| is(w, k))));
            of.min_by_key(|c| c.what)
        };
        mine.or_else(careful).map_or((self.default, None), |c| (c.what, c.approval))
    }

    /// What is wrong with it.
    #[must_use]
    pub fn odd(&self) -> Option<String> {
        let unclear = |c: &&Choice| c.rule.is_some() == c.control.is_some();
        if self.of.iter().any(|c| unclear(&c)) {
            return Some("`of`: each entry names a `rule` or a `control`, and not both".to_owned());
        }
        let short = self.approval.within < SignedDuration::from_mins(5);
        short.then(|| "`approval.within` is less than 5 minutes, which nobody can answer in".to_owned())
    }
}

fn is(wanted: &str, control: &str) -> bool {
    wanted.strip_suffix('*').map_or(wanted == control, |start| control.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixes(text: &str) -> Fixes {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn nothing_is_fixed_unless_the_policy_says_so() {
        assert_eq!(fixes("{}").choose("eks_audit_logs_on", &[]), (Do::Note, None));
    }

    #[test]
    fn a_rule_counts_before_a_control_and_the_most_careful_control_before_others() {
        let policy = fixes(
            "of: [{control: 'cis-eks-1.8.0/*', do: fix}, {control: cis-eks-1.8.0/2.1.1, do: propose}, \
             {rule: eks_public, do: fix, approval: always}]",
        );
        let of = |rule: &str, controls: &[&str]| {
            policy.choose(rule, &controls.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of("x", &["cis-eks-1.8.0/5.4.1"]), (Do::Fix, None));
        assert_eq!(of("x", &["cis-eks-1.8.0/5.4.1", "cis-eks-1.8.0/2.1.1"]), (Do::Propose, None));
        assert_eq!(of("eks_public", &["cis-eks-1.8.0/2.1.1"]), (Do::Fix, Some(Ask::Always)));
        assert_eq!(of("x", &["cis-aws-7.0.0/1.1"]), (Do::Note, None));
    }

    #[test]
    fn an_entry_that_names_neither_or_both_is_odd() {
        for text in ["of: [{do: fix}]", "of: [{rule: a, control: b, do: fix}]", "approval: {within: 1m}"] {
            assert!(fixes(text).odd().is_some(), "{text}");
        }
        assert_eq!(fixes("of: [{rule: a, do: fix}]").odd(), None);
    }
}
