//! Invoking Picket's own functions, for people at a terminal and for the sweep: IAM's permission to invoke is the
//! authorisation.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use picket_pipeline::ports::{Answer, Kind, PortError, Releases};
use picket_pipeline::release::Order;
use picket_pipeline::scan::{Answers, Asked, Prober, Questions};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Clients;
use crate::error::port_error;

/// How long a function may take until it answers; none of those that are waited for may run longer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(65);

/// Invokes the functions of one stack.
#[derive(Debug)]
pub struct Functions {
    client: aws_sdk_lambda::Client,
    stack: String,
}

impl Functions {
    /// Of the deployment named `stack`.
    #[must_use]
    pub fn new(clients: &Clients, stack: &str) -> Self {
        Self { client: aws_sdk_lambda::Client::new(clients.config()), stack: stack.to_owned() }
    }

    /// Invokes `<stack>-<name>` and waits for its answer.
    ///
    /// # Errors
    /// If it cannot be invoked, fails, or answers something else than `T`.
    pub async fn invoke<T: DeserializeOwned>(&self, name: &str, order: &impl Serialize) -> Answer<T> {
        let function = format!("{}-{name}", self.stack);
        let doing = "invoking";
        let wrong = |why: String| PortError::new(doing, &function, Kind::Other, &why);
        let payload = serde_json::to_vec(order).map_err(|e| wrong(e.to_string()))?;
        let call = self.client.invoke().function_name(&function).payload(Blob::new(payload)).customize();
        let patient = TimeoutConfig::builder().operation_attempt_timeout(ANSWERS_WITHIN).build();
        let call = call.config_override(aws_sdk_lambda::config::Builder::new().timeout_config(patient));
        let answer = call.send().await.map_err(|e| port_error(doing, &function, &e))?;
        let body = answer.payload().map(Blob::as_ref).unwrap_or_default();
        if answer.function_error().is_some() {
            let error: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
            let message = error.get("errorMessage").and_then(|m| m.as_str()).unwrap_or("it failed without a word");
            return Err(wrong(message.to_owned()));
        }
        serde_json::from_slice(body).map_err(|e| wrong(format!("its answer cannot be read: {e}")))
    }

    /// A variable of `<stack>-<name>`: where the stack put something whose name AWS chose, such as a bucket.
    ///
    /// # Errors
    /// If the function cannot be read, or has no such variable.
    pub async fn variable(&self, name: &str, variable: &str) -> Answer<String> {
        let function = format!("{}-{name}", self.stack);
        let doing = "reading the settings of";
        let call = self.client.get_function_configuration().function_name(&function);
        let answer = call.send().await.map_err(|e| port_error(doing, &function, &e))?;
        let found = answer.environment().and_then(|e| e.variables()).and_then(|v| v.get(variable)).cloned();
        let none = || PortError::new(doing, &function, Kind::NotFound, &format!("it has no variable {variable}"));
        found.filter(|v| !v.is_empty()).ok_or_else(none)
    }
}

#[async_trait]
impl Prober for Functions {
    async fn probe(&self, asked: &[Asked]) -> Answer<Answers> {
        self.invoke("probe", &Questions { asked: asked.to_vec() }).await
    }
}

#[async_trait]
impl Releases for Functions {
    async fn start(&self, order: &Order) -> Answer<()> {
        let function = format!("{}-release", self.stack);
        let wrong = |why: String| PortError::new("starting", &function, Kind::Other, &why);
        let payload = serde_json::to_vec(order).map_err(|e| wrong(e.to_string()))?;
        let call = self.client.invoke().function_name(&function).invocation_type(InvocationType::Event);
        call.payload(Blob::new(payload)).send().await.map(drop).map_err(|e| port_error("starting", &function, &e))
    }
}
