//! Systems Manager: managed instances with their compliance, own documents, and the setting about sharing.

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types as ssm;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, time};
use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST, code, reason};
use crate::collector::Reach;

const INSTANCE: &str = "ssm.managed_instance";
const DOCUMENT: &str = "ssm.document";
const SHARING: &str = "/ssm/documents/console/public-sharing-permission";

/// Managed instances, documents, settings.
pub static SSM: Service = Service {
    reach: Reach::Region,
    kinds: &[DOCUMENT, INSTANCE, "ssm.settings"],
    permissions: &[
        "ssm:DescribeDocumentPermission",
        "ssm:DescribeInstanceInformation",
        "ssm:GetServiceSetting",
        "ssm:ListDocuments",
        "ssm:ListResourceComplianceSummaries",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (instances, documents, settings) =
        futures::join!(instances(ask, &client), documents(ask, &client), settings(ask, &client));
    [instances, documents, settings].concat()
}

/// Status by instance and type of compliance, or why it is not known.
type Compliance = Result<BTreeMap<(String, String), String>, String>;

async fn instances(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let pages = client.list_resource_compliance_summaries().into_paginator().items().send();
    let summaries = pages.collect::<Result<Vec<_>, _>>().await;
    let compliance: Compliance = summaries
        .map(|list| {
            list.iter()
                .map(|s| ((s.resource_id().text(), s.compliance_type().text()), s.status().map(|s| s.as_str()).text()))
                .collect()
        })
        .map_err(|e| reason("ssm:ListResourceComplianceSummaries", &e));
    let pages = client.describe_instance_information().into_paginator().items().send();
    let listed = pages.collect::<Result<Vec<_>, _>>().await;
    ask.listed(INSTANCE, "ssm:DescribeInstanceInformation", listed, |i| instance(i, &compliance))
}

fn instance(i: &ssm::InstanceInformation, compliance: &Compliance) -> (String, Value) {
    let id = i.instance_id().text();
    let mut value = json!({
        "instance_id": id,
        "ping_status": i.ping_status().map(|s| s.as_str()),
        "last_ping": time(i.last_ping_date_time()),
        "agent_version": i.agent_version(),
        "platform_name": i.platform_name(),
        "platform_type": i.platform_type().map(|t| t.as_str()),
    });
    match compliance {
        Ok(all) => {
            // Without a row, nothing of the kind was ever reported.
            let status = |kind: &str| all.get(&(id.clone(), kind.to_owned())).map_or("NOT_REPORTED", String::as_str);
            value["patch_compliance"] = status("Patch").into();
            value["association_compliance"] = status("Association").into();
        }
        Err(why) => value["unread"] = json!({"patch_compliance": why, "association_compliance": why}),
    }
    (id, value)
}

async fn documents(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let own = ssm::DocumentKeyValuesFilter::builder().key("Owner").values("Self").build();
    let listed =
        client.list_documents().filters(own).into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    match listed {
        Ok(list) => {
            futures::stream::iter(list).map(|d| document(ask, client, d)).buffer_unordered(AT_ONCE).collect().await
        }
        Err(error) => vec![ask.failed(DOCUMENT, WHOLE_LIST, "ssm:ListDocuments", &error)],
    }
}

async fn document(ask: Ask<'_>, client: &Client, d: ssm::DocumentIdentifier) -> Document {
    let (name, call) = (d.name().text(), "ssm:DescribeDocumentPermission");
    let read = client.describe_document_permission().name(&name).permission_type(ssm::DocumentPermissionType::Share);
    match read.send().await {
        Ok(answer) => {
            let value = json!({
                "name": name,
                "document_type": d.document_type().map(|t| t.as_str()),
                "account_ids": answer.account_ids(),
            });
            ask.known(DOCUMENT, name, call, value)
        }
        Err(error) => ask.failed(DOCUMENT, name, call, &error),
    }
}

async fn settings(ask: Ask<'_>, client: &Client) -> Vec<Document> {
    let (kind, call) = ("ssm.settings", "ssm:GetServiceSetting");
    let id = ask.place.region.as_ref().map(|r| r.as_str());
    match client.get_service_setting().setting_id(SHARING).send().await {
        Ok(answer) => {
            let value = answer.service_setting().and_then(|s| s.setting_value());
            vec![ask.known(kind, id, call, json!({"public_sharing": value}))]
        }
        // Where the setting was never made, sharing is allowed.
        Err(error) if code(&error) == Some("ServiceSettingNotFound") => {
            vec![ask.known(kind, id, call, json!({"public_sharing": "Enable"}))]
        }
        Err(error) => vec![ask.failed(kind, id, call, &error)],
    }
}
