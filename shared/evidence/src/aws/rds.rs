//! Databases and who is told about their events.

use aws_sdk_rds::Client;
use aws_sdk_rds::types as rds;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::{Text as _, tags};
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// Instances and event subscriptions.
pub static RDS: Service = Service {
    reach: Reach::Region,
    kinds: &["rds.db_instance", "rds.event_subscription"],
    permissions: &["rds:DescribeDBInstances", "rds:DescribeEventSubscriptions"],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (instances, subscriptions) = futures::join!(
        client.describe_db_instances().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
        client.describe_event_subscriptions().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let mut all = ask.listed("rds.db_instance", "rds:DescribeDBInstances", instances, instance);
    let call = "rds:DescribeEventSubscriptions";
    all.extend(ask.listed("rds.event_subscription", call, subscriptions, subscription));
    all
}

fn instance(d: &rds::DbInstance) -> (String, Value) {
    let groups = d.vpc_security_groups().iter().filter_map(|g| g.vpc_security_group_id());
    let subnets = d.db_subnet_group().map(|g| g.subnets()).unwrap_or_default().iter();
    let value = json!({
        "db_instance_identifier": d.db_instance_identifier(),
        "engine": d.engine(),
        "storage_encrypted": d.storage_encrypted().unwrap_or_default(),
        "kms_key_id": d.kms_key_id(),
        "auto_minor_version_upgrade": d.auto_minor_version_upgrade().unwrap_or_default(),
        "publicly_accessible": d.publicly_accessible().unwrap_or_default(),
        "multi_az": d.multi_az().unwrap_or_default(),
        "in_cluster": d.db_cluster_identifier().is_some(),
        "is_replica": d.read_replica_source_db_instance_identifier().is_some(),
        "backup_retention_period": d.backup_retention_period().unwrap_or_default(),
        "vpc_security_group_ids": groups.collect::<Vec<_>>(),
        "subnet_ids": subnets.filter_map(|s| s.subnet_identifier()).collect::<Vec<_>>(),
        "tags": tags(d.tag_list().iter().map(|t| (t.key(), t.value()))),
    });
    (d.db_instance_identifier().text(), value)
}

fn subscription(s: &rds::EventSubscription) -> (String, Value) {
    let value = json!({
        "cust_subscription_id": s.cust_subscription_id(),
        "sns_topic_arn": s.sns_topic_arn(),
        "source_type": s.source_type(),
        "source_ids": s.source_ids_list(),
        "event_categories": s.event_categories_list(),
        "enabled": s.enabled().unwrap_or_default(),
        "status": s.status(),
    });
    (s.cust_subscription_id().text(), value)
}
