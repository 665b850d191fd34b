//! Whether rules are on and lead to the queue, the queue is read, no letter lies dead, and other Regions forward.

use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_sqs::types::QueueAttributeName;
use picket_model::Region;
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::{Checkup, Finding};
use crate::error::port_error;

/// The rules of infra/triggers.yaml, without the stack's name. A test compares them.
pub(super) const RULES: &[&str] = &[
    "autoscaling-calls",
    "autoscaling-launches",
    "canary",
    "ec2-calls",
    "eks-calls",
    "guardduty-findings",
    "instance-states",
    "kubernetes-callers",
    "loadbalancer-calls",
    "own-calls",
    "posture-calls",
    "securityhub-actions",
    "securityhub-findings",
    "tag-calls",
    "tampering-calls",
    "trust-calls",
];
const DEAD: &[&str] = &["triggers-dead", "assess-dead", "respond-dead", "notices-dead", "sweep-dead"];
/// Functions that read a queue.
const READERS: &[&str] = &["discover", "assess", "respond", "notify", "sweep"];

impl Checkup<'_> {
    pub(super) async fn rules(&self) -> Vec<Finding> {
        let (region, what) = (&self.home.region, "the rules");
        let mut off = Vec::new();
        for rule in RULES {
            let name = format!("{}-{rule}", self.stack);
            match self.leads_to(region, &name, &format!(":{}-triggers", self.stack)).await {
                Ok(None) => {}
                Ok(Some(why)) => off.push(format!("{name} {why}")),
                Err(error) => return vec![Finding::unknown(what, region, &error)],
            }
        }
        match off.is_empty() {
            true => vec![Finding::well(what, region, format!("{} rules are on and lead to the queue", RULES.len()))],
            false => {
                let mend = format!("sam deploy again, or aws events enable-rule --name {}-...", self.stack);
                vec![Finding::ill(what, region, off.join("; "), mend)]
            }
        }
    }

    /// Why a rule does not deliver; none if it does.
    async fn leads_to(&self, region: &Region, name: &str, target: &str) -> Answer<Option<String>> {
        let client = aws_sdk_eventbridge::Client::new(&self.clients.in_region(region));
        let rule = client.describe_rule().name(name).send().await;
        let rule = match rule.map_err(|e| port_error("calling", "events:DescribeRule", &e)) {
            Err(error) if error.kind == Kind::NotFound => return Ok(Some("is missing".to_owned())),
            other => other?,
        };
        if rule.state() == Some(&RuleState::Disabled) {
            return Ok(Some("is switched off".to_owned()));
        }
        let targets = client.list_targets_by_rule().rule(name).send().await;
        let targets = targets.map_err(|e| port_error("calling", "events:ListTargetsByRule", &e))?;
        let leads = targets.targets().iter().any(|t| t.arn().ends_with(target));
        Ok((!leads).then(|| format!("does not lead to {}", target.trim_start_matches(':'))))
    }

    pub(super) async fn forwarding(&self, region: &Region) -> Finding {
        let what = "the forwarding of events";
        let home = &self.home.region;
        let mend = format!("deploy infra/forward.yaml in {region} with Stack={} and Home={home}", self.stack);
        let target = format!(":{home}:{}:event-bus/default", self.home.account);
        match self.leads_to(region, &format!("{}-forward-calls", self.stack), &target).await {
            Ok(None) => Finding::well(what, region, format!("events reach {home}")),
            Ok(Some(why)) => {
                let says = format!("the forwarder {why}: what happens here is found by the sweep, minutes later");
                Finding::weak(what, region, says, mend)
            }
            Err(error) => Finding::unknown(what, region, &error),
        }
    }

    /// Whether each function that reads a queue does.
    pub(super) async fn readers(&self) -> Vec<Finding> {
        let (region, what) = (&self.home.region, "the readers of the queues");
        let client = aws_sdk_lambda::Client::new(&self.clients.in_region(region));
        let mut off = Vec::new();
        for reader in READERS {
            let name = format!("{}-{reader}", self.stack);
            let answer = client.list_event_source_mappings().function_name(&name).send().await;
            let answer = answer.map_err(|e| port_error("calling", "lambda:ListEventSourceMappings", &e));
            let mappings = match answer {
                Ok(answer) => answer.event_source_mappings.unwrap_or_default(),
                Err(error) => return vec![Finding::unknown(what, region, &error)],
            };
            if !mappings.iter().any(|m| m.state() == Some("Enabled")) {
                off.push(name);
            }
        }
        match off.as_slice() {
            [] => vec![Finding::well(what, region, "every queue is read")],
            off => {
                let mend = "aws lambda update-event-source-mapping --uuid UUID --enabled";
                vec![Finding::ill(what, region, format!("nothing is read by {}", off.join(", ")), mend)]
            }
        }
    }

    pub(super) async fn dead_letters(&self) -> Vec<Finding> {
        let (region, what) = (&self.home.region, "dead letters");
        let mut lying = Vec::new();
        for queue in DEAD {
            match self.waiting(&format!("{}-{queue}", self.stack)).await {
                Ok(0) => {}
                Ok(n) => lying.push(format!("{n} in {}-{queue}", self.stack)),
                Err(error) => return vec![Finding::unknown(what, region, &error)],
            }
        }
        match lying.is_empty() {
            true => vec![Finding::well(what, region, "none")],
            false => {
                let mend = "read them, mend the cause, then redrive: infra/README.md says what each means";
                vec![Finding::ill(what, region, lying.join(", "), mend)]
            }
        }
    }

    async fn waiting(&self, queue: &str) -> Answer<u64> {
        let client = aws_sdk_sqs::Client::new(&self.clients.in_region(&self.home.region));
        let url = client.get_queue_url().queue_name(queue).send().await;
        let url = url.map_err(|e| port_error("calling", "sqs:GetQueueUrl", &e))?.queue_url.unwrap_or_default();
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let answer = client.get_queue_attributes().queue_url(url).attribute_names(name.clone()).send().await;
        let answer = answer.map_err(|e| port_error("calling", "sqs:GetQueueAttributes", &e))?;
        let count = answer.attributes().and_then(|a| a.get(&name)).and_then(|n| n.parse().ok());
        count.ok_or_else(|| PortError::new("calling", "sqs:GetQueueAttributes", Kind::Other, "it tells no number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_those_of_the_deployment() {
        let template = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/triggers.yaml"));
        let names = template.lines().filter_map(|line| line.trim().strip_prefix("Name: !Sub ${Stack}-"));
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        assert_eq!(names, RULES);
    }
}
