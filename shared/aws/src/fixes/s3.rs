//! Buckets that are public, or that take requests without TLS.

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, code, failed, flag, gone_is_done, seen, unknown, word};

impl AwsFixes<'_> {
    fn s3(&self, scope: &Scope) -> aws_sdk_s3::Client {
        let config = self.config(scope);
        // Where AWS is somewhere else than in AWS, buckets have no host names of their own.
        let path_style = config.endpoint_url().is_some();
        aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(path_style).build())
    }

    pub(super) async fn read_s3(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let bucket = &aim.target;
        match aim.action.as_str() {
            "s3_block_account_public_access" => self.read_account_block(scope, aim).await,
            "s3_block_bucket_public_access" => {
                let facts = json!({"website": self.serves_a_website(scope, bucket).await?});
                let answer = self.s3(scope).get_public_access_block().bucket(bucket).send().await;
                let block = match answer {
                    Ok(answer) => answer.public_access_block_configuration().map(written),
                    Err(error) if code(&error) == "NoSuchPublicAccessBlockConfiguration" => None,
                    Err(error) => return Err(failed("reading the public access block of", bucket, &error)),
                };
                Ok(Sight { now: json!({ "block": block }), facts })
            }
            "s3_require_tls" => {
                let answer = self.s3(scope).get_bucket_policy().bucket(bucket).send().await;
                let policy = match answer {
                    Ok(answer) => answer.policy().map(str::to_owned),
                    Err(error) if code(&error) == "NoSuchBucketPolicy" => None,
                    Err(error) => return Err(failed("reading the policy of bucket", bucket, &error)),
                };
                let partition = if scope.region.as_str().starts_with("cn-") { "aws-cn" } else { "aws" };
                Ok(Sight { now: json!({ "policy": policy }), facts: json!({ "partition": partition }) })
            }
            _ => unknown(aim),
        }
    }

    pub(super) async fn write_s3(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let bucket = &aim.target;
        match (aim.action.as_str(), to.get("block").filter(|b| b.is_object()), word(to, "policy")) {
            ("s3_block_account_public_access", block, _) => self.write_account_block(scope, aim, block).await,
            ("s3_block_bucket_public_access", Some(block), _) => {
                let call = self.s3(scope).put_public_access_block().bucket(bucket);
                let sent = call.public_access_block_configuration(block_of(block)).send().await;
                sent.map(drop).map_err(|e| failed("setting the public access block of", bucket, &e))
            }
            ("s3_block_bucket_public_access", None, _) => {
                let sent = self.s3(scope).delete_public_access_block().bucket(bucket).send().await;
                gone_is_done(sent.map(drop).map_err(|e| failed("removing the public access block of", bucket, &e)))
            }
            ("s3_require_tls", _, Some(policy)) => {
                let sent = self.s3(scope).put_bucket_policy().bucket(bucket).policy(policy).send().await;
                sent.map(drop).map_err(|e| failed("setting the policy of bucket", bucket, &e))
            }
            ("s3_require_tls", _, None) => {
                let sent = self.s3(scope).delete_bucket_policy().bucket(bucket).send().await;
                gone_is_done(sent.map(drop).map_err(|e| failed("removing the policy of bucket", bucket, &e)))
            }
            _ => unknown(aim),
        }
    }

    async fn serves_a_website(&self, scope: &Scope, bucket: &str) -> Answer<bool> {
        match self.s3(scope).get_bucket_website().bucket(bucket).send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == "NoSuchWebsiteConfiguration" => Ok(false),
            Err(error) => Err(failed("reading whether a website is served by", bucket, &error)),
        }
    }

    async fn read_account_block(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let client = aws_sdk_s3control::Client::new(&self.config(scope));
        let answer = client.get_public_access_block().account_id(scope.account.as_str()).send().await;
        let block = match answer {
            Ok(answer) => answer.public_access_block_configuration().map(|b| {
                json!({
                    "block_acls": b.block_public_acls().unwrap_or(false),
                    "ignore_acls": b.ignore_public_acls().unwrap_or(false),
                    "block_policy": b.block_public_policy().unwrap_or(false),
                    "restrict": b.restrict_public_buckets().unwrap_or(false),
                })
            }),
            Err(error) if code(&error) == "NoSuchPublicAccessBlockConfiguration" => None,
            Err(error) => return Err(failed("reading the public access block of", &aim.target, &error)),
        };
        seen(json!({ "block": block }))
    }

    async fn write_account_block(&self, scope: &Scope, aim: &Aim, block: Option<&Value>) -> Answer<()> {
        let client = aws_sdk_s3control::Client::new(&self.config(scope));
        let (account, doing) = (scope.account.as_str(), "setting the public access block of");
        let Some(block) = block else {
            let sent = client.delete_public_access_block().account_id(account).send().await;
            return gone_is_done(sent.map(drop).map_err(|e| failed(doing, &aim.target, &e)));
        };
        let wanted = aws_sdk_s3control::types::PublicAccessBlockConfiguration::builder()
            .block_public_acls(flag(block, "block_acls"))
            .ignore_public_acls(flag(block, "ignore_acls"))
            .block_public_policy(flag(block, "block_policy"))
            .restrict_public_buckets(flag(block, "restrict"))
            .build();
        let call = client.put_public_access_block().account_id(account).public_access_block_configuration(wanted);
        call.send().await.map(drop).map_err(|e| failed(doing, &aim.target, &e))
    }
}

fn written(block: &PublicAccessBlockConfiguration) -> Value {
    json!({
        "block_acls": block.block_public_acls().unwrap_or(false),
        "ignore_acls": block.ignore_public_acls().unwrap_or(false),
        "block_policy": block.block_public_policy().unwrap_or(false),
        "restrict": block.restrict_public_buckets().unwrap_or(false),
    })
}

fn block_of(block: &Value) -> PublicAccessBlockConfiguration {
    PublicAccessBlockConfiguration::builder()
        .block_public_acls(flag(block, "block_acls"))
        .ignore_public_acls(flag(block, "ignore_acls"))
        .block_public_policy(flag(block, "block_policy"))
        .restrict_public_buckets(flag(block, "restrict"))
        .build()
}
