//! Services that watch an account: CloudTrail, GuardDuty, IAM Access Analyzer, and documents of Systems Manager.

use aws_sdk_accessanalyzer::types::Type;
use aws_sdk_guardduty::types::DetectorStatus;
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Sight};
use serde_json::{Value, json};

use super::{AwsFixes, failed, flag, gone_is_done, missing, seen, unknown, word};

/// The name of the analyzer that a fix makes.
const OURS: &str = "picket";
const SHARING: &str = "/ssm/documents/console/public-sharing-permission";

impl AwsFixes<'_> {
    pub(super) async fn read_account(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        match aim.action.as_str() {
            "accessanalyzer_enable" => self.read_analyzers(scope).await,
            "cloudtrail_validate_logs" => {
                let (doing, name) = ("reading trail", &aim.target);
                let call = self.clients.cloudtrail(&scope.region).describe_trails().trail_name_list(name);
                let answer = call.send().await.map_err(|e| failed(doing, name, &e))?;
                let found = answer.trail_list().first().ok_or_else(|| missing(doing, name))?;
                seen(json!({"on": found.log_file_validation_enabled().unwrap_or(false)}))
            }
            "guardduty_enable" => seen(json!({"detector": self.detector(scope).await?.1})),
            "ssm_block_public_documents" => {
                let client = aws_sdk_ssm::Client::new(&self.config(scope));
                let answer = client.get_service_setting().setting_id(SHARING).send().await;
                let answer = answer.map_err(|e| failed("reading whether documents may be public in", scope, &e))?;
                let value = answer.service_setting().and_then(|s| s.setting_value()).unwrap_or("Enable");
                seen(json!({ "sharing": value }))
            }
            _ => unknown(aim),
        }
    }

    pub(super) async fn write_account(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        match aim.action.as_str() {
            "accessanalyzer_enable" => self.write_analyzer(scope, word(to, "analyzer").is_some()).await,
            "cloudtrail_validate_logs" => {
                let call = self.clients.cloudtrail(&scope.region).update_trail().name(&aim.target);
                let sent = call.enable_log_file_validation(flag(to, "on")).send().await;
                sent.map(drop).map_err(|e| failed("changing trail", &aim.target, &e))
            }
            "guardduty_enable" => self.write_detector(scope, word(to, "detector").unwrap_or("none")).await,
            "ssm_block_public_documents" => {
                let client = aws_sdk_ssm::Client::new(&self.config(scope));
                let call = client.update_service_setting().setting_id(SHARING);
                let sent = call.setting_value(word(to, "sharing").unwrap_or("Enable")).send().await;
                sent.map(drop).map_err(|e| failed("setting whether documents may be public in", scope, &e))
            }
            _ => unknown(aim),
        }
    }

    /// The analyzers of the account; one of somebody else's is enough.
    async fn read_analyzers(&self, scope: &Scope) -> Answer<Sight> {
        let client = aws_sdk_accessanalyzer::Client::new(&self.config(scope));
        let mut pages = client.list_analyzers().into_paginator().send();
        let (mut ours, mut other) = (None, false);
        while let Some(page) = pages.next().await {
            let page = page.map_err(|e| failed("listing the analyzers of", scope, &e))?;
            for analyzer in page.analyzers() {
                let external = matches!(analyzer.r#type(), Type::Account | Type::Organization);
                if analyzer.name() == OURS {
                    ours = Some(OURS);
                } else {
                    other |= external;
                }
            }
        }
        Ok(Sight { now: json!({ "analyzer": ours }), facts: json!({ "other": other }) })
    }

    async fn write_analyzer(&self, scope: &Scope, on: bool) -> Answer<()> {
        let client = aws_sdk_accessanalyzer::Client::new(&self.config(scope));
        if !on {
            let sent = client.delete_analyzer().analyzer_name(OURS).send().await;
            return gone_is_done(sent.map(drop).map_err(|e| failed("deleting our analyzer in", scope, &e)));
        }
        match client.create_analyzer().analyzer_name(OURS).r#type(Type::Account).send().await {
            Err(error) if super::code(&error) == "ConflictException" => Ok(()),
            answer => answer.map(drop).map_err(|e| failed("making an analyzer in", scope, &e)),
        }
    }

    /// The detector's id, and whether it is `on`, `off` or there is `none`.
    async fn detector(&self, scope: &Scope) -> Answer<(Option<String>, &'static str)> {
        let (client, doing) = (aws_sdk_guardduty::Client::new(&self.config(scope)), "reading GuardDuty of");
        let answer = client.list_detectors().send().await.map_err(|e| failed(doing, scope, &e))?;
        let Some(id) = answer.detector_ids().first().cloned() else { return Ok((None, "none")) };
        let found = client.get_detector().detector_id(&id).send().await.map_err(|e| failed(doing, scope, &e))?;
        let on = found.status() == Some(&DetectorStatus::Enabled);
        Ok((Some(id), if on { "on" } else { "off" }))
    }

    async fn write_detector(&self, scope: &Scope, wanted: &str) -> Answer<()> {
        let (client, doing) = (aws_sdk_guardduty::Client::new(&self.config(scope)), "changing GuardDuty of");
        match (self.detector(scope).await?.0, wanted) {
            (None, "on") => {
                client.create_detector().enable(true).send().await.map(drop).map_err(|e| failed(doing, scope, &e))
            }
            (None, _) => Ok(()),
            (Some(id), "none") => {
                let sent = client.delete_detector().detector_id(id).send().await;
                gone_is_done(sent.map(drop).map_err(|e| failed(doing, scope, &e)))
            }
            (Some(id), wanted) => {
                let sent = client.update_detector().detector_id(id).enable(wanted == "on").send().await;
                sent.map(drop).map_err(|e| failed(doing, scope, &e))
            }
        }
    }
}
