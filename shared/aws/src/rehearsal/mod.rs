//! A rehearsal: opens a believable account in a local cloud and plays an attack in it, through the AWS API itself.
//! It creates and launches things, so it refuses every endpoint but loopback. What Picket does about it, and how it is
//! told, is not here.

mod account;
mod attack;
mod witness;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use picket_model::{AccountId, Scope};
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::Clients;
use crate::error::port_error;

pub use account::{Account, Machine};
pub use attack::Attack;
pub use witness::{Alert, Call};

/// A rehearsal in one local cloud.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    clients: &'a Clients,
    scope: Scope,
    stack: String,
}

impl<'a> Rehearsal<'a> {
    /// Begins, if AWS is a cloud on this machine.
    ///
    /// # Errors
    /// If the endpoint is not loopback: nothing here may ever reach a real account.
    pub fn begin(clients: &'a Clients, account: AccountId, stack: &str) -> Answer<Self> {
        let doing = "beginning the rehearsal in";
        let endpoint = clients.config().endpoint_url().unwrap_or("the real AWS").to_owned();
        let local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter().any(|l| endpoint.starts_with(l));
        if !local {
            return Err(PortError::new(
                doing,
                endpoint,
                Kind::Other,
                "it launches instances, so only a local cloud will do",
            ));
        }
        let Some(region) = clients.region() else {
            return Err(PortError::new(doing, endpoint, Kind::Other, "no Region is set"));
        };
        Ok(Self { clients, scope: Scope { account, region }, stack: stack.to_owned() })
    }

    /// Where it plays.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// An IAM user that may do everything, and EC2 as it.
    async fn user(&self, name: &str) -> Answer<aws_sdk_ec2::Client> {
        let iam = aws_sdk_iam::Client::new(self.clients.config());
        let made = iam.create_user().user_name(name).send().await;
        if let Err(error) = made {
            let error = said("creating IAM user", name)(error);
            if !error.why.as_str().contains("EntityAlreadyExists") {
                return Err(error);
            }
        }
        let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let put = iam.put_user_policy().user_name(name).policy_name("all").policy_document(all);
        put.send().await.map_err(said("allowing everything to", name))?;
        let made = iam.create_access_key().user_name(name).send().await.map_err(said("making a key of", name))?;
        let nothing = || PortError::new("making a key of", name, Kind::Other, "the answer holds none");
        let key = made.access_key.ok_or_else(nothing)?;
        let credentials =
            aws_sdk_ec2::config::Credentials::new(key.access_key_id, key.secret_access_key, None, None, "rehearsal");
        let config =
            aws_sdk_ec2::config::Builder::from(self.clients.config()).credentials_provider(credentials).build();
        Ok(aws_sdk_ec2::Client::from_conf(config))
    }
}

/// What a failed call of the rehearsal says.
fn said<E: ProvideErrorMetadata, R>(doing: &'static str, what: &str) -> impl FnOnce(SdkError<E, R>) -> PortError {
    let what = what.to_owned();
    move |error| port_error(doing, what, &error)
}

/// A value that AWS always answers.
fn needed<T>(value: Option<T>, doing: &'static str, what: &str) -> Answer<T> {
    value.ok_or_else(|| PortError::new(doing, what, Kind::Other, "the answer lacks it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_real_account_is_refused() {
        let clients = Clients::load(None, Some("us-east-1")).await;
        let account = AccountId::parse("123456789012").unwrap();
        let refused = Rehearsal::begin(&clients, account, "picket").map(drop).map_err(|e| e.to_string());
        assert!(refused.is_err_and(|e| e.contains("only a local cloud will do")));
    }
}
