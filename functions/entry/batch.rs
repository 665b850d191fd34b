//! A batch of queue messages: each handled by itself, all at once, and only the failed ones shown again.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::Timestamp;
use lambda_runtime::LambdaEvent;
use serde::de::DeserializeOwned;

/// What became of one message.
pub enum Handled {
    /// It is done and may be forgotten.
    Done,
    /// It is to be shown again after the queue's time.
    Again(String),
    /// It is to be shown again after so many seconds.
    AgainIn(i32, String),
}

impl From<picket_pipeline::PortError> for Handled {
    fn from(error: picket_pipeline::PortError) -> Self {
        Self::Again(error.to_string())
    }
}

/// A message of the batch.
pub struct Message {
    /// Its body.
    pub body: String,
    /// How often it was received, this time included.
    pub receives: u32,
    id: String,
    receipt: String,
}

impl Message {
    fn of(message: SqsMessage) -> Self {
        let receives = message.attributes.get("ApproximateReceiveCount").and_then(|n| n.parse().ok()).unwrap_or(1);
        Self {
            body: message.body.unwrap_or_default(),
            receives,
            id: message.message_id.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
        }
    }

    /// The body as a `T`.
    ///
    /// # Errors
    /// With what is wrong with it. Bodies come from our own stages, so this is a defect of ours or a foreign sender.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Handled> {
        serde_json::from_str(&self.body).map_err(|e| Handled::Again(format!("the message cannot be read: {e}")))
    }
}

/// Handles every message of a batch; `queue` is the variable that holds the queue's URL.
pub async fn each<F>(
    event: LambdaEvent<SqsEvent>,
    queues: &picket_aws::Sqs,
    queue: &str,
    handle: impl Fn(Message) -> F,
) -> SqsBatchResponse
where
    F: Future<Output = Handled>,
{
    let one = |message: SqsMessage| async {
        let message = Message::of(message);
        let (id, receipt) = (message.id.clone(), message.receipt.clone());
        let (seconds, why) = match handle(message).await {
            Handled::Done => return None,
            Handled::Again(why) => {
                tracing::warn!(why, "a message could not be handled");
                (None, why)
            }
            Handled::AgainIn(seconds, why) => (Some(seconds), why),
        };
        tracing::info!(message_id = %id, why, seconds, "a message will be shown again");
        if let Some(seconds) = seconds
            && let Err(error) = queues.show_again(queue, &receipt, seconds).await
        {
            tracing::warn!(%error, "it comes back when the queue says");
        }
        Some(id)
    };
    let failed = futures::future::join_all(event.payload.records.into_iter().map(one)).await;
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.into_iter().flatten().map(failure).collect();
    response
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

/// A batch that is handled as one: done together, or shown again together.
pub struct Batch {
    messages: Vec<SqsMessage>,
    alone: Option<serde_json::Value>,
}

impl Batch {
    /// The messages of an event; one that came without a queue, such as a schedule's, stands alone.
    #[must_use]
    pub fn of(event: serde_json::Value) -> Self {
        match serde_json::from_value::<SqsEvent>(event.clone()) {
            Ok(batch) if event.get("Records").is_some() => Self { messages: batch.records, alone: None },
            _ => Self { messages: Vec::new(), alone: Some(event) },
        }
    }

    /// The bodies that are JSON. Others cannot be ours, and trying again would not make them so.
    pub fn bodies(&self) -> impl Iterator<Item = serde_json::Value> {
        let queued = self.messages.iter().filter_map(|m| serde_json::from_str(m.body.as_deref()?).ok());
        queued.chain(self.alone.clone())
    }

    /// Whether it came without a queue, which would show it again: an error does that.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.alone.is_some()
    }

    /// All are done.
    #[must_use]
    pub fn done(&self) -> SqsBatchResponse {
        SqsBatchResponse::default()
    }

    /// When the last of them was sent; none for one that stands alone.
    #[must_use]
    pub fn sent(&self) -> Option<Timestamp> {
        let sent = |m: &SqsMessage| m.attributes.get("SentTimestamp")?.parse().ok();
        self.messages.iter().filter_map(sent).max().and_then(|ms| Timestamp::from_millisecond(ms).ok())
    }

    /// All are to be shown again after so many seconds; `queue` is the variable that holds the queue's URL.
    pub async fn all_again_in(self, seconds: i32, queues: &picket_aws::Sqs, queue: &str) -> SqsBatchResponse {
        let receipts = self.messages.iter().filter_map(|m| m.receipt_handle.as_deref());
        for refused in futures::future::join_all(receipts.map(|r| queues.show_again(queue, r, seconds))).await {
            if let Err(error) = refused {
                tracing::warn!(%error, "it comes back when the queue says");
            }
        }
        self.all_again()
    }

    /// All are to be shown again.
    #[must_use]
    pub fn all_again(self) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures =
            self.messages.into_iter().map(|m| failure(m.message_id.unwrap_or_default())).collect();
        response
    }
}
