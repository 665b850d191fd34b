//! Who runs a command, as AWS knows them.

use picket_model::{AccountId, Untrusted};
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::Clients;
use crate::error::port_error;

/// The owner of the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Their account.
    pub account: AccountId,
    /// Their ARN, session name included.
    pub arn: Untrusted,
}

impl Clients {
    /// Asks AWS who we are.
    ///
    /// # Errors
    /// If there are no credentials, or they are not good.
    pub async fn caller(&self) -> Answer<Caller> {
        let (doing, what) = ("asking AWS for", "the caller's identity");
        let client = aws_sdk_sts::Client::new(self.config());
        let answer = client.get_caller_identity().send().await.map_err(|e| port_error(doing, what, &e))?;
        let account = AccountId::parse(answer.account().unwrap_or_default());
        let account = account.map_err(|e| PortError::new(doing, what, Kind::Other, &e.to_string()))?;
        Ok(Caller { account, arn: Untrusted::new(answer.arn().unwrap_or_default()) })
    }
}
