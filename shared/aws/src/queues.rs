//! The queues between the stages, on SQS.

use async_trait::async_trait;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use futures::future::try_join_all;
use picket_pipeline::messages::Message;
use picket_pipeline::ports::{Answer, Kind, PortError, Queues};
use serde::Serialize;

use crate::error::port_error;
use crate::{Clients, Environment};

/// SQS takes ten messages in a batch.
const PER_BATCH: usize = 10;
const DOING: &str = "sending to";

/// The queues that a function may send to.
#[derive(Debug)]
pub struct Sqs {
    client: aws_sdk_sqs::Client,
    environment: Environment,
}

impl Sqs {
    /// With the queue URLs of the environment.
    #[must_use]
    pub fn new(clients: &Clients, environment: &Environment) -> Self {
        Self { client: aws_sdk_sqs::Client::new(clients.config()), environment: environment.clone() }
    }

    fn url(&self, variable: &str) -> Answer<String> {
        let wrong = |e: crate::environment::EnvironmentError| {
            PortError::new("finding the queue", variable, Kind::Other, &e.to_string())
        };
        self.environment.need(variable).map_err(wrong)
    }

    /// Puts a message that cannot be used where people look, with the reason beside it.
    ///
    /// # Errors
    /// If SQS refuses; then the message must not be taken as handled.
    pub async fn park(&self, body: &str, reason: &str) -> Answer<()> {
        let url = self.url("PICKET_TRIGGERS_DEAD_QUEUE_URL")?;
        let doing = "parking a malformed trigger in";
        let text: String = reason.chars().filter(|c| !c.is_control()).take(1024).collect();
        let value = MessageAttributeValue::builder().data_type("String").string_value(text).build();
        let value = value.map_err(|e| PortError::new(doing, &url, Kind::Other, &e.to_string()))?;
        let call = self.client.send_message().queue_url(&url).message_body(body).message_attributes("reason", value);
        call.send().await.map(drop).map_err(|e| port_error(doing, &url, &e))
    }

    /// Makes a message visible again after `seconds`.
    ///
    /// # Errors
    /// If SQS refuses; then it comes back when the queue says.
    pub async fn show_again(&self, variable: &str, receipt: &str, seconds: i32) -> Answer<()> {
        let url = self.url(variable)?;
        let call = self.client.change_message_visibility().queue_url(&url).receipt_handle(receipt);
        let sent = call.visibility_timeout(seconds).send().await;
        sent.map(drop).map_err(|e| port_error("putting off a message of", &url, &e))
    }

    /// Sends one message that is not to be seen for a while.
    async fn send_later(&self, variable: &str, body: String, seconds: i32) -> Answer<()> {
        let url = self.url(variable)?;
        let call = self.client.send_message().queue_url(&url).message_body(body).delay_seconds(seconds);
        let call = match trace(DOING)? {
            Some((name, value)) => call.message_system_attributes(name, value),
            None => call,
        };
        call.send().await.map(drop).map_err(|e| port_error(DOING, &url, &e))
    }

    async fn send_batch(&self, variable: &str, bodies: Vec<String>) -> Answer<()> {
        let url = self.url(variable)?;
        let trace = trace(DOING)?;
        let mut call = self.client.send_message_batch().queue_url(&url);
        for (n, body) in bodies.into_iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(body);
            let entry = match trace.clone() {
                Some((name, value)) => entry.message_system_attributes(name, value).build(),
                None => entry.build(),
            };
            call = call.entries(entry.map_err(|e| PortError::new(DOING, &url, Kind::Other, &e.to_string()))?);
        }
        let answer = call.send().await.map_err(|e| port_error(DOING, &url, &e))?;
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => {
                let kind = if failed.sender_fault() { Kind::Other } else { Kind::Transient };
                Err(PortError::new(DOING, &url, kind, failed.message().unwrap_or(failed.code())))
            }
        }
    }
}

/// X-Ray's header of this invocation, as Lambda's runtime tells it, so that a trace goes on through the queue.
/// Source: X-Ray developer guide, "Amazon SQS and AWS X-Ray".
fn trace(doing: &'static str) -> Answer<Option<(MessageSystemAttributeNameForSends, MessageSystemAttributeValue)>> {
    let Ok(header) = std::env::var("_X_AMZN_TRACE_ID") else { return Ok(None) };
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header).build();
    let value = value.map_err(|e| PortError::new(doing, "a trace header", Kind::Other, &e.to_string()))?;
    Ok(Some((MessageSystemAttributeNameForSends::AwsTraceHeader, value)))
}

