//! Macie: whether it is on, and whether jobs classify anything.

use aws_sdk_macie2::Client;
use picket_model::Document;
use serde_json::json;

use crate::aws::tell::{Ask, Service, Tell as _, code, reason};
use crate::collector::Reach;

/// One document a Region.
pub static MACIE2: Service = Service {
    reach: Reach::Region,
    kinds: &["macie2.session"],
    permissions: &[
        "macie2:GetMacieSession",
        "macie2:ListClassificationJobs",
        "macie2:GetAutomatedDiscoveryConfiguration",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (kind, call) = ("macie2.session", "macie2:GetMacieSession");
    let id = ask.place.region.as_ref().map(|r| r.as_str());
    let mut value = match client.get_macie_session().send().await {
        Ok(answer) => json!({"status": answer.status().map(|s| s.as_str())}),
        // Macie says that it is off by denying; a missing permission is denied in other words.
        Err(error) if code(&error) == Some("AccessDeniedException") && says_off(&error) => {
            return vec![ask.known(
                kind,
                id,
                call,
                json!({"status": "DISABLED", "jobs": 0, "automated_discovery": "DISABLED"}),
            )];
        }
        Err(error) => return vec![ask.failed(kind, id, call, &error)],
    };
    let jobs = client.list_classification_jobs().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    match jobs {
        Ok(jobs) => value["jobs"] = jobs.len().into(),
        Err(error) => value["unread"] = json!({"jobs": reason("macie2:ListClassificationJobs", &error)}),
    }
    let automated = client.get_automated_discovery_configuration().send().await;
    value["automated_discovery"] = automated.ok().and_then(|a| a.status().map(|s| s.as_str().to_owned())).into();
    vec![ask.known(kind, id, call, value)]
}

fn says_off<E, R>(error: &aws_sdk_macie2::error::SdkError<E, R>) -> bool
where
    E: aws_sdk_macie2::error::ProvideErrorMetadata,
{
    match error {
        aws_sdk_macie2::error::SdkError::ServiceError(s) => {
            s.err().message().is_some_and(|m| m.to_ascii_lowercase().contains("macie is not enabled"))
        }
        _ => false,
    }
}
