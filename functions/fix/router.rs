//! Which crate reads and changes what: objects of a cluster by its API, everything else by AWS's.

use async_trait::async_trait;
use picket_aws::{AwsFixes, Clients};
use picket_model::Scope;
use picket_model::fix::Aim;
use picket_pipeline::Permit;
use picket_pipeline::ports::{Answer, Fixes, Sight};
use serde_json::Value;

/// Both behind one port.
pub struct Router<'a> {
    aws: AwsFixes<'a>,
}

impl<'a> Router<'a> {
    /// For one deployment.
    pub fn new(aws: AwsFixes<'a>, _: &'a Clients) -> Self {
        Self { aws }
    }
}

#[async_trait]
impl Fixes for Router<'_> {
    async fn read(&self, scope: &Scope, aim: &Aim) -> Answer<Sight> {
        self.aws.read(scope, aim).await
    }

    async fn write(&self, permit: &Permit, scope: &Scope, aim: &Aim, from: &Value, to: &Value) -> Answer<()> {
        self.aws.write(permit, scope, aim, from, to).await
    }
}
