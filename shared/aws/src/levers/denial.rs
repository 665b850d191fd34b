//! Denials are asked of the function that alone may write policies. Without one, as within that function, they are made
//! here.

use picket_model::{Change, Scope};
use picket_pipeline::ports::{Answer, Kind, PortError};
use serde::{Deserialize, Serialize};

use super::AwsLevers;

/// The function.
const FUNCTION: &str = "deny";

/// What is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// Where.
    pub scope: Scope,
    /// A denial, or its end.
    pub change: Change,
}

/// What it answers. A refusal keeps its kind, so that a passing fault is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Said {
    /// It is so.
    Done,
    /// It is not.
    Refused {
        /// Which kind of failure.
        kind: String,
        /// Why.
        why: String,
    },
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::NotFound, "not_found"),
    (Kind::Denied, "denied"),
    (Kind::Transient, "transient"),
    (Kind::Conflict, "conflict"),
    (Kind::Other, "other"),
];

impl From<Answer<()>> for Said {
    fn from(answer: Answer<()>) -> Self {
        let Err(error) = answer else { return Self::Done };
        let kind = KINDS.iter().find(|(k, _)| *k == error.kind).map_or("other", |(_, word)| word);
        Self::Refused { kind: kind.to_owned(), why: error.to_string() }
    }
}

impl AwsLevers<'_> {
    /// Asks the function, where there is one. `None` if there is none.
    pub(super) async fn ask_for(&self, scope: &Scope, change: &Change) -> Option<Answer<()>> {
        let functions = self.functions.as_ref()?;
        let order = Denial { scope: scope.clone(), change: change.clone() };
        Some(match functions.invoke::<Said>(FUNCTION, &order).await {
            Ok(said) => heard(said, change),
            Err(error) => Err(error),
        })
    }
}

fn heard(said: Said, change: &Change) -> Answer<()> {
    let Said::Refused { kind, why } = said else { return Ok(()) };
    let kind = KINDS.iter().find(|(_, word)| *word == kind).map_or(Kind::Other, |(k, _)| *k);
    Err(PortError::new("asking for", change, kind, &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_kind_on_its_way_back() {
        let instance = picket_model::InstanceId::parse("i-00000001").unwrap();
        let change = Change::DenySessions { role: "node".into(), role_id: "AROA1".into(), instance };
        for (kind, _) in KINDS {
            let said = Said::from(Err(PortError::new("denying", "x", kind, "no")));
            let text = serde_json::to_string(&said).unwrap();
            assert_eq!(heard(serde_json::from_str(&text).unwrap(), &change).unwrap_err().kind, kind);
        }
        assert!(heard(Said::from(Ok(())), &change).is_ok());
    }
}
