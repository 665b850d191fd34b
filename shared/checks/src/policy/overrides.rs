//! Sections `overrides` and `trusted_tag`: how far Picket may go in some places, and why.
//!
//! The first override of an account or VPC that matches counts, and may be bolder or more careful than the policy's
//! `mode`; the deployment's mode stays the ceiling. Overrides by tag are looked at after those: anybody who may set
//! tags holds them, so that a tag only narrows a quarantine to the network and never spares anything from it.

use picket_model::{AccountId, Instance, Mode, Scope, Untrusted, VpcId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Containment, Fault, Policy};

/// How far Picket may go in some place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Where.
    pub when: Place,
    /// How far.
    pub mode: Mode,
    /// Why; it is shown wherever this counts.
    pub why: String,
}

/// A place: one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Place {
    /// An account.
    pub account: Option<String>,
    /// A VPC.
    pub vpc: Option<String>,
    /// Instances whose trusted tag has this value.
    pub tag: Option<String>,
}

/// How far Picket may go with one instance, and which setting says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// How far.
    pub mode: Mode,
    /// Which setting says so.
    pub why: String,
}

impl Policy {
    /// How far the policy lets Picket go with an instance; one that is not shown any more has its account alone.
    #[must_use]
    pub fn reach(&self, scope: &Scope, instance: Option<&Instance>) -> Reach {
        let placed = |o: &&Override| {
            let vpc = instance.and_then(|i| i.vpc.as_ref());
            o.when.account.as_deref() == Some(scope.account.as_str())
                || (o.when.vpc.is_some() && o.when.vpc.as_deref() == vpc.map(VpcId::as_str))
        };
        let mut reach = match self.overrides.iter().find(placed) {
            Some(first) => Reach { mode: first.mode, why: format!("an override of the policy: {}", first.why) },
            None => Reach { mode: self.mode, why: "the policy's field `mode`".to_owned() },
        };
        if self.containment == Containment::ContainOnly {
            reach.narrow(Mode::ContainOnly, || "the policy's field `containment`".to_owned());
        }
        let value = self.trusted_tag.as_deref().and_then(|key| instance?.tags.get(&Untrusted::new(key)));
        for by_tag in self.overrides.iter().filter(|o| o.when.tag.is_some()) {
            if value.map(Untrusted::as_str) == by_tag.when.tag.as_deref() {
                reach.narrow(by_tag.mode, || format!("an override of the policy, by tag: {}", by_tag.why));
            }
        }
        reach
    }
}

impl Reach {
    fn narrow(&mut self, mode: Mode, why: impl FnOnce() -> String) {
        if mode < self.mode {
            *self = Self { mode, why: why() };
        }
    }
}

pub(super) fn check(overrides: &[Override], trusted_tag: Option<&str>) -> Result<(), Fault> {
    for one in overrides {
        let Place { account, vpc, tag } = &one.when;
        let wrong = match (account, vpc, tag) {
            (Some(id), None, None) if AccountId::parse(id.as_str()).is_ok() => None,
            (None, Some(id), None) if VpcId::parse(id.as_str()).is_ok() => None,
            (None, None, Some(_)) if trusted_tag.is_none() => {
                Some("is by tag, and `trusted_tag` names no key".to_owned())
            }
            (None, None, Some(_)) if one.mode != Mode::ContainOnly => Some(format!(
                "is `{}` by tag; anybody who may set tags holds a tag, so it may only narrow to `contain_only`",
                one.mode
            )),
            (None, None, Some(_)) => None,
            _ => Some("needs one `account`, one `vpc` or one `tag` in `when`".to_owned()),
        };
        if let Some(why) = wrong {
            return Err(("overrides", format!("\"{}\" {why}", Untrusted::new(&one.why))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        Policy::parse(&format!("version: 1\n{text}"), "p.yaml").unwrap()
    }

    fn scope() -> Scope {
        serde_json::from_str(r#"{"account":"123456789012","region":"us-east-1"}"#).unwrap()
    }

    const SANDBOX: &str = "mode: observe\ntrusted_tag: care\noverrides:\n  \
        - {when: {account: '123456789012'}, mode: enforce, why: a sandbox}\n  \
        - {when: {account: '123456789012'}, mode: observe, why: never reached}\n  \
        - {when: {tag: payroll}, mode: contain_only, why: keep its credentials}\n";

    #[test]
    fn the_first_place_that_matches_counts_and_is_named() {
        let reach = policy(SANDBOX).reach(&scope(), None);
        assert_eq!((reach.mode, reach.why.as_str()), (Mode::Enforce, "an override of the policy: a sandbox"));
        let elsewhere = Scope { account: AccountId::parse("210987654321").unwrap(), ..scope() };
        assert_eq!(policy(SANDBOX).reach(&elsewhere, None).mode, Mode::Observe);
    }

    #[test]
    fn a_tag_that_would_spare_an_instance_is_refused_and_so_is_one_that_nobody_trusts() {
        for (text, word) in [
            ("trusted_tag: care\noverrides: [{when: {tag: x}, mode: observe, why: w}]", "narrow to `contain_only`"),
            ("trusted_tag: care\noverrides: [{when: {tag: x}, mode: dry_run, why: w}]", "narrow to `contain_only`"),
            ("overrides: [{when: {tag: x}, mode: contain_only, why: w}]", "names no key"),
            ("overrides: [{when: {}, mode: observe, why: w}]", "needs one"),
            ("overrides: [{when: {vpc: my-vpc}, mode: observe, why: w}]", "needs one"),
        ] {
            let error = Policy::parse(&format!("version: 1\n{text}\n"), "p.yaml").unwrap_err();
            assert!(error.reason.contains(word), "{error}");
        }
    }
}
