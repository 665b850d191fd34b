//! Handing over to the next stage.

use async_trait::async_trait;
use picket_pipeline::messages::Message;
use picket_pipeline::ports::{Answer, Queues};

use crate::api::Api;
use crate::call::Client;
use crate::invariants;
use crate::queues::Name;

#[async_trait]
impl Queues for Client {
    async fn send(&self, messages: Vec<Message>) -> Answer<()> {
        let what = match messages.as_slice() {
            [one] => format!("to {:?}", Name::of(one)),
            many => format!("{} messages", many.len()),
        };
        let task = self.task;
        self.call(Api::Send, what, move |w, _| {
            for message in &messages {
                invariants::sent(w, task, message);
                w.put(message.clone());
            }
            Ok(())
        })
        .await
    }
}
