//! Nodes, through one Systems Manager document of ours that reads, backs up, changes and checks one thing.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_ssm::types::{CommandInvocationStatus, PingStatus};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::ports::{Answer, Kind, PortError, Sight};
use serde_json::{Value, json};

use super::ec2_things::metadata::cluster_of;
use super::{AwsFixes, failed, unknown, word};

/// How often, and how long, a command is waited for here. One that takes longer is asked for again later.
const LOOKS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(1500);

/// How our document ends where another change of the node is under way.
const BUSY: i32 = 75;
/// How long a command may wait for the node's agent, in seconds: what nobody waits for any more must not be made later.
const DELIVERED_WITHIN: i32 = 30;

impl AwsFixes<'_> {
    /// Reads a file's mode, or a setting of the kubelet, and whether the kubelet is healthy.
    pub(super) async fn read_node(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        let (said, turn) = futures::try_join!(self.command(scope, aim, "read", ""), self.turn_of(scope, &aim.target))?;
        let facts = json!({"healthy": said.get("healthy").cloned().unwrap_or_default(), "turn": turn});
        match aim.action.as_str() {
            "node_set_file_mode" => {
                Ok(Sight { now: json!({"mode": said.get("mode"), "owner": said.get("owner")}), facts })
            }
            "node_set_kubelet" => Ok(Sight { now: json!({"value": said.get("value")}), facts }),
            _ => unknown(aim),
        }
    }

    /// Nodes of one cluster are changed one after another, so that a setting that breaks one breaks no second.
    async fn turn_of(&self, scope: &Scope, node: &str) -> Answer<String> {
        let answer = self.clients.ec2(&scope.region).describe_instances().instance_ids(node).send().await;
        let answer = answer.map_err(|e| failed("reading instance", node, &e))?;
        let found = answer.reservations().iter().flat_map(|r| r.instances()).next();
        Ok(format!("nodes/{}", found.and_then(cluster_of).as_deref().unwrap_or("of no named cluster")))
    }

    pub(super) async fn write_node(&self, scope: &Scope, aim: &Aim, to: &Value) -> Answer<()> {
        let value = match aim.action.as_str() {
            "node_set_file_mode" => word(to, "mode").unwrap_or_default().to_owned(),
            _ => to.get("value").unwrap_or(&Value::Null).to_string(),
        };
        self.command(scope, aim, "write", &value).await.map(drop)
    }

    /// Sends our document to one node and waits for what it says.
    async fn command(&self, scope: &Scope, aim: &Aim, verb: &str, value: &str) -> Answer<Value> {
        let (client, node, doing) = (aws_sdk_ssm::Client::new(&self.config(scope)), &aim.target, "asking node");
        self.reachable(&client, node).await?;
        let parameters = parameters(aim, verb, value);
        let call = client.send_command().document_name(format!("{}-fix-node", self.stack)).instance_ids(node);
        let call = call.timeout_seconds(DELIVERED_WITHIN);
        let sent = call.set_parameters(Some(parameters)).send().await.map_err(|e| failed(doing, node, &e))?;
        let id = sent.command().and_then(|c| c.command_id()).unwrap_or_default().to_owned();
        for _ in 0..LOOKS {
            tokio::time::sleep(BETWEEN).await;
            let answer = client.get_command_invocation().command_id(&id).instance_id(node).send().await;
            let answer = match answer.map_err(|e| failed(doing, node, &e)) {
                Ok(answer) => answer,
                // Not there yet.
                Err(error) if error.why.as_str().contains("InvocationDoesNotExist") => continue,
                Err(error) => return Err(error),
            };
            match answer.status() {
                Some(CommandInvocationStatus::Success) => {
                    return said(node, answer.standard_output_content().unwrap_or_default());
                }
                Some(
                    CommandInvocationStatus::Pending
                    | CommandInvocationStatus::InProgress
                    | CommandInvocationStatus::Delayed,
                )
                | None => {}
                Some(_) if answer.response_code() == BUSY => {
                    return Err(PortError::new(doing, node, Kind::Conflict, "another change of it is under way"));
                }
                Some(other) => {
                    let why = why_failed(answer.standard_error_content().unwrap_or_default());
                    return Err(PortError::new(doing, node, Kind::Other, &format!("{other}: {why}")));
                }
            }
        }
        Err(PortError::new(doing, node, Kind::Transient, "it has not answered yet"))
    }

    async fn reachable(&self, client: &aws_sdk_ssm::Client, node: &str) -> Answer<()> {
        let of = aws_sdk_ssm::types::InstanceInformationStringFilter::builder().key("InstanceIds").values(node).build();
        let of = of.map_err(|e| super::unbuilt(&e))?;
        let answer = client.describe_instance_information().filters(of).send().await;
        let answer = answer.map_err(|e| failed("asking Systems Manager about", node, &e))?;
        let online =
            answer.instance_information_list().first().and_then(|i| i.ping_status()) == Some(&PingStatus::Online);
        let why = "Systems Manager does not reach it, so it cannot be changed from here";
        online.then_some(()).ok_or_else(|| PortError::new("asking node", node, Kind::Other, why))
    }
}

fn parameters(aim: &Aim, verb: &str, value: &str) -> HashMap<String, Vec<String>> {
    let with = |name: &str| aim.with.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let kind = if aim.action == "node_set_kubelet" { "kubelet" } else { "file_mode" };
    let value = if value.is_empty() { "-" } else { value };
    [
        ("Verb", verb.to_owned()),
        ("Kind", kind.to_owned()),
        ("Path", with("path")),
        ("Field", with("field")),
        ("Value", value.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), vec![value]))
    .collect()
}

/// What our document says when it fails, without where it kept a backup and without the agent's own line.
fn why_failed(errors: &str) -> String {
    let of_others = ["kept ", "failed to run commands"];
    let lines = errors.lines().map(str::trim).filter(|l| !l.is_empty() && !of_others.iter().any(|o| l.starts_with(o)));
    lines.collect::<Vec<_>>().join("; ")
}

/// The last line of what it said is JSON.
fn said(node: &str, text: &str) -> Answer<Value> {
    let line = text.lines().rev().find(|l| l.trim_start().starts_with('{')).unwrap_or_default();
    serde_json::from_str(line)
        .map_err(|e| PortError::new("reading the answer of node", node, Kind::Other, &e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_the_words_of_the_document() {
        let errors = "kept /var/lib/picket/backups/x.1\nthe kubelet did not become healthy with it\n\nfailed to run commands: exit status 1";
        assert_eq!(why_failed(errors), "the kubelet did not become healthy with it");
    }

    #[test]
    fn what_the_document_is_asked_is_in_its_parameters() {
        let with = json!({"field": "readOnlyPort", "value": "0"});
        let with = with.as_object().cloned().unwrap_or_default();
        let aim = Aim { action: "node_set_kubelet".to_owned(), target: "i-1".to_owned(), with };
        let made = parameters(&aim, "write", "0");
        assert_eq!((made["Kind"][0].as_str(), made["Field"][0].as_str()), ("kubelet", "readOnlyPort"));
        assert_eq!((made["Path"][0].as_str(), made["Value"][0].as_str()), ("-", "0"));
    }
}
