//! A case or an instance, as people name them at the terminal.

use std::str::FromStr;

use picket_model::{CaseId, InstanceId};

/// What a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All that belongs to a case.
    Case(CaseId),
    /// One instance.
    Instance(InstanceId),
}

impl FromStr for Target {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("case-") {
            return text.parse().map(Self::Case);
        }
        let neither = |_| {
            "expected a case, such as `case-0123456789ab`, or an instance, such as `i-0abc1234def567890`".to_owned()
        };
        InstanceId::parse(text).map(Self::Instance).map_err(neither)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_and_instances_are_told_apart() {
        assert!(matches!("case-0123456789ab".parse(), Ok(Target::Case(_))));
        assert!(matches!("i-12345678".parse(), Ok(Target::Instance(_))));
        for bad in ["case-1", "web-1", ""] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
