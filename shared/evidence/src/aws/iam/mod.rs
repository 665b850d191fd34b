//! IAM: the account's summary and rules for passwords, the credential report, and everybody's policies in one paged call.

mod certificates;
mod principals;
mod report;
mod summary;

use aws_sdk_iam::Client;
use picket_model::Document;

use crate::aws::tell::{Ask, Service};
use crate::collector::Reach;

/// IAM.
pub static IAM: Service = Service {
    reach: Reach::Account,
    kinds: &[
        "iam.group",
        "iam.instance_profile",
        "iam.oidc_provider",
        "iam.organizations_features",
        "iam.password_policy",
        "iam.policy",
        "iam.role",
        "iam.root",
        "iam.saml_provider",
        "iam.server_certificate",
        "iam.user",
    ],
    permissions: &[
        "iam:GenerateCredentialReport",
        "iam:GetAccountAuthorizationDetails",
        "iam:GetAccountPasswordPolicy",
        "iam:GetAccountSummary",
        "iam:GetCredentialReport",
        "iam:ListOpenIDConnectProviders",
        "iam:ListOrganizationsFeatures",
        "iam:ListSAMLProviders",
        "iam:ListServerCertificates",
        "iam:ListVirtualMFADevices",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let report = report::read(&client, ask.at).await;
    let (a, b, c) = futures::join!(
        summary::collect(ask, &client, &report),
        certificates::collect(ask, &client),
        principals::collect(ask, &client, &report),
    );
    [a, b, c].concat()
}
