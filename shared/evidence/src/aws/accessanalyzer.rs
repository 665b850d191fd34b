//! IAM Access Analyzer: the analyzers of a Region, and what they found to be public.

use aws_sdk_accessanalyzer::Client;
use aws_sdk_accessanalyzer::types as aa;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::tell::{Ask, Service, Tell as _, WHOLE_LIST};
use crate::collector::Reach;

/// Analyzers, and their active findings about public access.
pub static ACCESSANALYZER: Service = Service {
    reach: Reach::Region,
    kinds: &["accessanalyzer.analyzer", "accessanalyzer.public_finding"],
    permissions: &["access-analyzer:ListAnalyzers", "access-analyzer:ListFindings"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let listed = client.list_analyzers().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    if let Err(error) = &listed {
        let call = "access-analyzer:ListAnalyzers";
        return ACCESSANALYZER.kinds.iter().map(|kind| ask.failed(kind, WHOLE_LIST, call, error)).collect();
    }
    let external = |a: &&aa::AnalyzerSummary| matches!(a.r#type(), aa::Type::Account | aa::Type::Organization);
    let first = listed.as_ref().ok().and_then(|l| l.iter().find(external)).map(|a| a.arn().to_owned());
    let mut all = ask.listed("accessanalyzer.analyzer", "access-analyzer:ListAnalyzers", listed, analyzer);
    if let Some(arn) = first {
        let pages = client.list_findings().analyzer_arn(arn).filter("isPublic", equals("true"));
        let pages = pages.filter("status", equals("ACTIVE")).into_paginator().items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await;
        all.extend(ask.listed("accessanalyzer.public_finding", "access-analyzer:ListFindings", found, finding));
    }
    all
}

fn equals(value: &str) -> aa::Criterion {
    aa::Criterion::builder().eq(value).build()
}

fn analyzer(a: &aa::AnalyzerSummary) -> (String, Value) {
    let value = json!({
        "arn": a.arn(),
        "name": a.name(),
        "type": a.r#type().as_str(),
        "status": a.status().as_str(),
    });
    (a.name().to_owned(), value)
}

fn finding(f: &aa::FindingSummary) -> (String, Value) {
    let value = json!({
        "id": f.id(),
        "resource": f.resource(),
        "resource_type": f.resource_type().as_str(),
        "action": f.action(),
        "condition": f.condition(),
        "status": f.status().as_str(),
    });
    (f.id().to_owned(), value)
}
