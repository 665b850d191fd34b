//! Keys of the Key Management Service.

use aws_sdk_kms::Client;
use aws_sdk_kms::types as kms;
use futures::StreamExt as _;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::tags;
use crate::aws::policy::Policy;
use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST, reason};
use crate::collector::Reach;

const KIND: &str = "kms.key";

/// Keys with rotation, policy and tags.
pub static KMS: Service = Service {
    reach: Reach::Region,
    kinds: &[KIND],
    permissions: &[
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListKeys",
        "kms:ListResourceTags",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    match client.list_keys().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await {
        Ok(keys) => {
            let ids = keys.into_iter().filter_map(|k| k.key_id);
            futures::stream::iter(ids).map(|id| read(ask, &client, id)).buffer_unordered(AT_ONCE).collect().await
        }
        Err(error) => vec![ask.failed(KIND, WHOLE_LIST, "kms:ListKeys", &error)],
    }
}

async fn read(ask: Ask<'_>, client: &Client, id: String) -> Document {
    let (mut value, own) = match client.describe_key().key_id(&id).send().await {
        Ok(answer) => {
            let metadata = answer.key_metadata();
            let own = metadata.and_then(|m| m.key_manager()) == Some(&kms::KeyManagerType::Customer);
            (metadata.map_or(Value::Null, describe), own)
        }
        Err(error) => return ask.failed(KIND, id, "kms:DescribeKey", &error),
    };
    // AWS's own keys show neither policy nor tags, and AWS rotates them.
    if own {
        details(ask, client, &id, &mut value).await;
    }
    ask.known(KIND, id, "kms:DescribeKey", value)
}

async fn details(ask: Ask<'_>, client: &Client, id: &str, value: &mut Value) {
    let (rotation, policy, tag_list) = futures::join!(
        client.get_key_rotation_status().key_id(id).send(),
        client.get_key_policy().key_id(id).policy_name("default").send(),
        client.list_resource_tags().key_id(id).into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    match rotation {
        Ok(answer) => value["key_rotation_enabled"] = answer.key_rotation_enabled().into(),
        Err(e) => value["unread"]["key_rotation_enabled"] = reason("kms:GetKeyRotationStatus", &e).into(),
    }
    match policy {
        Ok(answer) => {
            value["policy"] = Policy::parse(answer.policy().unwrap_or_default()).facts(ask.place.account.as_str());
        }
        Err(e) => value["unread"]["policy"] = reason("kms:GetKeyPolicy", &e).into(),
    }
    match tag_list {
        Ok(list) => value["tags"] = tags(list.iter().map(|t| (t.tag_key(), t.tag_value()))),
        Err(e) => {
            value["tags"] = Value::Null;
            value["unread"]["tags"] = reason("kms:ListResourceTags", &e).into();
        }
    }
}

fn describe(m: &kms::KeyMetadata) -> Value {
    json!({
        "key_id": m.key_id(),
        "arn": m.arn(),
        "description": m.description(),
        "key_manager": m.key_manager().map(|k| k.as_str()),
        "key_state": m.key_state().map(|s| s.as_str()),
        "key_spec": m.key_spec().map(|s| s.as_str()),
        "origin": m.origin().map(|o| o.as_str()),
        "tags": {},
        "unread": {},
    })
}
