//! What every command has: the stack, the terminal, and AWS when it is asked for.

use picket_aws::{Caller, Clients, Functions, Table};
use picket_model::{Region, Scope, Untrusted};

use crate::failure::Failure;
use crate::show::Show;

/// The stack that `picket` speaks to unless told otherwise.
pub const DEFAULT_STACK: &str = "picket";

/// One run of `picket`.
#[derive(Debug)]
pub struct Session {
    /// The stack.
    pub stack: String,
    /// The profile, if not the environment's.
    pub profile: Option<String>,
    /// The Region, if not the environment's or the profile's.
    pub region: Option<String>,
    /// The terminal.
    pub show: Show,
}

impl Session {
    /// A command to run next, for the same stack.
    #[must_use]
    pub fn command(&self, rest: impl std::fmt::Display) -> String {
        if self.stack == DEFAULT_STACK {
            format!("picket {rest}")
        } else {
            format!("picket {rest} --stack {}", self.stack)
        }
    }

    /// Clients for AWS. No call is made yet.
    ///
    /// # Errors
    /// If no Region is named anywhere.
    pub async fn aws(&self) -> Result<Aws, Failure> {
        let clients = Clients::load(self.profile.as_deref(), self.region.as_deref().filter(|r| !r.is_empty())).await;
        let unnamed = || Failure::usage("no AWS Region is named").hint("use `--region us-east-1`, or set AWS_REGION");
        let region = clients.region().ok_or_else(unnamed)?;
        Ok(Aws { clients, region, stack: self.stack.clone() })
    }

    /// AWS, and who we are there.
    ///
    /// # Errors
    /// If no Region is named, or the credentials are not good.
    pub async fn known(&self) -> Result<(Aws, Caller), Failure> {
        let aws = self.aws().await?;
        let caller = self.show.wait("asking AWS who you are", aws.clients.caller()).await?;
        Ok((aws, caller))
    }
}

/// AWS for one deployment.
#[derive(Debug)]
pub struct Aws {
    /// The clients.
    pub clients: Clients,
    /// The Region.
    pub region: Region,
    stack: String,
}

impl Aws {
    /// The deployment's state.
    #[must_use]
    pub fn table(&self) -> Table {
        Table::new(&self.clients, &format!("{}-state", self.stack))
    }

    /// The deployment's functions.
    #[must_use]
    pub fn functions(&self) -> Functions {
        Functions::new(&self.clients, &self.stack)
    }

    /// The caller's account in this Region.
    #[must_use]
    pub fn scope(&self, caller: &Caller) -> Scope {
        Scope { account: caller.account.clone(), region: self.region.clone() }
    }
}

/// A reason that people give, which goes into the journal.
///
/// # Errors
/// If it says nothing.
pub fn reason(text: &str) -> Result<Untrusted, String> {
    let reason = Untrusted::new(text.trim());
    if reason.is_empty() { Err("a reason must say something; it goes into the journal".to_owned()) } else { Ok(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{Color, Format};

    #[test]
    fn next_commands_name_the_stack_only_where_it_is_not_the_usual_one() {
        let of = |stack: &str| Session {
            stack: stack.to_owned(),
            profile: None,
            region: None,
            show: Show::of_process(Format::Text, Color::Never),
        };
        assert_eq!(of("picket").command("holds"), "picket holds");
        assert_eq!(of("blue").command("holds"), "picket holds --stack blue");
    }

    #[test]
    fn a_reason_says_something() {
        assert!(reason("  ").is_err());
        assert_eq!(reason(" ours\n").map(|r| r.to_string()), Ok("ours".to_owned()));
    }
}
