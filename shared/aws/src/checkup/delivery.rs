//! Whether rules are on and lead to the queue, the queue is read, no letter lies dead, and other Regions forward.

use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_sqs::types::QueueAttributeName;
use picket_model::Region;
use picket_pipeline::ports::{Answer, Kind, PortError};

use super::{Checkup, Finding};
use crate::error::port_error;

/// The rules of infra/triggers.yaml, without the stack's name, and the queue that each leads to. A test compares them.
pub(super) const RULES: &[(&str, &str)] = &[
    ("autoscaling-calls", "triggers"),
    ("autoscaling-launches", "triggers"),
    ("canary", "triggers"),
    ("ec2-calls", "triggers"),
    ("eks-calls", "triggers"),
    ("guardduty-findings", "triggers"),
    ("instance-states", "triggers"),
    ("kubernetes-callers", "triggers"),
    ("loadbalancer-calls", "triggers"),
    ("own-calls", "watch"),
    ("posture-calls", "collect"),
    ("securityhub-actions", "triggers"),
    ("securityhub-findings", "triggers"),
    ("tag-calls", "triggers"),
    ("tampering-calls", "watch"),
    ("trust-calls", "triggers"),
];
/// The one rule that a parameter may switch off: `AssessOnCalls`.
const BY_CHOICE: &str = "posture-calls";
/// The rules of infra/forward.yaml.
const FORWARDERS: &[&str] = &["forward-calls", "forward-notifications"];
/// The dead-letter queues of infra/queues.yaml. A test compares them.
const DEAD: &[&str] = &[
    "assess-dead",
    "audit-dead",
    "collect-dead",
    "fix-dead",
    "notices-dead",
    "report-dead",
    "respond-dead",
    "sweep-dead",
    "triggers-dead",
    "watch-dead",
];
/// Functions that read a queue.
const READERS: &[&str] = &["assess", "collect", "discover", "fix", "notify", "report", "respond", "sweep", "watch"];

/// Why a rule does not deliver.
enum Off {
    /// There is none.
    Missing,
    /// Somebody switched it off.
    Switched,
    /// Its events go elsewhere.
    Astray(String),
}

impl std::fmt::Display for Off {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Switched => f.write_str("is switched off"),
            Self::Astray(target) => write!(f, "does not lead to {}", target.trim_start_matches(':')),
        }
    }
}

impl Checkup<'_> {
    pub(super) async fn rules(&self) -> Vec<Finding> {
        let (region, what) = (&self.home.region, "the rules");
        let (mut off, mut quiet) = (Vec::new(), false);
        for (rule, queue) in RULES {
            let name = format!("{}-{rule}", self.stack);
            match self.leads_to(region, &name, &format!(":{}-{queue}", self.stack)).await {
                Ok(None) => {}
                Ok(Some(Off::Switched)) if *rule == BY_CHOICE => quiet = true,
                Ok(Some(why)) => off.push(format!("{name} {why}")),
                Err(error) => return vec![Finding::unknown(what, region, &error)],
            }
        }
        let on = RULES.len() - usize::from(quiet);
        let mut found = vec![match off.first() {
            None => Finding::well(what, region, format!("{on} rules are on and lead to their queues")),
            Some(first) => {
                let name = first.split(' ').next().unwrap_or_default();
                let mend = format!("sam deploy again, or aws events enable-rule --name {name}");
                Finding::ill(what, region, off.join("; "), mend)
            }
        }];
        if quiet {
            let says = "calls are not judged as they are made (AssessOnCalls is false); the clock judges everything";
            found.push(Finding::weak("judging on calls", region, says, "sam deploy with AssessOnCalls=true"));
        }
        found
    }

    /// Why a rule does not deliver; none if it does.
    async fn leads_to(&self, region: &Region, name: &str, target: &str) -> Answer<Option<Off>> {
        let client = aws_sdk_eventbridge::Client::new(&self.clients.in_region(region));
        let rule = client.describe_rule().name(name).send().await;
        let rule = match rule.map_err(|e| port_error("calling", "events:DescribeRule", &e)) {
            Err(error) if error.kind == Kind::NotFound => return Ok(Some(Off::Missing)),
            other => other?,
        };
        if rule.state() == Some(&RuleState::Disabled) {
            return Ok(Some(Off::Switched));
        }
        let targets = client.list_targets_by_rule().rule(name).send().await;
        let targets = targets.map_err(|e| port_error("calling", "events:ListTargetsByRule", &e))?;
        let leads = targets.targets().iter().any(|t| t.arn().ends_with(target));
        Ok((!leads).then(|| Off::Astray(target.to_owned())))
    }

    /// Whether a Region forwards. One that never did may be meant so; one whose rule was switched off is ill.
    pub(super) async fn forwarding(&self, region: &Region) -> Finding {
        let what = "the forwarding of events";
        let home = &self.home.region;
        let target = format!(":{home}:{}:event-bus/default", self.home.account);
        let deploy = format!("deploy infra/forward.yaml in {region} with Stack={} and Home={home}", self.stack);
        for rule in FORWARDERS {
            let name = format!("{}-{rule}", self.stack);
            match self.leads_to(region, &name, &target).await {
                Ok(None) => {}
                Ok(Some(Off::Missing)) => {
                    let says = format!("{name} is missing: what happens here is found by the sweep, minutes later");
                    return Finding::weak(what, region, says, deploy);
                }
                Ok(Some(why)) => {
                    let says = format!("{name} {why}: what happens here is found by the sweep, minutes later");
                    let mend = format!("aws events enable-rule --region {region} --name {name}, or {deploy}");
                    return Finding::ill(what, region, says, mend);
                }
                Err(error) => return Finding::unknown(what, region, &error),
            }
        }
        Finding::well(what, region, format!("events reach {home}"))
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
    fn the_rules_and_where_they_lead_are_those_of_the_deployment() {
        let template = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/triggers.yaml"));
        let (mut found, mut name) = (Vec::new(), None);
        for line in template.lines().map(str::trim) {
            name = line.strip_prefix("Name: !Sub ${Stack}-").or(name);
            if let Some(queue) = line.strip_prefix("Arn: !Ref ").and_then(|q| q.strip_suffix("Arn")) {
                found.extend(name.take().map(|name| (name, queue.to_lowercase())));
            }
        }
        found.sort_unstable();
        assert_eq!(found, RULES.iter().map(|(name, queue)| (*name, (*queue).to_owned())).collect::<Vec<_>>());
    }

    #[test]
    fn every_dead_letter_queue_of_the_deployment_is_looked_into() {
        let template = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/queues.yaml"));
        let names = template.lines().filter_map(|line| line.trim().strip_prefix("QueueName: !Sub ${Stack}-"));
        let mut names: Vec<_> = names.filter(|name| name.ends_with("-dead")).collect();
        names.sort_unstable();
        assert_eq!(names, DEAD);
    }

    #[test]
    fn every_rule_that_forwards_is_looked_at() {
        let template = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/forward.yaml"));
        let names = template.lines().filter_map(|line| line.trim().strip_prefix("Name: !Sub ${Stack}-"));
        assert_eq!(names.collect::<Vec<_>>(), FORWARDERS);
    }
}
