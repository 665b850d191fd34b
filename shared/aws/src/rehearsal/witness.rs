//! What can be seen from outside: CloudTrail's records, and the alerts as they arrive at a subscribed queue.

use jiff::Timestamp;
use picket_pipeline::ports::Answer;
use serde_json::{Value, json};

use super::{Rehearsal, needed, said};

/// The queue that stands for the on-call person's phone.
const PHONE: &str = "picket-demo-on-call";

/// A call that CloudTrail recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When.
    pub at: Option<Timestamp>,
    /// What.
    pub name: String,
    /// Who.
    pub by: String,
    /// AWS's id of the record.
    pub id: String,
}

/// A message as on-call gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
}

impl Rehearsal<'_> {
    /// Subscribes a phone to the alerts topic.
    ///
    /// # Errors
    /// If the local cloud refuses a call.
    pub async fn subscribe_phone(&self) -> Answer<()> {
        let sqs = aws_sdk_sqs::Client::new(self.clients.config());
        let made = sqs.create_queue().queue_name(PHONE).send().await.map_err(said("making the queue", PHONE))?;
        let url = needed(made.queue_url, "making the queue", PHONE)?;
        let (account, region) = (&self.scope.account, &self.scope.region);
        let topic = format!("arn:aws:sns:{region}:{account}:{}-alerts", self.stack);
        let arn = format!("arn:aws:sqs:{region}:{account}:{PHONE}");
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }]});
        let allow = sqs.set_queue_attributes().queue_url(url);
        let allow = allow.attributes(aws_sdk_sqs::types::QueueAttributeName::Policy, policy.to_string());
        allow.send().await.map_err(said("letting the topic send to", PHONE))?;
        let sns = aws_sdk_sns::Client::new(self.clients.config());
        let subscribe = sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(arn);
        subscribe.send().await.map(drop).map_err(said("subscribing to", &topic))
    }

    /// The alerts that arrived since the last look.
    ///
    /// # Errors
    /// If the queue cannot be read.
    pub async fn alerts(&self) -> Answer<Vec<Alert>> {
        let sqs = aws_sdk_sqs::Client::new(self.clients.config());
        let url = sqs.get_queue_url().queue_name(PHONE).send().await.map_err(said("finding the queue", PHONE))?;
        let url = needed(url.queue_url, "finding the queue", PHONE)?;
        let call = sqs.receive_message().queue_url(&url).max_number_of_messages(10);
        let got = call.send().await.map_err(said("reading the queue", PHONE))?;
        let mut alerts = Vec::new();
        for message in got.messages() {
            let envelope: Value = serde_json::from_str(message.body().unwrap_or_default()).unwrap_or_default();
            let text = |key: &str| envelope.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            alerts.push(Alert { subject: text("Subject"), body: text("Message") });
            let done =
                sqs.delete_message().queue_url(&url).receipt_handle(message.receipt_handle().unwrap_or_default());
            done.send().await.map_err(said("emptying the queue", PHONE))?;
        }
        Ok(alerts)
    }

    /// The calls that CloudTrail recorded, oldest first.
    ///
    /// # Errors
    /// If CloudTrail cannot be asked.
    pub async fn calls(&self) -> Answer<Vec<Call>> {
        let client = aws_sdk_cloudtrail::Client::new(self.clients.config());
        let got = client.lookup_events().max_results(50).send().await.map_err(said("reading", "CloudTrail"))?;
        let call = |e: &aws_sdk_cloudtrail::types::Event| Call {
            at: e.event_time().and_then(|t| Timestamp::from_second(t.secs()).ok()),
            name: e.event_name().unwrap_or_default().to_owned(),
            by: e.username().unwrap_or_default().to_owned(),
            id: e.event_id().unwrap_or_default().to_owned(),
        };
        let mut calls: Vec<_> = got.events().iter().map(call).collect();
        calls.reverse();
        Ok(calls)
    }
}
