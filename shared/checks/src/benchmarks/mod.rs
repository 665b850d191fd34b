//! Benchmarks: thin lists of controls, each with the rules that decide it or the reason why none does. Every control of
//! a benchmark is there; titles are our own words.

mod load;
mod roll_up;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use load::{Benchmarks, built_in};
pub use roll_up::{RollUp, roll_up};

/// A benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Benchmark {
    /// Such as `cis-eks-1.8.0`; the name of its file.
    pub id: String,
    /// Such as `CIS Amazon EKS`.
    pub name: String,
    /// Such as `1.8.0`.
    pub version: String,
    /// What sections are called, by the start of the ids in them.
    pub sections: BTreeMap<String, String>,
    /// Every control, in order.
    pub controls: Vec<Control>,
}

/// A control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Such as `2.1.1`.
    pub id: String,
    /// The profile level; 0 where there is none.
    pub level: u8,
    /// What it asks for, in our own words.
    pub title: String,
    /// Who decides it.
    pub by: By,
}

/// Who decides a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// These rules, all of them.
    Rules(Vec<String>),
    /// A person, and what by.
    Person(String),
    /// Nobody: the question does not arise, and why.
    NotApplicable(String),
    /// No rule yet, and what is missing.
    Pending(String),
}

/// How many controls of a benchmark are decided how; a row of `picket benchmark list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Such as `cis-eks-1.8.0`.
    pub id: String,
    /// Such as `CIS Amazon EKS`.
    pub name: String,
    /// Such as `1.8.0`.
    pub version: String,
    /// All controls.
    pub total: usize,
    /// Those that rules decide.
    pub evaluated: usize,
    /// Those that a person decides, with evidence or without.
    pub manual: usize,
    /// Those that do not arise.
    pub not_applicable: usize,
    /// Those that nothing decides yet.
    pub pending: usize,
}

impl Benchmark {
    /// How many controls are decided how. A control whose rules only gather evidence is a person's.
    #[must_use]
    pub fn coverage(&self, decides: impl Fn(&str) -> bool) -> Coverage {
        let count = |is: &dyn Fn(&By) -> bool| self.controls.iter().filter(|c| is(&c.by)).count();
        let by_rules = |by: &By| matches!(by, By::Rules(rules) if rules.iter().any(|r| decides(r)));
        Coverage {
            id: self.id.clone(),
            name: self.name.clone(),
            version: self.version.clone(),
            total: self.controls.len(),
            evaluated: count(&by_rules),
            manual: count(&|by| matches!(by, By::Person(_)) || (matches!(by, By::Rules(_)) && !by_rules(by))),
            not_applicable: count(&|by| matches!(by, By::NotApplicable(_))),
            pending: count(&|by| matches!(by, By::Pending(_))),
        }
    }

    /// What the section of a control is called; empty where that is not said.
    #[must_use]
    pub fn section(&self, control: &str) -> &str {
        let within = |section: &str| {
            control == section || control.strip_prefix(section).is_some_and(|rest| rest.starts_with(['.', '-']))
        };
        let found = self.sections.iter().filter(|(s, _)| within(s)).max_by_key(|(s, _)| s.len());
        found.map_or("", |(_, name)| name)
    }
}
