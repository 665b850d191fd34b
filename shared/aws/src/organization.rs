//! The accounts of an organization, and the way into each of them: a role that is assumed with an external id. What the
//! role may do, and who may take it, is in infra/member.yaml.

use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_sts::config::SharedCredentialsProvider;
use picket_model::{AccountId, Untrusted};
use picket_pipeline::ports::{Answer, Kind, PortError};

use crate::Clients;
use crate::error::{chain, port_error};

/// How long a session in another account lasts: the least that STS gives to a role that was reached by another.
const SESSION: Duration = Duration::from_secs(3600);

/// An account of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub account: AccountId,
    /// Its name.
    pub name: Untrusted,
}

/// How other accounts are entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The role's name, the same in every account, path included.
    pub role: String,
    /// What the role's trust policy asks for, so that nobody else's tool can be talked into using it.
    pub external_id: String,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
}

impl Clients {
    /// The active accounts of the organization, by id.
    ///
    /// # Errors
    /// If they cannot be listed: that takes the management account, or one that is delegated to.
    pub async fn members(&self) -> Answer<Vec<Member>> {
        let client = aws_sdk_organizations::Client::new(self.config());
        let mut members = Vec::new();
        let mut pages = client.list_accounts().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| port_error("calling", "organizations:ListAccounts", &e))?;
            for account in page.accounts() {
                let active = account.status().is_none_or(|s| s.as_str() == "ACTIVE");
                let id = account.id().and_then(|id| AccountId::parse(id).ok()).filter(|_| active);
                let name = Untrusted::new(account.name().unwrap_or_default());
                members.extend(id.map(|account| Member { account, name }));
            }
        }
        members.sort_by(|a, b| a.account.cmp(&b.account));
        Ok(members)
    }

    /// Clients with the credentials of a role in another account. The role is taken at the first call.
    pub async fn entering(&self, account: &AccountId, entry: &Entry) -> Self {
        let provider = AssumeRoleProvider::builder(arn(account, entry))
            .external_id(&entry.external_id)
            .session_name("picket")
            .session_length(SESSION)
            .configure(self.config());
        let provider = match self.config().credentials_provider() {
            Some(own) => provider.build_from_provider(own).await,
            None => provider.build().await,
        };
        let config = self.config().to_builder().credentials_provider(SharedCredentialsProvider::new(provider));
        Self::of(config.build())
    }

    /// Takes the role now, so that an account that cannot be entered says so before anything is asked of it.
    ///
    /// # Errors
    /// `Denied` if there is no such role for us, `Transient` if STS did not answer.
    pub async fn entered(&self, account: &AccountId, entry: &Entry) -> Answer<()> {
        const ACTION: &str = "sts:AssumeRole";
        let provider = self.config().credentials_provider();
        let fail = |kind, why: &str| Err(PortError::new("calling", ACTION, kind, why));
        let Some(provider) = provider else { return fail(Kind::Denied, "there are no credentials to begin with") };
        match provider.provide_credentials().await {
            Ok(_) => Ok(()),
            Err(error) => match chain(&error) {
                why if why.contains("AccessDenied") => {
                    fail(Kind::Denied, &format!("AccessDenied: it does not let us take {}", arn(account, entry)))
                }
                why => fail(Kind::Transient, &why),
            },
        }
    }
}

fn arn(account: &AccountId, entry: &Entry) -> String {
    format!("arn:{}:iam::{account}:role/{}", entry.partition, entry.role.trim_start_matches('/'))
}
