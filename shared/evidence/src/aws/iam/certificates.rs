//! Server certificates that are still kept in IAM.

use aws_sdk_iam::Client;
use picket_model::Document;
use serde_json::json;

use crate::aws::json::{days_since, time};
use crate::aws::tell::{Ask, Tell as _};

/// Certificates with the days that they have left.
pub async fn collect(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let pages = client.list_server_certificates().into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await;
    ask.listed("iam.server_certificate", "iam:ListServerCertificates", listed, |c| {
        let value = json!({
            "server_certificate_name": c.server_certificate_name(),
            "arn": c.arn(),
            "expiration": time(c.expiration()),
            "days_left": days_since(c.expiration(), ask.at).map(|d| -d),
        });
        (c.server_certificate_name().to_owned(), value)
    })
}
