//! GuardDuty's detectors and what they watch.

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::operation::get_detector::GetDetectorOutput;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::tell::{Ask, Service, Tell as _, WHOLE_LIST};
use crate::collector::Reach;

const KIND: &str = "guardduty.detector";

/// Detectors.
pub static GUARDDUTY: Service = Service {
    reach: Reach::Region,
    kinds: &[KIND],
    permissions: &["guardduty:GetDetector", "guardduty:ListDetectors"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let ids = match client.list_detectors().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await {
        Ok(ids) => ids,
        Err(error) => return vec![ask.failed(KIND, WHOLE_LIST, "guardduty:ListDetectors", &error)],
    };
    let mut all = Vec::new();
    for id in ids {
        all.push(match client.get_detector().detector_id(&id).send().await {
            Ok(answer) => ask.known(KIND, id, "guardduty:GetDetector", describe(&answer)),
            Err(error) => ask.failed(KIND, id, "guardduty:GetDetector", &error),
        });
    }
    all
}

fn describe(d: &GetDetectorOutput) -> Value {
    let on = |f: &&aws_sdk_guardduty::types::DetectorFeatureConfigurationResult| {
        f.status().is_some_and(|s| s.as_str() == "ENABLED")
    };
    let features = d.features().iter().filter(on).filter_map(|f| f.name());
    json!({
        "status": d.status().map(|s| s.as_str()),
        "finding_publishing_frequency": d.finding_publishing_frequency().map(|f| f.as_str()),
        "features": features.map(|n| n.as_str()).collect::<Vec<_>>(),
    })
}
