//! AWS Config: recorders and rules.

use aws_sdk_config::Client;
use aws_sdk_config::types as cfg;
use picket_model::Document;
use serde_json::{Value, json};

use crate::aws::json::Text as _;
use crate::aws::tell::{Ask, Service, Tell as _};
use crate::collector::Reach;

/// Recorders with their state, and rules.
pub static CONFIG: Service = Service {
    reach: Reach::Region,
    kinds: &["config.recorder", "config.rule"],
    permissions: &[
        "config:DescribeConfigRules",
        "config:DescribeConfigurationRecorderStatus",
        "config:DescribeConfigurationRecorders",
    ],
    collect: |ask| Box::pin(collect(ask)),
};

async fn collect(ask: Ask<'_>) -> Vec<Document> {
    let client = Client::new(ask.config());
    let (recorders, states, rules) = futures::join!(
        client.describe_configuration_recorders().send(),
        client.describe_configuration_recorder_status().send(),
        client.describe_config_rules().into_paginator().items().send().collect::<Result<Vec<_>, _>>(),
    );
    let mut all = ask.listed("config.rule", "config:DescribeConfigRules", rules, rule);
    let states = match states {
        Ok(answer) => answer.configuration_recorders_status.unwrap_or_default(),
        Err(error) => {
            let call = "config:DescribeConfigurationRecorderStatus";
            all.push(ask.failed("config.recorder", "*", call, &error));
            return all;
        }
    };
    let recorders = recorders.map(|r| r.configuration_recorders.unwrap_or_default());
    all.extend(ask.listed("config.recorder", "config:DescribeConfigurationRecorders", recorders, |r| {
        recorder(r, states.iter().find(|s| s.name() == r.name()))
    }));
    all
}

fn recorder(r: &cfg::ConfigurationRecorder, state: Option<&cfg::ConfigurationRecorderStatus>) -> (String, Value) {
    let group = r.recording_group();
    let value = json!({
        "name": r.name(),
        "all_supported": group.is_none_or(|g| g.all_supported()),
        "include_global_resource_types": group.is_none_or(|g| g.include_global_resource_types()),
        "recording": state.is_some_and(|s| s.recording()),
        "last_status": state.and_then(|s| s.last_status()).map(|s| s.as_str()),
    });
    (r.name().text(), value)
}

fn rule(r: &cfg::ConfigRule) -> (String, Value) {
    let source = r.source();
    let value = json!({
        "config_rule_name": r.config_rule_name(),
        "source_identifier": source.and_then(|s| s.source_identifier()),
        "owner": source.map(|s| s.owner().as_str()),
        "config_rule_state": r.config_rule_state().map(|s| s.as_str()),
        "scope_tag": r.scope().and_then(|s| s.tag_value()),
    });
    (r.config_rule_name().text(), value)
}
