//! Machines with graphics cards or accelerators: what a miner wants most.

use picket_model::Observation;

use super::{Judged, Signal, yes};
use crate::policy::Policy;

/// Accelerated families of EC2 by their prefix up to the dot (AWS instance type list, August 2026).
const FAMILIES: &[&str] = &[
    "dl1",
    "dl2q",
    "f1",
    "f2",
    "g2",
    "g3",
    "g3s",
    "g4ad",
    "g4dn",
    "g5",
    "g5g",
    "g6",
    "g6e",
    "g6f",
    "g7",
    "g7e",
    "gr6",
    "gr6f",
    "inf1",
    "inf2",
    "p2",
    "p3",
    "p3dn",
    "p4d",
    "p4de",
    "p5",
    "p5e",
    "p5en",
    "p6-b200",
    "p6-b300",
    "p6e-gb200",
    "trn1",
    "trn1n",
    "trn2",
    "vt1",
];

pub(super) const SIGNAL: Signal =
    Signal { name: "accelerated_type", weight: 25, about: "the machine has graphics cards or accelerators", judge };

fn judge(observation: &Observation, _: &Policy) -> Judged {
    let Some(kind) = observation.asset.instance_type() else { return Judged::No };
    let family = kind.as_str().split('.').next().unwrap_or_default();
    if is_accelerated(family) {
        yes(format!("{kind} is an accelerated machine type"), "instance type")
    } else {
        Judged::No
    }
}

/// Families made after the list was written follow the naming: `p<n>`, `g<n>`, `trn<n>`, `inf<n>` with suffixes.
fn is_accelerated(family: &str) -> bool {
    let follows =
        |prefix: &str| family.strip_prefix(prefix).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    FAMILIES.contains(&family) || ["p", "g", "gr", "trn", "inf"].iter().any(|p| follows(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accelerated_families_are_told_from_others_also_those_of_tomorrow() {
        for family in ["p5", "g5", "g7e", "trn2", "p9-x100", "inf3"] {
            assert!(is_accelerated(family), "{family}");
        }
        for family in ["m5", "c5a", "t3", "r8g", "i4g", "x2gd", "hpc7g", "mac2", "u7i"] {
            assert!(!is_accelerated(family), "{family}");
        }
    }
}
