//! Single things of ECR, Elastic Load Balancing, KMS, CloudWatch Logs and RDS.

use aws_sdk_ecr::types::{ImageScanningConfiguration, ImageTagMutability, Repository};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerAttribute;
use aws_sdk_rds::types::DbInstance;
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, failed, flag, gone_is_done, missing, number, seen, unknown, word};

const DROP_HEADERS: &str = "routing.http.drop_invalid_header_fields.enabled";

impl AwsFixes<'_> {
    pub(super) async fn read_data(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        match aim.action.as_str() {
            "ecr_immutable_tags" => {
                let found = self.repository(scope, &aim.target).await?;
                seen(json!({"mutability": found.image_tag_mutability().map_or("MUTABLE", ImageTagMutability::as_str)}))
            }
            "ecr_scan_on_push" => {
                let found = self.repository(scope, &aim.target).await?;
                seen(json!({"on": found.image_scanning_configuration().is_some_and(|c| c.scan_on_push())}))
            }
            "elb_drop_invalid_headers" => self.read_headers(scope, aim).await,
            "kms_enable_rotation" => {
                let client = aws_sdk_kms::Client::new(&self.config(scope));
                let answer = client.get_key_rotation_status().key_id(&aim.target).send().await;
                let answer = answer.map_err(|e| failed("reading the rotation of key", &aim.target, &e))?;
                seen(json!({"on": answer.key_rotation_enabled()}))
            }
            "logs_set_retention" => self.read_retention(scope, aim).await,
            "rds_disable_public_access" => {
                seen(json!({"public": self.database(scope, aim).await?.publicly_accessible().unwrap_or(false)}))
            }
            "rds_enable_minor_upgrades" => {
                seen(json!({"on": self.database(scope, aim).await?.auto_minor_version_upgrade().unwrap_or(false)}))
            }
            "rds_protect_deletion" => {
                seen(json!({"on": self.database(scope, aim).await?.deletion_protection().unwrap_or(false)}))
            }
            _ => unknown(aim),
        }
    }

    pub(super) async fn write_data(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        match aim.action.as_str() {
            "ecr_immutable_tags" | "ecr_scan_on_push" => self.write_repository(scope, aim, to).await,
            "elb_drop_invalid_headers" => {
                let value =
                    LoadBalancerAttribute::builder().key(DROP_HEADERS).value(flag(to, "on").to_string()).build();
                let client = aws_sdk_elasticloadbalancingv2::Client::new(&self.config(scope));
                let call = client.modify_load_balancer_attributes().load_balancer_arn(&aim.target).attributes(value);
                call.send().await.map(drop).map_err(|e| failed("changing load balancer", &aim.target, &e))
            }
            "kms_enable_rotation" => self.write_rotation(scope, aim, flag(to, "on")).await,
            "logs_set_retention" => self.write_retention(scope, aim, to).await,
            "rds_disable_public_access" | "rds_enable_minor_upgrades" | "rds_protect_deletion" => {
                self.write_database(scope, aim, to).await
            }
            _ => unknown(aim),
        }
    }

    async fn repository(&self, scope: &Scope, name: &str) -> Answer<Repository> {
        let (client, doing) = (aws_sdk_ecr::Client::new(&self.config(scope)), "reading repository");
        let answer = client.describe_repositories().repository_names(name).send().await;
        let answer = answer.map_err(|e| failed(doing, name, &e))?;
        answer.repositories.unwrap_or_default().into_iter().next().ok_or_else(|| missing(doing, name))
    }

    async fn write_repository(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let (client, doing) = (aws_sdk_ecr::Client::new(&self.config(scope)), "changing repository");
        if aim.action == "ecr_scan_on_push" {
            let config = ImageScanningConfiguration::builder().scan_on_push(flag(to, "on")).build();
            let call = client.put_image_scanning_configuration().repository_name(&aim.target);
            let sent = call.image_scanning_configuration(config).send().await;
            return sent.map(drop).map_err(|e| failed(doing, &aim.target, &e));
        }
        let mutability = ImageTagMutability::from(word(to, "mutability").unwrap_or("MUTABLE"));
        let call = client.put_image_tag_mutability().repository_name(&aim.target).image_tag_mutability(mutability);
        call.send().await.map(drop).map_err(|e| failed(doing, &aim.target, &e))
    }

    async fn read_headers(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let client = aws_sdk_elasticloadbalancingv2::Client::new(&self.config(scope));
        let answer = client.describe_load_balancer_attributes().load_balancer_arn(&aim.target).send().await;
        let answer = answer.map_err(|e| failed("reading load balancer", &aim.target, &e))?;
        let found = answer.attributes().iter().find(|a| a.key() == Some(DROP_HEADERS)).and_then(|a| a.value());
        let wrong = || missing("reading whether malformed headers are dropped by", &aim.target);
        seen(json!({"on": found.ok_or_else(wrong)? == "true"}))
    }

    async fn write_rotation(&self, scope: &Scope, aim: &Aim, on: bool) -> Answer<()> {
        let (client, doing) = (aws_sdk_kms::Client::new(&self.config(scope)), "setting the rotation of key");
        if on {
            let sent = client.enable_key_rotation().key_id(&aim.target).send().await;
            return sent.map(drop).map_err(|e| failed(doing, &aim.target, &e));
        }
        client
            .disable_key_rotation()
            .key_id(&aim.target)
            .send()
            .await
            .map(drop)
            .map_err(|e| failed(doing, &aim.target, &e))
    }

    async fn read_retention(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let (client, doing) = (aws_sdk_cloudwatchlogs::Client::new(&self.config(scope)), "reading log group");
        let mut pages = client.describe_log_groups().log_group_name_prefix(&aim.target).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed(doing, &aim.target, &e))?;
            if let Some(found) = page.log_groups().iter().find(|g| g.log_group_name() == Some(&aim.target)) {
                return seen(json!({"days": found.retention_in_days()}));
            }
        }
        Err(missing(doing, &aim.target))
    }

    async fn write_retention(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let (client, doing) = (aws_sdk_cloudwatchlogs::Client::new(&self.config(scope)), "setting the retention of");
        if let Some(days) = number(to, "days") {
            let sent = client.put_retention_policy().log_group_name(&aim.target).retention_in_days(days).send().await;
            return sent.map(drop).map_err(|e| failed(doing, &aim.target, &e));
        }
        let sent = client.delete_retention_policy().log_group_name(&aim.target).send().await;
        gone_is_done(sent.map(drop).map_err(|e| failed(doing, &aim.target, &e)))
    }

    /// A database instance that is not being changed.
    async fn database(&self, scope: &Scope, aim: &Aim) -> Answer<DbInstance> {
        let (client, doing) = (aws_sdk_rds::Client::new(&self.config(scope)), "reading database");
        let answer = client.describe_db_instances().db_instance_identifier(&aim.target).send().await;
        let answer = answer.map_err(|e| failed(doing, &aim.target, &e))?;
        let found =
            answer.db_instances.unwrap_or_default().into_iter().next().ok_or_else(|| missing(doing, &aim.target))?;
        match found.db_instance_status() {
            Some("available" | "stopped") | None => Ok(found),
            Some(other) => Err(PortError::new(doing, &aim.target, Kind::Conflict, &format!("it is {other}"))),
        }
    }

    async fn write_database(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let call = aws_sdk_rds::Client::new(&self.config(scope)).modify_db_instance();
        let call = call.db_instance_identifier(&aim.target).apply_immediately(true);
        let call = match aim.action.as_str() {
            "rds_disable_public_access" => call.publicly_accessible(flag(to, "public")),
            "rds_enable_minor_upgrades" => call.auto_minor_version_upgrade(flag(to, "on")),
            _ => call.deletion_protection(flag(to, "on")),
        };
        call.send().await.map(drop).map_err(|e| failed("changing database", &aim.target, &e))
    }
}