fn body_of(value: &impl Serialize) -> Answer<String> {
    serde_json::to_string(value).map_err(|e| PortError::new("writing", "a message", Kind::Other, &e.to_string()))
}

/// Which queue a message goes to, and its body.
fn addressed(message: &Message) -> Answer<(&'static str, String)> {
    Ok(match message {
        Message::Look(trigger) => ("PICKET_TRIGGERS_QUEUE_URL", body_of(&events_of_our_own(trigger))?),
        Message::Observed(observed) => ("PICKET_ASSESS_QUEUE_URL", body_of(observed)?),
        Message::Decision(decision) => ("PICKET_RESPOND_QUEUE_URL", body_of(decision)?),
        Message::Prepare(prepare) => ("PICKET_RESPOND_QUEUE_URL", body_of(prepare)?),
        Message::Fix(work) => ("PICKET_FIX_QUEUE_URL", body_of(work)?),
        Message::Judge(asked) => ("PICKET_COLLECT_QUEUE_URL", body_of(asked)?),
        Message::Notice(notice) => ("PICKET_NOTICES_QUEUE_URL", body_of(notice)?),
        Message::Survey(survey) => ("PICKET_SWEEP_QUEUE_URL", body_of(survey)?),
    })
}

/// A request to look, in the envelope that discover reads from its queue.
fn events_of_our_own(trigger: &picket_model::Trigger) -> serde_json::Value {
    use picket_model::{Subject, TriggerKind};
    // The inventory says how a thing was found, so who asks must not be lost on the way.
    let asks = if trigger.kind == TriggerKind::Schedule { "Picket Sweep" } else { "Picket Manual Trigger" };
    let detail = match &trigger.subject {
        Subject::Instances(ids) => serde_json::json!({ "instances": ids }),
        Subject::Cluster(name) => serde_json::json!({ "cluster": name }),
        _ => serde_json::json!({}),
    };
    serde_json::json!({
        "version": "0",
        "id": trigger.event,
        "source": "picket",
        "detail-type": asks,
        "account": trigger.scope.account,
        "region": trigger.scope.region,
        "time": trigger.at,
        "resources": [],
        "detail": detail,
    })
}

#[async_trait]
impl Queues for Sqs {
    async fn send(&self, messages: Vec<Message>) -> Answer<()> {
        let mut by_queue: Vec<(&'static str, Vec<String>)> = Vec::new();
        for message in &messages {
            let (queue, body) = addressed(message)?;
            if let Message::Survey(survey) = message
                && survey.wait_seconds > 0
            {
                self.send_later(queue, body, i32::from(survey.wait_seconds)).await?;
                continue;
            }
            match by_queue.iter_mut().find(|(q, bodies)| *q == queue && bodies.len() < PER_BATCH && fits(bodies, &body))
            {
                Some((_, bodies)) => bodies.push(body),
                None => by_queue.push((queue, vec![body])),
            }
        }
        try_join_all(by_queue.into_iter().map(|(queue, bodies)| self.send_batch(queue, bodies))).await.map(drop)
    }
}

/// A batch as a whole may be as large as one message: 256 KiB, with room for what SQS adds.
fn fits(bodies: &[String], more: &str) -> bool {
    bodies.iter().map(String::len).sum::<usize>() + more.len() < 250 * 1024
}

#[cfg(test)]
mod tests {
    use picket_model::{AccountId, Decoded, Hint, InstanceId, Region, Scope, Subject, Trigger, TriggerKind, Untrusted};

    use super::*;

    #[test]
    fn what_the_sweep_asks_arrives_as_the_sweep_s() {
        for kind in [TriggerKind::Schedule, TriggerKind::Manual] {
            let account = AccountId::parse("123456789012").unwrap();
            let trigger = Trigger {
                kind,
                scope: Scope { account, region: Region::parse("us-east-1").unwrap() },
                at: "2026-11-02T03:04:05Z".parse().unwrap(),
                event: Untrusted::new("sweep"),
                subject: Subject::Instances(vec![InstanceId::parse("i-0123456789abcdef0").unwrap()]),
                principal: None,
                signal: None,
                hint: Hint::default(),
            };
            let body = events_of_our_own(&trigger).to_string();
            let Ok(Decoded::Trigger(read)) = crate::events::decode(&body) else { panic!("{body}") };
            assert_eq!((read.kind, &read.subject, &read.scope), (kind, &trigger.subject, &trigger.scope));
        }
    }
}
