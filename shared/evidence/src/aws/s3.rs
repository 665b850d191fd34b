//! Buckets with policy, encryption, versioning, logging and public access, and what the account blocks for all.

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::types as s3;
use futures::StreamExt as _;
use picket_model::{Document, Region};
use serde_json::{Value, json};

use crate::aws::policy::Policy;
use crate::aws::tell::{AT_ONCE, Ask, Service, Tell as _, WHOLE_LIST, code, reason};
use crate::collector::Reach;

const BUCKET: &str = "s3.bucket";
const ACCOUNT: &str = "s3.account";

/// Buckets of all Regions, once an account.
pub static S3: Service = Service {
    reach: Reach::Account,
    kinds: &[ACCOUNT, BUCKET],
    permissions: &[
        "s3:GetAccountPublicAccessBlock",
        "s3:GetBucketLogging",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketTagging",
        "s3:GetBucketVersioning",
        "s3:GetEncryptionConfiguration",
        "s3:ListAllMyBuckets",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = client(ask.config(), None);
    let mut all = vec![account(ask).await];
    match client.list_buckets().max_buckets(1000).into_paginator().items().send().collect::<Result<Vec<_>, _>>().await {
        Ok(buckets) => {
            let read = futures::stream::iter(buckets).map(|b| read(ask, b)).buffer_unordered(AT_ONCE);
            all.extend(read.collect::<Vec<_>>().await);
        }
        Err(error) => all.push(ask.failed(BUCKET, WHOLE_LIST, "s3:ListAllMyBuckets", &error)),
    }
    all
}

/// A client for the Region of a bucket. A local endpoint is spoken to in path style.
fn client(config: &SdkConfig, region: Option<&str>) -> Client {
    let mut builder = aws_sdk_s3::config::Builder::from(config).force_path_style(config.endpoint_url().is_some());
    if let Some(region) = region {
        builder = builder.region(aws_sdk_s3::config::Region::new(region.to_owned()));
    }
    Client::from_conf(builder.build())
}

async fn account(ask: Ask<'_>) -> Document {
    let (id, call) = (ask.place.account.as_str(), "s3:GetAccountPublicAccessBlock");
    let client = aws_sdk_s3control::Client::new(ask.config());
    match client.get_public_access_block().account_id(id).send().await {
        Ok(answer) => {
            let b = answer.public_access_block_configuration();
            let value = b.map_or_else(nothing_blocked, |b| {
                json!({
                    "block_public_acls": b.block_public_acls().unwrap_or_default(),
                    "ignore_public_acls": b.ignore_public_acls().unwrap_or_default(),
                    "block_public_policy": b.block_public_policy().unwrap_or_default(),
                    "restrict_public_buckets": b.restrict_public_buckets().unwrap_or_default(),
                })
            });
            ask.known(ACCOUNT, id, call, json!({"public_access_block": value}))
        }
        Err(error) if code(&error) == Some("NoSuchPublicAccessBlockConfiguration") => {
            ask.known(ACCOUNT, id, call, json!({"public_access_block": nothing_blocked()}))
        }
        Err(error) => ask.failed(ACCOUNT, id, call, &error),
    }
}

fn nothing_blocked() -> Value {
    json!({
        "block_public_acls": false,
        "ignore_public_acls": false,
        "block_public_policy": false,
        "restrict_public_buckets": false,
    })
}

async fn read(ask: Ask<'_>, bucket: s3::Bucket) -> Document {
    let (name, region) = (bucket.name().unwrap_or_default(), bucket.bucket_region());
    let client = client(ask.config(), region);
    let (who, how) = futures::join!(access(&client, name, ask.place.account.as_str()), keeping(&client, name));
    let mut value = json!({"name": name, "bucket_region": region, "unread": {}});
    for (field, read) in who.into_iter().chain(how) {
        match read {
            Ok(read) => value[field] = read,
            Err(why) => value["unread"][field] = why.into(),
        }
    }
    let mut document = ask.known(BUCKET, name, "s3:GetBucketPolicy and others", value);
    document.region = region.and_then(|r| Region::parse(r).ok());
    document
}

/// Fields with what was read, or why it was not.
type Fields = [(&'static str, Result<Value, String>); 3];

/// Who may do what.
async fn access(client: &Client, name: &str, account: &str) -> Fields {
    let (policy, encryption, block) = futures::join!(
        client.get_bucket_policy().bucket(name).send(),
        client.get_bucket_encryption().bucket(name).send(),
        client.get_public_access_block().bucket(name).send(),
    );
    let policy = match policy {
        Ok(a) => Ok(Policy::parse(a.policy().unwrap_or_default()).facts(account)),
        Err(e) if code(&e) == Some("NoSuchBucketPolicy") => Ok(Policy::none()),
        Err(e) => Err(reason("s3:GetBucketPolicy", &e)),
    };
    let encryption = match encryption {
        Ok(a) => Ok(algorithms(&a)),
        Err(e) if code(&e) == Some("ServerSideEncryptionConfigurationNotFoundError") => Ok(json!({"algorithms": []})),
        Err(e) => Err(reason("s3:GetEncryptionConfiguration", &e)),
    };
    let block = match block {
        Ok(a) => Ok(a.public_access_block_configuration().map_or_else(nothing_blocked, blocked)),
        Err(e) if code(&e) == Some("NoSuchPublicAccessBlockConfiguration") => Ok(nothing_blocked()),
        Err(e) => Err(reason("s3:GetBucketPublicAccessBlock", &e)),
    };
    [("policy", policy), ("encryption", encryption), ("public_access_block", block)]
}

/// What is kept of objects and of requests.
async fn keeping(client: &Client, name: &str) -> Fields {
    let (versioning, logging, tags) = futures::join!(
        client.get_bucket_versioning().bucket(name).send(),
        client.get_bucket_logging().bucket(name).send(),
        client.get_bucket_tagging().bucket(name).send(),
    );
    let versioning = versioning.map_err(|e| reason("s3:GetBucketVersioning", &e)).map(|a| {
        json!({
            "status": a.status().map_or("Off", |s| s.as_str()),
            "mfa_delete": a.mfa_delete().map_or("Disabled", |m| m.as_str()),
        })
    });
    let logging = logging.map_err(|e| reason("s3:GetBucketLogging", &e)).map(|a| {
        let to = a.logging_enabled();
        json!({"enabled": to.is_some(), "target_bucket": to.map(|l| l.target_bucket())})
    });
    let tags = match tags {
        Ok(a) => Ok(crate::aws::json::tags(a.tag_set().iter().map(|t| (t.key(), t.value())))),
        Err(e) if code(&e) == Some("NoSuchTagSet") => Ok(json!({})),
        Err(e) => Err(reason("s3:GetBucketTagging", &e)),
    };
    [("versioning", versioning), ("logging", logging), ("tags", tags)]
}

fn blocked(b: &s3::PublicAccessBlockConfiguration) -> Value {
    json!({
        "block_public_acls": b.block_public_acls().unwrap_or_default(),
        "ignore_public_acls": b.ignore_public_acls().unwrap_or_default(),
        "block_public_policy": b.block_public_policy().unwrap_or_default(),
        "restrict_public_buckets": b.restrict_public_buckets().unwrap_or_default(),
    })
}

fn algorithms(a: &aws_sdk_s3::operation::get_bucket_encryption::GetBucketEncryptionOutput) -> Value {
    let rules = a.server_side_encryption_configuration().map(|c| c.rules()).unwrap_or_default();
    let defaults = rules.iter().filter_map(|r| r.apply_server_side_encryption_by_default());
    json!({"algorithms": defaults.map(|d| d.sse_algorithm().as_str()).collect::<Vec<_>>()})
}
