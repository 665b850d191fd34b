//! Certificates of AWS Certificate Manager.

use aws_sdk_acm::Client;
use aws_sdk_acm::types as acm;
use jiff::Timestamp;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, days_since, time};
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// Certificates, with the days that they have left.
pub static ACM: Service = Service {
    reach: Reach::Region,
    kinds: &["acm.certificate"],
    permissions: &["acm:ListCertificates"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let types =
        acm::Filters::builder().set_key_types(Some(acm::KeyAlgorithm::values().iter().map(|v| (*v).into()).collect()));
    let pages = client.list_certificates().includes(types.build()).into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await;
    ask.listed("acm.certificate", "acm:ListCertificates", listed, |c| describe(c, ask.at))
}

fn describe(c: &acm::CertificateSummary, now: Timestamp) -> (String, Value) {
    let value = json!({
        "certificate_arn": c.certificate_arn(),
        "domain_name": c.domain_name(),
        "status": c.status().map(|s| s.as_str()),
        "type": c.r#type().map(|t| t.as_str()),
        "in_use": c.in_use(),
        "not_after": time(c.not_after()),
        "days_left": days_since(c.not_after(), now).map(|d| -d),
    });
    (c.certificate_arn().text(), value)
}
