//! Other accounts: findings come from all of them, and fixes are made at home alone. The role that leads into the others
//! only reads, and with the credentials of home the wrong account would be changed.

use picket_model::{AccountId, Scope};

use super::{Order, Outcome, Say, Undo, Work};

/// Why nothing is fixed in another account, and what to do.
pub const ONLY_AT_HOME: &str = "Picket changes nothing in other accounts, because its role there only reads: fix it there by \
                                hand, or deploy Picket there";

impl Work {
    /// Where it is to be done.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        match self {
            Self::Order(Order { scope, .. })
            | Self::Resume { scope, .. }
            | Self::Undo(Undo { scope, .. })
            | Self::Say(Say { scope, .. })
            | Self::LookAfter { scope } => scope,
        }
    }
}

impl Outcome {
    /// The refusal of work in another account than `home`; none where it may go on.
    #[must_use]
    pub fn elsewhere(work: &Work, home: &AccountId) -> Option<Self> {
        let account = &work.scope().account;
        let why = || format!("this is about account {account}, and fix acts in {home} alone. {ONLY_AT_HOME}");
        (account != home).then(|| Self::Refused { why: why() })
    }
}

#[cfg(test)]
mod tests {
    use picket_model::Region;

    use super::*;

    #[test]
    fn work_in_another_account_is_refused_and_says_what_to_do() {
        let account = |id: &str| AccountId::parse(id).unwrap();
        let (home, other) = (account("123456789012"), account("210987654321"));
        let at = |account: &AccountId| Scope { account: account.clone(), region: Region::parse("us-east-1").unwrap() };
        let work = |account| Work::LookAfter { scope: at(account) };
        assert_eq!(Outcome::elsewhere(&work(&home), &home), None);
        let Some(Outcome::Refused { why }) = Outcome::elsewhere(&work(&other), &home) else { panic!("not refused") };
        assert!(why.contains("210987654321") && why.contains("123456789012 alone") && why.contains("by hand"), "{why}");
    }
}
